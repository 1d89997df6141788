"""Whether structures keep their tagged unions, as vAPI's runtime checks it.

A tag that is unset is no case: then every field that belongs to some case must be unset.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument
from resphere.contract.model import LocalizableMessage, Struct, Union

EXTRA = "vapi.data.structure.union.extra"
MISSING = "vapi.data.structure.union.missing"


class UnionFault(msgspec.Struct, frozen=True):
    """A field that the tag of its union forbids or demands. Names are the wire's."""

    structure: str
    field: str
    tag: str
    case: str | None
    is_missing: bool

    @property
    def reason(self) -> str:
        """What must be, in words."""
        state = f"{self.tag} is {'unset' if self.case is None else self.case}"
        return f"is required when {state}" if self.is_missing else f"must not be set when {state}"

    def refusal(self, prefix: str) -> InvalidArgument:
        """vCenter's refusal of an input; ``prefix`` is what comes before the field in its path, with the dot."""
        words = f"{prefix}{self.field}: {self.reason}"
        id = MISSING if self.is_missing else EXTRA
        return InvalidArgument(LocalizableMessage(id=id, default_message=words, args=(self.structure, self.field)))


class _Tag(msgspec.Struct, frozen=True):
    """A union, its fields sorted by what each case does with them: pairs of attribute and name on the wire."""

    attribute: str
    name: str
    required: dict[str | None, tuple[tuple[str, str], ...]]
    forbidden: dict[str | None, tuple[tuple[str, str], ...]]
    members: tuple[tuple[str, str], ...]


def union_faults(value: Struct) -> Iterator[UnionFault]:
    """What is wrong with the unions of one structure, not with those inside it."""
    structure = value.__vapi_name__
    for tag in _tags(type(value)):
        given = getattr(value, tag.attribute)
        case = None if given is None else str(given)
        for attribute, name in tag.required.get(case, ()):
            if getattr(value, attribute) is None:
                yield UnionFault(structure, name, tag.name, case, is_missing=True)
        for attribute, name in tag.forbidden.get(case, tag.members):
            if getattr(value, attribute) is not None:
                yield UnionFault(structure, name, tag.name, case, is_missing=False)


def check_unions(value: Any, where: str) -> None:
    """Check the unions of ``value`` and of everything inside it; ``where`` is what it is called in messages.

    :raises InvalidArgument: a field is missing that the tag requires, or set that it forbids.
    """
    if value is None or isinstance(value, (str, bytes, int, float, bool)):
        return
    checker = union_checker(type(value)) if isinstance(value, Struct) else _check_container
    if checker is not None:
        checker(value, where)


def _check_container(value: Any, where: str) -> None:
    if isinstance(value, (tuple, frozenset)):
        for position, inner in enumerate(value):
            check_unions(inner, f"{where}[{position}]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_unions(inner, f"{where}[{key}]")


@cache
def union_checker(struct: type[Struct]) -> Callable[[Any, str], None] | None:
    """A function that checks one structure, ``None`` where nothing inside can hold a union."""
    fields = msgspec.structs.fields(struct)
    nested = [(field.name, field.encode_name) for field in fields if may_hold_union(field.type, {struct})]
    if not struct.__vapi_unions__ and not nested:
        return None

    def check(value: Any, where: str) -> None:
        prefix = f"{where}." if where else ""
        for fault in union_faults(value):
            raise fault.refusal(prefix)
        for attribute, name in nested:
            inner = getattr(value, attribute)
            if inner is not None:
                check_unions(inner, f"{prefix}{name}")

    return check


def may_hold_union(expected: Any, seen: set[type[Struct]]) -> bool:
    """Whether a value of this type can have a union somewhere inside."""
    if typing.get_origin(expected) in (typing.Union, types.UnionType, typing.Annotated, tuple, frozenset, dict):
        return any(may_hold_union(argument, seen) for argument in typing.get_args(expected))
    if not (isinstance(expected, type) and issubclass(expected, Struct)):
        return False
    if expected in seen or expected.__vapi_unions__:
        return True
    return any(may_hold_union(field.type, seen | {expected}) for field in msgspec.structs.fields(expected))


@cache
def _tags(struct: type[Struct]) -> tuple[_Tag, ...]:
    names = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    return tuple(_tag(union, names) for union in struct.__vapi_unions__)


def _tag(union: Union, names: dict[str, str]) -> _Tag:
    cases = {case: dict(fields) for case, fields in union.cases.items()}
    members = tuple((name, names[name]) for name in sorted(union.members))
    return _Tag(
        attribute=union.discriminant,
        name=names[union.discriminant],
        required={
            case: tuple((name, names[name]) for name, is_required in fields.items() if is_required)
            for case, fields in cases.items()
        },
        forbidden={case: tuple(pair for pair in members if pair[0] not in fields) for case, fields in cases.items()},
        members=members,
    )
