"""Valid values of the contract's types: any of them for hypothesis, or the least one.

``from_contract(vcenter.VM.CreateSpec)`` is a strategy of instances that the contract accepts: required fields are set,
optional ones now and then, unions hold what their discriminant asks for, and only that. ``minimal(type)`` is the one
value of the type with nothing in it that could be left out, ``filled(type, turn)`` one with everything in it. All give
typed values; :func:`wire` makes JSON of one, and ``tests/support/calls.py`` a request of an operation's whole input.

Identifiers are plausible (``vm-1049``), and none exists for sure. Whoever needs real ones passes ``real``: the name of
an id's type (``VirtualMachineId``) with the ids to draw from.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from resphere.contract.model import ByteStream, Struct, WholeBytes
from tests.support.struct_fields import fields_of

PREFIXES = {
    "VirtualMachineId": "vm-",
    "HostSystemId": "host-",
    "ClusterComputeResourceId": "domain-c",
    "DatacenterId": "datacenter-",
    "DatastoreId": "datastore-",
    "FolderId": "group-v",
    "NetworkId": "network-",
    "ResourcePoolId": "resgroup-",
    "CisTaskId": "task-",
}
"""What ids of well-known types begin with; all others begin with ``id-``."""

Real = Mapping[str, Sequence[str]]
"""Name of an id's type -> ids that exist."""

LONG = 2**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_ELEMENTS = 3
# vAPI has milliseconds, and years of four digits.
MOMENTS = st.integers(0, 2**42).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds))
TEXTS = st.one_of(st.sampled_from(("", "web", "Größe", "a/b", "100%")), st.text(max_size=20))
# A reader cannot tell 1.0 from 1 in JSON: the number is kept, not its type.
OPAQUE = st.recursive(
    st.none() | st.booleans() | st.integers(-LONG, LONG - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=2).map(tuple) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def from_contract(expected: Any, real: Real | None = None, *, least: int = 0) -> SearchStrategy[Any]:
    """Valid values of a type of the contract, shrinking towards :func:`minimal` ones.

    ``least`` is the size of the smallest text, list, set or map anywhere in it: 1 for what travels in a path or a
    query, where an empty one cannot be written.
    """
    return _Strategies(real or {}, least).of(expected)


def minimal(expected: Any, real: Real | None = None, *, least: int = 0) -> Any:
    """The least valid value of a type: optional fields unset, collections empty, the first value of enumerations."""
    return _Minimum(real or {}, least).of(expected)


def filled(expected: Any, turn: int) -> Any:
    """A value of a type with all in it that may be: optional fields set, an element in each collection, and of each
    enumeration the member whose ``turn`` it is, which decides the fields of unions. Always the same.

    A structure inside of itself has only what it must.
    """
    return _Filled(turn).of(expected)


def wire(value: Any) -> Any:
    """A value of the contract as a JSON document would hold it."""
    # Maps may have numbers for keys, which JSON and the order of sets want as text.
    in_order = msgspec.to_builtins(value, str_keys=True, order="deterministic")
    # Through JSON itself: a document knows no tuples, so that equal values are equal however they were held.
    return msgspec.json.decode(msgspec.json.encode(in_order))


def identifier(type_name: str, number: int) -> str:
    """A plausible id: ``identifier("HostSystemId", 12) == "host-12"``."""
    return f"{PREFIXES.get(type_name, 'id-')}{number}"


def without_none(expected: Any) -> tuple[Any, bool]:
    """A type without ``| None``, and whether it had that."""
    if typing.get_origin(expected) in (typing.Union, types.UnionType):
        rest = [argument for argument in typing.get_args(expected) if argument is not type(None)]
        assert len(rest) == 1, f"a type of the contract is one type or None: {expected}"
        return rest[0], True
    return expected, False


def choose(struct: type[Struct], pick: Callable[[str, bool], Any]) -> dict[str, Any]:
    """The fields of a valid ``struct``; ``pick(name, must)`` makes the value of one that may be set, or must be."""
    unions = sorted(struct.__vapi_unions__, key=lambda union: union.discriminant in members(struct))
    chosen = {name: pick(name, False) for name in struct.__struct_fields__ if name not in members(struct)}
    for union in unions:
        # What decides one union may itself belong to another: that one was asked first.
        discriminant = chosen.get(union.discriminant)
        fields = {} if discriminant is None else dict(union.cases.get(str(discriminant), ()))
        for name in sorted(union.members):
            chosen[name] = pick(name, fields[name]) if name in fields else None
    return chosen


def members(struct: type[Struct]) -> set[str]:
    """The fields that belong to some union of ``struct``."""
    return {name for union in struct.__vapi_unions__ for name in union.members}


class Bounds(msgspec.Struct, frozen=True):
    """The least and the greatest that an integer may be."""

    ge: int = -LONG
    le: int = LONG - 1


def bounds_of(annotated: Any) -> Bounds:
    """The bounds of an annotated integer."""
    bounds = Bounds()
    for meta in typing.get_args(annotated)[1:]:
        if meta.ge is not None:
            bounds = msgspec.structs.replace(bounds, ge=meta.ge)
        if meta.le is not None:
            bounds = msgspec.structs.replace(bounds, le=meta.le)
    return bounds


class _Strategies:
    """Strategies by type, each structure's once, so that structures may hold themselves."""

    def __init__(self, real: Real, least: int) -> None:
        self._real = real
        self._least = least
        self._structs: dict[type[Struct], SearchStrategy[Any]] = {}

    def of(self, expected: Any) -> SearchStrategy[Any]:
        expected, optional = without_none(expected)
        strategy = self._required(expected)
        return st.none() | strategy if optional else strategy

    def _required(self, expected: Any) -> SearchStrategy[Any]:
        origin = typing.get_origin(expected)
        if origin in (tuple, frozenset, dict):
            return self._collection(origin, typing.get_args(expected))
        if isinstance(expected, typing.NewType) and expected.__name__ != "Secret":
            return self._identifiers(expected.__name__)
        if isinstance(expected, typing.NewType) or expected is str:
            return TEXTS.filter(bool) if self._least else TEXTS
        if isinstance(expected, type) and issubclass(expected, StrEnum):
            return st.sampled_from(list(expected))
        if isinstance(expected, type) and issubclass(expected, Struct):
            return self._deferred(expected)
        if origin is typing.Annotated and typing.get_args(expected)[0] is int:
            bounds = bounds_of(expected)
            return st.integers(bounds.ge, bounds.le)
        return _SCALARS[typing.get_args(expected)[0] if origin is typing.Annotated else expected]

    def _collection(self, origin: Any, arguments: tuple[Any, ...]) -> SearchStrategy[Any]:
        least, most = self._least, MOST_ELEMENTS
        if origin is dict:
            return st.dictionaries(self.of(arguments[0]), self.of(arguments[1]), min_size=least, max_size=most)
        elements = self.of(arguments[0])
        if origin is frozenset:
            return st.frozensets(elements, min_size=least, max_size=most)
        return st.lists(elements, min_size=least, max_size=most).map(tuple)

    def _identifiers(self, name: str) -> SearchStrategy[str]:
        plausible = st.integers(1, 9999).map(lambda number: identifier(name, number))
        real = self._real.get(name)
        return st.sampled_from(real) | plausible if real else plausible

    def _deferred(self, struct: type[Struct]) -> SearchStrategy[Any]:
        if struct not in self._structs:
            self._structs[struct] = st.deferred(lambda: self._struct(struct))
        return self._structs[struct]

    def _struct(self, struct: type[Struct]) -> SearchStrategy[Any]:
        types_ = {field.name: field.type for field in fields_of(struct)}
        either = {name: self.of(type_) for name, type_ in types_.items()}
        must_be = {name: self.of(without_none(types_[name])[0]) for name in members(struct)}

        @st.composite
        def values(draw: st.DrawFn) -> Any:
            return struct(**choose(struct, lambda name, must: draw((must_be if must else either)[name])))

        return values()


_SCALARS: dict[Any, SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-LONG, LONG - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=20),
    ByteStream: st.binary(max_size=20).map(WholeBytes),
    datetime: MOMENTS,
    Any: OPAQUE,
}


class _Minimum:
    """Least values by type."""

    def __init__(self, real: Real, least: int) -> None:
        self._real = real
        self._least = least

    def of(self, expected: Any) -> Any:
        expected, optional = without_none(expected)
        return None if optional else self._required(expected)

    def _required(self, expected: Any) -> Any:
        origin = typing.get_origin(expected)
        if origin in (tuple, frozenset, dict):
            elements = [tuple(self.of(each) for each in typing.get_args(expected) if each is not ...)] * self._least
            return origin(elements if origin is dict else (element for (element,) in elements))
        if expected is str or (isinstance(expected, typing.NewType) and expected.__name__ == "Secret"):
            return "x" * self._least
        if isinstance(expected, typing.NewType):
            return next(iter(self._real.get(expected.__name__, ())), identifier(expected.__name__, 1))
        if isinstance(expected, type) and issubclass(expected, StrEnum):
            return next(iter(expected))
        if isinstance(expected, type) and issubclass(expected, Struct):
            return self._struct(expected)
        if origin is typing.Annotated and typing.get_args(expected)[0] is int:
            return max(0, bounds_of(expected).ge)
        return _LEAST[typing.get_args(expected)[0] if origin is typing.Annotated else expected]

    def _struct(self, struct: type[Struct]) -> Struct:
        types_ = {field.name: field.type for field in fields_of(struct)}

        def pick(name: str, must: bool) -> Any:
            return self._required(without_none(types_[name])[0]) if must else self.of(types_[name])

        return struct(**choose(struct, pick))


_LEAST: dict[Any, Any] = {
    bool: False,
    int: 0,
    float: 0.0,
    bytes: b"",
    ByteStream: WholeBytes(b""),
    datetime: EPOCH,
    Any: None,
}


class _Filled(_Minimum):
    """Values by type with everything in them."""

    def __init__(self, turn: int) -> None:
        super().__init__({}, 1)
        self._turn = turn
        self._within: list[type[Struct]] = []

    def of(self, expected: Any) -> Any:
        return self._required(without_none(expected)[0])

    def _required(self, expected: Any) -> Any:
        if isinstance(expected, type) and issubclass(expected, StrEnum):
            every = list(expected)
            return every[self._turn % len(every)]
        return super()._required(expected)

    def _struct(self, struct: type[Struct]) -> Struct:
        if struct in self._within:
            least: Struct = minimal(struct)
            return least
        self._within.append(struct)
        try:
            return super()._struct(struct)
        finally:
            self._within.pop()
