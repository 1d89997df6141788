"""What a client is made with, and what may be another way for one call."""

from __future__ import annotations

import msgspec

from resphere.client.forms import Pairs

LONGEST_PAUSE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.25


class Identity(msgspec.Struct, frozen=True):
    """Who calls: a user, who is logged in when that is needed; a session that somebody else has begun; or a token of
    resphere's."""

    user: str | None = None
    password: str | None = None
    session_id: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Identity(user={self.user!r})"

    @property
    def can_log_in(self) -> bool:
        """Whether a session can be begun."""
        return self.user is not None and self.password is not None


class Options(msgspec.Struct, frozen=True):
    """What may be another way for some calls.

    ``query`` are further parameters of the query, and those of a list; ``headers`` further headers. Calls that
    resphere has to make once, however often they are sent, have a key in ``idempotency_key``.
    """

    timeout_seconds: float = 60.0
    retries: int = 2
    idempotency_key: str | None = None
    headers: Pairs = ()
    query: Pairs = ()
