"""Who has called in a session a moment ago: who calls is decided once for a session, until anything is committed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.access.recording import WatchedView
from resphere.auth.authentication import Identity
from resphere.auth.credentials import Credentials
from resphere.auth.sessions import Session, Sessions
from resphere.replica.replica import Replica
from resphere.server.exchange import Caller

MOST_KNOWN = 4096
"""More sessions are not expected to call one worker between two commits."""


class Known(msgspec.Struct, frozen=True):
    """A caller by session, and between which moments nothing but a commit can decide otherwise."""

    caller: Caller
    session: Session
    since: datetime
    until: datetime


class KnownCallers:
    """The callers of one worker that show a session and nothing else.

    Everything that decides who they are and what they see is a document of the inventory, but for the time: so what was
    found out is good at the same sequence of the store, and as long as the session cannot end by itself.
    """

    def __init__(self, inventory: Replica, sessions: Sessions) -> None:
        self._inventory = inventory
        self._sessions = sessions
        self._sequence = -1
        self._known: dict[str | None, Known] = {}

    def again(self, credentials: Credentials, moment: datetime) -> Caller | None:
        """The caller, where that is known; counts as an access to the session at that moment."""
        if self._sequence != self._inventory.sequence:
            self._known.clear()
            self._sequence = self._inventory.sequence
            return None
        known = self._known.get(credentials.session_id)
        if known is None or credentials.bearer is not None or not known.since <= moment < known.until:
            return None
        self._sessions.note(known.session, moment)
        return known.caller

    def remember(self, credentials: Credentials, identity: Identity, caller: Caller, moment: datetime) -> None:
        """Know the caller again, where nothing but the session has said who that is, nor may end it meanwhile.

        To be called without an ``await`` since it was found out.
        """
        session = identity.session
        if session is None or identity.token is not None or credentials.bearer is not None:
            return  # an API token ends by itself
        until = self._sessions.open_until(session)
        if not session.last_accessed_time <= moment < until or isinstance(caller.view, WatchedView):
            return
        if self._sequence != self._inventory.sequence or len(self._known) >= MOST_KNOWN:
            self._known.clear()
            self._sequence = self._inventory.sequence
        self._known[credentials.session_id] = Known(caller, session, moment, until)
