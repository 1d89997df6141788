"""Reads every service, structure and enumeration out of one release of the official bindings.

Runs in a process of its own whose path holds that release (two releases cannot be imported together) and
prints one JSON document: names, types, figures and stated privileges, none of the documentation's sentences.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import com
from vmware.vapi.bindings import type as t
from vmware.vapi.bindings.error import VapiError
from vmware.vapi.bindings.stub import StubConfiguration

type_expression = list[Any]

PRIMITIVES = {
    t.VoidType: "void",
    t.IntegerType: "long",
    t.DoubleType: "double",
    t.BooleanType: "boolean",
    t.StringType: "string",
    t.BlobType: "binary",
    t.SecretType: "secret",
    t.DateTimeType: "datetime",
    t.URIType: "uri",
    t.OpaqueType: "opaque",
    t.DynamicStructType: "dynamic",
    t.AnyErrorType: "any_error",
}

PRIVILEGE = re.compile(r"\b[A-Z][A-Za-z]+(?:\.[A-Za-z][A-Za-z0-9_]*)+")
RESOURCE_TYPE = re.compile(r"identifiers? for the resource types?: ((?:``[\w.]+``(?:,| or|, or)?\s*)+)")


class NoConnection:
    """A connector that is never used: the stubs are only read."""

    def get_api_provider(self) -> object:
        return object()


class Reader:
    """Collects what the walked services reach."""

    def __init__(self) -> None:
        self.structures: dict[str, Any] = {}
        self.enumerations: dict[str, Any] = {}
        self.services: dict[str, Any] = {}
        self.errors: dict[str, Any] = {}
        self.names: dict[tuple[str, str], str] = {}

    def type(self, binding: Any, resource: str | None = None) -> type_expression:
        """The JSON form of a binding type; ``resource`` is what the documentation says an identifier refers to."""
        while isinstance(binding, t.ReferenceType):
            binding = binding.resolved_type
        if isinstance(binding, t.OptionalType):
            return ["optional", self.type(binding.element_type, resource)]
        if isinstance(binding, t.SetType):
            return ["set", self.type(binding.element_type, resource)]
        if isinstance(binding, t.ListType):
            return ["list", self.type(binding.element_type, resource)]
        if isinstance(binding, t.MapType):
            return ["map", self.type(binding.key_type, resource), self.type(binding.value_type)]
        if isinstance(binding, t.IdType):
            stated = binding.resource_types
            return ["id", stated if isinstance(stated, str) else resource]
        if isinstance(binding, t.EnumType):
            self.enumeration(binding)
            return ["enumeration", binding.name]
        for kind, name in PRIMITIVES.items():
            if type(binding) is kind:
                return [name, *self.has_fields_of(binding)] if kind is t.DynamicStructType else [name]
        if isinstance(binding, t.StructType):
            self.structure(binding)
            return ["structure", binding.name]
        raise TypeError(f"unknown binding type {binding!r}")

    def has_fields_of(self, binding: Any) -> list[str]:
        """The structures whose fields a structure of no type of its own has."""
        references = binding.has_fields_of_type or []
        named = [self.type(each) for each in references]
        return [structure for _, structure in named]

    def enumeration(self, binding: Any) -> None:
        if binding.name not in self.enumerations:
            cls = binding.binding_class
            values = [str(value) for value in cls.get_values()]
            self.enumerations[binding.name] = {
                "module": cls.__module__,
                "class": cls.__qualname__,
                "values": sorted(values),
                "order": values,
            }

    def structure(self, binding: Any) -> None:
        if binding.name in self.structures:
            return
        cls = binding.binding_class
        entry: dict[str, Any] = {"module": cls.__module__, "class": cls.__qualname__}
        self.structures[binding.name] = entry
        self.names[cls.__module__, cls.__qualname__] = binding.name
        resources = documented_resources(cls.__init__.__doc__ or "")
        renamed = {canonical: python for python, canonical in getattr(cls, "_canonical_to_pep_names", {}).items()}
        renamed |= getattr(cls, "_canonical_to_pep_names", {})
        fields = {}
        for field in binding.get_field_names():
            python = renamed.get(field, field)
            fields[field] = self.type(binding.get_field(field), resources.get(python) or resources.get(field))
        entry["fields"] = fields
        if binding.is_model:
            entry["model_keys"] = list(binding.model_keys or [])
        entry["unions"] = [
            [
                validator._discriminant_name,
                {
                    case: [[name, bool(required)] for name, required in members]
                    for case, members in sorted(validator._case_map.items())
                },
            ]
            for validator in getattr(cls, "_validator_list", None) or []
            if type(validator).__name__ == "UnionValidator"
        ]
        if not entry["unions"]:
            del entry["unions"]

    def service(self, cls: Any) -> None:
        stub = cls(StubConfiguration(NoConnection()))._api_interface
        operations = {}
        for name, info in sorted(stub._operations.items()):
            python = name.replace("$task", "_task")
            method = getattr(cls, python, None) or getattr(cls, python + "_", None)
            documentation = (method.__doc__ if method else "") or ""
            resources = documented_resources(documentation)
            input_type = info["input_type"]
            rest = stub._rest_metadata.get(name) or stub._rest_metadata.get(name.removesuffix("$task"))
            for error in info["errors"].values():
                self.error(error)
            operations[name] = {
                "input": {
                    f: self.type(input_type.get_field(f), resources.get(f)) for f in input_type.get_field_names()
                },
                "output": self.type(info["output_type"]),
                "output_resource": documented_output(documentation),
                "errors": sorted(error.rsplit(".", 1)[1] for error in info["errors"]),
                "error_ids": sorted(info["errors"]),
                "privileges": stated_privileges(documentation),
                "query": sorted(rest._query_parameters.items()) if rest else [],
            }
        self.services[cls._VAPI_SERVICE_ID] = {
            "module": cls.__module__,
            "class": cls.__qualname__,
            "constants": constants(cls),
            "operations": operations,
        }

    def error(self, binding: Any) -> None:
        """The fields of an error, which is no structure that values could be of."""
        while isinstance(binding, t.ReferenceType):
            binding = binding.resolved_type
        if binding.name not in self.errors:
            self.errors[binding.name] = {}
            self.errors[binding.name] = {name: self.type(binding.get_field(name)) for name in binding.get_field_names()}


def constants(cls: Any) -> dict[str, str | list[str]]:
    """The constants of a service: the type of the resources that it is about, and others."""
    own = vars(cls).items()
    return {name: value for name, value in own if name.isupper() and name[0] != "_" and isinstance(value, str | list)}


def documented_output(documentation: str) -> str | None:
    """The one resource type that the description of a result names."""
    described = re.search(r"\n\s*:return:(.*?)(?=\n\s*:(?:raise|param)|\Z)", documentation, re.DOTALL)
    found = documented_resources(f"\n:param result: {described.group(1)}") if described else {}
    return found.get("result")


def documented_resources(documentation: str) -> dict[str, str]:
    """Parameter or attribute -> the one resource type that its description names."""
    found = {}
    for part in re.split(r"\n\s*:param\s+", documentation)[1:]:
        name, _, description = part.partition(":")
        description = re.split(r"\n\s*:(?:rtype|raise|return|type)", description)[0]
        types = set()
        for match in RESOURCE_TYPE.finditer(re.sub(r"\s+", " ", description)):
            types |= set(re.findall(r"``([\w.]+)``", match.group(1)))
        if len(types) == 1:
            found[name.strip()] = types.pop()
    return found


def stated_privileges(documentation: str) -> list[dict[str, Any]]:
    """The privileges an operation's documentation requires, each with what it is required on."""
    text = re.sub(r"\s+", " ", documentation)
    stated: list[dict[str, Any]] = []
    for bullet in re.split(r"\s[*-]\s|:raise:|\. ", text):
        if "requires" not in bullet and "require " not in bullet:
            continue
        subject, _, rest = bullet.partition("requires")
        privileges = PRIVILEGE.findall(rest.replace("``", " "))
        privileges = [p for p in privileges if not p.startswith("State.") and not p.endswith((".ACTIVE", ".DONE"))]
        if not privileges or ":attr:" in rest or ":func:" in rest:
            continue
        entry: dict[str, Any] = {"privileges": sorted(set(privileges))}
        resource = re.search(r"resource(?: of)? `{0,2}([\w.]+?)`{0,2} referenced", subject)
        if resource:
            entry["resource"] = resource.group(1)
        parameter = re.search(r"parameter `{0,2}(\w+)`{0,2}", subject)
        attribute = re.search(r"attribute :attr:`([\w.]+)`", subject)
        if attribute:
            entry["attribute"] = attribute.group(1)
            if "key" in subject and "dict" in subject:
                entry["of"] = "key"
        elif parameter:
            entry["parameter"] = parameter.group(1)
        if entry not in stated:
            stated.append(entry)
    return stated


def modules() -> Iterator[str]:
    """The names of all binding modules on the path."""
    for root in com.__path__:
        base = Path(root).parent
        for folder, _, files in os.walk(root):
            for file in files:
                if file.endswith("_client.py"):
                    yield ".".join(Path(folder, file).relative_to(base).with_suffix("").parts)


def main() -> None:
    reader = Reader()
    for name in sorted(set(modules())):
        module = importlib.import_module(name)
        for _, cls in sorted(vars(module).items()):
            if not isinstance(cls, type) or cls.__module__ != name:
                continue
            if getattr(cls, "_VAPI_SERVICE_ID", None):
                reader.service(cls)
            elif issubclass(cls, VapiError):
                error: Any = cls
                reader.error(error.get_binding_type())
    json.dump(
        {
            "services": reader.services,
            "structures": reader.structures,
            "enumerations": reader.enumerations,
            "errors": reader.errors,
        },
        sys.stdout,
        sort_keys=False,
    )


if __name__ == "__main__":
    main()
