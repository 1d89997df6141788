"""One walk through the types of the contract: how the values of each travel, by the rules of a dialect.

A dialect states for each kind of type what becomes of its values, in one direction; :class:`Codec` goes through a type
once and puts that together into one function, which is then called for every value. To write, a function gets a value
and returns what msgspec is to write::

    WRITING: Codec[Write] = Codec(MyWriting())
    write = WRITING.of(vcenter.VM.Info)  # None: msgspec writes the value as it is

To read, it gets what a JSON document held and its dotted place for messages, and returns what msgspec converts to the
type.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from resphere.contract.model import Secret, Struct
from resphere.contract.type_forms import inner_of_optional, plain_type

F = TypeVar("F")

Write = Callable[[Any], Any]
Read = Callable[[Any, str], Any]


class Field(msgspec.Struct, Generic[F], frozen=True):
    """A field of a structure: its name on the wire, whether it may be unset, and what becomes of a value that is set
    (``None``: nothing)."""

    name: str
    optional: bool
    convert: F | None


Fields = Callable[[], tuple[Field[F], ...]]


class Rules(Protocol[F]):
    """What a dialect does with the values of each kind, in one direction.

    ``None`` as the function of a part says that nothing is done with that, and as a result the same of the whole.
    """

    def plain(self, expected: Any) -> F | None:
        """Text, a number, a boolean, or a value of an enumeration."""

    def secret(self) -> F | None:
        """A :data:`~resphere.contract.model.Secret`."""

    def binary(self) -> F | None:
        """Bytes."""

    def moment(self) -> F | None:
        """A moment."""

    def anything(self) -> F | None:
        """A value whose type the contract leaves open."""

    def open_structure(self) -> F | None:
        """A structure with any members."""

    def optional(self, inner: F | None) -> F | None:
        """A value that may be unset."""

    def list_of(self, element: F | None) -> F | None:
        """A list."""

    def set_of(self, element: F | None) -> F | None:
        """A set."""

    def map_of(self, expected: Any, value: F | None) -> F | None:
        """A map; ``expected`` is its whole type. Its keys are plain."""

    def structure(self, struct: type[Struct], fields: Fields[F]) -> F | None:
        """A structure. ``fields`` is not to be asked before the first value: structures may hold structures of their
        own kind."""


class Untouched(Generic[F]):
    """The rules by which nothing is done with what holds no structure: what a dialect begins with that leaves most
    values to msgspec."""

    def plain(self, expected: Any) -> F | None:
        return None

    def secret(self) -> F | None:
        return None

    def binary(self) -> F | None:
        return None

    def moment(self) -> F | None:
        return None

    def anything(self) -> F | None:
        return None

    def open_structure(self) -> F | None:
        return None


class Codec(Generic[F]):
    """The functions for types, each made when it is first asked for."""

    def __init__(self, rules: Rules[F]) -> None:
        self._rules = rules
        self._made: dict[Any, F | None] = {}
        self._leaves: dict[Any, Callable[[], F | None]] = {
            Secret: rules.secret,
            bytes: rules.binary,
            datetime: rules.moment,
            Any: rules.anything,
        }

    def of(self, expected: Any) -> F | None:
        """The function for values of the type, ``None`` where nothing is done with them."""
        try:
            return self._made[expected]
        except KeyError:
            made = self._made[expected] = self._make(expected)
            return made

    def _make(self, expected: Any) -> F | None:
        inner = inner_of_optional(expected)
        if inner is not None:
            return self._rules.optional(self.of(inner))
        expected = plain_type(expected)
        leaf = self._leaves.get(expected)
        if leaf is not None:
            return leaf()
        if typing.get_origin(expected) is not None:
            return self._container(expected)
        if isinstance(expected, type) and issubclass(expected, Struct):
            return self._rules.structure(expected, lambda: self._fields(expected))
        return self._rules.plain(expected)

    def _container(self, expected: Any) -> F | None:
        origin, arguments = typing.get_origin(expected), typing.get_args(expected)
        if origin is tuple:
            return self._rules.list_of(self.of(arguments[0]))
        if origin is frozenset:
            return self._rules.set_of(self.of(arguments[0]))
        if origin is not dict:
            raise TypeError(f"the contract has no values of the type {expected}")
        if arguments[1] is Any:
            return self._rules.open_structure()
        return self._rules.map_of(expected, self.of(arguments[1]))

    def _fields(self, struct: type[Struct]) -> tuple[Field[F], ...]:
        return tuple(self._field(field.encode_name, field.type) for field in msgspec.structs.fields(struct))

    def _field(self, name: str, expected: Any) -> Field[F]:
        inner = inner_of_optional(expected)
        return Field(name, inner is not None, self.of(expected if inner is None else inner))


class WhereSet(msgspec.Struct, frozen=True):
    """How a dialect writes the fields that may be unset: how one that is set, from the function for its value, and what
    stands for one that is not."""

    present: Callable[[Write | None], Write | None]
    unset: Any
    is_written: bool
    """Whether what stands for an unset field is written; it is left out otherwise."""


def structure_copy(struct: type[Struct], fields: Fields[Write], where_set: WhereSet) -> Write:
    """How a structure is written of whose fields some are not left to msgspec: a copy with these replaced, an object of
    a class made for that, which msgspec writes four times as fast as a dictionary."""
    own = msgspec.structs.fields(struct)
    made = msgspec.defstruct(
        "Written",
        [(field.name, Any, None) for field in own],
        rename={field.name: field.encode_name for field in own},
        omit_defaults=not where_set.is_written,
        frozen=True,
        gc=False,
    )
    both: tuple[list[tuple[int, Write]], list[tuple[int, Write]]] | None = None
    take, unset = msgspec.structs.astuple, where_set.unset

    def parts() -> tuple[list[tuple[int, Write]], list[tuple[int, Write]]]:
        always: list[tuple[int, Write]] = []
        sometimes: list[tuple[int, Write]] = []
        for place, field in enumerate(fields()):
            write = where_set.present(field.convert) if field.optional else field.convert
            if write is not None:
                (sometimes if field.optional else always).append((place, write))
        return always, sometimes

    def copy(value: Any) -> Any:
        nonlocal both
        if both is None:
            # Made whole before it is shown: other threads write, too.
            both = parts()
        always, sometimes = both
        held = list(take(value))
        for place, write in always:
            held[place] = write(held[place])
        for place, write in sometimes:
            item = held[place]
            held[place] = unset if item is None else write(item)
        return made(*held)

    return copy
