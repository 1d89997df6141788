"""What must be true of an inventory at any moment, whatever was done to it: every broken rule in words.

That the managed objects stand and refer as they must is what the simulator's own check says; here is the rest: what
belongs to others, what counts over many, what is claimed, and what the indexes say.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from resphere.contract.generated import vcenter_vm
from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.guest import GuestContent, GuestSystem, content_id
from resphere.inventory.model import KINDS, Datacenter, Datastore, Host, ManagedObject, VirtualMachine
from resphere.inventory.relations import datacenter_of
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.providers.simulator.guest.keeping import contents_of
from resphere.replica.replica import Replica
from resphere.replica.rows import Rows
from resphere.replica.sealing import open_sealing
from resphere.rules.placement.hosts import memory_in_use_MiB
from resphere.rules.space import content_of, files_among, used_in
from resphere.rules.storage_policies import find_policy
from resphere.server.assembly import open_replica
from resphere.store.base import Store
from resphere.store.engines import default_url, open_store
from resphere.tasks.record import Task
from tests.support.soundness import problems

OFF = vcenter_vm.Power.State.POWERED_OFF


def require_sound(inventory: Replica) -> None:
    """Fail, with all that is broken."""
    found = broken(inventory)
    assert not found, "\n".join(found)


def require_sound_data(data_dir: Path) -> None:
    """Fail, with all that is broken in the inventory of a server's data directory."""
    with asyncio.Runner() as runner:
        store = runner.run(open_store(default_url(data_dir)))
        try:
            require_sound(runner.run(_loaded(store)))
        finally:
            runner.run(store.close())


async def _loaded(store: Store) -> Replica:
    return await open_replica(store, await open_sealing(store, secrets.token_bytes))


def broken(inventory: Replica) -> list[str]:
    """Every rule that the inventory breaks, a line each; none if all is sound. Not to be called on an event loop."""
    return [line for rule in RULES for line in rule(inventory)]


def managed_objects(inventory: Replica) -> list[ManagedObject]:
    """All of them, of every kind that the replica keeps."""
    tables = _tables(inventory)
    return [obj for cls in KINDS.values() if cls in tables for obj in inventory.all(cls).values()]


def _objects(inventory: Replica) -> Iterator[str]:
    """Each stands where it may and refers to what is there, see :mod:`resphere.rules.soundness.check`."""
    yield from problems(managed_objects(inventory))


def _one_datacenter(inventory: Replica) -> Iterator[str]:
    """Whatever a VM uses is in its own datacenter."""
    for vm in inventory.all(VirtualMachine).values():
        here = datacenter_of(inventory, vm)
        for cls, id in ((Host, vm.host), (Datastore, vm.datastore)):
            used = inventory.get(cls, id)
            there = datacenter_of(inventory, used) if used is not None else None
            if here is None or there is None or here.id != there.id:
                yield f"{vm.id}: {id} is in {_id(there)}, and the machine in {_id(here)}"


def _id(datacenter: Datacenter | None) -> str:
    return "no datacenter" if datacenter is None else datacenter.id


def _references(inventory: Replica) -> Iterator[str]:
    """What objects refer to is there, of whatever kinds both are."""
    tables = _tables(inventory)
    for rows in tables.values():
        for reference in rows.table.refers_to:
            targets = [tables[cls] for cls in reference.to if cls in tables]
            # Names may mean nothing.
            if not targets or reference.resolve is not None:
                continue
            known = {key for each in targets for obj in each.objects.values() for key in each.table.known_as(obj)}
            for obj in rows.objects.values():
                for key in rows.table.indexes[reference.index](obj):
                    if key not in known:
                        yield f"{rows.kind} {obj.id}: its {reference.index} is {key}, which is not there"


def _tags(inventory: Replica) -> Iterator[str]:
    """Tags have their category, attachments and policies their tags."""
    if Tag not in _tables(inventory):
        return
    for tag in inventory.all(Tag).values():
        if inventory.get(Category, tag.category) is None:
            yield f"{tag.id}: its category {tag.category} is not there"
    for attachment in inventory.all(Attachment).values():
        found = inventory.get(Tag, attachment.tag)
        if found is None or found.category != attachment.category:
            yield f"{attachment.id}: there is no tag {attachment.tag} of {attachment.category}"
    for cls in (StoragePolicy, ComputePolicy):
        if cls in _tables(inventory):
            yield from _tags_of_policies(inventory, cls)


def _tags_of_policies(inventory: Replica, cls: type[StoragePolicy] | type[ComputePolicy]) -> Iterator[str]:
    for policy in inventory.all(cls).values():
        for tag in policy.tags:
            if inventory.get(Tag, tag) is None:
                yield f"{policy.kind} {policy.id}: its tag {tag} is not there"


def _assigned_policies(inventory: Replica) -> Iterator[str]:
    """The storage policies of VMs and their disks are there."""
    if StoragePolicy not in _tables(inventory):
        return
    for vm in inventory.all(VirtualMachine).values():
        disks = {policy for disk, policy in vm.disk_policies.items() if disk in vm.disks}
        for policy in {vm.storage_policy, *disks} - {None}:
            if find_policy(inventory, policy) is None:
                yield f"{vm.id}: its storage policy {policy} is not there"


def _space(inventory: Replica) -> Iterator[str]:
    """What is used on datastores is what a count of all files gives."""
    kept, counted = used_in(inventory), files_among(managed_objects(inventory), content_of(inventory)).used
    for id, store in inventory.all(Datastore).items():
        if kept.get(id, 0) != counted.get(id, 0):
            yield f"{id}: {kept.get(id, 0)} bytes are said to be used, and {counted.get(id, 0)} are"
        if counted.get(id, 0) + store.other_used > store.capacity:
            yield f"{id}: {counted[id]} bytes are used beside {store.other_used} others, of {store.capacity}"


def _unmerged(inventory: Replica) -> Iterator[str]:
    """Files that were not merged are of disks that the machine has, and wait to be."""
    for vm in inventory.all(VirtualMachine).values():
        if vm.unmerged and not vm.needs_consolidation:
            yield f"{vm.id}: has unmerged files, and needs no consolidation"
        for key, size in vm.unmerged.items():
            if key not in vm.disks or size <= 0:
                yield f"{vm.id}: {size} bytes are unmerged of the disk {key}"


def _guest_contents(inventory: Replica) -> Iterator[str]:
    """What is in the files of guests, and of those that snapshots keep, is there, and nothing else is."""
    if GuestSystem not in _tables(inventory):
        return
    named = {
        content_id(system.machine, name)
        for system in inventory.all(GuestSystem).values()
        for name in contents_of(system)
    }
    stored = set(inventory.all(GuestContent))
    yield from (f"the content {name} of a guest's file is not there" for name in named - stored)
    yield from (f"the content {name} is in no guest's file" for name in stored - named)


def _memory(inventory: Replica) -> Iterator[str]:
    """The memory in use on hosts is what a count of all machines gives."""
    counted: defaultdict[str, int] = defaultdict(int)
    for vm in inventory.all(VirtualMachine).values():
        if vm.power_state is not OFF:
            counted[vm.host] += vm.memory.size_MiB
    for host in inventory.all(Host).values():
        said = memory_in_use_MiB(inventory, host)
        if said != counted[host.id]:
            yield f"{host.id}: {said} MiB are said to be in use, and {counted[host.id]} are"


def _claims(inventory: Replica) -> Iterator[str]:
    """No two objects claim the same."""
    claims: Counter[str] = Counter()
    for rows in _tables(inventory).values():
        for obj in rows.objects.values():
            claims.update(set(rows.table.all_claims(inventory, obj)))
    yield from (f"{claim} is claimed {count} times" for claim, count in claims.items() if count > 1)


def _stored_claims(inventory: Replica) -> Iterator[str]:
    """The store holds for each object exactly what it claims, so that nobody else gets that at the same time."""
    computed = {
        (claim, rows.kind, obj.id)
        for rows in _tables(inventory).values()
        for obj in rows.objects.values()
        for claim in rows.table.all_claims(inventory, obj)
    }
    kinds = {rows.kind for rows in _tables(inventory).values()}
    held = asyncio.run(inventory._store.claims())
    stored = {(each.claim, each.kind, each.id) for each in held if each.kind in kinds}
    yield from (f"{kind} {id}: does not hold {claim}" for claim, kind, id in sorted(computed - stored))
    yield from (f"{kind} {id}: holds {claim} in vain" for claim, kind, id in sorted(stored - computed))


def _busy(inventory: Replica) -> Iterator[str]:
    """Only what an unfinished exclusive task works on is busy, and is there."""
    rows = _tables(inventory).get(Task)
    if rows is None:
        return
    targets = {obj.id for obj in managed_objects(inventory)}
    for target, tasks in rows.indexes["busy"].contents():
        for task in tasks.values():
            if task.is_finished or not task.exclusive:
                yield f"{target}: is kept busy by {task.id}, which is {task.status}"
            elif target not in targets:
                yield f"{target}: is not there, and {task.id} works on it"


def _indexes(inventory: Replica) -> Iterator[str]:
    """Every index has exactly what computing it from all objects gives."""
    for rows in _tables(inventory).values():
        for name, keys in rows.table.indexes.items():
            computed: dict[str, dict[str, Any]] = {}
            for obj in rows.objects.values():
                for key in keys(obj):
                    computed.setdefault(key, {})[obj.id] = obj
            if {key: dict(found) for key, found in rows.indexes[name].contents()} != computed:
                yield f"the index {name} of {rows.kind} is not what its objects give"


def _tables(inventory: Replica) -> dict[type[Any], Rows[Any]]:
    """The rows of each kind that the replica keeps."""
    return inventory._rows


RULES: tuple[Callable[[Replica], Iterator[str]], ...] = (
    _objects,
    _one_datacenter,
    _references,
    _tags,
    _assigned_policies,
    _space,
    _unmerged,
    _guest_contents,
    _memory,
    _claims,
    _stored_claims,
    _busy,
    _indexes,
)
