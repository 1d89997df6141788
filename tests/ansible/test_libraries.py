"""Ansible's modules for content libraries: of vmware.vmware_rest, and of vmware.vmware those that need no SOAP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ansible.steps import Step, step, surprises, take, twice
from tests.ansible.test_playbooks import CACHE, PLAYBOOK
from tests.support.libraries import add_item, add_library, done, fetch, put_file
from tests.support.machines import place
from tests.support.server import Client, Server
from tests.support.tiny_package import DESCRIPTOR, DISK
from tests.support.vms import OFF, any_vm

DISC = bytes(range(256)) * 4096

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it"
)
needs_sdk_modules = pytest.mark.skipif(
    not (CACHE / "ansible_collections/vmware/vmware").is_dir(),
    reason="the collection vmware.vmware is not in .cache/ansible; `make ansible` fetches it",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("ansible-libraries") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Client]:
    with server.session() as client:
        yield client


def by_sdk(name: str, module: str, server: Server, /, *, changed: bool = False, **arguments: Any) -> Step:
    """A task of a module that works through the official SDK."""
    where: dict[str, Any] = {"hostname": "localhost", "port": server.port}
    return step(name, f"vmware.vmware.{module}", changed=changed, **where, **arguments)


def by_sdk_twice(name: str, module: str, server: Server, /, **arguments: Any) -> list[Step]:
    """A change, and the same once more, which changes nothing."""
    return [
        by_sdk(name, module, server, changed=True, **arguments),
        by_sdk(f"{name}_again", module, server, **arguments),
    ]


def test_libraries(server: Server, client: Client, tmp_path: Path) -> None:
    datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
    library: dict[str, Any] = {
        "name": "ansible",
        "description": "first",
        "publish_info": {"published": True, "authentication_method": "NONE"},
        "storage_backings": [{"type": "DATASTORE", "datastore_id": datastore}],
    }
    steps = [
        *twice("made", "content_locallibrary", **library),
        *twice("changed", "content_locallibrary", library_id="{{ made.id }}", description="second"),
        step("published", "content_locallibrary", state="publish", library_id="{{ made.id }}"),
        step("shown", "content_locallibrary_info", library_id="{{ made.id }}"),
        step("libraries", "content_locallibrary_info"),
        step("any", "content_library_info", library_id="{{ made.id }}"),
        step("no_library", "content_library_info", library_id="none", refused="NOT_FOUND"),
        *twice("gone", "content_locallibrary", state="absent", library_id="{{ made.id }}"),
    ]
    found = take(server, tmp_path, steps)
    assert surprises(steps, found) == {}
    shown = found["shown"]["value"]
    assert (shown["name"], shown["description"], shown["type"]) == ("ansible", "second", "LOCAL")
    assert shown["publish_info"]["published"] is True
    assert found["any"]["value"] == shown
    assert found["libraries"]["value"] == [shown]


def test_the_configuration(server: Server, client: Client, tmp_path: Path) -> None:
    steps = [
        *twice("set", "content_configuration", automatic_sync_start_hour=22, maximum_concurrent_item_syncs=3),
        step("shown", "content_configuration_info"),
        step("wrong", "content_configuration", automatic_sync_start_hour=24, refused="INVALID_ARGUMENT"),
        step(
            "back", "content_configuration", automatic_sync_start_hour=20, maximum_concurrent_item_syncs=5, changed=True
        ),
    ]
    found = take(server, tmp_path, steps)
    assert surprises(steps, found) == {}
    shown = found["shown"]["value"]
    assert (shown["automatic_sync_start_hour"], shown["maximum_concurrent_item_syncs"]) == (22, 3)


def test_packages(server: Server, client: Client, tmp_path: Path) -> None:
    library = add_library(client, "ansible packages")
    package = add_item(client, library, "tiny", "ovf")
    put_file(client, server, package, "disk.vmdk", DISK)
    put_file(client, server, package, "tiny.ovf", DESCRIPTOR)
    where = place(client)
    pool = client.read(f"/api/vcenter/cluster/{where['cluster']}")["resource_pool"]
    target = {"resource_pool_id": pool, "folder_id": where["folder"]}
    deployment = {"name": "ansible-tiny", "accept_all_EULA": True, "default_datastore_id": where["datastore"]}
    deploy: dict[str, Any] = {
        "state": "deploy",
        "ovf_library_item_id": package,
        "target": target,
        "deployment_spec": deployment,
    }
    vm = "{{ deployed.value.resource_id.id }}"
    steps = [
        step("filtered", "vcenter_ovf_libraryitem", state="filter", ovf_library_item_id=package, target=target),
        step("deployed", "vcenter_ovf_libraryitem", **deploy),
        step("taken", "vcenter_ovf_libraryitem", **deploy),
        step("shown", "vcenter_vm_info", vm=vm),
        step("item", "content_library_item_info", library_item_id=package),
        step("deleted", "vcenter_vm", state="absent", vm=vm, changed=True),
    ]
    found = take(server, tmp_path, steps)
    assert surprises(steps, found).keys() == {"taken"}
    # vCenter answers 200, and the module looks into what it answers.
    taken = found["taken"]
    assert (taken["failed"], taken["value"]["succeeded"]) == (True, False)
    assert [each["error"]["error_type"] for each in taken["value"]["error"]["errors"]] == ["ALREADY_EXISTS"]
    assert found["filtered"]["value"]["networks"] == ["lan"]
    assert found["deployed"]["value"]["succeeded"] is True
    shown = found["shown"]["value"]
    assert (shown["name"], shown["cpu"]["count"], shown["memory"]["size_MiB"]) == ("ansible-tiny", 2, 256)
    assert found["item"]["value"]["type"] == "ovf"


def test_a_machine_is_captured_once(server: Server, client: Client, tmp_path: Path) -> None:
    library = add_library(client, "ansible captures")
    spec: dict[str, Any] = {
        "source": {"type": "VirtualMachine", "id": any_vm(client, OFF)},
        "target": {"library_id": library},
        "create_spec": {"name": "captured", "description": "by Ansible", "flags": []},
    }
    steps = twice("captured", "vcenter_ovf_libraryitem", **spec)
    found = take(server, tmp_path, steps)
    assert surprises(steps, found) == {}
    (item,) = client.read(f"/api/content/library/item?library_id={library}")
    assert client.read(f"/api/content/library/item/{item}")["description"] == "by Ansible"
    assert found["captured_again"]["value"]["name"] == "captured"


def test_templates(server: Server, client: Client, tmp_path: Path) -> None:
    where = place(client)
    source = any_vm(client, OFF)
    library = add_library(client, "ansible templates")
    pool = client.read(f"/api/vcenter/cluster/{where['cluster']}")["resource_pool"]
    placement = {"resource_pool": pool}
    item = "{{ golden.id }}"
    steps = [
        *twice(
            "golden",
            "vcenter_vmtemplate_libraryitems",
            name="golden",
            library=library,
            source_vm=source,
            placement=placement,
        ),
        step(
            "deployed",
            "vcenter_vmtemplate_libraryitems",
            state="deploy",
            template_library_item=item,
            name="ansible-golden",
            placement=placement,
            powered_on=True,
        ),
        step("checked_out", "vcenter_vm_libraryitem_info", vm="{{ deployed.value }}"),
        step(
            "taken",
            "vcenter_vmtemplate_libraryitems",
            state="deploy",
            template_library_item=item,
            name="ansible-golden",
            placement=placement,
        ),
    ]
    found = take(server, tmp_path, steps)
    assert surprises(steps, found) == {}
    info = client.read(f"/api/vcenter/vm/{source}")
    shown = found["golden_again"]["value"]
    assert (shown["name"], shown["type"]) == ("golden", "vm-template")
    assert shown["memory"] == {"size_MiB": info["memory"]["size_MiB"]}
    made = client.read(f"/api/vcenter/vm/{found['deployed']['value']}")
    assert (made["name"], made["power_state"]) == ("ansible-golden", "POWERED_ON")
    assert found["taken"]["value"]["error_type"] == "ALREADY_EXISTS"


@needs_sdk_modules
def test_what_is_imported(server: Server, client: Client, tmp_path: Path) -> None:
    library = add_library(client, "ansible imports")
    disc = tmp_path / "disc.iso"
    disc.write_bytes(DISC)
    package = tmp_path / "tiny"
    package.mkdir()
    (package / "tiny.ovf").write_bytes(DESCRIPTOR)
    (package / "disk.vmdk").write_bytes(DISK)
    wanted: dict[str, Any] = {"library_name": "ansible imports"}
    sha: dict[str, Any] = {"checksum_algorithm": "SHA256", "checksum": hashlib.sha256(DISC).hexdigest()}
    steps = [
        *by_sdk_twice("disc", "import_content_library_iso", server, src=str(disc), dest="disc", **wanted, **sha),
        *by_sdk_twice("package", "import_content_library_ovf", server, src=str(package), dest="tiny", **wanted),
        by_sdk("items", "content_library_item_info", server, **wanted),
        by_sdk("one", "content_library_item_info", server, library_item_name="disc", **wanted),
        by_sdk("gone", "import_content_library_iso", server, state="absent", dest="disc", changed=True, **wanted),
        *by_sdk_twice("deleted", "local_content_library", server, state="absent", name="ansible imports"),
    ]
    found = take(server, tmp_path, steps)
    assert surprises(steps, found) == {}
    assert sorted(item["name"] for item in found["items"]["library_item_info"]) == ["disc", "tiny"]
    (one,) = found["one"]["library_item_info"]
    assert (one["size"], one["storage"][0]["name"]) == (len(DISC), "disc.iso")
    assert client.get(f"/api/content/library/{library}").status_code == 404


@needs_sdk_modules
def test_what_is_imported_arrives(server: Server, client: Client, tmp_path: Path) -> None:
    add_library(client, "ansible arrivals")
    disc = tmp_path / "disc.iso"
    disc.write_bytes(DISC)
    wanted: dict[str, Any] = {"library_name": "ansible arrivals", "src": str(disc), "dest": "disc"}
    wrong: dict[str, Any] = {"checksum_algorithm": "SHA1", "checksum": "0" * 40}
    steps = [
        by_sdk("sent", "import_content_library_iso", server, changed=True, **wanted),
        by_sdk("wrong", "import_content_library_iso", server, **{**wanted, "dest": "wrong"}, **wrong),
    ]
    found = take(server, tmp_path, steps)
    assert fetch(client, server, found["sent"]["library_item"]["id"], "disc.iso") == DISC
    # The module takes its half item away again.
    assert found["wrong"]["failed"] is True
    names = [each["name"] for each in items(client, "ansible arrivals")]
    assert names == ["disc"]


def items(client: Client, name: str) -> list[dict[str, Any]]:
    """The items of the library of that name."""
    (library,) = client.post("/api/content/library?action=find", json={"name": name}).json()
    ids = client.read(f"/api/content/library/item?library_id={library}")
    return [client.read(f"/api/content/library/item/{id}") for id in ids]


@needs_sdk_modules
def test_a_template_goes(server: Server, client: Client, tmp_path: Path) -> None:
    library = add_library(client, "ansible goldens")
    spec = {"source_vm": any_vm(client, OFF), "name": "ansible-old", "library": library, "placement": {}}
    item = done(client.post("/api/vcenter/vm-template/library-items", json=spec))
    where: dict[str, Any] = {"library": "ansible goldens", "template_name": "ansible-old"}
    steps = by_sdk_twice("gone", "content_template", server, state="absent", **where)
    assert surprises(steps, take(server, tmp_path, steps)) == {}
    assert client.get(f"/api/content/library/item/{item}").status_code == 404
