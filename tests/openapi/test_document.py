"""The description of the API is valid OpenAPI 3.1, and says what the contract says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import cache
from threading import Event
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from resphere.access.defaults import CHANGE_PASSWORD, LOGIN, PUBLIC, requirements_of
from resphere.contract import extensions
from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import ERRORS, InvalidArgument
from resphere.contract.generated import vcenter_vm, vcenter_vm_hardware
from resphere.contract.lookup import all_operations
from resphere.contract.model import Struct
from resphere.contract.openapi import component_of
from resphere.contract.releases import ALL_RELEASES
from resphere.contract.unions import check_unions
from resphere.queries.lists import listing_of
from resphere.queries.options import NAMES
from resphere.services.registry import implementations
from resphere.services.resphere.making import made_once
from resphere.services.resphere.openapi import made
from tests.openapi.documents import COMPONENTS, document, operations, shared, told
from tests.support.server import Client

ROUTED = {operation.id: operation for operation in all_operations() if operation.api is not None}


@cache
def shown_operations() -> dict[str, dict[str, Any]]:
    """Operation id -> what the whole document says of it."""
    return {operation["operationId"]: operation for _, _, operation in operations(document())}


def test_the_whole_is_valid() -> None:
    assert not list(OpenAPIV31SpecValidator(shared(document(), {})).iter_errors())


PARTS: list[dict[str, Any]] = [*({"component": component} for component in COMPONENTS), {"implemented": True}]


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_a_part_of_it_is_valid_too(part: dict[str, Any]) -> None:
    """It says what the whole says, and refers to nothing else."""
    whole, shown = document(), document(**part)
    assert shown["paths"]
    for path, item in shown["paths"].items():
        assert item == {method: whole["paths"][path].get(method) for method in item}, path
    schemas = {name: whole["components"]["schemas"].get(name) for name in shown["components"]["schemas"]}
    assert shown["components"] == {**whole["components"], "schemas": schemas}
    assert {tag["name"] for tag in shown["tags"]} <= {tag["name"] for tag in whole["tags"]}
    rest = ("paths", "components", "tags")
    assert {k: v for k, v in shown.items() if k not in rest} == {k: v for k, v in whole.items() if k not in rest}
    assert reference_targets_exist(shown)


def test_the_whole_is_its_components() -> None:
    paths = {path for component in COMPONENTS for path in document(component=component)["paths"]}
    assert paths == set(document()["paths"])
    assert reference_targets_exist(document())


def reference_targets_exist(shown: dict[str, Any]) -> bool:
    """Whether every reference leads to a schema of the same document."""
    references = set(re.findall(rb'"\$ref":"#/components/schemas/([^"]+)"', msgspec.json.encode(shown)))
    return {reference.decode() for reference in references} <= set(shown["components"]["schemas"])


def test_every_operation_is_shown_once() -> None:
    assert set(shown_operations()) == set(ROUTED)
    assert sum(1 for _ in operations(document())) == len(ROUTED)


def test_only_what_is_implemented_is_shown_on_request() -> None:
    shown = {operation["operationId"] for _, _, operation in operations(document(implemented=True))}
    assert shown == set(implementations()) & set(ROUTED)


@pytest.mark.parametrize("release", ALL_RELEASES)
def test_one_release_shows_what_is_served_of_it(release: str) -> None:
    catalogue = Catalogue(release)
    routes = {(method.lower(), path) for method, path, _ in catalogue.api_routes()}
    aliases = {(method.lower(), path) for method, path, _ in extensions.ALIASES}
    shown = {(method, path) for path, method, _ in operations(document(releases=catalogue.releases))}
    assert shown == routes - aliases


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_holds_its_operations(component: str) -> None:
    shown = {operation["operationId"] for _, _, operation in operations(document(component=component))}
    assert shown == {id for id, operation in ROUTED.items() if component_of(operation.service) == component}


def test_privileges_releases_and_state_are_the_contracts() -> None:
    for id, operation in ROUTED.items():
        shown = shown_operations()[id]
        assert set(shown["x-privileges"]) == {p for r in requirements_of(operation) for p in r.privileges}, id
        assert shown["x-releases"] == list(operation.releases), id
        assert shown["x-implemented"] is (id in implementations()), id


def test_security_is_a_session_but_for_login_and_what_is_public() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert schemes["session"] == {"type": "apiKey", "in": "header", "name": "vmware-api-session-id"}
    assert schemes["basic"] == {"type": "http", "scheme": "basic"}
    assert schemes["token"] == {"type": "http", "scheme": "bearer"}
    assert document()["security"] == [{"session": []}, {"token": []}]
    stated = {id: shown["security"] for id, shown in shown_operations().items() if "security" in shown}
    login: list[dict[str, list[str]]] = [{"basic": []}, {"token": []}]
    assert stated == {**{id: [] for id in PUBLIC if id in ROUTED}, LOGIN: login, CHANGE_PASSWORD: [{"basic": []}]}


def test_every_declared_error_stands_under_its_status() -> None:
    for id, operation in ROUTED.items():
        for error in (ERRORS[name.upper()] for name in operation.errors if name.upper() in ERRORS):
            assert error.error_type in told(document(), shown_operations()[id], error.api_status), (id, error)


def test_words_are_ours() -> None:
    for id, shown in shown_operations().items():
        assert "description" not in shown, id
        assert "summary" not in shown or id in implementations(), id
    for name, schema in document()["components"]["schemas"].items():
        if not name.startswith(("extensions.", "model.")) and name != "ErrorBody":
            said = {key: value for key, value in schema.items() if key != "examples"}
            assert not list(texts(said)), name


def parameters_of(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """An operation's parameters, also those that it shares with others."""
    common = document()["components"]["parameters"]
    return [common[each["$ref"].rpartition("/")[2]] if "$ref" in each else each for each in shown.get("parameters", ())]


def test_every_list_has_the_options_of_lists() -> None:
    for id, operation in ROUTED.items():
        listing = listing_of(operation)
        names = {each["name"] for each in parameters_of(shown_operations()[id])} & {*NAMES}
        expected = set() if listing is None else {*NAMES} if listing.getter is not None else {*NAMES} - {"full"}
        assert names == expected, id
    listed = shown_operations()["com.vmware.vcenter.VM.list"]["responses"]["200"]
    assert (
        set(listed["headers"])
        == set(document()["components"]["headers"])
        == {
            "Link",
            "Resphere-Count",
            "Resphere-Cursor",
        }
    )
    assert set(listed["content"]) == {"application/json", "application/x-ndjson"}


def test_every_parameter_has_words_of_ours() -> None:
    said = [parameter["description"] for shown in shown_operations().values() for parameter in parameters_of(shown)]
    assert len(said) > 1000
    assert not [text for text in said if not re.fullmatch(r"[A-Z].*\.", text) or "_" in text]
    by_name = {each["name"]: each for each in parameters_of(shown_operations()["com.vmware.vcenter.VM.list"])}
    assert by_name["hosts"]["description"] == "Narrows the list down to these host systems, by id."
    assert by_name["names"]["description"] == "Narrows the list down to these names."
    vm, header, _ = shown_operations()["com.vmware.vcenter.VM.get"]["parameters"]
    assert vm["description"] == "The id of a virtual machine."
    assert header == {"$ref": "#/components/parameters/If-None-Match"}


def test_words_have_no_marks_of_pythons_documentation() -> None:
    words = [shown.get("summary", "") for shown in shown_operations().values()]
    assert not [text for text in words if re.search(r":\w+:`|``", text)]


def test_all_who_ask_first_get_the_same_document() -> None:
    async def ask() -> list[bytes]:
        return await asyncio.gather(*(made_once(made, "of this test", ALL_RELEASES, False, "cis") for _ in range(4)))

    first, *others = asyncio.run(ask())
    assert all(each is first for each in others)


def test_who_waits_for_a_document_keeps_no_thread_from_others() -> None:
    finished = Event()

    async def ask() -> bool:
        waiting = [asyncio.create_task(made_once(finished.wait, 60.0)) for _ in range(50)]
        # That of a password, for instance.
        await asyncio.to_thread(finished.set)
        return all(await asyncio.gather(*waiting))

    assert asyncio.run(ask())


def test_examples_fit_their_schemas() -> None:
    shown = document(implemented=True)
    examples = {
        name: schema["examples"] for name, schema in shown["components"]["schemas"].items() if "examples" in schema
    }
    assert len(examples) > 20
    for name, given in examples.items():
        validator = OAS31Validator({**shown, "$ref": f"#/components/schemas/{name}"})
        for example in given:
            assert not [error.message for error in validator.iter_errors(example)], name


def texts(value: Any) -> Iterator[str]:
    """Every description inside ``value``; a property of that name has a schema, and no text."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("description"), str):
        yield value["description"]
    for part in inner:
        yield from texts(part)


def test_every_extension_has_words() -> None:
    shown = [id for id, operation in extensions.OPERATIONS.items() if operation.api is not None]
    assert all(shown_operations()[id].get("summary") for id in shown)


NIC = vcenter_vm_hardware.Ethernet.BackingSpec
UPGRADE = vcenter_vm.Hardware.UpdateSpec


@pytest.mark.parametrize(
    ("structure", "value"),
    [
        (NIC, {"type": "STANDARD_PORTGROUP", "network": "network-1"}),
        (NIC, {"type": "STANDARD_PORTGROUP"}),
        (NIC, {"type": "STANDARD_PORTGROUP", "network": None}),
        (NIC, {"type": "HOST_DEVICE", "distributed_port": "7"}),
        (NIC, {"type": "HOST_DEVICE", "distributed_port": None}),
        (NIC, {"type": "OPAQUE_NETWORK", "network": "network-1"}),
        (NIC, {"type": "DISTRIBUTED_PORTGROUP", "network": "dvportgroup-1", "distributed_port": "7"}),
        (UPGRADE, {}),
        (UPGRADE, {"upgrade_policy": None}),
        (UPGRADE, {"upgrade_version": "VMX_19"}),
        (UPGRADE, {"upgrade_policy": "NEVER"}),
        (UPGRADE, {"upgrade_policy": "NEVER", "upgrade_version": "VMX_19"}),
        (UPGRADE, {"upgrade_policy": "ALWAYS", "upgrade_version": "VMX_19"}),
    ],
)
def test_unions_are_shown_as_they_are_checked(structure: type[Struct], value: dict[str, Any]) -> None:
    name = f"{structure.__module__}.{structure.__qualname__}".removeprefix("resphere.contract.generated.")
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    assert OAS31Validator(schema).is_valid(value) is accepted(structure, value)


def accepted(structure: type[Struct], value: dict[str, Any]) -> bool:
    """Whether the server takes the value."""
    try:
        check_unions(msgspec.convert(value, structure), "")
    except (msgspec.ValidationError, InvalidArgument):
        return False
    return True


def test_every_union_is_shown() -> None:
    schemas = document()["components"]["schemas"]
    for structure in structures(Struct):
        name = f"{structure.__module__}.{structure.__qualname__}".removeprefix("resphere.contract.generated.")
        if structure.__vapi_unions__ and name in schemas:
            assert len(schemas[name]["allOf"]) == len(structure.__vapi_unions__), name


def structures(base: type[Struct]) -> set[type[Struct]]:
    """All subclasses."""
    below = {base}.union(*(structures(cls) for cls in base.__subclasses__()))
    return below


def test_it_is_served_to_anybody(anonymous: Client) -> None:
    reply = anonymous.get("/api/openapi.json", params={"component": "session"}, headers={"Accept-Encoding": "gzip"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json()["paths"] == document(component="session")["paths"]
    small = anonymous.get("/api/openapi.json", params={"implemented": "true"}, headers={"Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.json()["paths"] == document(implemented=True)["paths"]


def test_an_unknown_component_is_not_found(anonymous: Client) -> None:
    reply = anonymous.get("/api/openapi.json", params={"component": "nowhere"})
    assert reply.status_code == 404
    assert reply.json()["messages"][0]["id"] == "resphere.openapi.no_component"


def test_descriptions_are_for_readers_of_markdown() -> None:
    """Python's documentation has roles, two backticks for code, and indentation, which would be code."""

    def texts(value: Any) -> Iterator[str]:
        for key, inner in value.items() if isinstance(value, dict) else ():
            if key in ("description", "summary") and isinstance(inner, str):
                yield inner
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from texts(inner)

    found = list(texts(document()))
    assert len(found) > 5000
    assert [text for text in found if re.search(r"``|:[a-z]+:`|\n[ \t]|^\s", text)] == []
