"""From bytes and strings to typed input, with messages that name the field.

msgspec decodes and checks types; this module adds what it leaves open: duplicate keys, unions, and wording.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, UnexpectedInput, message
from resphere.contract.model import LocalizableMessage, Struct
from resphere.contract.type_forms import inner_of_optional
from resphere.contract.unions import check_unions

INVALID_INPUT = "vapi.invoke.invalid.input"
UNEXPECTED_FIELD = "vapi.data.structure.field.unexpected"
MOST_VALUES_NAMED = 25

_AT = re.compile(r"^(?P<reason>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?$", re.DOTALL)


class DuplicateKey(ValueError):
    """A JSON object that has one key twice."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise DuplicateKey(key)
        seen.add(key)


_scan = json.JSONDecoder(object_pairs_hook=_no_duplicates).decode


def invalid(where: str, reason: str) -> InvalidArgument:
    """The refusal for one field: ``where`` is its dotted path (empty: the input as a whole)."""
    if not where:
        return InvalidArgument(message(INVALID_INPUT, "{0}", reason))
    return InvalidArgument(message(INVALID_INPUT, "{0}: {1}", where, reason))


def decode_json(decoder: msgspec.json.Decoder[Any], body: bytes, root: str, expected: Any) -> Any:
    """Decode ``body`` strictly. ``root`` is what the document is called in messages (``spec``; empty: the body).

    :raises InvalidArgument: not JSON, a duplicate key, or not of the type; names the field.
    """
    try:
        value = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise described(error, root, expected) from None
    except RecursionError:
        raise invalid(root or "body", "the JSON document is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise invalid(root or "body", f"the body is not a JSON document: {error}") from None
    refuse_duplicate_keys(body, root)
    check_unions(value, root)
    return value


def refuse_duplicate_keys(document: bytes, root: str) -> None:
    """Refuse what readers of JSON read differently.

    :raises InvalidArgument: an object has a key twice, or the document is none.
    """
    try:
        _scan(document.decode("utf-8"))
    except DuplicateKey as error:
        raise invalid(root or "body", f"the key '{error}' stands twice in one object") from None
    except RecursionError:
        raise invalid(root or "body", "the JSON document is nested too deeply") from None
    except ValueError as error:
        raise invalid(root or "body", f"the body is not a JSON document: {error}") from None


def convert(value: Any, expected: Any, where: str) -> Any:
    """Strings of a path or query as a typed value.

    :raises InvalidArgument: names ``where``.
    """
    try:
        return msgspec.convert(value, expected, strict=False)
    except msgspec.ValidationError as error:
        raise described(error, where, expected) from None


def convert_strictly(value: Any, expected: Any, where: str) -> Any:
    """What a JSON document held as a typed value.

    :raises InvalidArgument: names ``where``.
    """
    try:
        return msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        raise described(error, where, expected) from None


def unexpected(names: Iterable[str], structure: str, where: str = "") -> UnexpectedInput:
    """vCenter's refusal of fields that a structure has not; ``where`` is its dotted path, if it stands inside another.

    They are named in the order of the alphabet: that of a document means nothing.
    """
    place = f" at {where}" if where else ""
    named = f"[{', '.join(sorted(names))}]"
    words = f"Found unexpected fields {named} in structure '{structure}'{place}."
    return UnexpectedInput(LocalizableMessage(id=UNEXPECTED_FIELD, default_message=words, args=(named, structure)))


def refuse_unexpected(value: Any, expected: Any, where: str) -> None:
    """Refuse the fields inside ``value``, of a JSON document, that the structures of its type have not.

    :raises UnexpectedInput: names those of the outermost structure that has any.
    :raises InvalidArgument: that structure lacks a field besides.
    """
    expected = bare(expected)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if isinstance(value, list) and origin in (tuple, frozenset):
        for position, inner in enumerate(value):
            refuse_unexpected(inner, arguments[0], f"{where}[{position}]")
    elif isinstance(value, dict) and origin is dict:
        for key, inner in value.items():
            refuse_unexpected(inner, arguments[1], f"{where}[{key}]")
    elif isinstance(value, dict) and isinstance(expected, type) and issubclass(expected, Struct):
        types_ = field_types(expected)
        unknown = value.keys() - types_.keys()
        missing = required_fields(expected) - value.keys()
        if unknown and missing:
            # What is missing is the greater fault: vCenter looks for it first.
            raise invalid(where, f"Object missing required field '{min(missing)}'")
        if unknown:
            raise unexpected(unknown, expected.__vapi_name__, where)
        for name, inner in value.items():
            refuse_unexpected(inner, types_[name], f"{where}.{name}" if where else name)


def described(error: msgspec.ValidationError, root: str, expected: Any) -> InvalidArgument:
    """msgspec's complaint with the field's dotted path and, for an enumeration, the allowed values."""
    found = _AT.match(str(error))
    reason, path = (found.group("reason"), found.group("path") or "") if found else (str(error), "")
    reason = reason.replace("`", "'")
    if reason.startswith("Invalid enum value"):
        allowed = sorted(allowed_values(expected, path))
        if 0 < len(allowed) <= MOST_VALUES_NAMED:
            reason += f"; allowed are {', '.join(allowed)}"
    return invalid((root + path).lstrip("."), reason)


def allowed_values(expected: Any, path: str) -> Iterator[str]:
    """The values of the enumeration that stands at ``path`` inside the type ``expected``."""
    for step in re.findall(r"\.(\w+)|(\[(?:\.\.\.|\d+)\])", path):
        expected = inner_type(bare(expected), step[0])
    expected = bare(expected)
    while typing.get_origin(expected) in (tuple, frozenset, dict):
        expected = bare(typing.get_args(expected)[0])
    if isinstance(expected, type) and issubclass(expected, StrEnum):
        yield from (member.value for member in expected)


def bare(expected: Any) -> Any:
    """A type without ``| None`` and annotations."""
    inner = inner_of_optional(expected)
    if inner is not None:
        return bare(inner)
    if typing.get_origin(expected) is typing.Annotated:
        return bare(typing.get_args(expected)[0])
    return expected


def inner_type(expected: Any, field: str) -> Any:
    """The type of a field, or of the elements where ``field`` is empty."""
    if field and isinstance(expected, type) and issubclass(expected, Struct):
        return field_types(expected).get(field, Any)
    arguments = typing.get_args(expected)
    return (arguments[-1] if typing.get_origin(expected) is dict else arguments[0]) if arguments else Any


@cache
def field_types(struct: type[Struct]) -> dict[str, Any]:
    """The fields of a structure by their names on the wire, with their types."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(struct)}


@cache
def required_fields(struct: type[Struct]) -> frozenset[str]:
    """The fields of a structure that must be given, by their names on the wire."""
    return frozenset(field.encode_name for field in msgspec.structs.fields(struct) if field.required)


def anywhere(expected: Any, found: Callable[[Any], bool], seen: frozenset[type] = frozenset()) -> bool:
    """Whether ``found`` says yes to the type, bare, or to one that its values may hold."""
    expected = bare(expected)
    if found(expected):
        return True
    if isinstance(expected, type) and issubclass(expected, Struct):
        inner: Iterable[Any] = () if expected in seen else field_types(expected).values()
        seen |= {expected}
    else:
        inner = (argument for argument in typing.get_args(expected) if argument is not ...)
    return any(anywhere(argument, found, seen) for argument in inner)
