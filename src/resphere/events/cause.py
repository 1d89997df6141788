"""Who has asked for what is going on: it goes along with a call into all that is done for it."""

from __future__ import annotations

from contextvars import ContextVar

import msgspec


class Cause(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The request that asked for a change, whose it was, and which operation it meant. What happens by itself has
    none. ``behind`` are the schedules by which it came to that, ``trace`` is the span of the call, where there are
    spans, as ``traceparent`` has it."""

    request: str | None = None
    user: str | None = None
    operation: str | None = None
    behind: tuple[str, ...] = ()
    trace: str | None = None


CAUSE: ContextVar[Cause | None] = ContextVar("cause", default=None)
"""Set for each call; work that a call launches goes on with it, in a context of its own."""

BEHIND: ContextVar[tuple[str, ...]] = ContextVar("behind", default=())
"""The schedules by which it has come to what is going on: what has begun it, and what that was begun at."""
