"""Authentication by an open session."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.access.principal import Principal, canonical_name
from resphere.auth.accounts import LocalAccounts, NotVerified
from resphere.auth.authentication import Identity, required
from resphere.auth.credentials import Credentials
from resphere.auth.sessions import Session, Sessions
from resphere.auth.tokens import ApiToken, Tokens


class BySession:
    """Takes the id of a session, in its header, its cookie or a security context."""

    name: ClassVar[str] = "session"

    def __init__(self, sessions: Sessions, accounts: LocalAccounts, tokens: Tokens) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._tokens = tokens

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user of the session: as the local account is now, or as another identity source told at login. One that
        an API token has opened can no more than the token can, and ends with it.
        """
        if credentials.session_id is None:
            return None
        try:
            session = self._sessions.find(credentials.session_id, moment)
            if session is None:
                raise NotVerified("there is no such session, or it has ended")
            return self._identity(session, moment)
        except NotVerified as refusal:
            raise required() from refusal

    def _identity(self, session: Session, moment: datetime) -> Identity:
        principal = self._principal(session)
        if principal is None:
            raise NotVerified("the user of the session may not log in any more")
        if session.token is None:
            return Identity(principal, self.name, session)
        token = self._token(session.token, moment)
        return Identity(msgspec.structs.replace(principal, scope=token.scope), self.name, session, token)

    def _principal(self, session: Session) -> Principal | None:
        if session.source is None:
            return self._accounts.principal(canonical_name(session.user))
        return Principal(session.user, frozenset(session.groups), session.source, granted=frozenset(session.granted))

    def _token(self, id: str, moment: datetime) -> ApiToken:
        token = self._tokens.get(id)
        if token is None or not self._tokens.is_good(token, moment):
            raise NotVerified("the API token that has opened the session is no more")
        return token
