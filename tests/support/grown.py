"""Inputs of operations grown to what documents may hold, one part of an input at a time.

``grown(operation.input, real, Most(...))`` goes through the type and gives, for each text, list, set, map and open
value anywhere in it, the least valid input in which that one is as large as it may be. What a union allows only with
its tag has that tag.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from resphere.contract.model import ByteStream, Struct, WholeBytes
from tests.support.from_contract import Real, identifier, minimal, wire, without_none
from tests.support.struct_fields import fields_of

VARIETIES = 2
"""What lists of identifiers are made of: those that exist, again and again; and others."""


DEEP = 100
"""Lists within lists of an open value."""

Given = Mapping[type[Struct], Sequence[Struct]]
"""Structures of a type that mean something."""


class Most(msgspec.Struct, frozen=True):
    """How much a part of an input may have: ``values`` in all, texts of so many ``characters``."""

    values: int
    characters: int


class Grown(msgspec.Struct, frozen=True):
    """An input, and which part of it is large (``spec.disks``, ``spec.disks[0].label``)."""

    where: str
    value: Any
    kind: object
    """The type of that part."""


def grown(expected: Any, real: Real, most: Most, given: Given | None = None) -> Iterator[Grown]:
    """Values of the type, each with another part at its largest.

    The first of ``given`` takes the place of the least one of its type, also where that may be left out, and all of
    them are the elements of lists.
    """
    return _Growing(real, most, given or {}).of(expected, "", ())


class _Growing:
    def __init__(self, real: Real, most: Most, given: Given) -> None:
        self._real = real
        self._most = most
        self._given = given
        self._known: dict[Any, Any] = {}
        self._differing: dict[type[Struct], list[tuple[str, Any]]] = {}

    def _least(self, expected: Any) -> Any:
        """The least value with the given ones in their places."""
        if expected not in self._known:
            self._known[expected] = self._with_given(minimal(expected, self._real, least=1))
        return self._known[expected]

    def _with_given(self, value: Any) -> Any:
        if not isinstance(value, Struct):
            return value
        if type(value) in self._given:
            return self._given[type(value)][0]
        placed = {
            field.name: self._given[inner][0] if inner in self._given else self._with_given(getattr(value, field.name))
            for field in fields_of(type(value))
            for inner in (without_none(field.type)[0],)
        }
        return msgspec.structs.replace(value, **placed)

    def of(self, expected: Any, where: str, inside: tuple[type[Struct], ...]) -> Iterator[Grown]:
        expected, _ = without_none(expected)
        origin, arguments = typing.get_origin(expected), typing.get_args(expected)
        if origin is dict and arguments[1] is Any:
            yield from (Grown(f"{where} ({each.where})", {"member": each.value}, expected) for each in self._open())
            yield Grown(where, {f"member-{number}": number for number in range(self._most.values)}, expected)
        elif origin is dict:
            yield Grown(where, self._map(arguments), expected)
            for each in self.of(arguments[1], f"{where}[...]", inside):
                yield Grown(each.where, {self._element(arguments[0], 0, 0): each.value}, each.kind)
        elif origin in (tuple, frozenset):
            yield from self._list(origin, arguments[0], where, inside)
        elif isinstance(expected, type) and issubclass(expected, Struct):
            if expected not in inside:
                yield from self._struct(expected, where, (*inside, expected))
        elif expected is Any:
            yield from (Grown(f"{where} ({each.where})", each.value, expected) for each in self._open())
        elif expected is str or isinstance(expected, typing.NewType):
            yield Grown(where, "x" * self._most.characters, expected)
        elif expected is bytes:
            yield Grown(where, bytes(self._most.characters), expected)
        elif expected is ByteStream:
            yield Grown(where, WholeBytes(bytes(self._most.characters)), expected)

    def _struct(self, struct: type[Struct], where: str, inside: tuple[type[Struct], ...]) -> Iterator[Grown]:
        least = self._least(struct)
        for field in fields_of(struct):
            fitting = self._allowing(struct, least, field.name)
            for each in self.of(field.type, f"{where}.{field.encode_name}" if where else field.encode_name, inside):
                yield Grown(each.where, msgspec.structs.replace(fitting, **{field.name: each.value}), each.kind)

    def _allowing(self, struct: type[Struct], least: Struct, name: str) -> Struct:
        """The least structure in which the field may be set."""
        for union in struct.__vapi_unions__:
            if name not in union.members:
                continue
            types_ = {field.name: without_none(field.type)[0] for field in fields_of(struct)}
            case, fields = next((case, fields) for case, fields in union.cases.items() if name in dict(fields))
            chosen: dict[str, Any] = dict.fromkeys(union.members)
            chosen[union.discriminant] = types_[union.discriminant](case)
            chosen |= {each: self._least(types_[each]) for each, must in fields if must}
            least = msgspec.structs.replace(least, **chosen)
        return least

    def _list(self, origin: Any, element: Any, where: str, inside: tuple[type[Struct], ...]) -> Iterator[Grown]:
        count = self._count(element)
        makers: list[Callable[[int], Any]] = [
            lambda number, variety=variety: self._element(element, number, variety)  # type: ignore[misc]
            for variety in range(VARIETIES if self._names(element) else 1)
        ]
        for make in makers:
            yield Grown(where, origin(map(make, range(count))), (origin, element))
        for each in self.of(element, f"{where}[0]", inside):
            yield Grown(each.where, origin([each.value]), each.kind)

    def _map(self, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        count = self._count(arguments[1])
        return {
            self._element(arguments[0], number, 1): self._element(arguments[1], number, 0) for number in range(count)
        }

    def _open(self) -> Iterator[Grown]:
        deep: Any = 0
        for _ in range(DEEP):
            deep = [deep]
        yield Grown("deep", deep, Any)
        yield Grown("wide", list(range(self._most.values)), Any)
        yield Grown("long", "x" * self._most.characters, Any)

    def _count(self, element: Any) -> int:
        """How many elements a document has room for."""
        commas = msgspec.json.encode(wire(self._element(element, 0, 0))).count(b",")
        return self._most.values // (commas + 1)

    def _names(self, element: Any) -> bool:
        """Whether elements name something that may exist."""
        if isinstance(element, typing.NewType):
            return element.__name__ in self._real
        if isinstance(element, type) and issubclass(element, Struct):
            return any(field.required and self._names(field.type) for field in fields_of(element))
        return False

    def _own(self, struct: type[Struct]) -> list[tuple[str, Any]]:
        """The fields in which one element differs from the next."""
        if struct not in self._differing:
            least = self._least(struct)
            self._differing[struct] = [
                (field.name, field.type)
                for field in fields_of(struct)
                if field.required
                and getattr(least, field.name) is not None
                and (field.type is str or isinstance(field.type, typing.NewType))
            ]
        return self._differing[struct]

    def _element(self, expected: Any, number: int, variety: int) -> Any:
        """One of many elements."""
        if isinstance(expected, typing.NewType) and expected.__name__ != "Secret":
            real = self._real.get(expected.__name__, ())
            if real and variety == 0:
                return real[number % len(real)]
            return identifier(expected.__name__, 1_000_000 + number)
        if expected is str or isinstance(expected, typing.NewType):
            return f"x{number}"
        if isinstance(expected, type) and issubclass(expected, Struct):
            known = self._given.get(expected, ())
            if known and variety == 0:
                return known[number % len(known)]
            own = {name: self._element(type_, number, variety) for name, type_ in self._own(expected)}
            return msgspec.structs.replace(self._least(expected), **own)
        return self._least(expected)
