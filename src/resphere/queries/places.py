"""Where a path leads: a field of an item, through structures that may be unset, as an expression of Python."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.queries.fields import ATTRIBUTES, COUNT, ITEM, KEY, SCALARS, TAGS, Kind, Shape, Tag, fields_of
from resphere.queries.nodes import Path
from resphere.queries.refusals import misread, no_such_field, unfit

TEXTS = frozenset({Kind.TEXT, Kind.CHOICE})
TAGS_SHAPE = Shape(Kind.LIST, member=Tag)
ATTRIBUTES_SHAPE = Shape(Kind.MAP, member=str, key=str)
AN_ITEM = "an item"
CASES = {"tolower": "lower", "toupper": "upper"}


class Bound(msgspec.Struct, frozen=True):
    """What a name stands for: a value, and where it is one of a map, its key. ``tags`` and ``attributes`` are the
    expressions of the tags and custom attributes of an item that can have some."""

    shape: Shape
    value: str
    key_shape: Shape | None = None
    key: str = ""
    tags: str | None = None
    attributes: str | None = None

    @property
    def names(self) -> list[str]:
        """What can be named of it."""
        known = list(fields_of(self.shape.cls)) if self.shape.kind is Kind.STRUCTURE else []
        known += [KEY] if self.key_shape is not None and KEY not in known else []
        known += [TAGS] if self.tags is not None and TAGS not in known else []
        known += [ATTRIBUTES] if self.attributes is not None and ATTRIBUTES not in known else []
        return known


class Place(msgspec.Struct, frozen=True):
    """A value as an expression, which may be asked for where all of ``guards`` are set; the last is the value itself
    where it may be unset (``shape.optional``)."""

    shape: Shape
    value: str
    guards: tuple[str, ...] = ()

    @property
    def set_above(self) -> str:
        """The condition that all is set that the value stands in."""
        return all_set(self.guards[:-1] if self.shape.optional else self.guards)

    @property
    def is_set(self) -> str:
        """The condition that the value is set, empty where it always is."""
        return all_set(self.guards)

    @property
    def or_none(self) -> str:
        """The value, ``None`` where it is unset."""
        return f"({self.value} if {self.is_set} else None)" if self.guards else self.value


def all_set(guards: tuple[str, ...]) -> str:
    """The condition that none of the expressions is ``None``."""
    return " and ".join(f"{each} is not None" for each in guards)


class Scope(msgspec.Struct, frozen=True):
    """What names mean at a place in ``option``: the item itself, and the variables around."""

    option: str
    item: Bound
    variables: Mapping[str, Bound] = {}

    def place(self, path: Path) -> Place:
        """Where a path leads.

        :raises InvalidArgument: it leads nowhere; names the fields that there are.
        """
        steps = list(zip(path.names, path.places, strict=True))
        first = path.names[0]
        if first in self.variables:
            place = self._through(self.variables[first], steps[1:], first)
        elif first == ITEM:
            place = self._through(self.item, steps[1:], ITEM)
        else:
            place = self._through(self.item, steps, AN_ITEM)
        if path.case is None:
            return place
        if place.shape.kind not in TEXTS:
            raise unfit(self.option, path.at, f"{path.case} is for text, which {path} is not")
        # Its guards stay: of what is unset nothing can be asked.
        shape = msgspec.structs.replace(place.shape, optional=False)
        return Place(shape, f"{place.value}.{CASES[path.case]}()", place.guards)

    def scalar(self, path: Path) -> Place:
        """The same, of a single value.

        :raises InvalidArgument: it leads nowhere, or to a structure or several values.
        """
        place = self.place(path)
        if place.shape.kind not in SCALARS:
            raise unfit(self.option, path.at, f"{path} is no single value: {advice(place.shape)}")
        return place

    def _through(self, bound: Bound, steps: list[tuple[str, int]], whose: str) -> Place:
        place = Place(bound.shape, bound.value, (bound.value,) if bound.shape.optional else ())
        start: Bound | None = bound
        for name, at in steps:
            place = self._own(start, name) or self._member(place, name) or self._nowhere(place, start, name, at, whose)
            start, whose = None, name
        return place

    def _own(self, bound: Bound | None, name: str) -> Place | None:
        """What belongs to an item beside its fields."""
        if bound is None or (bound.shape.kind is Kind.STRUCTURE and name in fields_of(bound.shape.cls)):
            return None
        if name == KEY and bound.key_shape is not None:
            return Place(bound.key_shape, bound.key)
        if name == ATTRIBUTES and bound.attributes is not None:
            return Place(ATTRIBUTES_SHAPE, bound.attributes)
        return Place(TAGS_SHAPE, bound.tags) if name == TAGS and bound.tags is not None else None

    def _member(self, place: Place, name: str) -> Place | None:
        shape = place.shape
        if name == COUNT and shape.kind in (Kind.LIST, Kind.MAP):
            return Place(Shape(Kind.NUMBER), f"len({place.value})", place.guards)
        if shape is ATTRIBUTES_SHAPE and not name.startswith("$"):
            # Names in paths are letters, digits and underscores.
            value = f"{place.value}.get({name!r})"
            return Place(Shape(Kind.TEXT, optional=True), value, (value,))
        field = fields_of(shape.cls).get(name) if shape.kind is Kind.STRUCTURE else None
        if field is None:
            return None
        value = f"{place.value}.{field.attribute}"
        return Place(field.shape, value, (*place.guards, value) if field.shape.optional else place.guards)

    def _nowhere(self, place: Place, bound: Bound | None, name: str, at: int, whose: str) -> Place:
        shape = place.shape
        known = bound.names if bound is not None else list(fields_of(shape.cls)) if shape.cls is not None else []
        if shape.kind is Kind.STRUCTURE or (bound is not None and known):
            raise no_such_field(self.option, at, name, whose, known)
        if whose == AN_ITEM:
            raise misread(self.option, at, f"the items of this list are no structures: {ITEM} names them")
        raise unfit(self.option, at, f"{whose} has no field {name}: {advice(shape)}")


def advice(shape: Shape) -> str:
    """How what is no single value can be asked for."""
    if shape.kind is Kind.STRUCTURE:
        return f"it is a structure of {', '.join(fields_of(shape.cls))}"
    if shape.kind in (Kind.LIST, Kind.MAP):
        return "it has several members, asked for by any(x: ...), all(x: ...) or /$count"
    return "it is a single value"
