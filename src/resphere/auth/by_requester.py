"""Authentication of work that somebody has asked for earlier."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.access.principal import Principal, canonical_name
from resphere.auth.accounts import LocalAccounts, NotVerified
from resphere.auth.authentication import Identity, required
from resphere.auth.credentials import Credentials
from resphere.auth.requesters import Requester
from resphere.auth.tokens import Tokens


class ByRequester:
    """Takes who has asked, as the server has written it down: no request can show that."""

    name: ClassVar[str] = "requester"

    def __init__(self, accounts: LocalAccounts, tokens: Tokens) -> None:
        self._accounts = accounts
        self._tokens = tokens

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user, as the local account is now, or as another identity source has told; with an API token no more
        than that."""
        if credentials.requester is None:
            return None
        try:
            return self._identity(credentials.requester, moment)
        except NotVerified as refusal:
            raise required() from refusal

    def principal(self, asked: Requester, moment: datetime) -> Principal | None:
        """Who that is now, and within which scope; ``None`` for who may not log in any more."""
        try:
            return self._identity(asked, moment).principal
        except NotVerified:
            return None

    def _identity(self, asked: Requester, moment: datetime) -> Identity:
        principal = self._principal(asked)
        if principal is None:
            raise NotVerified("the user who has asked for the work may not log in any more")
        if asked.token is None:
            return Identity(principal, self.name)
        token = self._tokens.get(asked.token)
        if token is None or not self._tokens.is_good(token, moment):
            raise NotVerified("the API token by which the work was asked for is no more")
        return Identity(msgspec.structs.replace(principal, scope=token.scope), self.name, token=token)

    def _principal(self, asked: Requester) -> Principal | None:
        if asked.source is None:
            return self._accounts.principal(canonical_name(asked.user))
        return Principal(asked.user, frozenset(asked.groups), asked.source, granted=frozenset(asked.granted))
