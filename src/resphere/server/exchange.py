"""One request on its way through the pipeline, and what its steps hand on."""

from __future__ import annotations

from asyncio import Future
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from resphere.access.view import NOBODY, View
from resphere.auth.own import Anonymous
from resphere.contract.errors import VapiError
from resphere.dialects.base import Dialect, Outcome, Reply, Request, RequestBody, Resolved
from resphere.idempotency.replies import Claim
from resphere.services.call import OwnSession

NEVER = datetime.min.replace(tzinfo=UTC)


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who calls and what the caller sees. ``session_tag`` names an open session in logs, ``method`` what let the
    caller in, ``token`` the API token that did, or that has opened the session."""

    session: OwnSession
    view: View
    session_tag: str | None = None
    method: str | None = None
    token: str | None = None


ANYBODY = Caller(Anonymous(), NOBODY)
"""The caller of a public operation, whoever that is."""


class Keeping(msgspec.Struct, frozen=True, gc=False):
    """What an answer is of, before it is made: the revision of the inventory, and of the object that it is about, as
    ETags have that; ``None``: it is about no one object. ``key``: that it is to be kept, and under which."""

    key: tuple[object, ...] | None
    revision: int
    object_part: str | None = None


class Spoiled(msgspec.Struct, frozen=True, gc=False):
    """What becomes of the answer on its way, for people who test clients: in its place goes ``error``, or a page of
    that status as a proxy has it; it comes at so many bytes a second; it is truncated, or dropped, which are ends of
    the connection."""

    error: VapiError | None = None
    page_status: int | None = None
    retry_after_seconds: int | None = None
    truncated: bool = False
    dropped: bool = False
    bytes_per_second: int | None = None


class Span(Protocol):
    """What a request is in a trace, from its arrival to its answer."""

    @property
    def trace_id(self) -> str:
        """The trace's: 32 hexadecimal digits."""

    def end(self, exchange: Exchange) -> None:
        """It is over, and nothing else belongs to it."""


class Exchange:
    """A request as it came, and for its record what became of it: noted when it is known, and not taken back.

    The steps have from each other what they need, and not from here.
    """

    __slots__ = (
        "applied",
        "authorized",
        "body",
        "caller",
        "claim",
        "dialect",
        "error",
        "outcome",
        "recorded",
        "reply",
        "request",
        "request_id",
        "span",
        "spoiled",
        "started",
        "turn",
        "unsound",
    )

    def __init__(
        self,
        request: Request,
        request_id: str,
        dialect: Dialect,
        body: RequestBody,
        unsound: VapiError | None = None,
    ) -> None:
        self.request = request
        self.request_id = request_id
        self.dialect = dialect
        self.body = body
        self.unsound = unsound
        """Why the request is none that can be acted upon, whatever it means."""
        self.span: Span | None = None
        """What it is in a trace; ``None``: it is in none."""
        self.started = NEVER
        """When it came, by the server's clock."""
        self.outcome: Outcome | None = None
        """What the dialect made of the request."""
        self.caller: Caller | None = None
        self.claim: Claim | None = None
        """The right to make the call under its key; given back at the end."""
        self.applied: tuple[tuple[str, str], ...] = ()
        """The headers that tell which preferences were heeded."""
        self.authorized = False
        """Whether the caller may do what is asked for on what the path names."""
        self.reply: Reply | None = None
        self.error: VapiError | None = None
        self.turn: str | None = None
        """Whose turn to be worked for it has; given back at the end."""
        self.spoiled: Spoiled | None = None
        """What becomes of the reply once it is made."""
        self.recorded: Future[bool] | None = None
        """Whether the call is on record, which is known at the end of a turn of the event loop."""

    @property
    def resolved(self) -> Resolved | None:
        """The operation that the request means, as far as is known."""
        return self.outcome if isinstance(self.outcome, Resolved) else None
