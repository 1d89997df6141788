"""A server starts on what servers of every earlier form have left, and finds there what they knew."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resphere.idempotency.record import DECODER
from resphere.inventory.content.libraries import LeavingLibrary
from resphere.inventory.customization import CustomizationItem
from resphere.inventory.guest import GuestContent
from resphere.inventory.model import Datastore, Folder, Network, Snapshot, VirtualMachine
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.recovery.record import ReconciliationJob, RestoreJob
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.rules.space import free_space
from resphere.server.assembly import open_replica
from resphere.server.backup import back_up, restore
from resphere.server.forms.record import FORM, form_in
from resphere.server.forms.steps import STEPS, Plain, give_uplinks
from resphere.server.forms.upgrade import bring_to_present_form
from resphere.server.prepare import fill
from resphere.server.settings import Settings
from resphere.server.wiring import WIRING
from resphere.store.engines import default_url, open_store
from tests.server.forms.kept_data import NAMES, documents, number_of, place
from tests.support.cli import resphere
from tests.support.invariants import require_sound_data
from tests.support.server import WITHOUT_TLS, Server

NOW = datetime(2026, 11, 29, tzinfo=UTC)
PRESENT = str(FORM)
FIRST = "1-2026-11-23-first"


def brought(name: str, tmp_path: Path) -> Path:
    """The data directory of that name, after a server has started on it."""
    data_dir = place(name, tmp_path / "data")
    asyncio.run(fill(Settings(data_dir=data_dir), "kept"))
    return data_dir


def loaded(data_dir: Path) -> Replica:
    """The inventory of a directory."""

    async def load() -> Replica:
        store = await open_store(default_url(data_dir))
        try:
            return await open_replica(store, await open_sealing(store, secrets.token_bytes))
        finally:
            await store.close()

    return asyncio.run(load())


def test_every_form_has_a_step_and_is_kept() -> None:
    assert sorted(STEPS) == list(range(2, FORM + 1))
    assert {number_of(name) for name in NAMES} == set(range(1, FORM + 1))


@pytest.mark.parametrize("name", NAMES)
def test_what_was_left_is_sound(name: str, tmp_path: Path) -> None:
    data_dir = place(name, tmp_path / "data")
    names = {str(vm["name"]) for vm in documents(data_dir, "virtual_machine")}
    tasks = len(documents(data_dir, "task"))
    assert len(names) >= 4

    asyncio.run(fill(Settings(data_dir=data_dir), "kept"))

    require_sound_data(data_dir)
    inventory = loaded(data_dir)
    machines = {vm.name: vm for vm in inventory.all(VirtualMachine).values()}
    assert machines.keys() == names
    assert len(documents(data_dir, "task")) == tasks
    snapshots = [snapshot.name for snapshot in inventory.all(Snapshot).values()]
    assert snapshots.count("first") == snapshots.count("second") > 0
    if "kept" in names:
        parents = {snapshot.parent for snapshot in inventory.all(Snapshot).values()}
        assert machines["kept"].id in parents


@pytest.mark.parametrize("name", [name for name in NAMES if name != FIRST])
def test_tags_go_on(name: str, tmp_path: Path) -> None:
    inventory = loaded(brought(name, tmp_path))
    tags = {tag.name: tag.id for tag in inventory.all(Tag).values()}
    attached = {(attachment.tag, attachment.type) for attachment in inventory.all(Attachment).values()}
    assert {(tags["fast"], "HostSystem"), (tags["fast"], "Datastore")} <= attached
    # Without the namespace that releases until 2026-11-25 kept.
    categories = {category.name: category.associable_types for category in inventory.all(Category).values()}
    assert categories == {"old": ("Folder",), "speed": ("Datastore", "HostSystem", "VirtualMachine")}
    assert "kept folder" in {folder.name for folder in inventory.all(Folder).values()}


@pytest.mark.parametrize("name", [name for name in NAMES if name > "1-2026-11-25"])
def test_guests_policies_and_secrets_go_on(name: str, tmp_path: Path) -> None:
    data_dir = brought(name, tmp_path)
    inventory = loaded(data_dir)
    assert [policy.name for policy in inventory.all(StoragePolicy).values()] == ["Gold"]
    spec = inventory.all(CustomizationItem)["kept"].spec
    assert spec.configuration_spec.linux_config is not None
    assert spec.configuration_spec.linux_config.hostname.fixed_name == "web"
    # Sealed by now, whoever wrote it.
    assert all(str(document["spec"]).startswith("sealed-1:") for document in documents(data_dir, "customization_spec"))
    assert b"Europe/Sofia" not in (data_dir / "resphere.db").read_bytes()
    contents = list(inventory.all(GuestContent).values())
    assert contents
    assert all(content.data or content.file for content in contents)


@pytest.mark.parametrize("name", NAMES)
def test_each_distributed_switch_has_its_uplinks(name: str, tmp_path: Path) -> None:
    networks = loaded(brought(name, tmp_path)).all(Network).values()
    switches = {network.distributed_switch for network in networks} - {None}
    uplinks = [network for network in networks if network.uplink]
    assert switches
    assert {network.distributed_switch for network in uplinks} == switches
    assert len(uplinks) == len(switches)
    assert all(network.name.startswith("DSwitch-DVUplinks-") for network in uplinks)


def test_uplinks_take_nobodys_name_or_id() -> None:
    group = {"type": "DISTRIBUTED_PORTGROUP", "parent": "group-n6", "distributed_switch_uuid": "50 2b"}
    networks: dict[str, Plain] = {
        "dvportgroup-7": {"id": "dvportgroup-7", "name": "DSwitch-DVUplinks-7", "distributed_switch": "dvs-7", **group},
        "dvportgroup-9": {"id": "dvportgroup-9", "name": "a", "distributed_switch": "dvs-x", **group},
        "network-5": {"id": "network-5", "name": "b", "parent": "group-n6", "type": "STANDARD_PORTGROUP"},
    }
    give_uplinks({"network": networks, "folder": {"group-v3": {"id": "group-v3", "name": "DSwitch-DVUplinks-7 (1)"}}})
    made = {each["distributed_switch"]: each for each in networks.values() if each.get("uplink")}
    assert {switch: each["name"] for switch, each in made.items()} == {
        "dvs-7": "DSwitch-DVUplinks-7 (2)",
        "dvs-x": "DSwitch-DVUplinks-x",
    }
    assert len(networks) == 5
    assert all(id == each["id"] for id, each in networks.items())


def test_free_space_is_what_it_was(tmp_path: Path) -> None:
    data_dir = place(FIRST, tmp_path / "data")
    free = {str(each["id"]): each["free_space"] for each in documents(data_dir, "datastore")}
    asyncio.run(fill(Settings(data_dir=data_dir), "kept"))
    inventory = loaded(data_dir)
    for datastore in inventory.all(Datastore).values():
        assert free_space(inventory, datastore) == free[datastore.id]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_done_once(name: str, tmp_path: Path) -> None:
    data_dir = place(name, tmp_path / "data")

    async def scenario() -> None:
        store = await open_store(default_url(data_dir))
        sealing = await open_sealing(store, secrets.token_bytes)
        before = (await store.load()).sequence
        await bring_to_present_form(store, WIRING.tables, sealing, "it")
        once = (await store.load()).sequence
        # One transaction, or none where it is of the present form.
        assert once - before == (0 if name == PRESENT else 1)
        assert await form_in(store) == FORM
        await bring_to_present_form(store, WIRING.tables, sealing, "it")
        assert (await store.load()).sequence == once
        await store.close()

    asyncio.run(scenario())


def test_answers_under_keys_are_noted_and_no_documents(tmp_path: Path) -> None:
    before = place("4", tmp_path / "data")
    assert documents(before, "kept_reply")
    asyncio.run(fill(Settings(data_dir=before), "kept"))
    assert documents(before, "kept_reply") == []
    assert all("key" not in bulk and "digest" not in bulk for bulk in documents(before, "bulk"))
    (tmp_path / "present").mkdir()
    inventory = loaded(brought(PRESENT, tmp_path / "present"))
    [note] = inventory.notes
    assert DECODER.decode(inventory.notes.opened(note)).answer is not None


PASSING = {
    LeavingLibrary.kind: "is there for the moment in which a library with items is deleted",
    ReconciliationJob.kind: "is there after a backup was restored",
    RestoreJob.kind: "is there after a backup was restored, which makes another server",
}
"""Kinds of which nothing can be kept, and why."""


def test_what_is_kept_of_the_present_form_has_documents_of_all_tables(tmp_path: Path) -> None:
    data_dir = place(PRESENT, tmp_path / "data")
    kinds = {table.cls.kind for table in WIRING.tables} - PASSING.keys()
    lacking = [kind for kind in sorted(kinds) if not documents(data_dir, kind)]
    assert lacking == [], "tools/forms/fill.py makes none of these"


def test_a_backup_of_what_an_earlier_release_left(tmp_path: Path) -> None:
    """As one makes before the first start of this one."""
    data_dir, archive, restored = place(FIRST, tmp_path / "data"), tmp_path / "backup.tar", tmp_path / "restored"
    before = documents(data_dir, "datastore")
    made = asyncio.run(back_up(Settings(data_dir=data_dir), archive, NOW))
    assert (made.manifest.store.schema, made.manifest.store.form) == (1, 1)
    assert documents(data_dir, "datastore") == before
    asyncio.run(restore(Settings(data_dir=restored), archive, NOW, replace=False))
    assert documents(restored, "datastore") == before
    asyncio.run(fill(Settings(data_dir=restored), "kept"))
    require_sound_data(restored)


@pytest.mark.parametrize("name", [FIRST, "1-2026-11-25-last"])
def test_a_server_serves_it(name: str, tmp_path: Path) -> None:
    data_dir = place(name, tmp_path / "data")
    names = {str(vm["name"]) for vm in documents(data_dir, "virtual_machine")}
    said = resphere("user", "list", "--data-dir", str(data_dir))
    assert said.returncode == 1
    assert said.stderr.endswith("was written by an earlier release; resphere serve brings it to the present one\n")
    with Server(data_dir, WITHOUT_TLS) as server, server.session() as client:
        listed = {row["name"] for row in client.read("/api/vcenter/vm")}
        assert listed <= names  # templates are not listed
        assert len(listed) >= 3
    assert resphere("user", "list", "--data-dir", str(data_dir)).returncode == 0
