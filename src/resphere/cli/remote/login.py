"""``resphere login``, ``logout`` and ``contexts``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec

from resphere.cli.arguments import Parser
from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.asking import secret
from resphere.cli.remote.chosen import (
    CA_FILE,
    CONTEXTS,
    INSECURE,
    PASSWORD,
    SERVER,
    USER,
    add_server,
    address,
    switched,
)
from resphere.cli.remote.connection import client_of, logged_in
from resphere.cli.remote.contexts import Context, Contexts, alone, read_contexts, write_contexts
from resphere.cli.remote.failing import FAILURES
from resphere.cli.remote.output import add_output, show
from resphere.cli.remote.secrets import Kept, found_keyring, secrets_of

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def add(commands: Commands) -> None:
    """The commands of this module."""
    add_login(commands)
    add_logout(commands)
    add_contexts(commands)


def add_login(commands: Commands) -> None:
    """``login``."""
    made = commands.add_parser(
        "login",
        help="log in at a server, and choose it",
        description="Log in at a server, keep the session under a name, and choose it for all later commands. The "
        f"password is asked for, or is the first line of standard input, or the variable {PASSWORD}.",
    )
    made.add_argument(
        "host", nargs="?", metavar="HOST[:PORT]", help=f"the server [{SERVER}]; none: that of --context anew"
    )
    made.add_argument(
        "--remember", action="store_true", help="keep the password too, so that a session which has ended is begun anew"
    )
    add_server(made)
    made.set_defaults(run=login)


def add_logout(commands: Commands) -> None:
    """``logout``."""
    made = commands.add_parser(
        "logout",
        help="end the session at a server, and forget it",
        description="End the session at a server, and forget what was kept of it; the context stays.",
    )
    made.add_argument("--all", action="store_true", help="at all servers")
    add_server(made)
    made.set_defaults(run=logout)


def add_contexts(commands: Commands) -> None:
    """``contexts``."""
    top = commands.add_parser("contexts", help="the servers you work with", description="The servers you work with.")
    verbs: Commands = top.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("ls", help="list them", description="List the servers you work with.")
    add_output(listing)
    listing.set_defaults(run=list_contexts)
    using = verbs.add_parser("use", help="choose one for later commands", description="Choose one for later commands.")
    using.set_defaults(run=use_context)
    renaming = verbs.add_parser("rename", help="give another name", description="Give a context another name.")
    renaming.set_defaults(run=rename_context)
    removing = verbs.add_parser("rm", help="forget one", description="Forget a context, and what was kept of it.")
    removing.set_defaults(run=remove_context)
    for verb in (using, renaming, removing):
        verb.add_argument("name", help="as the list calls it")
        verb.completions["name"] = CONTEXTS
    renaming.add_argument("new_name", metavar="NEW")


def login(options: argparse.Namespace) -> int:
    """Log in, and keep the session."""
    name, context = asked(options)
    if context.user is None:
        if not sys.stdin.isatty():
            raise Ended(f"nobody says who you are: --user, or the variable {USER}", Exit.CALLED_WRONGLY)
        print(f"User at {context.server}: ", end="", file=sys.stderr, flush=True)
        context = msgspec.structs.replace(context, user=sys.stdin.readline().strip() or None)
    password = os.environ.get(PASSWORD) or secret(f"Password of {context.user} at {context.server}")
    session = logged_in(context, password, options.timeout_seconds)
    with alone():
        keyring = found_keyring()
        secrets = keyring or secrets_of(False)
        forget(name, read_contexts())
        secrets.set(name, Kept(session, password if options.remember else None))
        context = msgspec.structs.replace(context, keyring=keyring is not None)
        write_contexts(read_contexts().with_context(name, context))
    print(
        f"{context.user} at {context.server} is the context {name}; what opens it is in {secrets.place}",
        file=sys.stderr,
    )
    return 0


def asked(options: argparse.Namespace) -> tuple[str, Context]:
    """The context to log in to, as flags, environment and what is known say."""
    contexts = read_contexts()
    host = options.host or options.server or (None if options.context else os.environ.get(SERVER))
    name = options.context or (urlsplit(address(host)).netloc if host else contexts.current)
    if name is None:
        raise Ended("name a server: `resphere login HOST`", Exit.CALLED_WRONGLY)
    known = contexts.contexts.get(name)
    if host is None and known is None:
        contexts.named(name)
    context = known if known is not None and host is None else Context(server=address(host or ""))
    if known is not None and host is not None and known.server == context.server:
        context = known
    ca_file = options.ca_file or os.environ.get(CA_FILE) or context.ca_file
    if ca_file is not None and not Path(ca_file).is_file():
        raise Ended(f"there is no file {ca_file}, which would vouch for the server", Exit.UNREACHABLE)
    return name, Context(
        server=context.server,
        user=options.as_user or os.environ.get(USER) or context.user,
        ca_file=None if ca_file is None else str(Path(ca_file).absolute()),
        insecure=options.insecure if options.insecure is not None else switched(INSECURE) or context.insecure,
    )


def logout(options: argparse.Namespace) -> int:
    """End sessions. What cannot be ended at the server is forgotten all the same, and told."""
    contexts = read_contexts()
    names = list(contexts.contexts) if options.all else [options.context or contexts.current]
    if names == [None]:
        raise Ended("no context is chosen; --context names one", Exit.CALLED_WRONGLY)
    with alone():
        for name in names:
            context = contexts.named(name or "")
            session = secrets_of(context.keyring).get(name or "").session
            if session is not None:
                ended_at(context, session, options.timeout_seconds)
            forget(name or "", contexts)
    return 0


def forget(name: str, contexts: Contexts) -> None:
    """Forget what opens a context, if anything is kept of it."""
    known = contexts.contexts.get(name)
    if known is not None and not (known.keyring and found_keyring() is None):
        secrets_of(known.keyring).set(name, Kept())


def ended_at(context: Context, session: str, timeout_seconds: float) -> None:
    """End a session at its server; say so where that cannot be."""
    client = client_of(context, timeout_seconds, session_id=session)
    try:
        client.request("DELETE", "/api/session")
    except FAILURES as error:
        print(
            f"resphere logout: the session is forgotten, and goes on until it ends by itself: {error}", file=sys.stderr
        )
    finally:
        client.close()


def list_contexts(options: argparse.Namespace) -> int:
    """List contexts."""
    contexts = read_contexts()
    rows = [
        {"current": name == contexts.current, "name": name, **msgspec.to_builtins(context)}
        for name, context in sorted(contexts.contexts.items())
    ]
    show(rows, options.output, ("current", "name", "server", "user"), ("ca_file", "insecure"))
    return 0


def use_context(options: argparse.Namespace) -> int:
    """Choose a context."""
    with alone():
        contexts = read_contexts()
        write_contexts(contexts.with_context(options.name, contexts.named(options.name)))
    return 0


def rename_context(options: argparse.Namespace) -> int:
    """Give a context another name."""
    with alone():
        contexts = read_contexts()
        context = contexts.named(options.name)
        if options.new_name in contexts.contexts:
            raise Ended(f"there is a context {options.new_name} already", Exit.CONFLICT)
        secrets = secrets_of(context.keyring)
        secrets.set(options.new_name, secrets.get(options.name))
        left = contexts.without(options.name).contexts
        current = options.new_name if contexts.current == options.name else contexts.current
        write_contexts(Contexts(current=current, contexts={**left, options.new_name: context}))
        secrets.set(options.name, Kept())
    return 0


def remove_context(options: argparse.Namespace) -> int:
    """Forget a context."""
    with alone():
        contexts = read_contexts()
        contexts.named(options.name)
        forget(options.name, contexts)
        write_contexts(contexts.without(options.name))
    return 0
