"""Tagging on ``/api`` as a script does it, with ``requests``, through every step of the server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.support.server import Client, Server

CATEGORY = "/api/cis/tagging/category"
TAG = "/api/cis/tagging/tag"
ASSOCIATION = "/api/cis/tagging/tag-association"
NO_CATEGORY = "urn:vmomi:InventoryServiceCategory:00000000-0000-0000-0000-000000000000:GLOBAL"
NO_TAG = "urn:vmomi:InventoryServiceTag:00000000-0000-0000-0000-000000000000:GLOBAL"
NOBODY = {"type": "VirtualMachine", "id": "vm-999999"}
USER = {"used_by_entity": "com.example.backup"}


def good(reply: requests.Response, status: int = 200) -> Any:
    """The body of a reply with that status."""
    assert reply.status_code == status, reply.text
    if status == 204:
        assert not reply.content
        return None
    return reply.json()


def bad(reply: requests.Response, status: int, error_type: str, message_id: str) -> None:
    """See a refusal as it is on the wire."""
    assert reply.status_code == status, reply.text
    body = reply.json()
    assert (body["error_type"], body["messages"][0]["id"]) == (error_type, message_id)


@pytest.fixture
def category(client: Client) -> Iterator[str]:
    """A category for VMs."""
    spec = {
        "name": f"category {uuid.uuid4()}",
        "description": "of a test",
        "cardinality": "MULTIPLE",
        "associable_types": ["urn:vim25:VirtualMachine"],
    }
    id = good(client.post(CATEGORY, json=spec), 201)
    yield id
    client.delete(f"{CATEGORY}/{id}")


@pytest.fixture
def tag(client: Client, category: str) -> str:
    """A tag of the category."""
    spec = {"name": "prod", "description": "", "category_id": category}
    return str(good(client.post(TAG, json=spec), 201))


@pytest.fixture
def vms(client: Client) -> list[dict[str, str]]:
    """Some VMs."""
    return [{"type": "VirtualMachine", "id": vm["vm"]} for vm in good(client.get("/api/vcenter/vm"))[:3]]


def test_category(client: Client, category: str) -> None:
    path = f"{CATEGORY}/{category}"
    assert category in good(client.get(CATEGORY))
    shown = good(client.get(path))
    assert shown["associable_types"] == ["VirtualMachine"]
    assert shown["used_by"] == []
    assert (shown["id"], shown["cardinality"]) == (category, "MULTIPLE")
    spec = {key: shown[key] for key in ("name", "description", "cardinality", "associable_types")}
    bad(client.post(CATEGORY, json=spec), 400, "ALREADY_EXISTS", "resphere.tagging.category.name_taken")
    good(client.patch(path, json={"description": "new"}), 204)
    assert good(client.get(path)) == {**shown, "description": "new"}
    narrower = client.patch(path, json={"cardinality": "SINGLE"})
    bad(narrower, 400, "INVALID_ARGUMENT", "resphere.tagging.category.cardinality_narrowed")
    good(client.post(f"{path}?action=add-to-used-by", json=USER), 204)
    assert good(client.post(f"{CATEGORY}?action=list-used-categories", json=USER)) == [category]
    good(client.post(f"{path}?action=remove-from-used-by", json=USER), 204)
    assert good(client.post(f"{CATEGORY}?action=list-used-categories", json=USER)) == []
    good(client.post(f"{path}?action=revoke-propagating-permissions"), 204)
    good(client.delete(path), 204)
    bad(client.get(path), 404, "NOT_FOUND", "cis.tagging.objectNotFound.error")


def test_tag(client: Client, category: str, tag: str) -> None:
    path = f"{TAG}/{tag}"
    assert tag in good(client.get(TAG))
    assert good(client.post(f"{TAG}?action=list-tags-for-category", json={"category_id": category})) == [tag]
    shown = good(client.get(path))
    assert shown == {"id": tag, "category_id": category, "name": "prod", "description": "", "used_by": []}
    spec = {"name": "prod", "description": "", "category_id": category}
    bad(client.post(TAG, json=spec), 400, "ALREADY_EXISTS", "resphere.tagging.tag.name_taken")
    lost = {**spec, "category_id": NO_CATEGORY}
    bad(client.post(TAG, json=lost), 404, "NOT_FOUND", "cis.tagging.objectNotFound.error")
    good(client.patch(path, json={"name": "production"}), 204)
    bad(client.patch(path, json={"name": ""}), 400, "INVALID_ARGUMENT", "resphere.tagging.invalid_name")
    assert good(client.get(path)) == {**shown, "name": "production"}
    good(client.post(f"{path}?action=add-to-used-by", json=USER), 204)
    assert good(client.post(f"{TAG}?action=list-used-tags", json=USER)) == [tag]
    good(client.post(f"{path}?action=remove-from-used-by", json=USER), 204)
    good(client.post(f"{path}?action=revoke-propagating-permissions"), 204)
    good(client.delete(path), 204)
    bad(client.delete(path), 404, "NOT_FOUND", "cis.tagging.objectNotFound.error")


def test_attach_and_detach(client: Client, tag: str, vms: list[dict[str, str]]) -> None:
    one, vm = f"{ASSOCIATION}/{tag}", vms[0]
    for _ in range(2):
        good(client.post(f"{one}?action=attach", json={"object_id": vm}), 204)
    assert good(client.post(f"{ASSOCIATION}?action=list-attached-tags", json={"object_id": vm})) == [tag]
    assert good(client.post(f"{one}?action=list-attached-objects")) == [vm]
    assert tag not in good(client.post(f"{ASSOCIATION}?action=list-attachable-tags", json={"object_id": vm}))
    for _ in range(2):
        good(client.post(f"{one}?action=detach", json={"object_id": vm}), 204)
    assert tag in good(client.post(f"{ASSOCIATION}?action=list-attachable-tags", json={"object_id": vm}))
    refused = client.post(f"{one}?action=attach", json={"object_id": NOBODY})
    bad(refused, 400, "INVALID_ARGUMENT", "resphere.tagging.invalid_object")
    host = {"type": "HostSystem", "id": good(client.get("/api/vcenter/host"))[0]["host"]}
    refused = client.post(f"{one}?action=attach", json={"object_id": host})
    bad(refused, 400, "INVALID_ARGUMENT", "resphere.tagging.not_associable")
    refused = client.post(f"{ASSOCIATION}?action=list-attached-tags", json={"object_id": NOBODY})
    bad(refused, 403, "UNAUTHORIZED", "resphere.tagging.object_not_readable")


def test_batches(client: Client, tag: str, vms: list[dict[str, str]]) -> None:
    done = {"success": True, "error_messages": []}
    body = {"object_ids": vms}
    assert good(client.post(f"{ASSOCIATION}/{tag}?action=attach-tag-to-multiple-objects", json=body)) == done
    both = {"object_id": vms[0], "tag_ids": [tag, NO_TAG]}
    partly = good(client.post(f"{ASSOCIATION}?action=attach-multiple-tags-to-object", json=both))
    assert not partly["success"]
    assert partly["error_messages"][0]["id"] == "cis.tagging.objectNotFound.error"
    assert partly["error_messages"][0]["default_message"] == f"Tagging object {NO_TAG} not found"
    shown = good(client.post(f"{ASSOCIATION}?action=list-attached-tags-on-objects", json=body))
    assert shown == [{"object_id": vm, "tag_ids": [tag]} for vm in vms]
    of_tags = good(client.post(f"{ASSOCIATION}?action=list-attached-objects-on-tags", json={"tag_ids": [tag]}))
    assert [each["tag_id"] for each in of_tags] == [tag]
    assert sorted(each["id"] for each in of_tags[0]["object_ids"]) == sorted(vm["id"] for vm in vms)
    off = {"object_id": vms[0], "tag_ids": [tag]}
    assert good(client.post(f"{ASSOCIATION}?action=detach-multiple-tags-from-object", json=off)) == done
    assert good(client.post(f"{ASSOCIATION}/{tag}?action=detach-tag-from-multiple-objects", json=body)) == done


def test_vcenter_tagging(client: Client, category: str, tag: str, vms: list[dict[str, str]]) -> None:
    name = good(client.get(f"{CATEGORY}/{category}"))["name"]
    named = good(client.get("/api/vcenter/tagging/categories", params={"names": name}))
    assert [item["category_id"] for item in named["items"]] == [category]
    prod = good(client.get("/api/vcenter/tagging/tags", params={"names": "prod", "page_size": 100}))
    assert tag in [item["tag"] for item in prod["items"]]
    names = {"tag_name": "prod", "category_name": name}
    spec = {"object": vms[0], "tag_spec_list": [{"operation": "ATTACH", "tag_category_name_info": names}]}
    assert good(client.patch("/api/vcenter/tagging/associations", json=spec)) == {
        "success": True,
        "results": [{"operation": "ATTACH", "tag": tag, "tag_category_name_info": names}],
    }
    page = good(client.get("/api/vcenter/tagging/associations"))
    assert {"tag": tag, "object": vms[0]} in page["associations"]
    assert page["status"] == "END_OF_DATA"
    nowhere = client.get("/api/vcenter/tagging/associations", params={"marker": "nonsense"})
    bad(nowhere, 400, "INVALID_ARGUMENT", "resphere.tagging.unknown_marker")
    for path in ("categories", "tags"):
        nowhere = client.get(f"/api/vcenter/tagging/{path}", params={"marker": "nonsense"})
        bad(nowhere, 404, "NOT_FOUND", "resphere.tagging.unknown_marker")
    none = client.patch("/api/vcenter/tagging/associations", json={"object": vms[0], "tag_spec_list": []})
    bad(none, 400, "INVALID_ARGUMENT", "resphere.tagging.no_tags")


def test_tagging_needs_a_session(server: Server) -> None:
    with Client(server, None) as anonymous:
        for path in (CATEGORY, TAG, "/api/vcenter/tagging/associations"):
            bad(
                anonymous.get(path),
                401,
                "UNAUTHENTICATED",
                "com.vmware.vapi.endpoint.method.authentication.required",
            )


def test_one_of_many_makes_a_category_of_a_name(server: Server) -> None:
    """Eight connections, on both workers."""
    spec = {"name": "contended", "description": "", "cardinality": "SINGLE", "associable_types": []}

    def create(_: int) -> int:
        with server.session() as client:
            return client.post(CATEGORY, json=spec).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))
    assert statuses == [201] + [400] * 7


def test_tags_outlive_a_crash(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("crash") / "data", "--durations", "none").start()
    with server.session() as client:
        spec = {"name": "stage", "description": "", "cardinality": "SINGLE", "associable_types": []}
        category = good(client.post(CATEGORY, json=spec), 201)
        tag = good(client.post(TAG, json={"name": "prod", "description": "", "category_id": category}), 201)
        vm = {"type": "VirtualMachine", "id": good(client.get("/api/vcenter/vm"))[0]["vm"]}
        good(client.post(f"{ASSOCIATION}/{tag}?action=attach", json={"object_id": vm}), 204)
    server.kill()
    with server, server.session() as client:
        assert good(client.get(f"{CATEGORY}/{category}"))["name"] == "stage"
        assert good(client.post(f"{ASSOCIATION}/{tag}?action=list-attached-objects")) == [vm]
