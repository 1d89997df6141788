"""What clients write otherwise than the contract has it, in JSON documents, and is understood all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from resphere.contract.model import Struct
from resphere.contract.unions import check_unions
from resphere.wire.codec import Codec, Fields, Read, Untouched
from resphere.wire.validation import anywhere, convert_strictly, decode_json

Plain = dict[str, Any]
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def _lower_case_eula(value: Plain) -> Plain:
    """``accept_all_eula``: so the documentation of 9.x has it, and vmware.vmware_rest 5.0 for Ansible."""
    if "accept_all_eula" not in value or "accept_all_EULA" in value:
        return value
    return {("accept_all_EULA" if name == "accept_all_eula" else name): item for name, item in value.items()}


SPELLINGS: Mapping[str, Callable[[Plain], Plain]] = {
    "com.vmware.vcenter.ovf.library_item.resource_pool_deployment_spec": _lower_case_eula,
}
"""By the names of structures, how the members that were sent are those that are meant."""


def spelling_of(expected: Any) -> Callable[[Plain], Plain] | None:
    """That of a type, of which few have any."""
    return SPELLINGS.get(getattr(expected, "__vapi_name__", "")) if isinstance(expected, type) else None


def is_respelled(expected: Any) -> bool:
    """Whether the type is a structure that is written otherwise too."""
    return spelling_of(expected) is not None


class Respelling(Untouched[Read]):
    """How plain values of a document become such as the contract has them; see
    :class:`resphere.wire.codec.Rules`. What is not of the type is left alone: decoding finds it."""

    def optional(self, inner: Read | None) -> Read | None:
        return inner

    def list_of(self, element: Read | None) -> Read | None:
        if element is None:
            return None
        return lambda value, where: [element(item, where) for item in value] if isinstance(value, list) else value

    def set_of(self, element: Read | None) -> Read | None:
        return self.list_of(element)

    def map_of(self, expected: Any, value: Read | None) -> Read | None:
        if value is None:
            return None
        return lambda entries, where: (
            {key: value(item, where) for key, item in entries.items()} if isinstance(entries, dict) else entries
        )

    def structure(self, struct: type[Struct], fields: Fields[Read]) -> Read | None:
        return respelled_structure(struct, fields) if anywhere(struct, is_respelled) else None


def respelled_structure(struct: type[Struct], fields: Fields[Read]) -> Read:
    """How the members of a structure are read: as they are spelled, then each by its own function."""
    spelling = spelling_of(struct)

    @cache
    def conversions() -> dict[str, Read]:
        return {field.name: field.convert for field in fields() if field.convert is not None}

    def structure(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            return value
        meant = value if spelling is None else spelling(value)
        convert, prefix = conversions(), f"{where}." if where else ""
        return {name: convert[name](item, prefix + name) if name in convert else item for name, item in meant.items()}

    return structure


RESPELLING: Codec[Read] = Codec(Respelling())


def decode_respelled(body: bytes, root: str, expected: Any, respell: Read) -> Any:
    """As :func:`~resphere.wire.validation.decode_json`, of a document with other spellings."""
    plain = decode_json(_ANY, body, root, Any)
    value = convert_strictly(respell(plain, root), expected, root)
    check_unions(value, root)
    return value
