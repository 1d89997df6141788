"""What a dialect is: wire in, typed call out, and back.

A dialect resolves only operation and target before authorization; the body is decoded after. It knows no service and
no provider, and no service knows it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Protocol

import msgspec

from resphere.auth.credentials import Credentials, ShownCertificate
from resphere.contract.errors import VapiError
from resphere.contract.model import AnyOperation, ByteStream, Struct


class Request(msgspec.Struct, frozen=True, gc=False):
    """What arrived, before the body.

    ``path`` as sent (percent-encoded), ``query`` without ``?``, header names lower-case. ``scheme`` is
    ``http`` or ``https``.
    """

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    client: str
    scheme: str = "https"
    certificate: ShownCertificate | None = None
    """What the client has shown to a trusted proxy."""
    appliance: bool = False
    """Whether it came to the port of the appliance."""

    @property
    def origin(self) -> str:
        """Where the client has reached this server, such as ``https://vcenter.example:8443``; ``*`` stands for the host
        where the client does not say."""
        host = self.header(b"host") or "*"
        return f"{self.scheme}://{host}"

    def header(self, name: bytes) -> str | None:
        """A header's value as text, ``None`` where it is absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What goes back: ``body`` is sent as it is, or in its place ``stream``, piece by piece."""

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    stream: ByteStream | None = None
    sent_headers: tuple[tuple[bytes, bytes], ...] | None = None
    """The headers as they are sent, of a reply that is kept: it is sent many times."""

    @property
    def size_bytes(self) -> int | None:
        """How long the body is, ``None`` where only its end will tell."""
        return len(self.body) if self.stream is None else self.stream.size_bytes


class Resolved(msgspec.Struct, frozen=True):
    """The operation that a request means.

    ``parameters`` are the path's, decoded; ``query`` are the remaining query keys with their values. ``envelope`` is
    whatever else the dialect needs later, opaque to everybody else. ``kept_key`` names the request among all that may
    share a kept reply; ``None``: its reply is not to be kept. ``revalidates``: the client may keep the reply too, and
    is told no more than that it is still good where it asks so by ETag. ``options`` are those of a list, which say what
    is wanted of it, and ``streamed`` that its items are wanted as lines.
    """

    operation: AnyOperation
    credentials: Credentials
    parameters: dict[str, str]
    query: dict[str, list[str]] = {}
    envelope: Any = None
    kept_key: Hashable | None = None
    revalidates: bool = True
    options: dict[str, list[str]] = {}
    streamed: bool = False


class Refused(msgspec.Struct, frozen=True):
    """A request that means no operation, and why.

    ``public``: told before authentication. Not hidden from the garbage collector: the error, once raised, leads by its
    traceback to what has been made of the request, which is this.
    """

    error: VapiError
    credentials: Credentials
    public: bool = False
    envelope: Any = None


Outcome = Resolved | Refused
ReadBody = Callable[[int], Awaitable[bytes]]
"""Reads the request's body, at most about so many bytes; a second call gets what the first one got. Raises a
``VapiError`` where it is not read: it is too large for somebody whom nobody knows, or there is no room for it."""


class RequestBody(Protocol):
    """A request's body, which is read only when somebody asks for it: whole, or piece by piece."""

    vouched: bool
    """Whether it comes from somebody who was let in, or by a connection on which such a one has called."""

    @property
    def announced_bytes(self) -> int | None:
        """How long it is, where that is known."""

    async def read(self, limit_bytes: int) -> bytes:
        """All of it, or a little more than so many bytes of one that is larger; see :data:`ReadBody`."""

    async def gone(self) -> None:
        """Returns when the client has left, and not before. For bodies that nobody reads."""

    def stream(self, limit_bytes: int) -> ByteStream:
        """The body as it comes. Its pieces end in the refusal of a body that has more than so many bytes."""


class Dialect(Protocol):
    """One way of writing the API on the wire."""

    @property
    def name(self) -> str:
        """``api``, ``rest``..., as logs show it."""

    def resolve(self, request: Request, read_body: ReadBody) -> Outcome | Awaitable[Outcome]:
        """The operation, its target and the caller's credentials, or why there is none.

        Only a dialect whose operation stands in the body reads that here.
        """

    def options(self, request: Request) -> Reply:
        """The answer to ``OPTIONS``: the methods that the path allows.

        It needs no session: it says nothing that the published API does not.

        :raises NotFound: there is no such path.
        """

    def decode(self, resolved: Resolved, request: Request, body: bytes | ByteStream) -> Struct:
        """The operation's input, validated. ``body`` is a stream where the operation takes one.

        :raises InvalidArgument: naming the field.
        """

    def encode(self, resolved: Resolved, result: Any) -> Reply:
        """A result as this dialect writes it. Such a reply may be kept for requests of the same ``kept_key``.

        A list is its items in brackets with commas between them; what stands around the brackets, status and headers
        are the same whatever is in the list, and have no empty list.
        """

    def frame(self, resolved: Resolved, reply: Reply) -> Reply:
        """``reply``, fresh or kept, with what belongs to this one request."""

    def error(self, error: VapiError, outcome: Outcome | None) -> Reply:
        """An error as this dialect writes it; ``outcome`` is ``None`` where not even that is known."""
