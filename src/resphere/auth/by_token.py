"""Authentication by an API token."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.auth.accounts import LocalAccounts, NotVerified
from resphere.auth.authentication import Identity, required
from resphere.auth.credentials import Credentials
from resphere.auth.tokens import PREFIX, ApiToken, Tokens


class ByToken:
    """Takes an API token, in ``Authorization: Bearer`` or a security context."""

    name: ClassVar[str] = "token"

    def __init__(self, tokens: Tokens, accounts: LocalAccounts) -> None:
        self._tokens = tokens
        self._accounts = accounts

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The owner of the token, as the owner's account is now, narrowed to the token's scope."""
        if credentials.bearer is None or not credentials.bearer.startswith(PREFIX):
            return None
        try:
            return self._identity(credentials.bearer, moment)
        except NotVerified as refusal:
            raise required() from refusal

    def _identity(self, secret: str, moment: datetime) -> Identity:
        token = self._tokens.find(secret, moment)
        if token is None:
            raise NotVerified("there is no such API token")
        if not self._tokens.is_good(token, moment):
            raise NotVerified(f"the API token {shown(token)} has expired")
        principal = self._accounts.principal(token.owner)
        if principal is None:
            raise NotVerified(f"the owner of the API token {shown(token)} may not log in")
        return Identity(msgspec.structs.replace(principal, scope=token.scope), self.name, token=token)


def shown(token: ApiToken) -> str:
    """The token as logs call it."""
    return f"{token.name} of {token.owner}"
