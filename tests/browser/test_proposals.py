"""The bodies that the API explorer proposes are ones that the server takes: one begins with them as they are."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from resphere.contract.lookup import all_operations
from resphere.contract.unions import check_unions
from resphere.wire.validation import convert_strictly
from tests.browser.conftest import Watched
from tests.browser.test_explorer import VM_LIST, execute, log_in, opened, operation
from tests.openapi.documents import document, operations
from tests.support.server import Client

JSON = "application/json"
OPERATIONS = {operation.id: operation for operation in all_operations()}
PROPOSE = """
bodies => {
  const element = document.createElement("div");
  const spec = { openapi: "3.1.0", info: { title: "none", version: "1" }, paths: {} };
  const presets = [SwaggerUIBundle.presets.apis];
  const { fn } = SwaggerUIBundle({ domNode: element, spec, presets, layout: "BaseLayout" }).getSystem();
  const propose = schema => fn.jsonSchema202012.getSampleSchema(schema, "application/json", {}, undefined);
  return Object.fromEntries(Object.entries(bodies).map(([id, schema]) => [id, propose(schema)]));
}
"""
"""Swagger UI's own function, which fills the text area of *Try it out*."""


def resolved(shown: dict[str, Any], value: Any, inside: tuple[str, ...] = ()) -> Any:
    """A schema with the schemas that it refers to in their places, as Swagger UI has it when it proposes."""
    if isinstance(value, list):
        return [resolved(shown, inner, inside) for inner in value]
    if not isinstance(value, dict):
        return value
    name = value.get("$ref", "").rpartition("/")[2] if isinstance(value.get("$ref"), str) else ""
    if not name:
        return {key: resolved(shown, inner, inside) for key, inner in value.items()}
    if name in inside:
        return {"type": "object"}
    return resolved(shown, shown["components"]["schemas"][name], (*inside, name))


def test_every_operation_takes_what_is_proposed(watched: Watched) -> None:
    shown = document()
    bodies = {
        each["operationId"]: resolved(shown, each["requestBody"]["content"][JSON]["schema"])
        for _, _, each in operations(shown)
        if JSON in each.get("requestBody", {}).get("content", {})
    }
    assert len(bodies) > 500
    proposed = opened(watched).evaluate(PROPOSE, bodies)
    for id, text in proposed.items():
        take(id, json.loads(text) if isinstance(text, str) else text)


def take(id: str, body: Any) -> None:
    """Decode a body as the server does, which refuses what is not in order."""
    of = OPERATIONS[id]
    assert of.api is not None
    types = {field.encode_name: field.type for field in msgspec.structs.fields(of.input)}
    given = {of.api.body[0]: body} if of.api.flat else body
    for name, value in given.items():
        try:
            check_unions(convert_strictly(value, types[name], name), name)
        except Exception as error:
            pytest.fail(f"{id} refuses {json.dumps(value)}: {error}")


def test_creating_a_machine_says_what_to_fill_in(watched: Watched) -> None:
    page = opened(watched)
    log_in(page)
    page.wait_for_selector("#who:not(:empty)")
    status, body = execute(operation(page, "com.vmware.vcenter.VM", VM_LIST, "post"))
    refusal = json.loads(body)
    assert (status, refusal["error_type"]) == (404, "NOT_FOUND"), body
    assert refusal["messages"][0]["args"][0].startswith("string:")


def test_creating_a_machine_takes_what_is_proposed_with_real_ids(client: Client) -> None:
    (spec,) = document()["components"]["schemas"]["vcenter.VM.CreateSpec"]["examples"]
    host = client.read("/api/vcenter/host?standalone=false&connection_states=CONNECTED")[0]["host"]
    machine = client.read(f"/api/vcenter/vm?hosts={host}")[0]["vm"]
    disks = client.read(f"/api/vcenter/vm/{machine}")["disks"]
    folder = next(each["folder"] for each in client.read("/api/vcenter/folder?type=VIRTUAL_MACHINE"))
    stores = {each["name"]: each["datastore"] for each in client.read("/api/vcenter/datastore")}
    (name,) = {disk["backing"]["vmdk_file"].partition("]")[0][1:] for disk in list(disks.values())[:1]}
    network = next(
        each["network"] for each in client.read("/api/vcenter/network") if each["type"] == "STANDARD_PORTGROUP"
    )
    given = {
        **spec,
        "placement": {"folder": folder, "host": host, "datastore": stores[name]},
        "nics": [{**spec["nics"][0], "backing": {**spec["nics"][0]["backing"], "network": network}}],
    }
    reply = client.post(VM_LIST, json=given)
    assert reply.status_code == 201, reply.text
    client.delete(f"{VM_LIST}/{reply.json()}")
