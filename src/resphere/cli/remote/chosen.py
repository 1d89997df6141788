"""Which server a command means: by its flags, else by the environment, else by the current context."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from resphere.cli.arguments import Parser
from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.contexts import Context, read_contexts

SERVER, USER, PASSWORD, CA_FILE, INSECURE = (
    "VSPHERE_SERVER",
    "VSPHERE_USER",
    "VSPHERE_PASSWORD",
    "VSPHERE_CA_FILE",
    "VSPHERE_ALLOW_UNVERIFIED_SSL",
)
CONTEXTS = "contexts"
"""What names of contexts complete."""
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"", "0", "false", "no", "off"})
TIMEOUT_SECONDS = 60.0
VARIABLES = (
    (SERVER, "the server: `vcenter.example.com`, `127.0.0.1:8443`, or an address"),
    (USER, "the user"),
    (PASSWORD, "the password"),
    (CA_FILE, "a file of certificates (PEM) that vouch for the server"),
    (INSECURE, "`true`: any certificate will do"),
)


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and the name of its context where it has one."""

    context: Context
    name: str | None = None
    password: str | None = None


def add_server(to: Parser) -> None:
    """The flags that say which server is meant."""
    group = to.add_argument_group("server")
    group.add_argument("--context", metavar="NAME", help="a server that `resphere login` was told of")
    to.completions["context"] = CONTEXTS
    group.add_argument("--server", metavar="HOST[:PORT]", help=f"another server [{SERVER}]")
    group.add_argument("--user", metavar="USER", dest="as_user", help=f"who you are there [{USER}]")
    group.add_argument("--ca-file", metavar="FILE", help=f"certificates that vouch for the server [{CA_FILE}]")
    group.add_argument(
        "--insecure", action="store_true", default=None, help=f"take any certificate of the server's [{INSECURE}]"
    )
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=TIMEOUT_SECONDS,
        dest="timeout_seconds",
        help=f"how long to wait for an answer (default: {TIMEOUT_SECONDS:g})",
    )


def seconds(text: str) -> float:
    """A number of seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return value


def chosen(options: argparse.Namespace) -> Chosen:
    """The server that a command means.

    :raises Ended: there is none, or what says so is wrong.
    """
    contexts = read_contexts()
    server = options.server or (None if options.context else os.environ.get(SERVER))
    name = None if server else options.context or contexts.current
    if server:
        context = Context(server=address(server), user=os.environ.get(USER), ca_file=os.environ.get(CA_FILE))
        context = msgspec.structs.replace(context, insecure=switched(INSECURE))
    elif name is not None:
        context = contexts.named(name)
    else:
        raise Ended(
            f"no server is chosen; `resphere login HOST` chooses one, or --server, or the variable {SERVER}",
            Exit.UNREACHABLE,
        )
    given = {"user": options.as_user, "ca_file": options.ca_file, "insecure": options.insecure}
    context = msgspec.structs.replace(context, **{key: value for key, value in given.items() if value is not None})
    if context.ca_file and not Path(context.ca_file).is_file():
        raise Ended(f"there is no file {context.ca_file}, which would vouch for the server", Exit.UNREACHABLE)
    return Chosen(context=context, name=name, password=os.environ.get(PASSWORD) if server else None)


def switched(variable: str) -> bool:
    """What a variable of yes or no says.

    :raises Ended: something else.
    """
    text = os.environ.get(variable, "").lower()
    if text not in TRUE | FALSE:
        raise Ended(f"{variable}={text} is neither true nor false", Exit.CALLED_WRONGLY)
    return text in TRUE


def address(text: str) -> str:
    """``https://host:port`` of what people write for a server.

    :raises Ended: it is no address.
    """
    given = text if "://" in text else f"https://{text}"
    scheme, _, rest = given.partition("://")
    host = rest.rstrip("/")
    if scheme not in ("https", "http") or not host or any(mark in host for mark in "/?#@ "):
        raise Ended(
            f"{text} is no server: vcenter.example.com, 127.0.0.1:8443 or https://HOST:PORT", Exit.CALLED_WRONGLY
        )
    return f"{scheme}://{host}"
