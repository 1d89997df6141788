"""Who has asked for something that is done when nobody waits for it any more."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from resphere.access.principal import Principal

NEVER = datetime.fromtimestamp(0, UTC)


class Absent(msgspec.Struct, frozen=True):
    """The :class:`~resphere.services.call.OwnSession` of a ``user`` whose call was answered before."""

    user: str

    @property
    def principal(self) -> Principal:
        return Principal(self.user)

    @property
    def token(self) -> str | None:
        return None

    @property
    def handle(self) -> str | None:
        return None

    @property
    def created_time(self) -> datetime:
        return NEVER

    @property
    def last_accessed_time(self) -> datetime:
        return NEVER

    async def open(self) -> str:
        """:raises RuntimeError: nobody is there to have it."""
        raise RuntimeError("nobody logs in after the answer")

    async def close(self) -> None:
        """There is none."""
