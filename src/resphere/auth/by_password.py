"""Authentication by name and password."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from resphere.auth.accounts import IdentitySource, NotVerified
from resphere.auth.authentication import Identity, failed
from resphere.auth.credentials import Credentials


class ByPassword:
    """Takes a name and a password, in ``Authorization: Basic`` or a security context."""

    name: ClassVar[str] = "password"

    def __init__(self, source: IdentitySource) -> None:
        self._source = source

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user of that name and password."""
        if credentials.user is None or credentials.password is None:
            return None
        try:
            verified = await self._source.check(credentials.user, credentials.password, credentials.client)
        except NotVerified as refusal:
            raise failed() from refusal
        return Identity(verified.principal, self.name, must_change=verified.must_change)
