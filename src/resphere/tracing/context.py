"""The trace that a call is part of: it goes along with the call into all that is done for it.

Set by whoever makes spans, see :mod:`resphere.server.tracing`; where nobody does, there is none, and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

import msgspec

TRACE_ID = slice(3, 35)


class Trace(msgspec.Struct, frozen=True, gc=False):
    """A span of a trace: ``parent`` and ``state`` are what others are told of it, as ``traceparent`` and
    ``tracestate`` have that."""

    parent: str
    state: str = ""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self.parent[TRACE_ID]

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes along with a request to somebody else."""
        return {"traceparent": self.parent, **({"tracestate": self.state} if self.state else {})}


TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""The span of the call that is going on."""


def outgoing() -> Mapping[str, str]:
    """The headers of a request that is made for the call that is going on; none where it is not traced."""
    trace = TRACE.get()
    return {} if trace is None else trace.headers


def current_trace_id() -> str | None:
    """The id of the trace that is going on."""
    trace = TRACE.get()
    return None if trace is None else trace.trace_id
