"""``$filter`` as one function of Python over fields that the contract has, its types checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

import msgspec

from resphere.nearest import meant
from resphere.queries import nodes
from resphere.queries.fields import Kind, Shape, Tag, shape_of
from resphere.queries.grammar import filter_of
from resphere.queries.nodes import Condition, Literal, Moment, Path
from resphere.queries.places import Bound, Place, Scope
from resphere.queries.refusals import listed, too_much, unfit

MOST_CLAUSES = 100
"""Comparisons and the like in one filter; one within ``any`` or ``all`` is asked of each member, and counts for ten."""
OPTION = "$filter"
OPERATORS = {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
EQUALITY = ("eq", "ne")
MIRRORED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
WORDS = {
    Kind.TEXT: "text, in single quotes",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.MOMENT: "a moment such as 2026-01-31T12:00:00Z, or now()",
}

TagsOf: TypeAlias = Callable[[str], Sequence[Tag]]
"""The tags of the object of an id that the caller may know of."""
AttributesOf: TypeAlias = Callable[[str], Mapping[str, str]]
"""The custom attributes of the object of an id, by name."""


class Keep(Protocol):
    """Gives the items that a filter is true of, in their order."""

    def __call__(
        self, items: Sequence[Any], tags: TagsOf, now: datetime, attributes: AttributesOf = ..., /
    ) -> list[Any]:
        """Those of ``items``."""


def no_tags(_id: str) -> tuple[Tag, ...]:
    """For items that have none."""
    return ()


def no_attributes(_id: str) -> Mapping[str, str]:
    """For items that have none."""
    return {}


class Filter(msgspec.Struct, frozen=True):
    """A filter that was understood: ``keep(items, tags_of, now)`` gives those that it is true of, in their order.

    ``weight`` is about how many comparisons an item costs; ``uses_tags``: it asks for tags or custom attributes.
    """

    keep: Keep
    weight: int
    uses_tags: bool
    uses_now: bool


class Root(msgspec.Struct, frozen=True):
    """The items of a list: their type, of a map the type of the keys (items are then pairs), and the expression of the
    identifier of an item that can have tags."""

    item: Any
    key: Any = None
    tagged_by: str | None = None

    @property
    def whole(self) -> str:
        """An item: as an expression, and as the variables of a loop."""
        return "(k, x)" if self.key is not None else "x"

    def bound(self) -> Bound:
        """What an item is to paths."""
        key = None if self.key is None else shape_of(self.key)
        tags = None if self.tagged_by is None else f"tags({self.tagged_by})"
        attributes = None if self.tagged_by is None else f"attributes({self.tagged_by})"
        return Bound(shape_of(self.item), "x", key, "k", tags, attributes)


def compiled(text: str, struct: Any) -> Callable[[Any], bool]:
    """Whether ``$filter`` is true of a structure of that type. For filters beside lists, without tags and ``now()``.

    :raises InvalidArgument: the text is no such filter; names the character.
    """
    made = compiled_filter(filter_of(text), Root(struct))
    if made.uses_now:
        raise unfit(OPTION, 1, "now() means nothing here")
    return lambda value: bool(made.keep((value,), no_tags, EARLIEST))


def compiled_filter(condition: Condition, root: Root) -> Filter:
    """The function of a filter over the items of a list.

    :raises InvalidArgument: a field that there is not, or a value that does not fit; names the character.
    """
    writer = Writer()
    test = writer.condition(condition, Scope(OPTION, root.bound()))
    if writer.weight > MOST_CLAUSES:
        raise too_much(OPTION, f"may have {MOST_CLAUSES} comparisons at most (one within any or all counts for ten)")
    moments = "".join(f"    {name} = shifted(now, {offset})\n" for name, offset in writer.moments)
    head = f"def keep(items, tags, now, attributes=no_attributes):\n{moments}"
    source = f"{head}    return [{root.whole} for {root.whole} in items if {test}]\n"
    keep = defined(source, "keep", writer.constants)
    return Filter(keep, writer.weight, "tags(" in test or "attributes(" in test, bool(writer.moments))


def defined(source: str, name: str, constants: dict[str, Any]) -> Any:
    """The function of the source: made of names of the contract and of constants' names, and of no more that was sent
    than names of letters, digits and underscores in quotes."""
    made: dict[str, Any] = {**constants, "shifted": shifted, "no_attributes": no_attributes}
    exec(compile(source, "<filter>", "exec"), made)  # noqa: S102 - see above
    return made[name]


def shifted(now: datetime, offset: timedelta) -> datetime:
    """So long after or before, within the years that there are."""
    try:
        return now + offset
    except OverflowError:
        return EARLIEST if offset < timedelta() else LATEST


class Writer:
    """Writes conditions as expressions, and collects what they refer to."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self.moments: list[tuple[str, str]] = []
        self.weight = 0
        self._variables = 0
        self._factor = 1

    def condition(self, condition: Condition, scope: Scope) -> str:
        """A condition in brackets."""
        match condition:
            case nodes.Joined(word, parts):
                tests = [self.condition(part, scope) for part in parts]
                if word == "and":
                    tests = [
                        test for _, test in sorted(zip(map(place_of, parts), tests, strict=True), key=itemgetter(0))
                    ]
                return "(" + f" {word} ".join(tests) + ")"
            case nodes.Not(inner):
                return f"(not {self.condition(inner, scope)})"
            case nodes.Quantified():
                return self._quantified(condition, scope)
        self.weight += self._factor
        match condition:
            case nodes.Compare():
                return self._compared(condition, scope)
            case nodes.Within():
                return self._within(condition, scope)
            case nodes.Search():
                return self._searched(condition, scope)
            case nodes.Holds(path, at):
                return self._holds(scope, path, at)
        raise TypeError(f"{condition} is no condition")

    def _holds(self, scope: Scope, path: Path, at: int) -> str:
        place = scope.scalar(path)
        if place.shape.kind is not Kind.BOOLEAN:
            raise unfit(scope.option, at, f"{path} is {named(place.shape)}, and no condition: compare it with a value")
        return guarded(place.is_set, place.value)

    def _compared(self, compare: nodes.Compare, scope: Scope) -> str:
        left, right, operator = compare.left, compare.right, compare.operator
        if not isinstance(left, Path):
            if not isinstance(right, Path):
                raise unfit(scope.option, left.at, "compares no field")
            left, right, operator = right, left, MIRRORED.get(operator, operator)
        if isinstance(right, Literal) and right.value is None:
            return self._compared_to_null(scope.place(left), operator, compare, scope)
        place = scope.scalar(left)
        if operator not in EQUALITY and place.shape.kind in (Kind.CHOICE, Kind.BOOLEAN):
            words = f"{left} is {named(place.shape)}: it can be compared by eq, ne and in"
            raise unfit(scope.option, compare.at, words)
        if isinstance(right, Path):
            return compared_fields(place, operator, scope.scalar(right), compare, scope)
        value = self._value(right, place, left, scope)
        if operator == "ne":
            return f"(not {guarded(place.set_above, f'{place.value} == {value}')})"
        # An unset value is equal to none, and no smaller or greater than any.
        guard = place.set_above if operator == "eq" else place.is_set
        return guarded(guard, f"{place.value} {OPERATORS[operator]} {value}")

    def _compared_to_null(self, place: Place, operator: str, compare: nodes.Compare, scope: Scope) -> str:
        if operator not in EQUALITY:
            raise unfit(scope.option, compare.at, "null can be compared by eq and ne alone")
        is_set = place.is_set or "True"
        return f"({is_set})" if operator == "ne" else f"(not ({is_set}))"

    def _value(self, operand: Literal | Moment, place: Place, path: Path, scope: Scope) -> str:
        if isinstance(operand, Moment):
            if place.shape.kind is not Kind.MOMENT:
                raise unfit(scope.option, operand.at, f"{path} is {named(place.shape)}, and now() is a moment")
            name = f"m{len(self.moments)}"
            self.moments.append((name, self._constant(operand.offset)))
            return name
        return self._constant(fitting(operand, place.shape, path, scope))

    def _constant(self, value: object) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name

    def _within(self, within: nodes.Within, scope: Scope) -> str:
        place = scope.scalar(within.path)
        values = frozenset(fitting(each, place.shape, within.path, scope) for each in within.values)
        return guarded(place.set_above, f"{place.value} in {self._constant(values)}")

    def _searched(self, search: nodes.Search, scope: Scope) -> str:
        place = scope.scalar(search.path)
        if place.shape.kind not in (Kind.TEXT, Kind.CHOICE):
            words = f"{search.function} is for text, and {search.path} is {named(place.shape)}"
            raise unfit(scope.option, search.at, words)
        value = self._constant(search.value.value)
        if search.function == "contains":
            return guarded(place.is_set, f"{value} in {place.value}")
        return guarded(place.is_set, f"{place.value}.{search.function}({value})")

    def _quantified(self, quantified: nodes.Quantified, scope: Scope) -> str:
        place = scope.place(quantified.path)
        shape = place.shape
        if shape.kind not in (Kind.LIST, Kind.MAP):
            words = f"any and all are for what has several members, and {quantified.path} is {named(shape)}"
            raise unfit(scope.option, quantified.at, words)
        if quantified.condition is None:
            self.weight += self._factor
            return guarded(place.is_set, f"len({place.value}) > 0")
        self._variables += 1
        member, key = f"x{self._variables}", f"k{self._variables}"
        is_map = shape.kind is Kind.MAP
        bound = Bound(shape_of(shape.member), member, shape_of(shape.key) if is_map else None, key)
        inner = Scope(scope.option, scope.item, {**scope.variables, quantified.variable: bound})
        self._factor, before = self._factor * 10, self._factor
        condition = self.condition(quantified.condition, inner)
        self._factor = before
        function = "all" if quantified.every else "any"
        members = f"for {key}, {member} in {place.value}.items()" if is_map else f"for {member} in {place.value}"
        found = f"{function}({condition} {members})"
        # Of a collection that is unset, all holds and any does not, as of an empty one.
        if quantified.every and place.is_set:
            return f"(not ({place.is_set}) or {found})"
        return guarded(place.is_set, found)


PLACES: dict[type[Condition], int] = {nodes.Search: 3, nodes.Within: 1, nodes.Holds: 1, nodes.Quantified: 5}


def place_of(condition: Condition) -> int:
    """Where a condition stands among others that must hold too: what costs more is asked of those that are left. Texts
    are looked at late: those of a long list lie all over the memory."""
    if isinstance(condition, nodes.Compare):
        return {"eq": 0, "ne": 2}.get(condition.operator, 1)
    return PLACES.get(type(condition), 4)


def compared_fields(place: Place, operator: str, other: Place, compare: nodes.Compare, scope: Scope) -> str:
    """Two fields of one item. Both unset are equal; one that is unset is no smaller or greater."""
    kinds = {place.shape.kind, other.shape.kind}
    if len(kinds) > 1 and kinds != {Kind.TEXT, Kind.CHOICE}:
        words = f"compares {named(place.shape)} with {named(other.shape)}"
        raise unfit(scope.option, compare.at, words)
    if operator in EQUALITY:
        return f"({place.or_none} {OPERATORS[operator]} {other.or_none})"
    guards = " and ".join(filter(None, (place.is_set, other.is_set)))
    return guarded(guards, f"{place.value} {OPERATORS[operator]} {other.value}")


def guarded(guard: str, test: str) -> str:
    """A test that is false where the guard is."""
    return f"({guard} and {test})" if guard else f"({test})"


def fitting(literal: Literal, shape: Shape, path: Path, scope: Scope) -> Any:
    """The value of a literal for a field.

    :raises InvalidArgument: it is not of the field's type.
    """
    value, kind = literal.value, shape.kind
    if value is None:
        raise unfit(scope.option, literal.at, "null can be compared by eq and ne alone")
    if kind is Kind.CHOICE:
        return choice(literal, shape, path, scope)
    fits = {
        Kind.TEXT: isinstance(value, str),
        Kind.NUMBER: isinstance(value, (int, float)) and not isinstance(value, bool),
        Kind.BOOLEAN: isinstance(value, bool),
        Kind.MOMENT: isinstance(value, datetime),
    }
    if not fits[kind]:
        raise unfit(scope.option, literal.at, f"{path} is {WORDS[kind]}, and not {written(value)}")
    return value


def choice(literal: Literal, shape: Shape, path: Path, scope: Scope) -> Any:
    """The member of an enumeration. One in other letters may be meant for ``tolower``."""
    members = {each.value: each for each in shape.cls}
    if path.case is not None and isinstance(literal.value, str):
        return literal.value
    if literal.value not in members:
        words = f"{path} is one of {listed(map(repr, members))}, and not {written(literal.value)}"
        raise unfit(scope.option, literal.at, words + meant(str(literal.value), members))
    return members[literal.value]


def named(shape: Shape) -> str:
    """What a shape is called."""
    if shape.kind is Kind.CHOICE:
        return "one of " + listed(repr(each.value) for each in shape.cls)
    names = {Kind.STRUCTURE: "a structure", Kind.LIST: "a list", Kind.MAP: "a map"}
    return names.get(shape.kind) or WORDS[shape.kind].partition(",")[0].partition(" such")[0]


def written(value: object) -> str:
    """A value as filters write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, (str, int, float)) else str(value)


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """The conditions that must all hold."""
    if isinstance(condition, nodes.Joined) and condition.word == "and":
        for part in condition.conditions:
            yield from conjuncts(part)
    else:
        yield condition
