"""Joins what the releases of the bindings, the supplement and the path table say into one contract."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TypeExpression = list[Any]

HERE = Path(__file__).parent


@dataclass
class RouteRow:
    """One dialect's columns of the path table."""

    method: str
    path: str
    dispatch: list[tuple[str, str | None]]
    status: int
    body: list[str]
    flat: bool
    form: bool
    query: list[str]


@dataclass
class OperationRow:
    """One operation, joined.

    ``defaults`` are the values of parameters that clients leave out though the bindings require them.
    """

    service: str
    name: str
    input: dict[str, TypeExpression]
    output: TypeExpression
    errors: list[str]
    privileges: list[dict[str, Any]]
    releases: list[str]
    clients: list[str]
    api: RouteRow | None
    rest: RouteRow | None
    defaults: dict[str, Any] = field(default_factory=dict)
    """The values of parameters that clients leave out though the bindings require them."""


@dataclass
class TypeRow:
    """A structure (``fields``) or an enumeration (``values``) with the Python place it gets.

    ``defaults`` are the values of fields that clients leave out though the bindings require them.
    """

    name: str
    module: str
    path: str
    fields: dict[str, TypeExpression] | None = None
    unions: list[Any] = field(default_factory=list)
    values: list[str] | None = None
    defaults: dict[str, Any] = field(default_factory=dict)


@dataclass
class Contract:
    """Everything the writer needs, in canonical order."""

    operations: list[OperationRow]
    services: dict[str, tuple[str, str]]
    types: dict[str, TypeRow]


def merge(sources: list[dict[str, Any]]) -> Contract:
    """Join ``sources`` (newest first: the first to know a name defines it) with the path table."""
    supplement = json.loads((HERE / "supplement.json").read_text())
    services = place_services(sources, supplement)
    types = place_types([*sources, supplement], services)
    attributes = {
        (source_module(entry["module"]), entry["class"]): name
        for source in sources
        for name, entry in source["structures"].items()
    }
    operations = []
    with (HERE / "paths.tsv").open() as table:
        for row in csv.DictReader(table, delimiter="\t"):
            described = describe(row["service"], row["operation"], [*sources, supplement])
            operation = join(row, described, types, services, attributes)
            operation.defaults = supplement["defaults"].get(f"{row['service']}.{row['operation']}", {})
            operations.append(operation)
    return Contract(operations, services, types)


def source_module(module: str) -> str:
    """``com.vmware.vcenter.vm_client`` -> ``vcenter_vm``."""
    return module.removeprefix("com.vmware.").removesuffix("_client").replace(".", "_")


def python_name(canonical: str) -> str:
    """``filter_spec`` -> ``FilterSpec``."""
    return "".join(word[:1].upper() + word[1:] for word in canonical.split("_"))


def place_services(sources: list[dict[str, Any]], supplement: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Service id -> (module, class)."""
    places: dict[str, tuple[str, str]] = {}
    for source in sources:
        for name, entry in source["services"].items():
            places.setdefault(name, (source_module(entry["module"]), entry["class"]))
    for name in supplement["services"]:
        package, _, last = name.removeprefix("com.vmware.").rpartition(".")
        places.setdefault(name, (package.replace(".", "_"), python_name(last)))
    return places


def place_types(sources: list[dict[str, Any]], services: dict[str, tuple[str, str]]) -> dict[str, TypeRow]:
    """Canonical name -> structure or enumeration. Types of the supplement go into the class of their service."""
    types: dict[str, TypeRow] = {}
    for source in sources:
        for kind in ("structures", "enumerations"):
            for name, entry in source[kind].items():
                if name in types:
                    continue
                if "module" in entry:
                    module, path = source_module(entry["module"]), entry["class"]
                else:
                    module, path = place_supplement(name, services)
                types[name] = TypeRow(
                    name, module, path, entry.get("fields"), entry.get("unions", []), entry.get("values")
                )
    for name, defaults in sources[-1]["defaults"].items():
        if name in types:
            types[name].defaults = defaults
    for name, cases in sources[-1].get("further_cases", {}).items():
        add_cases(types, name, cases)
    known = {(row.module, row.path) for row in types.values()}
    for row in types.values():
        parent, _, last = row.path.rpartition(".")
        if "." in parent and (row.module, parent) not in known:
            # Its parent is a base that no operation takes itself, so it has no class to stand in.
            row.path = parent + last
        elif parent.rpartition(".")[2] == last:
            # Inside the class the name would mean the inner one.
            row.path += "Model"
    return types


def add_cases(types: dict[str, TypeRow], name: str, cases: dict[str, list[str]]) -> None:
    """What servers take in unions besides what the bindings say: without members."""
    for discriminant, values in cases.items():
        [union] = [known for of, known in types[name].unions if of == discriminant]
        union.update({value: [] for value in values})
        row = types[f"{name}.{discriminant}"]
        row.values = sorted({*(row.values or ()), *values})


def place_supplement(name: str, services: dict[str, tuple[str, str]]) -> tuple[str, str]:
    owner = max((s for s in services if name.startswith(s + ".")), key=len, default=None)
    if owner:
        module, path = services[owner]
        return module, path + "." + "".join(python_name(part) for part in name[len(owner) + 1 :].split("."))
    package, _, last = name.removeprefix("com.vmware.").rpartition(".")
    return package.replace(".", "_"), python_name(last) + "Model"


def describe(service: str, operation: str, sources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    for source in sources:
        found = source["services"].get(service, {}).get("operations", {}).get(operation)
        if found is not None:
            description: dict[str, Any] = found
            return description
    raise KeyError(f"{service}.{operation} is in the path table, but no source describes it")


def join(
    row: dict[str, str],
    described: dict[str, Any],
    types: dict[str, TypeRow],
    services: dict[str, tuple[str, str]],
    attributes: dict[tuple[str, str], str],
) -> OperationRow:
    service, name = row["service"], row["operation"]
    parameters: dict[str, TypeExpression] = described["input"]
    return OperationRow(
        service=service,
        name=name,
        input=parameters,
        output=described["output"],
        errors=described["errors"],
        privileges=[requirement(entry, services[service][0], attributes) for entry in described["privileges"]],
        releases=split(row["releases"]),
        clients=split(row["clients"]),
        api=api_route(row, parameters, described["output"], types),
        rest=rest_route(row, parameters, types),
    )


def split(cell: str) -> list[str]:
    return [] if cell in ("-", "?") else cell.split(",")


def bare(expression: TypeExpression) -> TypeExpression:
    """The type without its optional wrapping."""
    while expression[0] == "optional":
        expression = expression[1]
    return expression


def fields_of(expression: TypeExpression, types: dict[str, TypeRow]) -> dict[str, TypeExpression] | None:
    """The fields of a (possibly optional) structure, ``None`` for anything else."""
    inner = bare(expression)
    return types[inner[1]].fields if inner[0] == "structure" else None


def split_path(cell: str) -> tuple[str, list[tuple[str, str | None]]]:
    """``/api/x?action=go&name`` -> path and dispatch keys."""
    path, _, query = cell.partition("?")
    keys: list[tuple[str, str | None]] = []
    for part in query.split("&") if query else []:
        key, equals, value = part.partition("=")
        keys.append((key, value if equals else None))
    return path, keys


def api_route(
    row: dict[str, str], parameters: dict[str, TypeExpression], output: TypeExpression, types: dict[str, TypeRow]
) -> RouteRow | None:
    if row["path"] == "-":
        return None
    path, dispatch = split_path(row["path"])
    rest = [p for p in parameters if p not in set(re.findall(r"{(\w+)}", path))]
    form = row["body"] == "form"
    body, flat = [], form or row["body"] == "flat" or row["body"].startswith("raw:")
    if row["body"].startswith("fields:"):
        body = row["body"].removeprefix("fields:").split(",")
    rest = [p for p in rest if p not in body]
    query: list[str] = []
    listed = None if row["query"] == "?" else split(row["query"])
    for parameter in rest:
        members = fields_of(parameters[parameter], types)
        if listed is not None:
            paths = [parameter] if parameter in listed else [f"{parameter}.{m}" for m in members or () if m in listed]
        elif flat:
            paths = []
        else:
            paths = query_paths(parameter, members)
        if not paths and (flat or (members and row["method"] not in ("GET", "DELETE"))):
            # Newer releases added an optional body to operations whose older documents have none.
            body, flat = [*body, parameter], True
            continue
        query += paths or query_paths(parameter, members)
    if flat and len(body) != 1:
        raise ValueError(f"{row['service']}.{row['operation']}: a flat body needs one parameter, not {body}")
    status = int(row["status"]) if row["status"] != "-" else default_status(row["operation"], row["method"], output)
    return RouteRow(row["method"], path, dispatch, status, body, flat, form, query)


def query_paths(parameter: str, members: dict[str, TypeExpression] | None) -> list[str]:
    return [f"{parameter}.{member}" for member in members] if members is not None else [parameter]


def default_status(operation: str, method: str, output: TypeExpression) -> int:
    """vCenter's rule for success statuses, for operations whose release published no document."""
    if operation.endswith("$task"):
        return 202
    if method in ("DELETE", "PATCH", "PUT"):
        return 204 if output == ["void"] else 200
    if method == "POST":
        if output == ["void"]:
            return 204
        return 201 if operation.startswith("create") else 200
    return 200


def rest_route(
    row: dict[str, str], parameters: dict[str, TypeExpression], types: dict[str, TypeRow]
) -> RouteRow | None:
    if row["rest_path"] == "-":
        return None
    path, dispatch = split_path(row["rest_path"])
    body = row["rest_body"].removeprefix("fields:").split(",") if row["rest_body"].startswith("fields:") else []
    return RouteRow(row["rest_method"], path, dispatch, 200, body, False, False, split(row["rest_query"]))


def requirement(entry: dict[str, Any], module: str, attributes: dict[tuple[str, str], str]) -> dict[str, Any]:
    """A stated privilege with its attribute reference resolved to ``<canonical structure, or *>:<field>``."""
    resolved = dict(entry)
    if "attribute" in entry:
        place, _, member = entry["attribute"].rpartition(".")
        if place.startswith("com.vmware."):
            package, _, place = place.partition("_client.")
            module = source_module(package + "_client")
        # A base that no operation takes itself (VM.InventoryPlacementSpec) stands for the fields inherited from it.
        structure = attributes.get((module, place), "*")
        resolved["attribute"] = f"{structure}:{member}"
    return resolved
