"""Writes what the contract says of itself (``com.vmware.vapi.metadata``), which the typed modules do not tell any more.

They have one type for strings, URIs and identifiers, sorted values, and no constants; and importing them all takes
seconds. One line is one service, structure or enumeration, so that a server reads those that it is asked for.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tools.contract.merge import HERE, Contract, OperationRow

STANDARD_ERRORS = "com.vmware.vapi.std.errors."


def metamodel(sources: list[dict[str, Any]], contract: Contract) -> str:
    """The text of ``metamodel.json``: kind -> id -> element. ``sources`` are newest first, the supplement last."""
    supplement = json.loads((HERE / "supplement.json").read_text())
    everything = [*sources, supplement]
    by_service: dict[str, list[OperationRow]] = {}
    for row in contract.operations:
        by_service.setdefault(row.service, []).append(row)
    ids = {*by_service, *(id for source in sources for id in source["services"])}
    kinds = {
        "enumerations": {id: enumeration(id, everything) for id in ids_of("enumerations", everything)},
        "structures": {id: structure(id, everything) for id in ids_of("structures", everything)}
        | {id: error(id, sources) for id in ids_of("errors", sources)},
        "services": {id: service(id, everything, by_service.get(id, [])) for id in ids if is_served(id, by_service)},
    }
    return "{\n" + ",\n".join(f"{compact(kind)}:{lines(elements)}" for kind, elements in kinds.items()) + "\n}\n"


def is_served(id: str, by_service: dict[str, list[OperationRow]]) -> bool:
    """Whether a service has a path, or nothing that would need one: constants."""
    return id in by_service or id.endswith(".metadata_identifier")


def ids_of(kind: str, sources: list[dict[str, Any]]) -> set[str]:
    return {id for source in sources for id in source.get(kind, {})}


def lines(elements: dict[str, Any]) -> str:
    return "{\n" + ",\n".join(f"{compact(id)}:{compact(each)}" for id, each in sorted(elements.items())) + "\n}"


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def first(kind: str, id: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """What the newest of the sources says of an element."""
    found: dict[str, Any] = next(source[kind][id] for source in sources if id in source.get(kind, {}))
    return found


def package_of(id: str, entry: dict[str, Any], services: set[str]) -> str:
    """The package in which an element stands: the bindings' module is one; elsewhere the name tells."""
    if "module" in entry:
        package: str = entry["module"].removesuffix("_client")
        return package
    package = id.rpartition(".")[0]
    while package in services:
        package = package.rpartition(".")[0]
    return package


def enumeration(id: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    entry = first("enumerations", id, sources)
    return {
        "package": package_of(id, entry, ids_of("services", sources)),
        "values": entry.get("order", entry["values"]),
    }


def structure(id: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    entry = first("structures", id, sources)
    made = {"package": package_of(id, entry, ids_of("services", sources)), "fields": list(entry["fields"].items())}
    return made | {key: entry[key] for key in ("unions", "model_keys") if entry.get(key) is not None}


def error(id: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    owner = id.rpartition(".")[0]
    package = owner.rpartition(".")[0] if owner in ids_of("services", sources) else owner
    return {"package": package, "fields": list(first("errors", id, sources).items()), "error": True}


def service(id: str, sources: list[dict[str, Any]], rows: list[OperationRow]) -> dict[str, Any]:
    known = [source["services"][id] for source in sources if id in source["services"]]
    made: dict[str, Any] = {}
    constants = known[0].get("constants", {})
    if constants:
        made["constants"] = constants
    made["operations"] = {row.name: operation(row, known) for row in rows}
    return made


def operation(row: OperationRow, known: list[dict[str, Any]]) -> dict[str, Any]:
    described = next(entry["operations"][row.name] for entry in known if row.name in entry["operations"])
    errors = [error.removeprefix(STANDARD_ERRORS) for error in described.get("error_ids", described["errors"])]
    made: dict[str, Any] = {"output": row.output}
    if row.input:
        made["input"] = list(row.input.items())
    if errors:
        made["errors"] = errors
    if described.get("output_resource"):
        made["output_resource"] = described["output_resource"]
    if row.privileges:
        made["privileges"] = row.privileges
    for dialect, route in (("api", row.api), ("rest", row.rest)):
        if route is not None:
            made[dialect] = {key: value for key, value in asdict(route).items() if value}
    return made
