"""Values as vAPI's JSON-RPC writes them: the type of each stands beside it.

An optional is ``{"OPTIONAL": ...}``, a structure ``{"STRUCTURE": {"<canonical name>": {...}}}``, a map a list of
``map-entry`` structures, and so on. :func:`encoder` and :func:`decoder` make a function for a type of the contract,
once. A decoder only takes the wrapping off and leaves what ``/api`` would carry: msgspec checks that against the type,
so that both dialects accept and refuse the same.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any

import msgspec

from resphere.contract.errors import ERRORS, InvalidArgument, UnexpectedInput, VapiError, message
from resphere.contract.model import ErrorValue, LocalizableMessage, Secret, Struct
from resphere.contract.moments import wire_time
from resphere.dialects.validation import invalid

Encode = Callable[[Any], Any]
Decode = Callable[[Any, str], Any]

UNSET = {"OPTIONAL": None}
MAP_ENTRY = "map-entry"
DYNAMIC = "vmware.vapi.dynamic_struct"
"""What the official runtime calls a structure whose name nobody stated."""


def encoder(expected: Any) -> Encode:
    """A function from a value of the type to what msgspec is to write."""
    return _encoder(expected) or _as_it_is


def decoder(expected: Any) -> Decode:
    """A function from a decoded JSON value, and its dotted path for messages, to the value without its wrapping.

    It raises InvalidArgument where the wrapping is not the type's, and UnexpectedInput for a field that is set and
    unknown.
    """
    return _decoder(expected)


def _as_it_is(value: Any) -> Any:
    return value


def _optional(expected: Any) -> Any:
    """``T`` of ``T | None``, ``None`` for every other type."""
    if typing.get_origin(expected) in (typing.Union, UnionType):
        return next(argument for argument in typing.get_args(expected) if argument is not type(None))
    return None


def _wire(expected: Any) -> Any:
    """The type that travels: without annotations, and without the names of identifiers."""
    while True:
        if typing.get_origin(expected) is typing.Annotated:
            expected = typing.get_args(expected)[0]
        elif expected is not Secret and isinstance(expected, typing.NewType):
            expected = expected.__supertype__
        else:
            return expected


# --- to the wire -----------------------------------------------------------------------------------------------------
#
# Wrapped values are objects of classes made for that: msgspec writes these four times as fast as dictionaries.


def _tag(name: str) -> Encode:
    """A class whose instances are written ``{"<name>": <what they hold>}``."""
    return msgspec.defstruct("Tagged", [("held", Any)], rename={"held": name}, frozen=True, gc=False)


_OPTIONAL, _SECRET, _BINARY, _STRUCTURE, _MAP_ENTRY = map(
    _tag, ("OPTIONAL", "SECRET", "BINARY", "STRUCTURE", MAP_ENTRY)
)


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """An entry of a map."""

    key: Any
    value: Any


@cache
def _encoder(expected: Any) -> Encode | None:
    """``None``: msgspec writes the value as it is."""
    inner = _optional(expected)
    if inner is not None:
        encode = _encoder(inner)
        if encode is None:
            return _OPTIONAL
        return lambda value: UNSET if value is None else _OPTIONAL(encode(value))
    expected = _wire(expected)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if expected is Secret:
        return _SECRET
    if expected is bytes:
        return lambda value: _BINARY(bytes(value))
    if expected is datetime:
        return wire_time
    if expected is Any or (origin is dict and arguments[1] is Any):
        return _encode_any
    if origin is tuple:
        return _encode_list(_encoder(arguments[0]))
    if origin is frozenset:
        return _encode_set(_encoder(arguments[0]))
    if origin is dict:
        return _encode_map(_encoder(arguments[0]), encoder(arguments[1]))
    if expected is ErrorValue:
        return _encode_error_value
    if isinstance(expected, type) and issubclass(expected, Struct):
        return _encode_structure(expected)
    return None


def _encode_list(encode: Encode | None) -> Encode | None:
    return None if encode is None else lambda value: [encode(element) for element in value]


def _encode_set(encode: Encode | None) -> Encode:
    """Sorted, so that equal sets are written equally."""
    if encode is None:
        return sorted
    return lambda value: [encode(element) for element in value]


def _encode_map(encode_key: Encode | None, encode: Encode) -> Encode:
    assert encode_key is None
    return lambda value: [_STRUCTURE(_MAP_ENTRY(_Entry(key, encode(inner)))) for key, inner in value.items()]


def _encode_structure(struct: type[Struct]) -> Encode:
    named = _tag(struct.__vapi_name__)
    encode_fields: Encode | None = None

    def encode_structure(value: Any) -> Any:
        # Made at the first value and not before: structures may hold structures of their own kind.
        nonlocal encode_fields
        if encode_fields is None:
            encode_fields = _encode_fields(struct)
        return _STRUCTURE(named(encode_fields(value)))

    return encode_structure


def _encode_fields(struct: type[Struct]) -> Encode:
    fields = msgspec.structs.fields(struct)
    made = msgspec.defstruct(
        "Fields",
        [(field.name, Any) for field in fields],
        rename={field.name: field.encode_name for field in fields},
        frozen=True,
        gc=False,
    )
    encoders = [_encoder(field.type) for field in fields]
    take = msgspec.structs.astuple

    def encode_fields(value: Any) -> Any:
        held = zip(encoders, take(value), strict=True)
        return made(*[inner if encode is None else encode(inner) for encode, inner in held])

    return encode_fields


def _encode_any(value: Any) -> Any:
    """A value whose type the contract leaves open, by what it is. An object without a name gets the runtime's."""
    if isinstance(value, Struct):
        return encoder(type(value))(value)
    if isinstance(value, bytes):
        return _BINARY(value)
    if isinstance(value, dict):
        return {"STRUCTURE": {DYNAMIC: {name: _encode_any(inner) for name, inner in value.items()}}}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [_encode_any(inner) for inner in value]
    return wire_time(value) if isinstance(value, datetime) else value


def encode_error(error: VapiError | ErrorValue, **more: str | None) -> Any:
    """An error; ``more`` are optional strings that this one has besides."""
    name = ERRORS[error.error_type].canonical_name() if error.error_type in ERRORS else VapiError.canonical_name()
    fields = {
        "messages": _encode_messages(error.messages),
        "data": UNSET if error.data is None else {"OPTIONAL": _encode_any(error.data)},
        "error_type": {"OPTIONAL": error.error_type},
        **{key: {"OPTIONAL": value} for key, value in more.items()},
    }
    return {"ERROR": {name: fields}}


def _encode_error_value(value: ErrorValue) -> Any:
    return encode_error(value)


_encode_messages = encoder(tuple[LocalizableMessage, ...])


# --- from the wire ---------------------------------------------------------------------------------------------------


@cache
def _decoder(expected: Any) -> Decode:
    inner = _optional(expected)
    if inner is not None:
        return _decode_optional(_decoder(inner))
    expected = _wire(expected)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if expected is Secret:
        return _decode_tagged("SECRET")
    if expected is bytes:
        return _decode_tagged("BINARY")
    if expected is Any:
        return _decode_any
    if origin is dict and arguments[1] is Any:
        return _decode_dynamic
    if origin in (tuple, frozenset):
        return _decode_list(_decoder(arguments[0]))
    if origin is dict:
        return _decode_map(_decoder(arguments[1]))
    if expected is ErrorValue:
        return _decode_error_value
    if isinstance(expected, type) and issubclass(expected, Struct):
        return _decode_structure(expected)
    return _decode_plain(expected)


def only(value: Any, tag: str) -> Any:
    """What stands in ``{tag: ...}``, or ``msgspec.UNSET`` where ``value`` is anything else."""
    return value[tag] if isinstance(value, dict) and len(value) == 1 and tag in value else msgspec.UNSET


def _decode_plain(expected: Any) -> Decode:
    kind = "string" if isinstance(expected, type) and issubclass(expected, StrEnum) else _PLAIN.get(expected, "value")

    def decode_plain(value: Any, where: str) -> Any:
        if isinstance(value, (dict, list)):
            raise invalid(where, f"must be a plain {kind}, not {_form(value)}")
        return value

    return decode_plain


_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean"}


def _decode_optional(decode: Decode) -> Decode:
    def decode_optional(value: Any, where: str) -> Any:
        inner = only(value, "OPTIONAL")
        if inner is msgspec.UNSET:
            raise invalid(where, f'is optional and must be written as {{"OPTIONAL": ...}}, not as {_form(value)}')
        return None if inner is None else decode(inner, where)

    return decode_optional


def _decode_tagged(tag: str) -> Decode:
    def decode_tagged(value: Any, where: str) -> Any:
        inner = only(value, tag)
        if not isinstance(inner, str):
            raise invalid(where, f'must be written as {{"{tag}": "..."}}, not as {_form(value)}')
        return inner

    return decode_tagged


def _decode_list(decode: Decode) -> Decode:
    def decode_list(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise invalid(where, f"must be a list, not {_form(value)}")
        return [decode(element, f"{where}[{position}]") for position, element in enumerate(value)]

    return decode_list


def _decode_map(decode: Decode) -> Decode:
    def decode_map(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise invalid(where, f"must be a list of {MAP_ENTRY} structures, not {_form(value)}")
        made: dict[Any, Any] = {}
        for position, entry in enumerate(value):
            at = f"{where}[{position}]"
            fields = _fields(entry, MAP_ENTRY, at)
            if fields.keys() != {"key", "value"} or not isinstance(fields["key"], (str, int)):
                raise invalid(at, "must have a key, a string or number, and a value")
            key = fields["key"]
            if key in made:
                raise invalid(where, f"the key '{key}' stands twice in one map")
            made[key] = decode(fields["value"], f"{where}[{key}]")
        return made

    return decode_map


def _decode_structure(struct: type[Struct]) -> Decode:
    name = struct.__vapi_name__
    decoders: dict[str, Decode] | None = None

    def decode_structure(value: Any, where: str) -> Any:
        nonlocal decoders
        if decoders is None:
            decoders = {field.encode_name: _decoder(field.type) for field in msgspec.structs.fields(struct)}
        return _decode_fields(_fields(value, name, where), decoders, where)

    return decode_structure


def _decode_fields(fields: dict[str, Any], decoders: dict[str, Decode], where: str) -> Any:
    prefix = f"{where}." if where else ""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        decode = decoders.get(name)
        if decode is not None:
            made[name] = decode(value, prefix + name)
        elif value != UNSET:
            # A newer client states its optional fields, unset, to an older server: only a set one means something.
            raise UnexpectedInput(
                message("vapi.data.structure.field.unexpected", "{0}: there is no such field.", prefix + name)
            )
    return made


def _fields(value: Any, name: str, where: str) -> dict[str, Any]:
    """The fields of the structure ``value``, which must be called ``name``."""
    named = only(value, "STRUCTURE")
    if not isinstance(named, dict) or len(named) != 1:
        raise invalid(where, f'must be written as {{"STRUCTURE": {{"{name}": ...}}}}, not as {_form(value)}')
    [(given, fields)] = named.items()
    if given != name:
        raise InvalidArgument(
            message(
                "vapi.data.structure.name.mismatch",
                "{0}: must be the structure {1}, not {2}.",
                where or "input",
                name,
                given,
            )
        )
    if not isinstance(fields, dict):
        raise invalid(where, f"the fields of {name} must be an object, not {_form(fields)}")
    return fields


def _decode_error_value(value: Any, where: str) -> Any:
    named = only(value, "ERROR")
    if not isinstance(named, dict) or len(named) != 1:
        raise invalid(where, f'must be written as {{"ERROR": {{"<name>": ...}}}}, not as {_form(value)}')
    [(name, fields)] = named.items()
    if name not in _ERROR_TYPES:
        raise invalid(where, f"there is no standard error {name}")
    if not isinstance(fields, dict):
        raise invalid(where, f"the fields of {name} must be an object, not {_form(fields)}")
    made = _decode_fields(fields, _decode_error_fields, where)
    made.pop("challenge", None)
    # Older releases tell the type by the name alone.
    if made.get("error_type") is None:
        made["error_type"] = _ERROR_TYPES[name]
    return made


def _decode_dynamic(value: Any, where: str) -> Any:
    named = only(value, "STRUCTURE")
    if not isinstance(named, dict) or len(named) != 1:
        raise invalid(where, f'must be written as {{"STRUCTURE": {{"<name>": ...}}}}, not as {_form(value)}')
    return _decode_any(value, where)


def _decode_any(value: Any, where: str) -> Any:
    """A value whose type the contract leaves open: what ``/api`` would carry, as far as the wrapping tells."""
    if isinstance(value, list):
        return [_decode_any(inner, f"{where}[{position}]") for position, inner in enumerate(value)]
    if not isinstance(value, dict):
        return value
    for tag in ("OPTIONAL", "SECRET", "BINARY"):
        inner = only(value, tag)
        if inner is not msgspec.UNSET:
            return _decode_any(inner, where)
    named = only(value, "STRUCTURE")
    if named is msgspec.UNSET:
        named = only(value, "ERROR")
    if not isinstance(named, dict) or len(named) != 1:
        raise invalid(where, "is not a value of the vAPI JSON-RPC encoding")
    [fields] = named.values()
    if not isinstance(fields, dict):
        raise invalid(where, f"the fields of a structure must be an object, not {_form(fields)}")
    prefix = f"{where}." if where else ""
    return {name: _decode_any(inner, prefix + name) for name, inner in fields.items() if inner != UNSET}


def _form(value: Any) -> str:
    """How a value is written, in words for a message; never the value itself, which may be secret."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        tags = [tag for tag in ("OPTIONAL", "STRUCTURE", "SECRET", "BINARY", "ERROR") if tag in value]
        return f'{{"{tags[0]}": ...}}' if tags else "an object"
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else "a boolean" if isinstance(value, bool) else "a number"


_decode_error_fields: dict[str, Decode] = {
    "messages": _decoder(tuple[LocalizableMessage, ...]),
    "data": _decoder(dict[str, Any] | None),
    "error_type": _decoder(str | None),
    "challenge": _decoder(str | None),
}
_ERROR_TYPES = {error.canonical_name(): error.error_type for error in ERRORS.values()}
