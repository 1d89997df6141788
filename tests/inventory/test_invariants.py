"""The invariants that other tests rely on: each is told where it is broken, and nothing is where all is sound."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.generated import ids
from resphere.contract.generated.cis_task import Status
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment
from resphere.rules.space import used_in
from resphere.store.base import Transaction, Write
from resphere.tasks.record import Task
from tests.support.claims import drop_claims
from tests.support.invariants import broken, require_sound
from tests.support.world import NOW, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        require_sound(world.inventory)
        yield world


def first(world: World, cls: type[Any]) -> Any:
    return next(iter(world.inventory.all(cls).values()))


def lines(world: World) -> str:
    return "\n".join(broken(world.inventory))


@pytest.mark.parametrize(
    ("cls", "fields", "told"),
    [
        (Folder, {"parent": "group-d999"}, "group-d999 does not exist"),
        (Datacenter, {"vm_folder": "group-v999"}, "vm_folder: group-v999 does not exist"),
        (Cluster, {"resource_pool": "resgroup-999"}, "resource_pool: resgroup-999 does not exist"),
        (Host, {"datastores": ("datastore-999",)}, "datastore-999 does not exist"),
        (Host, {"networks": ("network-999",)}, "network-999 does not exist"),
        (ResourcePool, {"owner": "domain-c999"}, "owner: domain-c999 does not exist"),
        (VirtualMachine, {"parent": "group-v999"}, "parent: group-v999 does not exist"),
        (VirtualMachine, {"host": "host-999"}, "host-999 is in no datacenter"),
        (VirtualMachine, {"resource_pool": "resgroup-999"}, "resource_pool: resgroup-999 does not exist"),
        (VirtualMachine, {"datastore": "datastore-999"}, "datastore: datastore-999 does not exist"),
        (VirtualMachine, {"snapshot": "snapshot-999"}, "snapshot: snapshot-999 does not exist"),
        (VirtualMachine, {"storage_policy": "policy-999"}, "its storage policy policy-999 is not there"),
    ],
)
def test_what_refers_to_nothing_is_told(world: World, cls: type[Any], fields: dict[str, Any], told: str) -> None:
    found = world.inventory.all(cls).values()
    spoil(world, msgspec.structs.replace(next(obj for obj in found if obj.parent is not None), **fields))
    assert told in lines(world)


def test_what_belongs_to_nobody_is_told(world: World) -> None:
    vm = first(world, VirtualMachine)
    spoil(world, Snapshot(id="snapshot-999", name="lost", parent="vm-999", created_time=NOW, state=vm))
    assert "snapshot snapshot-999: its parent is vm-999, which is not there" in lines(world)


def put_document(world: World, obj: Any) -> None:
    """Put what is no managed object."""
    world.run(world.inventory.change(lambda edit: edit.put(obj)))


def spoil(world: World, obj: Any) -> None:
    """Store what no change may write."""
    world.run(world.store.commit(Transaction((Write(obj.kind, obj.id, msgspec.json.encode(obj)),))))
    world.run(world.inventory.refresh())


def test_tags_that_are_not_there_are_told(world: World) -> None:
    vm = first(world, VirtualMachine)
    tag = ids.CisTaggingTagId("tag-1")
    spoil(world, StoragePolicy(id=ids.VcenterStoragePolicyId("p"), name="p", tags=(tag,)))
    category = ids.CisTaggingCategoryId("c")
    spoil(world, Attachment(id="a", tag=tag, category=category, type="VirtualMachine", object=vm.id))
    assert "storage_policy p: its tag tag-1 is not there" in lines(world)
    assert "a: there is no tag tag-1 of c" in lines(world)


def test_a_wrong_sum_is_told(world: World) -> None:
    store = first(world, VirtualMachine).datastore
    used: Any = used_in(world.inventory)
    used[store] += 1
    assert f"{store}: {used[store]} bytes are said to be used, and {used[store] - 1} are" in broken(world.inventory)


def test_a_claim_that_the_store_lacks_is_told(world: World, tmp_path: Path) -> None:
    datastore = first(world, Datastore)
    assert asyncio.run(drop_claims(tmp_path, lambda claim: (claim.kind, claim.id) == ("datastore", datastore.id)))
    claim = f"datastore-name/{first(world, Datacenter).id}/{datastore.name}"
    assert f"datastore {datastore.id}: does not hold {claim}" in broken(world.inventory)


def test_a_task_on_what_is_gone_is_told(world: World) -> None:
    task = Task(
        id="t",
        service="s",
        operation="o",
        description="d",
        target="vm-999",
        exclusive=True,
        owner="w",
        status=Status.RUNNING,
        queued_time=NOW,
    )
    put_document(world, task)
    assert broken(world.inventory) == ["vm-999: is not there, and t works on it"]
    put_document(world, msgspec.structs.replace(task, status=Status.SUCCEEDED))
    require_sound(world.inventory)
