"""``resphere session``: who is logged in."""

from __future__ import annotations

import argparse

from resphere.cli.identities import Opened, on_identities, shown_time
from resphere.cli.store import add_store


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("session", help="open sessions")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list open sessions", description=list_sessions.__doc__)
    listing.add_argument("--user", help="of this user only")
    listing.set_defaults(run=list_sessions)
    ending = verbs.add_parser("end", help="end sessions", description=end_sessions.__doc__)
    which = ending.add_mutually_exclusive_group(required=True)
    which.add_argument("session", nargs="?", help="as the list calls it")
    which.add_argument("--user", help="all of this user")
    ending.set_defaults(run=end_sessions, recorded=("session", "user"))
    for verb in (listing, ending):
        add_store(verb)


@on_identities
async def list_sessions(options: argparse.Namespace, opened: Opened) -> None:
    """List open sessions: what they are called, the user, how and from where it logged in, when, and when the session
    was used last. The server may be running."""
    sessions = opened.parts.sessions
    found = sessions.all_open() if options.user is None else sessions.of_user(options.user)
    for session in sorted(found, key=lambda session: session.created_time):
        times = shown_time(session.created_time), shown_time(session.last_accessed_time)
        print("\t".join((session.handle, session.user, session.method, session.client or "-", *times)))


@on_identities
async def end_sessions(options: argparse.Namespace, opened: Opened) -> None:
    """End a session, or all of a user. A running server does so at once."""
    sessions = opened.parts.sessions
    if options.user is not None:
        await sessions.close(*sessions.of_user(options.user))
        return
    session = sessions.by_handle(options.session)
    if session is None:
        raise ValueError(f"there is no open session {options.session}")
    await sessions.close(session)
