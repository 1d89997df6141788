"""Values as vAPI's JSON-RPC writes them: the type of each stands beside it.

An optional is ``{"OPTIONAL": ...}``, a structure ``{"STRUCTURE": {"<canonical name>": {...}}}``, a map a list of
``map-entry`` structures, and so on. :func:`encoder` and :func:`decoder` give the function for a type of the contract.
A decoder only takes the wrapping off and leaves what ``/api`` would carry: msgspec checks that against the type, so
that both dialects accept and refuse the same.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from resphere.contract.errors import ERRORS, InvalidArgument, VapiError, message
from resphere.contract.model import ErrorValue, LocalizableMessage, Struct
from resphere.contract.moments import wire_time
from resphere.wire.codec import Codec, Field, Fields, Read, WhereSet, Write, structure_copy
from resphere.wire.validation import invalid, unexpected

UNSET = {"OPTIONAL": None}
MAP_ENTRY = "map-entry"
DYNAMIC = "vmware.vapi.dynamic_struct"
"""What the official runtime calls a structure whose name nobody stated."""


def encoder(expected: Any) -> Write:
    """A function from a value of the type to what msgspec is to write."""
    return WRITING.of(expected) or as_it_is


def decoder(expected: Any) -> Read:
    """A function from a decoded JSON value, and its dotted path for messages, to the value without its wrapping.

    It raises InvalidArgument where the wrapping is not the type's, and UnexpectedInput for a field that is set and
    unknown.
    """
    return READING.of(expected) or as_it_came


def as_it_is(value: Any) -> Any:
    """A value that is written without any wrapping."""
    return value


def as_it_came(value: Any, where: str) -> Any:
    """A value that has no wrapping."""
    return value


# --- to the wire -----------------------------------------------------------------------------------------------------
#
# Wrapped values are objects of classes made for that: msgspec writes these four times as fast as dictionaries.


def _tag(name: str) -> Write:
    """A class whose instances are written ``{"<name>": <what they hold>}``."""
    return msgspec.defstruct("Tagged", [("held", Any)], rename={"held": name}, frozen=True, gc=False)


_OPTIONAL, _SECRET, _BINARY, _STRUCTURE, _ERROR, _MAP_ENTRY = map(
    _tag, ("OPTIONAL", "SECRET", "BINARY", "STRUCTURE", "ERROR", MAP_ENTRY)
)
_ERROR_TYPES = {error.canonical_name(): error.error_type for error in ERRORS.values()}
"""The standard errors by name: also as structures of the contract they are written as errors."""


class _Entry(msgspec.Struct, frozen=True, gc=False):
    """An entry of a map."""

    key: Any
    value: Any


def _set(inner: Write | None) -> Write:
    """How an optional value is written that is set."""
    return _OPTIONAL if inner is None else lambda value: _OPTIONAL(inner(value))


_WRITTEN_UNSET = _OPTIONAL(None)
_WHERE_SET = WhereSet(present=_set, unset=_WRITTEN_UNSET, is_written=True)


class VapiWriting:
    """The rules; see :class:`resphere.wire.codec.Rules`, which this is."""

    def plain(self, expected: Any) -> Write | None:
        return None

    def secret(self) -> Write | None:
        return _SECRET

    def binary(self) -> Write | None:
        return lambda value: _BINARY(bytes(value))

    def moment(self) -> Write | None:
        return wire_time

    def anything(self) -> Write | None:
        return encode_any

    def open_structure(self) -> Write | None:
        return encode_open

    def optional(self, inner: Write | None) -> Write | None:
        present = _set(inner)
        return lambda value: _WRITTEN_UNSET if value is None else present(value)

    def list_of(self, element: Write | None) -> Write | None:
        return None if element is None else lambda value: [element(item) for item in value]

    def set_of(self, element: Write | None) -> Write | None:
        """Sorted, so that equal sets are written equally."""
        return sorted if element is None else lambda value: [element(item) for item in value]

    def map_of(self, expected: Any, value: Write | None) -> Write | None:
        write = value or as_it_is
        return lambda entries: [_STRUCTURE(_MAP_ENTRY(_Entry(key, write(item)))) for key, item in entries.items()]

    def structure(self, struct: type[Struct], fields: Fields[Write]) -> Write | None:
        if issubclass(struct, ErrorValue):
            return encode_error
        named, copy = _tag(struct.__vapi_name__), structure_copy(struct, fields, _WHERE_SET)
        tag = _ERROR if struct.__vapi_name__ in _ERROR_TYPES else _STRUCTURE
        return lambda value: tag(named(copy(value)))


def encode_any(value: Any) -> Any:
    """A value whose type the contract leaves open, by what it is. An object without a name gets the runtime's."""
    if isinstance(value, Struct):
        return encoder(type(value))(value)
    if isinstance(value, bytes):
        return _BINARY(value)
    if isinstance(value, dict):
        return {"STRUCTURE": {DYNAMIC: {name: encode_any(inner) for name, inner in value.items()}}}
    if isinstance(value, (tuple, list, set, frozenset)):
        return [encode_any(inner) for inner in value]
    return wire_time(value) if isinstance(value, datetime) else value


def encode_open(value: Any) -> Any:
    """A structure with any members; an error stands there as the structure that it is."""
    if isinstance(value, ErrorValue):
        return {"STRUCTURE": encode_error(value)["ERROR"]}
    return encode_any(value)


def encode_error(error: VapiError | ErrorValue, **more: str | None) -> Any:
    """An error; ``more`` are optional strings that this one has besides."""
    name = ERRORS[error.error_type].canonical_name() if error.error_type in ERRORS else VapiError.canonical_name()
    oauth = {}
    if isinstance(error, VapiError) and error.oauth_error is not None:
        name = error.canonical_name()
        described = {"OPTIONAL": error.oauth_description}
        oauth = {"error": error.oauth_error, "error_description": described, "error_uri": {"OPTIONAL": None}}
    fields = {
        **oauth,
        "messages": _encode_messages(error.messages),
        "data": UNSET if error.data is None else {"OPTIONAL": encode_any(error.data)},
        "error_type": {"OPTIONAL": error.error_type},
        **{key: {"OPTIONAL": value} for key, value in more.items()},
    }
    return {"ERROR": {name: fields}}


WRITING: Codec[Write] = Codec(VapiWriting())
_encode_messages = encoder(tuple[LocalizableMessage, ...])


# --- from the wire ---------------------------------------------------------------------------------------------------


class VapiReading:
    """The rules; see :class:`resphere.wire.codec.Rules`, which this is."""

    def plain(self, expected: Any) -> Read | None:
        is_word = isinstance(expected, type) and issubclass(expected, StrEnum)
        return _decode_plain("string" if is_word else _PLAIN.get(expected, "value"))

    def secret(self) -> Read | None:
        return _decode_tagged("SECRET")

    def binary(self) -> Read | None:
        return _decode_tagged("BINARY")

    def moment(self) -> Read | None:
        return _decode_plain("value")

    def anything(self) -> Read | None:
        return _decode_any

    def open_structure(self) -> Read | None:
        return _decode_dynamic

    def optional(self, inner: Read | None) -> Read | None:
        return _decode_optional(inner or as_it_came)

    def list_of(self, element: Read | None) -> Read | None:
        return _decode_list(element or as_it_came)

    def set_of(self, element: Read | None) -> Read | None:
        return _decode_list(element or as_it_came)

    def map_of(self, expected: Any, value: Read | None) -> Read | None:
        return _decode_map(value or as_it_came)

    def structure(self, struct: type[Struct], fields: Fields[Read]) -> Read | None:
        return _decode_error_value if struct is ErrorValue else _decode_structure(struct.__vapi_name__, fields)


def only(value: Any, tag: str) -> Any:
    """What stands in ``{tag: ...}``, or ``msgspec.UNSET`` where ``value`` is anything else."""
    return value[tag] if isinstance(value, dict) and len(value) == 1 and tag in value else msgspec.UNSET


def _decode_plain(kind: str) -> Read:
    def decode_plain(value: Any, where: str) -> Any:
        if isinstance(value, (dict, list)):
            raise invalid(where, f"must be a plain {kind}, not {_form(value)}")
        return value

    return decode_plain


_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean"}


def _decode_optional(decode: Read) -> Read:
    def decode_optional(value: Any, where: str) -> Any:
        inner = only(value, "OPTIONAL")
        if inner is msgspec.UNSET:
            raise invalid(where, f'is optional and must be written as {{"OPTIONAL": ...}}, not as {_form(value)}')
        return None if inner is None else decode(inner, where)

    return decode_optional


def _decode_tagged(tag: str) -> Read:
    def decode_tagged(value: Any, where: str) -> Any:
        inner = only(value, tag)
        if not isinstance(inner, str):
            raise invalid(where, f'must be written as {{"{tag}": "..."}}, not as {_form(value)}')
        return inner

    return decode_tagged


def _decode_list(decode: Read) -> Read:
    def decode_list(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise invalid(where, f"must be a list, not {_form(value)}")
        return [decode(element, f"{where}[{position}]") for position, element in enumerate(value)]

    return decode_list


def _decode_map(decode: Read) -> Read:
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


def _decode_structure(name: str, fields: Fields[Read]) -> Read:
    decoders: dict[str, Read] | None = None

    def decode_structure(value: Any, where: str) -> Any:
        nonlocal decoders
        if decoders is None:
            decoders = {field.name: _decode_field(field) for field in fields()}
        return _decode_fields(_fields(value, name, where), decoders, name, where)

    return decode_structure


def _decode_field(field: Field[Read]) -> Read:
    decode = field.convert or as_it_came
    return _decode_optional(decode) if field.optional else decode


def _decode_fields(fields: dict[str, Any], decoders: dict[str, Read], structure: str, where: str) -> Any:
    # A newer client states its optional fields, unset, to an older server: only a set one means something.
    unknown = [name for name, value in fields.items() if name not in decoders and value != UNSET]
    if unknown:
        raise unexpected(unknown, structure, where)
    prefix = f"{where}." if where else ""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        decode = decoders.get(name)
        if decode is not None:
            made[name] = decode(value, prefix + name)
    return made


def _fields(value: Any, name: str, where: str) -> dict[str, Any]:
    """The fields of the structure ``value``, which must be called ``name``."""
    tag = "ERROR" if name in _ERROR_TYPES else "STRUCTURE"
    named = only(value, tag)
    if not isinstance(named, dict) or len(named) != 1:
        raise invalid(where, f'must be written as {{"{tag}": {{"{name}": ...}}}}, not as {_form(value)}')
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
    made = _decode_fields(fields, _decode_error_fields, name, where)
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


READING: Codec[Read] = Codec(VapiReading())
_decode_error_fields: dict[str, Read] = {
    "messages": decoder(tuple[LocalizableMessage, ...]),
    "data": decoder(dict[str, Any] | None),
    "error_type": decoder(str | None),
    "challenge": decoder(str | None),
}
