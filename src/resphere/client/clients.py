"""The two clients: :class:`Client`, which blocks, and :class:`AsyncClient`, which is awaited."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypedDict, TypeVar, Unpack, overload
from urllib.parse import parse_qsl, quote

import httpx2
import msgspec

from resphere.client.calls import Calls, Progress, Surroundings
from resphere.client.connections import Target, target_of, tls_by, transfer_at
from resphere.client.driving import Awaiting, Blocking
from resphere.client.errors import BadInput
from resphere.client.forms import Pairs, input_of
from resphere.client.options import Identity, Options
from resphere.client.paging import START, Listing, page
from resphere.client.services import all_services, service_of
from resphere.client.steps import Content, Request, Response
from resphere.contract.generated import cis_task
from resphere.contract.model import AnyOperation, Operation, Struct

if TYPE_CHECKING:
    from resphere.client.generated import awaited, blocking

R = TypeVar("R")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D", bound=Blocking | Awaiting)
Input = Mapping[str, Any] | Struct | None


class Changes(TypedDict, total=False):
    """What :meth:`Client.with_options` changes: see :class:`~resphere.client.options.Options`."""

    timeout_seconds: float
    retries: int
    idempotency_key: str
    headers: Mapping[str, str] | Pairs
    query: Mapping[str, str] | Pairs


class Wanted(TypedDict, total=False):
    """What :meth:`Client.every` wants of a list: see :class:`~resphere.client.paging.Listing`."""

    filter: str | None
    order_by: str | None
    skip: int
    limit: int | None
    page_size: int


class Base(Generic[D]):
    """What both clients have. All but the options is shared by the views that ``with_options`` makes."""

    def __init__(self, target: Target, calls: Calls, driver: D, options: Options) -> None:
        self._target = target
        self._calls = calls
        self._driver = driver
        self._options = options

    @property
    def url(self) -> str:
        """Scheme, host and port of the server."""
        return self._target.base

    @property
    def session_id(self) -> str | None:
        """The session, where there is one."""
        return self._calls.session_id

    if not TYPE_CHECKING:
        # Type checkers know what there is by the annotations below, and must not take anything else.

        def __getattr__(self, name: str) -> Any:
            return service_of(self, name)

        def __dir__(self) -> list[str]:
            return [*super().__dir__(), *all_services().children]

    def _viewed(self, options: Options) -> Self:
        viewed = object.__new__(type(self))
        Base.__init__(viewed, self._target, self._calls, self._driver, options)
        return viewed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


def identity_of(user: str | None, password: str | None, session_id: str | None, token: str | None) -> Identity:
    """Who calls.

    :raises BadInput: it is said in two ways, or by half.
    """
    if (user is None) != (password is None):
        raise BadInput("A user needs a password, and a password a user.")
    if sum(given is not None for given in (user, session_id, token)) > 1:
        raise BadInput("Who calls is said once: by user and password, by session_id, or by token.")
    return Identity(user, password, session_id, token)


def pairs_of(given: Mapping[str, str] | Pairs) -> Pairs:
    """Pairs of name and text."""
    return tuple(given.items() if isinstance(given, Mapping) else given)


def changed(options: Options, changes: Changes) -> Options:
    """The options with those of ``changes``; headers and query are added to."""
    given: dict[str, Any] = dict(changes)
    if "headers" in changes:
        given["headers"] = (*options.headers, *pairs_of(changes["headers"]))
    if "query" in changes:
        given["query"] = (*options.query, *pairs_of(changes["query"]))
    return msgspec.structs.replace(options, **given)


def request_of(
    method: str, path: str, query: Mapping[str, str] | Pairs, headers: Mapping[str, str] | Pairs, content: Content
) -> Request:
    """Any request; its path may have a query.

    :raises BadInput: the path does not begin with a slash.
    """
    if not path.startswith("/"):
        raise BadInput(f"{path}: a path begins with a slash, as /api/vcenter/vm does")
    path, _, asked = path.partition("?")
    method = method.upper()
    pairs = (*parse_qsl(asked, keep_blank_values=True), *pairs_of(query))
    is_safe = method in ("GET", "HEAD", "OPTIONS")
    return Request(method, quote(path, safe="/%:@,$&+=;~!'()*"), pairs, pairs_of(headers), content, is_safe)


def surroundings() -> Surroundings:
    """Those of this process."""
    return Surroundings(lambda: datetime.now(UTC), time.monotonic, random.SystemRandom().random)


def calls_of(user: str | None, password: str | None, session_id: str | None, token: str | None) -> Calls:
    """The calls of who is named."""
    return Calls(identity_of(user, password, session_id, token), surroundings())


class Client(Base[Blocking]):
    """A client that blocks; any number of threads may use it at once::

        with Client("https://vcenter.example.com", user="alice@example.com", password="...") as client:
            for vm in client.call(VM.list):
                print(vm.name)

    A user is logged in by the first call, again where the session has ended, and out by :meth:`close`. ``session_id``
    is a session that somebody else has begun, and ends; ``token`` one of resphere's API tokens.

    ``ca_file`` names the authorities that are trusted, instead of the system's; ``verify=False`` trusts everybody.
    ``timeout_seconds`` is how long each step towards an answer may take. A call is sent again, ``retries`` times at
    most, where nothing was sent, where it changes nothing, and where the server says when to come again.
    ``transport`` is one of httpx2's.

    :raises BadInput: that is no address, no file of certificates, or not one way to say who calls.
    """

    appliance: blocking.Appliance
    cis: blocking.Cis
    content: blocking.Content
    contentinternal: blocking.Contentinternal
    esx: blocking.Esx
    resphere: blocking.Resphere
    vapi: blocking.Vapi
    vcenter: blocking.Vcenter
    vstats: blocking.Vstats

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        session_id: str | None = None,
        token: str | None = None,
        ca_file: str | Path | None = None,
        verify: bool = True,
        timeout_seconds: float = 60.0,
        retries: int = 2,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        target, calls = target_of(url), calls_of(user, password, session_id, token)
        driver = Blocking(target, tls_by(ca_file, verify), transport)
        super().__init__(target, calls, driver, Options(timeout_seconds, retries))

    @overload
    def call(self, operation: Operation[..., R], input: Input = None, /, **values: Any) -> R: ...
    @overload
    def call(self, operation: AnyOperation, input: Input = None, /, **values: Any) -> Any: ...
    def call(self, operation: AnyOperation, input: Input = None, /, **values: Any) -> Any:
        """The result of an operation of the contract. Its parameters are given by name, as a mapping or one by one, or
        as its input structure; structures within them may be mappings, too.

        :raises VapiError: the server refuses it: the class of the error, of :mod:`resphere.contract.errors`.
        :raises ClientError: there is no answer, or none of vSphere's; see :mod:`resphere.client.errors`.
        """
        return self._driver.run(self._calls.call(operation, input_of(operation, input, values), self._options))

    def stream(self, operation: AnyOperation, input: Input = None, /, **values: Any) -> Iterator[bytes]:
        """The bytes that an operation answers with, piece by piece: for downloads of any size. It is called when the
        first is taken."""
        flow = self._calls.opened(operation, input_of(operation, input, values), self._options)
        yield from self._driver.pieces(self._driver.run(flow))

    def upload(self, address: str, content: Content) -> None:
        """Send a file, of any size and piece by piece where it is an iterable or open in binary mode, to an address
        that the server has given for it, such as ``upload_endpoint.uri`` of an update session's file."""
        self._driver.run(self._calls.uploaded(transfer_at(self._target, address), content, self._options))

    def download(self, address: str) -> Iterator[bytes]:
        """A file, piece by piece, at an address that the server has given for it, such as ``download_endpoint.uri``. It
        is asked for when the first is taken."""
        flow = self._calls.downloaded(transfer_at(self._target, address), self._options)
        yield from self._driver.pieces(self._driver.run(flow))

    @overload
    def every(
        self, operation: Operation[..., tuple[T, ...]], input: Input = None, /, **wanted: Unpack[Wanted]
    ) -> Iterator[T]: ...
    @overload
    def every(
        self, operation: Operation[..., dict[K, V]], input: Input = None, /, **wanted: Unpack[Wanted]
    ) -> Iterator[tuple[K, V]]: ...
    def every(self, operation: AnyOperation, input: Input = None, /, **wanted: Unpack[Wanted]) -> Iterator[Any]:
        """The items of a list, fetched page by page as they are taken; of a map, pairs of key and value.

        ``limit`` are so many at most, after ``skip`` others, ``page_size`` at a time; ``filter`` and ``order_by`` are
        resphere's, as ``docs/lists.md`` has them. A vCenter has no pages: it answers all at once.

        :raises NotOffered: the server is a vCenter, and there is a ``filter`` or an ``order_by``.
        """
        value, listing = input_of(operation, input, {}), Listing(**wanted)
        place = START
        while place is not None:
            found = self._driver.run(page(self._calls, operation, value, listing, place, self._options))
            yield from found.items
            place = found.next

    def wait(
        self, task: str, *, progress: Progress | None = None, longest_seconds: float | None = None
    ) -> cis_task.Info:
        """A task as it is when it has succeeded. ``progress`` is called with what it is meanwhile, at the end too.

        :raises VapiError: the task failed; its error.
        :raises NotFinished: it is not over in ``longest_seconds``; it goes on.
        """
        return self._driver.run(self._calls.wait(task, progress, longest_seconds, self._options))

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | Pairs = (),
        headers: Mapping[str, str] | Pairs = (),
        content: Content = b"",
    ) -> Response:
        """The answer to any request within the session, also one of an error."""
        request = request_of(method, path, query, headers, content)
        return self._driver.run(self._calls.request(request, self._options))

    def login(self) -> str | None:
        """Begin a session now, unless there is one; returns its id."""
        return self._driver.run(self._calls.login(self._options))

    def is_resphere(self) -> bool:
        """Whether the server is resphere; it is asked once."""
        return self._driver.run(self._calls.is_resphere(self._options))

    def with_options(self, **changes: Unpack[Changes]) -> Self:
        """The same client, within the same session, whose calls are another way: see
        :class:`~resphere.client.options.Options`. Headers and query are added to those that it has."""
        return self._viewed(changed(self._options, changes))

    def close(self) -> None:
        """Log out, if this client has logged in, and close the connections."""
        try:
            self._driver.run(self._calls.logout(self._options))
        finally:
            self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Base[Awaiting]):
    """A client that is awaited; any number of tasks of one event loop may use it at once. It is made as
    :class:`Client` is, and has the same methods::

        async with AsyncClient("https://vcenter.example.com", user="alice@example.com", password="...") as client:
            for vm in await client.call(VM.list):
                print(vm.name)
    """

    appliance: awaited.Appliance
    cis: awaited.Cis
    content: awaited.Content
    contentinternal: awaited.Contentinternal
    esx: awaited.Esx
    resphere: awaited.Resphere
    vapi: awaited.Vapi
    vcenter: awaited.Vcenter
    vstats: awaited.Vstats

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        session_id: str | None = None,
        token: str | None = None,
        ca_file: str | Path | None = None,
        verify: bool = True,
        timeout_seconds: float = 60.0,
        retries: int = 2,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        target, calls = target_of(url), calls_of(user, password, session_id, token)
        driver = Awaiting(target, tls_by(ca_file, verify), transport)
        super().__init__(target, calls, driver, Options(timeout_seconds, retries))

    @overload
    async def call(self, operation: Operation[..., R], input: Input = None, /, **values: Any) -> R: ...
    @overload
    async def call(self, operation: AnyOperation, input: Input = None, /, **values: Any) -> Any: ...
    async def call(self, operation: AnyOperation, input: Input = None, /, **values: Any) -> Any:
        """See :meth:`Client.call`."""
        return await self._driver.run(self._calls.call(operation, input_of(operation, input, values), self._options))

    async def stream(self, operation: AnyOperation, input: Input = None, /, **values: Any) -> AsyncIterator[bytes]:
        """See :meth:`Client.stream`."""
        flow = self._calls.opened(operation, input_of(operation, input, values), self._options)
        async for piece in self._driver.pieces(await self._driver.run(flow)):
            yield piece

    async def upload(self, address: str, content: Content) -> None:
        """See :meth:`Client.upload`; ``content`` may be an asynchronous iterable, too."""
        await self._driver.run(self._calls.uploaded(transfer_at(self._target, address), content, self._options))

    async def download(self, address: str) -> AsyncIterator[bytes]:
        """See :meth:`Client.download`."""
        flow = self._calls.downloaded(transfer_at(self._target, address), self._options)
        async for piece in self._driver.pieces(await self._driver.run(flow)):
            yield piece

    @overload
    def every(
        self, operation: Operation[..., tuple[T, ...]], input: Input = None, /, **wanted: Unpack[Wanted]
    ) -> AsyncIterator[T]: ...
    @overload
    def every(
        self, operation: Operation[..., dict[K, V]], input: Input = None, /, **wanted: Unpack[Wanted]
    ) -> AsyncIterator[tuple[K, V]]: ...
    async def every(
        self, operation: AnyOperation, input: Input = None, /, **wanted: Unpack[Wanted]
    ) -> AsyncIterator[Any]:
        """See :meth:`Client.every`."""
        value, listing = input_of(operation, input, {}), Listing(**wanted)
        place = START
        while place is not None:
            found = await self._driver.run(page(self._calls, operation, value, listing, place, self._options))
            for item in found.items:
                yield item
            place = found.next

    async def wait(
        self, task: str, *, progress: Progress | None = None, longest_seconds: float | None = None
    ) -> cis_task.Info:
        """See :meth:`Client.wait`."""
        return await self._driver.run(self._calls.wait(task, progress, longest_seconds, self._options))

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | Pairs = (),
        headers: Mapping[str, str] | Pairs = (),
        content: Content = b"",
    ) -> Response:
        """See :meth:`Client.request`."""
        request = request_of(method, path, query, headers, content)
        return await self._driver.run(self._calls.request(request, self._options))

    async def login(self) -> str | None:
        """See :meth:`Client.login`."""
        return await self._driver.run(self._calls.login(self._options))

    async def is_resphere(self) -> bool:
        """See :meth:`Client.is_resphere`."""
        return await self._driver.run(self._calls.is_resphere(self._options))

    def with_options(self, **changes: Unpack[Changes]) -> Self:
        """See :meth:`Client.with_options`."""
        return self._viewed(changed(self._options, changes))

    async def close(self) -> None:
        """See :meth:`Client.close`."""
        try:
            await self._driver.run(self._calls.logout(self._options))
        finally:
            await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
