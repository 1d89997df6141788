"""The caller's own session as services see it: open, about to be opened, or none."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.access.principal import Principal
from resphere.auth.sessions import Session, Sessions
from resphere.contract.errors import Unauthenticated, message


class OpenSession(msgspec.Struct, frozen=True, gc=False):
    """A caller with a session."""

    sessions: Sessions
    session: Session
    principal: Principal

    @property
    def user(self) -> str:
        return self.principal.name

    @property
    def token(self) -> str | None:
        return self.session.token

    @property
    def handle(self) -> str | None:
        return self.session.handle

    @property
    def created_time(self) -> datetime:
        return self.session.created_time

    @property
    def last_accessed_time(self) -> datetime:
        return self.sessions.last_accessed(self.session)

    async def open(self) -> str:
        """Refused: what has let the caller in is a session."""
        raise no_session()

    async def close(self) -> None:
        await self.sessions.close(self.session)


class LoginSession(msgspec.Struct, frozen=True, gc=False):
    """A caller whom ``method`` has let in from the address ``client``, and who has no session.

    ``token`` is the id of the API token that did, and narrows the session that is opened.
    """

    sessions: Sessions
    principal: Principal
    method: str
    client: str = ""
    token: str | None = None
    handle: None = None

    @property
    def user(self) -> str:
        return self.principal.name

    @property
    def created_time(self) -> datetime:
        raise no_session()

    @property
    def last_accessed_time(self) -> datetime:
        raise no_session()

    async def open(self) -> str:
        return await self.sessions.open(self.principal, self.method, self.client, self.token)

    async def close(self) -> None:
        raise no_session()


class Anonymous(msgspec.Struct, frozen=True, gc=False):
    """A caller of a public operation."""

    token: None = None
    handle: None = None

    @property
    def principal(self) -> Principal:
        raise no_session()

    @property
    def user(self) -> str:
        return "anonymous"

    @property
    def created_time(self) -> datetime:
        raise no_session()

    @property
    def last_accessed_time(self) -> datetime:
        raise no_session()

    async def open(self) -> str:
        raise no_session()

    async def close(self) -> None:
        raise no_session()


def no_session() -> Unauthenticated:
    """The refusal of what needs a session."""
    return Unauthenticated(
        message("com.vmware.vapi.endpoint.method.authentication.required", "Authentication required.")
    )
