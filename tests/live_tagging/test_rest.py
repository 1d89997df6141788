"""Tagging on ``/rest``, as govc and scripts of the 6.5 era write it."""

from __future__ import annotations

from tests.support.server import Client

ROOT = "/rest/com/vmware/cis/tagging"


def test_tagging_over_rest(client: Client) -> None:
    spec = {"name": "rest", "description": "", "cardinality": "SINGLE", "associable_types": ["VirtualMachine"]}
    created = client.post(f"{ROOT}/category", json={"create_spec": spec})
    assert created.status_code == 200, created.text
    category = created.json()["value"]
    again = client.post(f"{ROOT}/category", json={"create_spec": spec})
    assert again.status_code == 400
    assert again.json()["type"] == "com.vmware.vapi.std.errors.already_exists"
    assert again.json()["value"]["messages"][0]["id"] == "resphere.tagging.category.name_taken"
    shown = client.get(f"{ROOT}/category/id:{category}").json()["value"]
    assert shown == {**spec, "id": category, "used_by": []}
    tag_spec = {"name": "a", "description": "", "category_id": category}
    tag = client.post(f"{ROOT}/tag", json={"create_spec": tag_spec}).json()["value"]
    listed = client.post(f"{ROOT}/tag/id:{category}?~action=list-tags-for-category")
    assert listed.json() == {"value": [tag]}
    vm = {"type": "VirtualMachine", "id": client.get("/rest/vcenter/vm").json()["value"][0]["vm"]}
    attached = client.post(f"{ROOT}/tag-association/id:{tag}?~action=attach", json={"object_id": vm})
    assert (attached.status_code, attached.content) == (200, b"")
    of_vm = client.post(f"{ROOT}/tag-association?~action=list-attached-tags", json={"object_id": vm})
    assert of_vm.json() == {"value": [tag]}
    assert client.patch(f"{ROOT}/tag/id:{tag}", json={"update_spec": {"name": "b"}}).status_code == 200
    assert client.delete(f"{ROOT}/category/id:{category}").status_code == 200
    gone = client.get(f"{ROOT}/tag/id:{tag}")
    assert gone.status_code == 404
    assert gone.json()["value"]["messages"][0]["id"] == "cis.tagging.objectNotFound.error"
