"""``resphere token``: API tokens."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from resphere.access.principal import Scope
from resphere.auth.token_rules import checked_name, checked_privileges
from resphere.cli.identities import Opened, on_identities, shown_time
from resphere.cli.store import add_store
from resphere.server.present import now


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("token", help="API tokens")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    making = verbs.add_parser("add", help="make a token for a user", description=add_token.__doc__)
    making.add_argument("name", help="such as nightly-backup")
    making.add_argument("--user", required=True, help="whose token it is")
    making.add_argument(
        "--privilege",
        dest="privileges",
        action="append",
        metavar="NAME",
        help="such as VirtualMachine.Interact.PowerOn (repeat the flag); default: all that the user has",
    )
    making.add_argument(
        "--read-only", dest="privileges", action="store_const", const=[], help="no privileges but those to read"
    )
    making.add_argument(
        "--object",
        dest="objects",
        action="append",
        metavar="ID",
        help="an object with all that stands in it, such as group-v4 (repeat the flag); default: everything",
    )
    making.add_argument("--days", type=int, help="how long it is good; default: 90")
    making.set_defaults(run=add_token, recorded=("name", "user", "privileges", "objects", "days"))
    listing = verbs.add_parser("list", help="list the tokens", description=list_tokens.__doc__)
    listing.add_argument("--user", help="of this user only")
    listing.set_defaults(run=list_tokens)
    revoking = verbs.add_parser("revoke", help="end tokens", description=revoke_tokens.__doc__)
    which = revoking.add_mutually_exclusive_group(required=True)
    which.add_argument("token", nargs="?", help="as the list calls it")
    which.add_argument("--user", help="all of this user")
    revoking.set_defaults(run=revoke_tokens, recorded=("token", "user"))
    for verb in (making, listing, revoking):
        add_store(verb)


@on_identities
async def add_token(options: argparse.Namespace, opened: Opened) -> None:
    """Make a token for a user and print it, this once: the server keeps a digest only. It is good at once."""
    scope = Scope(
        None if options.privileges is None else checked_privileges(options.privileges),
        None if options.objects is None else frozenset(options.objects),
    )
    expiration_time = None if options.days is None else now() + timedelta(days=options.days)
    account = opened.account(options.user)
    made = await opened.parts.tokens.make(account.id, checked_name(options.name), scope, expiration_time)
    print(f"good until {shown_time(made.token.expiration_time)}", file=sys.stderr)
    print(made.secret)


@on_identities
async def list_tokens(options: argparse.Namespace, opened: Opened) -> None:
    """List the tokens: what they are called, whose, their names, when they expire and when they were used last."""
    tokens = opened.parts.tokens
    found = tokens.all() if options.user is None else tokens.of_owner(opened.account(options.user).id)
    for token in sorted(found, key=lambda token: (token.owner, token.name)):
        times = shown_time(token.expiration_time), shown_time(token.last_used_time)
        print("\t".join((token.handle, token.owner, token.name, *times)))


@on_identities
async def revoke_tokens(options: argparse.Namespace, opened: Opened) -> None:
    """End a token, or all of a user, with the sessions that they have opened. A running server does so at once."""
    tokens = opened.parts.tokens
    if options.user is not None:
        await tokens.revoke(*tokens.of_owner(opened.account(options.user).id))
        return
    token = tokens.by_handle(options.token)
    if token is None:
        raise ValueError(f"there is no token {options.token}")
    await tokens.revoke(token)
