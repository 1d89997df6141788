"""What a dialect is: wire in, typed call out, and back.

A dialect resolves only operation and target before authorization; the body is decoded after. It knows no service and
no provider, and no service knows it.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.model import AnyOperation, Struct


class Request(msgspec.Struct, frozen=True, gc=False):
    """What arrived, before the body.

    ``path`` as sent (percent-encoded), ``query`` without ``?``, header names lower-case.
    """

    method: str
    path: str
    query: bytes
    headers: dict[bytes, bytes]
    client: str

    def header(self, name: bytes) -> str | None:
        """A header's value as text, ``None`` where it is absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What goes back: ``body`` is sent as it is."""

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Resolved(msgspec.Struct, frozen=True, gc=False):
    """The operation that a request means.

    ``parameters`` are the path's, decoded. ``query`` are the remaining query keys with their values. ``status`` is what
    success answers with.
    """

    operation: AnyOperation
    parameters: dict[str, str]
    query: dict[str, list[str]]


class Dialect(Protocol):
    """One way of writing the API on the wire."""

    name: str

    def guards(self, request: Request) -> bool:
        """Whether a request that means no operation is told so only after authentication."""

    def options(self, request: Request) -> Reply:
        """The answer to ``OPTIONS``: the methods that the path allows.

        It needs no session: it says nothing that the published API does not.
        """

    def resolve(self, request: Request) -> Resolved:
        """The operation and its target.

        :raises NotFound: no release has that path.
        :raises VapiError: with status 405 and ``Allow`` for a wrong method.
        """

    def decode(self, resolved: Resolved, request: Request, body: bytes) -> Struct:
        """The operation's input, validated.

        :raises InvalidArgument: naming the field.
        """

    def encode(self, operation: AnyOperation, result: Any) -> Reply:
        """A result as this dialect writes it."""

    def error(self, error: VapiError) -> Reply:
        """An error as this dialect writes it."""
