"""Authentication by an open session."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from resphere.access.principal import Principal
from resphere.auth.accounts import LocalAccounts, canonical_name
from resphere.auth.authentication import Identity, required
from resphere.auth.credentials import Credentials
from resphere.auth.sessions import Session, Sessions


class BySession:
    """Takes the id of a session, in its header, its cookie or a security context."""

    name: ClassVar[str] = "session"

    def __init__(self, sessions: Sessions, accounts: LocalAccounts) -> None:
        self._sessions = sessions
        self._accounts = accounts

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user of the session: as the local account is now, or as another identity source told at login."""
        if credentials.session_id is None:
            return None
        session = self._sessions.find(credentials.session_id, moment)
        principal = self._principal(session) if session else None
        if principal is None:
            raise required()
        return Identity(principal, self.name, session)

    def _principal(self, session: Session) -> Principal | None:
        if session.source is None:
            return self._accounts.principal(canonical_name(session.user))
        return Principal(session.user, frozenset(session.groups), session.source)
