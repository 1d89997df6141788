"""What a call is made of, for those who make calls: plain generators that yield steps.

A flow yields what it wants done and is sent what came of it. It knows neither threads nor event loops: the two drivers
of :mod:`resphere.client.driving` take the steps, one by blocking, one by awaiting. So there is one source of both
clients::

    def asked_twice(request: Request) -> Flow[Response]:
        try:
            return (yield Send(request))
        except Unreachable:
            yield Pause(1)
            return (yield Send(request))
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Generator, Iterable
from typing import Any, TypeAlias, TypeVar

import msgspec

R = TypeVar("R")

Content: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]
"""A body: at once, or piece by piece (of an asynchronous iterable by :class:`~resphere.client.AsyncClient` alone)."""


class Request(msgspec.Struct, frozen=True):
    """One request of HTTP. ``path`` begins with a slash and is encoded; ``is_safe``: it changes nothing, whoever
    answers it; ``seconds`` is how long each step towards the answer may take. ``base`` is another server than the
    client's, and ``is_anonymous`` that nothing says who calls."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    content: Any = b""
    is_safe: bool = False
    base: str | None = None
    is_anonymous: bool = False
    seconds: float = 0.0

    @property
    def can_be_repeated(self) -> bool:
        """Whether its body is still there after it was sent."""
        return isinstance(self.content, bytes)


class Response(msgspec.Struct, frozen=True):
    """The answer, whole. Names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def is_good(self) -> bool:
        """Whether it is not one of an error, or that one has to look elsewhere."""
        return 200 <= self.status < 300


class Send(msgspec.Struct, frozen=True):
    """Send it; comes back with the :class:`Response`, or raises a :class:`~resphere.client.errors.NoAnswer`.

    ``opened``: a good answer comes back with its body unread, as an :class:`Opened`.
    """

    request: Request
    opened: bool = False


class Opened(msgspec.Struct, frozen=True):
    """A good answer whose body is to be read piece by piece; ``held`` is the driver's, and must be closed."""

    status: int
    headers: dict[str, str]
    held: Any


class Pause(msgspec.Struct, frozen=True):
    """Wait so many seconds."""

    seconds: float


class Exclusive(msgspec.Struct, frozen=True):
    """Go through this flow alone: no other call of the client is within one meanwhile."""

    flow: Any


Step: TypeAlias = Send | Pause | Exclusive
Flow: TypeAlias = Generator[Step, Any, R]
