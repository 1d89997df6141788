"""What makes spans of requests."""

from __future__ import annotations

from typing import Protocol

from resphere.server.exchange import Exchange, Span


class Tracing(Protocol):
    """Makes a span of each request."""

    def begin(self, exchange: Exchange) -> Span | None:
        """A span that has begun, and that all which goes on in this context belongs to; ``None``: none is made."""


class NoTracing:
    """Makes none."""

    def begin(self, exchange: Exchange) -> Span | None:
        """None."""
        return None
