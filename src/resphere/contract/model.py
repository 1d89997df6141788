"""The terms in which the contract is written: structures, unions, privileges, routes and operations.

``generated/`` holds vCenter's operations in these terms, ``extensions/`` ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, ClassVar, Generic, NewType, ParamSpec, Protocol, TypeAlias, TypeVar, cast

import msgspec

P = ParamSpec("P")
R = TypeVar("R")

Long: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1, examples=[0])]
"""vAPI's 64-bit signed integer.

The example is what the API explorer proposes: the least number, its own choice, JavaScript rounds out of range.
"""

DateTime: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment; the wire format demands a time zone."""

Secret = NewType("Secret", str)
"""A string that no log and no reply to others may show."""

Opaque: TypeAlias = Any
"""Any data value: what it is depends on another field (a task's result)."""

Dynamic: TypeAlias = dict[str, Any]
"""A structure whose type the contract leaves open."""


class Struct(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Base of all structures of the contract. An optional field that is unset is ``None`` and is not encoded.

    ``__vapi_name__`` is the canonical name on the vAPI wire, ``__vapi_unions__`` states which fields a
    discriminant allows and requires.
    """

    __vapi_name__: ClassVar[str] = "operation-input"
    __vapi_unions__: ClassVar[tuple[Union, ...]] = ()


class Union(msgspec.Struct, frozen=True, dict=True):
    """A tagged union inside a structure.

    ``cases`` maps each value of the field ``discriminant`` to the fields that belong to it, each with whether it
    is then required. A field named in some case must be unset in every case that does not name it.
    """

    discriminant: str
    cases: dict[str, tuple[tuple[str, bool], ...]]

    @cached_property
    def members(self) -> frozenset[str]:
        """All fields that belong to any case."""
        return frozenset(name for fields in self.cases.values() for name, _ in fields)


class DateTimeFormat(StrEnum):
    """How a moment in a message is to be shown."""

    FULL_DATE = "FULL_DATE"
    FULL_DATE_TIME = "FULL_DATE_TIME"
    FULL_TIME = "FULL_TIME"
    LONG_DATE = "LONG_DATE"
    LONG_DATE_TIME = "LONG_DATE_TIME"
    LONG_TIME = "LONG_TIME"
    MED_DATE = "MED_DATE"
    MED_DATE_TIME = "MED_DATE_TIME"
    MED_TIME = "MED_TIME"
    SHORT_DATE = "SHORT_DATE"
    SHORT_DATE_TIME = "SHORT_DATE_TIME"
    SHORT_TIME = "SHORT_TIME"


class NestedLocalizableMessage(Struct, frozen=True, kw_only=True):
    """A message inside a message."""

    __vapi_name__ = "com.vmware.vapi.std.nested_localizable_message"
    id: str
    params: dict[str, LocalizationParam] | None = None


class LocalizationParam(Struct, frozen=True, kw_only=True):
    """One named parameter of a message: a string, moment, integer, number or nested message."""

    __vapi_name__ = "com.vmware.vapi.std.localization_param"
    s: str | None = None
    dt: DateTime | None = None
    i: Long | None = None
    d: float | None = None
    l: NestedLocalizableMessage | None = None  # noqa: E741 - the wire's name
    format: DateTimeFormat | None = None
    precision: Long | None = None


class LocalizableMessage(Struct, frozen=True, kw_only=True):
    """A message with an id, its default text and the arguments that stand in it."""

    __vapi_name__ = "com.vmware.vapi.std.localizable_message"
    id: str
    default_message: str
    args: tuple[str, ...]
    params: dict[str, LocalizationParam] | None = None
    localized: str | None = None


class ErrorValue(Struct, frozen=True, kw_only=True):
    """An error as a value, where a structure holds one (a failed task)."""

    error_type: str
    messages: tuple[LocalizableMessage, ...]
    data: Dynamic | None = None


class Asset(bytes):
    """A file as the ``bytes`` result of an operation that serves several: it says itself what it is sent as."""

    media_type: str
    headers: tuple[tuple[str, str], ...]

    def __new__(cls, content: bytes, media_type: str, headers: tuple[tuple[str, str], ...] = ()) -> Asset:
        made = super().__new__(cls, content)
        made.media_type, made.headers = media_type, headers
        return made


class Parted(msgspec.Struct, Generic[R], frozen=True):
    """A list as the result of an operation, in parts. One that is the same object as in an earlier result has nothing
    new in it, so that whoever has written it need not write it again."""

    parts: tuple[R, ...]

    def __len__(self) -> int:
        """How many items are in the list."""
        return sum(map(len, cast("tuple[tuple[Any, ...], ...]", self.parts)))

    def whole(self) -> R:
        """The list."""
        return cast(R, tuple(chain.from_iterable(cast("tuple[tuple[Any, ...], ...]", self.parts))))


class ByteStream(Protocol):
    """Bytes that are too many for the memory: they come piece by piece, once, and no faster than they are taken.

    As a flat body, and as the result of an operation that states a ``media_type``.
    """

    @property
    def size_bytes(self) -> int | None:
        """How many there will be, ``None`` where only the end tells."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces, in order."""

    async def close(self) -> None:
        """Let go of what they come from; who takes them, and who does not, calls it once."""


class WholeBytes(msgspec.Struct, frozen=True):
    """A :class:`ByteStream` of bytes that are in memory."""

    content: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.content:
            yield self.content

    async def close(self) -> None:
        """There is nothing to let go of."""


class Part(msgspec.Struct, frozen=True):
    """A :class:`ByteStream` as the result of an operation, with the status and the headers that it is sent with: a part
    of something, or the whole of what parts can be asked of."""

    stream: ByteStream
    status: int
    headers: tuple[tuple[str, str], ...]

    @property
    def size_bytes(self) -> int | None:
        return self.stream.size_bytes

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.stream.__aiter__()

    async def close(self) -> None:
        """Let go of what it comes from."""
        await self.stream.close()


class NoInput(Struct, frozen=True):
    """The input of operations without parameters."""


class Requirement(msgspec.Struct, frozen=True):
    """Privileges that a caller needs, and on what.

    ``resource`` is the managed object type. The object is named by ``parameter`` (an input parameter) or by
    ``attribute`` (``<canonical structure>:<field>``, wherever that structure occurs in the input, ``*`` for any
    structure); neither means the privileges are needed globally, on the root folder, or with ``anywhere`` on any object
    at all: the operation then answers of what the caller sees, and of nothing else.
    """

    privileges: tuple[str, ...]
    resource: str | None = None
    parameter: str | None = None
    attribute: str | None = None
    anywhere: bool = False


class Route(msgspec.Struct, frozen=True):
    """Where an operation stands in one HTTP dialect.

    ``path`` has ``{parameter}`` segments. ``dispatch`` lists query keys that select the operation: ``(key, value)``,
    or ``(key, None)`` where mere presence selects. ``body`` are the input parameters that travel in the body;
    ``flat`` says that the only one of them *is* the body, one of ``bytes`` or a :class:`ByteStream` without any
    encoding; ``form``: it may be a form as well (``application/x-www-form-urlencoded``). ``query`` are dotted input
    paths (``filter.names``) that travel in the query, ``headers`` pairs of an input parameter and the header of HTTP
    that it is.
    """

    method: str
    path: str
    status: int
    dispatch: tuple[tuple[str, str | None], ...] = ()
    body: tuple[str, ...] = ()
    flat: bool = False
    form: bool = False
    query: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


class Operation(Generic[P, R]):
    """One operation of the API, typed by its positional parameters ``P`` and its result ``R``."""

    def __init__(
        self,
        service: str,
        name: str,
        *,
        input: type[Struct] = NoInput,
        output: Callable[[], object] = lambda: None,
        api: Route | None = None,
        rest: Route | None = None,
        errors: tuple[str, ...] = (),
        privileges: tuple[Requirement, ...] = (),
        releases: tuple[str, ...] = (),
        clients: tuple[str, ...] = (),
        media_type: str | None = None,
        good_once: bool = True,
        key_field: tuple[str, ...] = (),
    ) -> None:
        self.service = service
        self.name = name
        self.id = f"{service}.{name}"
        self.input = input
        self.api = api
        self.rest = rest
        self.errors = errors
        self.privileges = privileges
        self.releases = releases
        self.clients = clients
        self.media_type = media_type
        """What a result of ``bytes`` or a :class:`ByteStream` is sent as, unencoded; an :class:`Asset` says it itself.
        ``None``: results are encoded by the dialect."""
        self.good_once = good_once
        """Whether a secret in its address is used up by a call, so that a look (``HEAD``) must not be one."""
        self.key_field = key_field
        """The way to the field of its input that means what the header ``Idempotency-Key`` does; none: it has none."""
        self._output = output

    @cached_property
    def output(self) -> Any:
        """The result's type, ``None`` for void."""
        return self._output()

    @cached_property
    def takes_stream(self) -> bool:
        """Whether the body is handed to the operation as it comes."""
        return any(field.type is ByteStream for field in msgspec.structs.fields(self.input))

    @cached_property
    def streams(self) -> bool:
        """Whether bytes go in or out piece by piece, which no dialect can put into a document."""
        return self.takes_stream or self.output is ByteStream

    @property
    def is_extension(self) -> bool:
        """Whether the operation is ours and not vCenter's."""
        return self.service.startswith("resphere.")

    def __repr__(self) -> str:
        return f"Operation({self.id})"


AnyOperation: TypeAlias = Operation[..., Any]
Handler: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
