"""The form of documents in words: of every table, what its documents have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect

from resphere.replica.table import Table

Fields = dict[str, str]
REFERENCE = re.compile(r"<(\w+(?:\.\w+)*)>")
"""Where a type names a structure."""
SEEN_ALREADY = "..."
PACKAGE = "resphere."
BOUNDS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length", "tz")


class TableForm(msgspec.Struct, frozen=True):
    """The type of a table's documents, and which of their fields are sealed."""

    type: str
    sealed: tuple[str, ...]


class Form(msgspec.Struct, frozen=True):
    """The form of all tables, by kind; ``structures`` are those that their types name."""

    tables: dict[str, TableForm]
    structures: dict[str, Fields]

    def digest(self, kind: str) -> str:
        """What is the same for two forms of a table that differ in nothing but names of classes."""
        table = self.tables[kind]
        return f"{self._digest(table.type, ())} sealed {sorted(table.sealed)}"

    def _digest(self, type: str, above: tuple[str, ...]) -> str:
        def of_structure(match: re.Match[str]) -> str:
            name = match[1]
            if name in above:
                return SEEN_ALREADY
            fields = {field: self._digest(each, (*above, name)) for field, each in self.structures[name].items()}
            return hashlib.sha256(repr(sorted(fields.items())).encode()).hexdigest()

        return REFERENCE.sub(of_structure, type)


def form_of(tables: Iterable[Table[Any]]) -> Form:
    """The form that tables have now."""
    structures: dict[str, Fields] = {}
    described = {
        table.cls.kind: TableForm(_described(inspect.type_info(table.cls), structures), table.sealed)
        for table in sorted(tables, key=lambda table: table.cls.kind)
    }
    return Form(described, dict(sorted(structures.items())))


def differences(before: Form, after: Form) -> list[str]:
    """The kinds of tables whose form is another one."""
    return [
        kind
        for kind in sorted(before.tables.keys() | after.tables.keys())
        if kind not in before.tables or kind not in after.tables or before.digest(kind) != after.digest(kind)
    ]


def _described(type: inspect.Type, structures: dict[str, Fields]) -> str:
    """A type in words, without its classes' names but for those of structures."""
    match type:
        case inspect.Metadata():
            return _described(type.type, structures)
        case inspect.StructType():
            return _structure(type, structures)
        case inspect.UnionType(types=types):
            return " | ".join(sorted(_described(each, structures) for each in types))
        case inspect.EnumType(cls=cls):
            return f"one of {sorted(member.value for member in cls)}"
        case inspect.LiteralType(values=values):
            return f"one of {sorted(map(str, values))}"
        case inspect.DictType(key_type=key, value_type=value_type):
            return f"{{{_described(key, structures)}: {_described(value_type, structures)}}}"
        case inspect.TupleType(item_types=items):
            return f"({', '.join(_described(item, structures) for item in items)})"
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return f"[{_described(item, structures)}]"
        case inspect.SetType(item_type=item) | inspect.FrozenSetType(item_type=item):
            return f"set of {_described(item, structures)}"
        case inspect.CustomType(cls=cls):
            return f"custom {cls.__name__}"
        case _:
            bounds = {name: value for name in BOUNDS if (value := getattr(type, name, None)) is not None}
            name = type.__class__.__name__.removesuffix("Type").lower()
            return f"{name} {bounds}" if bounds else name


def _structure(type: inspect.StructType, structures: dict[str, Fields]) -> str:
    name = f"{type.cls.__module__.removeprefix(PACKAGE)}.{type.cls.__qualname__}"
    if name not in structures:
        structures[name] = {}
        config = type.cls.__struct_config__
        structures[name] = {
            "": f"tag {type.tag_field}={type.tag}, as array {type.array_like}, forbids {type.forbid_unknown_fields}, "
            f"omits {config.omit_defaults}",
            **{field.encode_name: f"{_described(field.type, structures)}{_default(field)}" for field in type.fields},
        }
    return f"<{name}>"


def _default(field: inspect.Field) -> str:
    if field.required:
        return ""
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f" = {msgspec.json.encode(value).decode()}"


def written(form: Form) -> str:
    """The form as the file has it, in which a difference is one of lines."""
    return msgspec.json.format(msgspec.json.encode(form), indent=1).decode() + "\n"


def read(text: str) -> Form:
    """The form of a file."""
    return msgspec.json.decode(text, type=Form)
