"""Fetches by HTTP: from where the operator allows, within bounds of time and size, piece by piece.

async with fetcher.fetch(Wanted("https://images.example.com/tiny.iso", most_bytes=1 << 30)) as answer:
    async for piece in answer:
        ...
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from typing import TypeVar

import httpcore2
import msgspec

from resphere.certificates.tls import Roots, client_context, no_roots
from resphere.fetching.addresses import Address, read_address
from resphere.fetching.allowed import Allowed
from resphere.fetching.connecting import AllowedAddresses, certificate_of, plain_reason, unchecked_context
from resphere.fetching.errors import (
    bad_address,
    bad_answer,
    bad_certificate,
    not_allowed,
    refused,
    timed_out,
    too_large,
    took_too_long,
    unreachable,
    untrusted,
)
from resphere.fetching.headers import Headers
from resphere.fetching.trust import AUTHORITIES, Pins, Trust, read_pins
from resphere.tracing.context import outgoing

log = logging.getLogger(__name__)
E = TypeVar("E", bound=BaseException)

OK, NOT_MODIFIED = 200, 304
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HEADERS = 100
KEPT_SECONDS = 60.0
"""So long the authorities are not read again: a thousand small files come of the same server."""
MOST_KEPT = 16


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How long things may take, and how many redirects are followed.

    ``head_seconds``: until the answer begins, with all redirects. ``idle_seconds``: until the next piece of it.
    ``whole_seconds``: until the last one.
    """

    connect_seconds: float = 10.0
    head_seconds: float = 60.0
    idle_seconds: float = 60.0
    whole_seconds: float = 24 * 3600.0
    redirects: int = 5


BOUNDS = Bounds()


class Credentials(msgspec.Struct, frozen=True):
    """User and password of HTTP's Basic authentication; they are told to the host of the address alone."""

    user: str
    password: str


class Wanted(msgspec.Struct, frozen=True):
    """What is to be fetched: no more than ``most_bytes``.

    With ``etag`` or ``last_modified``, as an earlier answer told them, only if it is another one by now.
    """

    address: str
    most_bytes: int
    trust: Trust = AUTHORITIES
    credentials: Credentials | None = None
    etag: str | None = None
    last_modified: str | None = None
    headers: Headers = ()
    """What is asked with besides; it is told to the host of the address alone, as ``credentials`` are."""


class Fetched:
    """An answer, while it comes: a :class:`~resphere.contract.model.ByteStream`.

    ``is_new`` is false where nothing has changed since the answer that ``etag`` or ``last_modified`` is of: then
    nothing comes.
    """

    def __init__(
        self, address: Address, answer: httpcore2.Response, most_bytes: int, bounds: Bounds, end: float
    ) -> None:
        self._where = address.where
        self._answer = answer
        self._most_bytes = most_bytes
        self._bounds = bounds
        self._end = end
        self.is_new = answer.status != NOT_MODIFIED
        self.etag = header(answer, b"etag")
        self.last_modified = header(answer, b"last-modified")
        self._size_bytes = announced_bytes(self._where, answer) if self.is_new else 0
        if self._size_bytes is not None and self._size_bytes > most_bytes:
            raise too_large(most_bytes)

    @property
    def size_bytes(self) -> int | None:
        """How many bytes there will be, ``None`` where only the end tells."""
        return self._size_bytes

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """The pieces, in order.

        :raises FetchError: it does not come to its end.
        """
        if not self.is_new:
            return
        size = 0
        async with aclosing(self._answer.aiter_stream()) as pieces:
            while (piece := await self._next(pieces)) is not None:
                size += len(piece)
                if size > self._most_bytes:
                    raise too_large(self._most_bytes)
                yield piece

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        idle = asyncio.get_running_loop().time() + self._bounds.idle_seconds
        try:
            async with asyncio.timeout_at(min(idle, self._end)):
                with plain_errors(self._where):
                    return await anext(pieces, None)
        except TimeoutError:
            if idle < self._end:
                raise timed_out(self._where, self._bounds.idle_seconds) from None
            raise took_too_long(self._where, self._bounds.whole_seconds) from None

    async def close(self) -> None:
        """Nothing is held beyond the block of :meth:`Fetcher.fetch`."""


class Fetcher:
    """Fetches from where it is ``allowed``. ``roots`` vouch, beside those of the operating system, for who answers."""

    def __init__(self, allowed: Allowed, roots: Roots = no_roots, bounds: Bounds = BOUNDS) -> None:
        self._allowed = allowed
        self._roots = roots
        self._bounds = bounds
        self._contexts: dict[str | None, tuple[float, ssl.SSLContext]] = {}

    @property
    def allowed(self) -> Allowed:
        """From where."""
        return self._allowed

    def require_allowed(self, address: str) -> None:
        """Refuse beforehand what would be refused whatever its host is found to be at.

        :raises BadAddress: it is none of HTTP.
        :raises NotAllowed: no setting allows anything there.
        """
        found = read_address(address)
        if not self._allowed.knows(found.host, found.port):
            raise not_allowed(found.where)

    @asynccontextmanager
    async def fetch(self, wanted: Wanted) -> AsyncIterator[Fetched]:
        """What is wanted, within the block.

        :raises FetchError: it cannot be had, or has more bytes than it may have.
        """
        first = read_address(wanted.address)
        pins = read_pins(wanted.trust)
        bounds = self._bounds
        end = asyncio.get_running_loop().time() + bounds.whole_seconds
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(min(bounds.head_seconds, bounds.whole_seconds)):
                    address, answer = await self._last_answer(first, wanted, pins, stack)
            except TimeoutError:
                raise timed_out(first.where, bounds.head_seconds) from None
            yield Fetched(address, answer, wanted.most_bytes, bounds, end)

    async def certificate(self, address: str) -> bytes:
        """The certificate (DER) that is shown at an address, whoever vouches for it; nothing is sent there.

        :raises FetchError: there is none.
        """
        found = read_address(address)
        if found.scheme != "https":
            raise bad_address("certificates are shown at https:// alone")
        backend = AllowedAddresses(found, self._allowed, None)
        try:
            async with asyncio.timeout(self._bounds.head_seconds):
                with plain_errors(found.where):
                    async with AsyncExitStack() as stack:
                        stack.push_async_callback(backend.aclose)
                        stream = await backend.connect_tcp(found.host, found.port, self._bounds.connect_seconds)
                        secured = await stream.start_tls(unchecked_context(), found.host, self._bounds.connect_seconds)
                        shown = certificate_of(secured)
        except TimeoutError:
            raise timed_out(found.where, self._bounds.head_seconds) from None
        if shown is None:
            raise untrusted(found.where, "none is shown")
        return shown

    async def _last_answer(
        self, first: Address, wanted: Wanted, pins: Pins | None, stack: AsyncExitStack
    ) -> tuple[Address, httpcore2.Response]:
        """The answer at the end of all redirects; each is checked as the first address is."""
        address = first
        for _ in range(self._bounds.redirects + 1):
            async with AsyncExitStack() as hop:
                with plain_errors(address.where):
                    answer = await self._ask(first, address, wanted, pins, hop)
                if answer.status == OK or (answer.status == NOT_MODIFIED and is_conditional(wanted)):
                    stack.push_async_exit(hop.pop_all())
                    return address, answer
                location = header(answer, b"location") if answer.status in REDIRECTS else None
                if location is None:
                    raise refused(address.where, answer.status)
            address = address.hop(location)
        raise bad_answer(first.where, f"there are more than {self._bounds.redirects} redirects")

    async def _ask(
        self, first: Address, address: Address, wanted: Wanted, pins: Pins | None, stack: AsyncExitStack
    ) -> httpcore2.Response:
        # What was said of the certificate at an address says nothing of other hosts, to which it redirects.
        pinned = pins if address.host == first.host else None
        tls = await self._context(address, wanted.trust, pinned) if address.scheme == "https" else None
        backend = AllowedAddresses(address, self._allowed, pinned)
        stack.push_async_callback(backend.aclose)
        pool = await stack.enter_async_context(httpcore2.AsyncConnectionPool(tls, network_backend=backend))
        knows = (address.scheme, address.host, address.port) == (first.scheme, first.host, first.port)
        return await stack.enter_async_context(
            pool.stream(
                "GET",
                address.url,
                headers=headers_of(address, wanted, is_first=knows),
                extensions={"timeout": {"connect": self._bounds.connect_seconds}},
            )
        )

    async def _context(self, address: Address, trust: Trust, pins: Pins | None) -> ssl.SSLContext:
        if pins is not None:
            return unchecked_context()
        now = asyncio.get_running_loop().time()
        since, kept = self._contexts.get(trust.authorities, (0.0, None))
        if kept is not None and now - since < KEPT_SECONDS:
            return kept
        context = await self._read_context(address, trust.authorities)
        if len(self._contexts) >= MOST_KEPT:
            self._contexts.clear()
        self._contexts[trust.authorities] = (now, context)
        return context

    async def _read_context(self, address: Address, authorities: str | None) -> ssl.SSLContext:
        try:
            context = await asyncio.to_thread(client_context, None, self._roots)
        except (OSError, ValueError) as error:
            log.warning("the authorities that are trusted cannot be read: %s", error)
            raise untrusted(address.where, "this server cannot read the authorities that it trusts") from error
        if authorities is not None:
            try:
                context.load_verify_locations(cadata=authorities)
            except (ssl.SSLError, ValueError):
                raise bad_certificate("is none in PEM") from None
        return context


def is_conditional(wanted: Wanted) -> bool:
    """Whether an answer may be that nothing has changed."""
    return wanted.etag is not None or wanted.last_modified is not None


def headers_of(address: Address, wanted: Wanted, *, is_first: bool) -> dict[bytes | str, bytes | str]:
    """What is asked with, at the first address or at another; nothing is encoded, as what comes is kept as it is."""
    own = {name.casefold(): (name, value) for name, value in wanted.headers} if is_first else {}
    usual = {"Accept": "*/*", "User-Agent": "resphere"}
    found: dict[bytes | str, bytes | str] = {
        **dict[bytes | str, bytes | str](outgoing().items()),
        "Host": address.where,
        "Accept-Encoding": "identity",
        "Connection": "close",
        **{name: value for name, value in usual.items() if name.casefold() not in own},
        **dict(own.values()),
    }
    credentials = wanted.credentials if is_first else None
    if credentials is not None:
        told = b64encode(f"{credentials.user}:{credentials.password}".encode())
        found["Authorization"] = b"Basic " + told
    if wanted.etag is not None:
        found["If-None-Match"] = wanted.etag
    if wanted.last_modified is not None:
        found["If-Modified-Since"] = wanted.last_modified
    return found


def header(answer: httpcore2.Response, name: bytes) -> str | None:
    """The header of an answer, of the first one where there are several."""
    return next((value.decode("latin-1") for key, value in answer.headers if key.lower() == name), None)


def announced_bytes(where: str, answer: httpcore2.Response) -> int | None:
    """How many bytes an answer says that it has, ``None``: it does not.

    :raises BadAnswer: it is not as it was asked for.
    """
    if len(answer.headers) > MOST_HEADERS:
        raise bad_answer(where, f"it has more than {MOST_HEADERS} headers")
    encoding = header(answer, b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise bad_answer(where, "its content is encoded, which was not asked for")
    length = header(answer, b"content-length")
    # In chunks the length that is told besides means nothing.
    return None if length is None or header(answer, b"transfer-encoding") is not None else int(length)


@contextmanager
def plain_errors(where: str) -> Iterator[None]:
    """Errors of the library and of the system are told as ours, of the host ``where``.

    :raises FetchError: there is one.
    """
    try:
        yield
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, OSError) as error:
        certificate = cause(error, ssl.SSLCertVerificationError)
        if certificate is not None:
            raise untrusted(where, certificate.verify_message) from error
        if isinstance(error, httpcore2.ProtocolError):
            raise bad_answer(where, str(error)) from error
        if isinstance(error, httpcore2.ReadError):
            raise bad_answer(where, "it was cut off") from error
        raise unreachable(where, plain_reason(error)) from error


def cause(error: BaseException | None, kind: type[E]) -> E | None:
    """What of that kind an error comes from."""
    while error is not None:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
    return None
