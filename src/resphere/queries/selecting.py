"""``$select``: which fields of the items are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec

from resphere.contract.model import Struct
from resphere.queries.compiling import Root
from resphere.queries.fields import ATTRIBUTES, Kind, fields_of, shape_of
from resphere.queries.nodes import Path
from resphere.queries.refusals import no_such_field, too_much, unfit
from resphere.queries.shapes import attributed, partial

MOST_SELECTED = 100
OPTION = "$select"
Tree: TypeAlias = "dict[str, Tree]"
"""Fields, each with those within it that are told; an empty one is told whole."""


class Attributes(msgspec.Struct, frozen=True):
    """Which custom attributes are told of each item: those of these names, ``None``: all. ``identify`` gives the
    identifier of an item that is no member of a map."""

    names: frozenset[str] | None
    identify: Callable[[Any], str]

    def of(self, found: Mapping[str, str]) -> dict[str, str]:
        """Those of an item's."""
        return {name: value for name, value in found.items() if self.names is None or name in self.names}


class Select(msgspec.Struct, frozen=True):
    """What becomes of items: the type of their values, and what makes it of one; the custom attributes that are told
    with them."""

    item: Any
    take: Callable[[Any], Any]
    attributes: Attributes | None = None


def select_of(paths: Iterable[Path], root: Root) -> Select:
    """The fields of the items that are told.

    :raises InvalidArgument: there is no such field.
    """
    shape = shape_of(root.item)
    named = list(paths)
    if shape.kind is not Kind.STRUCTURE:
        raise unfit(OPTION, 1, "the items of this list are no structures, and have no fields")
    if len(named) > MOST_SELECTED:
        raise too_much(OPTION, f"may name {MOST_SELECTED} fields at most")
    tree: Tree = {}
    has_attributes = root.tagged_by is not None and ATTRIBUTES not in fields_of(shape.cls)
    beside = [path for path in named if has_attributes and path.names[0] == ATTRIBUTES]
    for path in named:
        if path not in beside:
            add(tree, path, shape.cls)
    if not beside:
        return Select(partial(shape.cls), taker(tree, shape.cls, partial(shape.cls)))
    told = attributed(shape.cls)
    return Select(told, taker(tree, shape.cls, told), attributes_in(beside, root.tagged_by or ""))


def attributes_in(paths: Iterable[Path], tagged_by: str) -> Attributes:
    """The custom attributes that are told.

    :raises InvalidArgument: a path leads into one.
    """
    names: set[str] = set()
    is_all = False
    for path in paths:
        if len(path.names) > len((ATTRIBUTES, "NAME")):
            raise unfit(OPTION, path.places[-1], f"{path.names[1]} is a single value")
        is_all = is_all or len(path.names) == 1
        names.update(path.names[1:])
    identify = attrgetter(tagged_by.removeprefix("x.")) if tagged_by.startswith("x.") else str
    return Attributes(None if is_all else frozenset(names), identify)


def add(tree: Tree, path: Path, struct: type[Struct]) -> None:
    """Take a path into the tree.

    :raises InvalidArgument: there is no such field.
    """
    whose, current, is_new = "an item", struct, False
    for depth, (name, at) in enumerate(zip(path.names, path.places, strict=True)):
        fields = {field.encode_name: field for field in msgspec.structs.fields(current)}
        if name not in fields:
            raise no_such_field(OPTION, at, name, whose, fields)
        is_new, is_last = name not in tree, depth == len(path.names) - 1
        if is_last:
            tree[name] = {}
            return
        shape = shape_of(fields[name].type)
        if shape.kind is not Kind.STRUCTURE:
            raise unfit(OPTION, at, f"{name} is told whole: only of structures single fields can be")
        inner = tree.setdefault(name, {})
        if not inner and not is_new:
            return  # told whole already
        tree, whose, current = inner, name, shape.cls


def taker(tree: Tree, struct: type[Struct], made: type[Struct]) -> Callable[[Any], Any]:
    """What makes of a structure one that has only these fields."""
    types_of = {field.name: shape_of(field.type).cls for field in msgspec.structs.fields(made)}
    steps: list[tuple[str, Callable[[Any], Any] | None]] = []
    for field in msgspec.structs.fields(struct):
        if field.encode_name in tree:
            below = tree[field.encode_name]
            inner = taker(below, shape_of(field.type).cls, types_of[field.name]) if below else None
            steps.append((field.name, inner))

    def take(value: Any) -> Any:
        if value is None:
            return None
        return made(
            **{name: getattr(value, name) if inner is None else inner(getattr(value, name)) for name, inner in steps}
        )

    return take
