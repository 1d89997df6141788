"""Every operation, asked by somebody with a role on one VM, one folder or one cluster.

What is asked about what they see answers, or is refused for other reasons than privileges; what they do not see is
refused; lists show what they see; no reply names anything else, and nothing else is ever changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

from resphere import services
from resphere.access.check import MANAGED
from resphere.access.defaults import PUBLIC, READ, requirements_of
from resphere.access.knowing import viewed_by
from resphere.access.privileges import ON_PARENT
from resphere.access.roles import ADMIN, READ_ONLY, Role
from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.extensions.hosts import Host as HostDetail
from resphere.contract.extensions.inventory_objects import InventoryObjects
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import cis, cis_tagging, cis_task, ids, vapi_std, vcenter, vcenter_cluster, vcenter_vm
from resphere.contract.generated.vcenter_environment_browser import ConfigOptionDescriptors, ConfigTargets
from resphere.contract.generated.vcenter_storage_policies import VM as PolicyMachines
from resphere.contract.generated.vcenter_storage_policies import Compliance
from resphere.contract.generated.vcenter_storage_policies_compliance import VM as VmCompliance
from resphere.contract.generated.vcenter_tagging import Associations
from resphere.contract.generated.vcenter_vm_storage import Policy as StoragePolicy
from resphere.contract.generated.vstats import AcqSpecs, CidMid, Data, QueryPredicate, ResourceAddresses, RsrcId
from resphere.contract.lookup import all_operations
from resphere.contract.mentions import Mention
from resphere.contract.model import AnyOperation, Struct
from resphere.dialects.base import Reply
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import (
    KINDS,
    ROOT_FOLDER,
    Cluster,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.inventory.relations import ancestors
from resphere.inventory.storage_policies import StoragePolicy as StoragePolicyDocument
from resphere.inventory.tagging import Tag
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.edit import Edit
from resphere.services.registry import load
from resphere.tasks.outcomes import failed
from resphere.tasks.record import Task
from tests.support.calls import ApiCall, api_call, minimal_input
from tests.support.scoped import ANN, ask_as_ann, permission
from tests.support.served import Failure, Served
from tests.support.server import ADMINISTRATOR
from tests.support.world import NOW, World

SIZES = Sizes(datacenters=1, clusters=2, hosts=6, vms=16)
MACHINE, FOLDER, CLUSTER = "vm-50", "group-v14", "domain-c28"
PLACES = {
    "machine": (MACHINE,),
    "folder": (FOLDER,),
    "cluster": (CLUSTER,),
    "network and datastore": ("network-22", "datastore-32"),
    "pool": ("resgroup-30",),
    "host": ("host-35",),
    "datacenter": ("datacenter-2",),
    "root and machine": (ROOT_FOLDER, MACHINE),
}
"""Where the caller has a role. That on the root folder does not propagate: it opens what is global, and the lists of
that must still leave out everything else."""
ELSEWHERE = {
    "VirtualMachineId": "vm-57",
    "FolderId": "group-v11",
    "ClusterComputeResourceId": "domain-c40",
    "HostSystemId": "host-45",
    "ResourcePoolId": "resgroup-42",
    "DatastoreId": "datastore-44",
    "NetworkId": "dvportgroup-27",
    "DatacenterId": "datacenter-2",
}
"""Of each type an object that is not seen from a machine, a folder, a cluster."""
ID = re.compile(r"[a-z]+-[a-z]?\d+")
NEEDS_MORE = (
    "com.vmware.cis.session",
    "com.vmware.appliance.shutdown",
    "com.vmware.appliance.system.version",
    "resphere.faults.vcenter",
    "resphere.explorer",
    "resphere.certif",
)
IMPLEMENTED = load(services).keys()
LAST = ("delete", "unregister", "remove", "detach", "move", "relocate", "disconnect", "set")
"""What the names of operations begin with after which the object is not there any more, or cannot be reached."""

OPERATIONS = sorted(
    (
        operation
        for operation in all_operations()
        if operation.id in IMPLEMENTED
        and operation.id not in PUBLIC
        and operation.api is not None
        and not operation.streams
        and not operation.id.startswith(NEEDS_MORE)
    ),
    key=lambda operation: operation.name.startswith(LAST),
)

MORE = {
    # Its contract states a privilege on the root folder.
    "com.vmware.vcenter.host.hardware.direct_path_devices.configure$task",
    # They are for those who may manage faults, which is had on the root folder.
    *(f"resphere.faults.{kind}.{name}" for kind in ("datastores", "hosts") for name in ("fail", "recover")),
    # They need a privilege on hosts; the least input names none, and the root folder is asked instead.
    "resphere.vcenter.network.connect",
    "resphere.vcenter.network.disconnect",
    "resphere.vcenter.datastore.mount",
    "resphere.vcenter.datastore.unmount",
    # They need a privilege on what stands in no tree, such as an item of a content library.
    *[
        each.id
        for each in OPERATIONS
        if any(need.resource not in (None, *MANAGED) for need in requirements_of(each) if need.parameter)
    ],
    *[each.id for each in OPERATIONS if any(ON_PARENT.intersection(need.privileges) for need in requirements_of(each))],
}
"""Operations on one object that need a privilege on the root folder too, or on what the object stands in."""


def furnish(world: World) -> None:
    """Give a machine that is seen and one that is not whatever other objects tell of machines: tasks, a snapshot, a
    tag with a policy, a storage policy, figures."""
    category = world.call(
        cis_tagging.Category.create,
        cis_tagging.Category.CreateSpec(
            name="owner",
            description="",
            cardinality=cis_tagging.CategoryModel.Cardinality.MULTIPLE,
            associable_types=frozenset(),
        ),
    )
    tag = world.call(
        cis_tagging.Tag.create, cis_tagging.Tag.CreateSpec(name="web", description="", category_id=category)
    )
    policy = world.call(StoragePolicies.create, StoragePolicies.CreateSpec(name="any"))
    everything = tuple(RsrcId(type=type, id_value="", predicate=QueryPredicate.ALL) for type in ("VM", "HOST"))
    for counter in ("cpu.capacity.usage.VM", "cpu.capacity.usage.HOST"):
        cid = ids.VstatsModelCounterId(counter)
        world.call(
            AcqSpecs.create,
            AcqSpecs.CreateSpec(
                counters=AcqSpecs.CounterSpec(cid_mid=CidMid(cid=cid)),
                resources=tuple(each for each in everything if counter.endswith(each.type or "")),
            ),
        )
    for machine in (MACHINE, ELSEWHERE["VirtualMachineId"]):
        vm = ids.VirtualMachineId(machine)
        world.call(vcenter_vm.Power.suspend, vm)
        world.call(vcenter_vm.Power.start, vm)
        world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name=f"of {machine}"))
        world.call(cis_tagging.TagAssociation.attach, tag, vapi_std.DynamicID(type="VirtualMachine", id=machine))
        specified = StoragePolicy.VmHomePolicySpec.PolicyType.USE_SPECIFIED_POLICY
        home = StoragePolicy.VmHomePolicySpec(type=specified, policy=policy)
        world.call(StoragePolicy.update, vm, StoragePolicy.UpdateSpec(vm_home=home))
    later = NOW + timedelta(minutes=5)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: later)


class Scope:
    """A server with a caller who has ``role`` on some objects and on all below them, but for the root folder."""

    def __init__(self, folder: Path, objects: tuple[str, ...], role: Role) -> None:
        self.served = Served(folder, generate(SIZES, 1))
        self.world = self.served.world
        furnish(self.world)
        given = [permission(object, role, propagate=object != ROOT_FOLDER) for object in objects]
        self.view = ask_as_ann(self.served, given)
        self.seen = {each.id: each for each in self.objects() if self.view.sees(each)}
        self.hidden = {each.id: each for each in self.objects() if each.id not in self.seen}
        self.known = self.seen.keys() | self.hidden.keys()
        """The ids of all that has been there."""

    def objects(self) -> Iterator[ManagedObject]:
        for cls in KINDS.values():
            yield from list(self.world.inventory.all(cls).values())

    def real(self, seen: bool) -> dict[str, list[str]]:
        """The ids to fill inputs with: of what is seen, if anything of the type is, or of what is elsewhere."""
        mine = {
            f"{cls.resource_type}Id": sorted(each.id for each in self.seen.values() if isinstance(each, cls))
            for cls in KINDS.values()
        }
        # The machine itself before others: it has devices, and it runs.
        mine["VirtualMachineId"].sort(key=lambda id: id != MACHINE)
        return {kind: mine[kind] if seen and mine.get(kind) else [ELSEWHERE[kind]] for kind in ELSEWHERE}

    def ask(self, operation: AnyOperation, seen: bool) -> tuple[ApiCall, Reply]:
        """The operation with the least input about what is seen, or is not."""
        value = minimal_input(operation, self.real(seen))
        names = type(value).__struct_fields__
        machine = self.real(seen)["VirtualMachineId"][0]
        if "object" in names:
            value = msgspec.structs.replace(value, object=machine)
        if "path" in names and operation.id == "resphere.vcenter.inventory.objects.find":
            value = msgspec.structs.replace(value, path="/DC01/vm/Production/Web/web-001")
        call = api_call(operation, value)
        return call, self.served.ask_api(call)

    def told(self) -> set[str]:
        """What replies may say of what is not seen, and why."""
        told = set()
        for obj in self.seen.values():
            # Where an object stands: who may read it may know (parents of everything, ids and names).
            told |= {word for above in self.above(obj) for word in (above.id, above.name)}
            if isinstance(obj, VirtualMachine):
                # A VM's configuration names its networks and, in the paths of its disks and images, datastores.
                networks = {nic.backing.network for nic in obj.nics.values() if nic.backing.network is not None}
                told |= networks | {self.named(Network, network) for network in networks}
                told |= {store.name for store in self.world.inventory.all(Datastore).values()}
        # Refusals of what needs a privilege on the root folder name it.
        return told | {"group-d1"}

    def above(self, obj: ManagedObject) -> Iterator[ManagedObject]:
        """All that the object stands in: a machine stands in folders and in pools."""
        yield from ancestors(self.world.inventory, obj)
        if isinstance(obj, VirtualMachine):
            pool = self.world.inventory.get(ResourcePool, obj.resource_pool)
            if pool is not None:
                yield pool
                yield from ancestors(self.world.inventory, pool)

    def named(self, cls: type[ManagedObject], id: str) -> str:
        found = self.world.inventory.get(cls, id)
        return found.name if found is not None else id

    def leaks(self, call: ApiCall, reply: Reply) -> set[str]:
        """What the reply names that is neither seen, nor told, nor what the caller has said."""
        asked = f"{call.target} {(call.body or b'').decode()}"
        text = bytes(reply.body).decode()
        names = {
            each.name
            for each in self.hidden.values()
            if isinstance(each, (VirtualMachine, Host, Cluster, Datastore, Network, Snapshot))
        }
        # Snapshots of several machines have the same name.
        names -= {each.name for each in self.seen.values()}
        found = set(ID.findall(text)) & self.hidden.keys()
        found |= {name for name in names if f'"{name}"' in text or f" {name} " in text}
        return {word for word in found - self.told() if word not in asked}


def differs(before: ManagedObject, after: ManagedObject) -> bool:
    """Whether the object was changed, but for what a root pool counts of all below it."""
    if isinstance(before, ResourcePool) and isinstance(after, ResourcePool):
        before = msgspec.structs.replace(before, admissions=after.admissions)
    return before != after


def path_names(operation: AnyOperation) -> bool:
    """Whether the path names a managed object."""
    assert operation.api is not None
    return any(
        f"{{{each.parameter}}}" in operation.api.path
        for each in requirements_of(operation)
        if each.parameter and each.resource in MANAGED
    )


def is_read(operation: AnyOperation) -> bool:
    """Whether a role that only reads is enough."""
    return all(READ_ONLY.holds(p) for requirement in requirements_of(operation) for p in requirement.privileges)


@pytest.mark.parametrize("role", [READ_ONLY, ADMIN], ids=lambda role: role.name)
@pytest.mark.parametrize("place", PLACES)
def test_every_operation_answers_of_what_is_seen_and_of_nothing_else(tmp_path: Path, place: str, role: Role) -> None:
    scope, given = Scope(tmp_path, PLACES[place], role), set(PLACES[place])
    wrong: list[str] = []
    with scope.served:
        for operation in OPERATIONS:
            for about_seen in (False, True):
                before, there = dict(scope.hidden), {each.id for each in scope.objects()}
                call, reply = scope.ask(operation, about_seen)
                mentioned = set(ID.findall(f"{call.target} {(call.body or b'').decode()}"))
                words = f"{operation.id} [{call.method} {call.target}] {reply.status} {bytes(reply.body)[:300]!r}"
                if leaks := scope.leaks(call, reply):
                    wrong.append(f"leaks {leaks}: {words}")
                if reply.status == 500 and b"resphere.internal_error" in bytes(reply.body):
                    wrong.append(f"fails: {words}")
                if mentioned & scope.hidden.keys():
                    if path_names(operation) and reply.status != 403:
                        wrong.append(f"not refused: {words}")
                # What is given on an object goes with it.
                elif path_names(operation) and operation.id not in MORE and mentioned & scope.known <= there >= given:
                    may = role is ADMIN or is_read(operation)
                    if may == (reply.status == 403):
                        wrong.append(f"refused or not: {words}")
                after = {each.id: each for each in scope.objects()}
                changed = {id for id, obj in before.items() if id not in after or differs(obj, after[id])}
                if changed:
                    wrong.append(f"changes {changed}: {words}")
                new = {id for id, obj in after.items() if not (id in scope.known or scope.view.sees(obj))}
                if new:
                    wrong.append(f"makes {new} where it is not seen: {words}")
                scope.known |= after.keys()
        if role is READ_ONLY:
            assert {each.id for each in scope.objects()} == scope.seen.keys() | scope.hidden.keys()
    assert not wrong, "\n".join(wrong)


def more_questions(scope: Scope) -> Iterator[tuple[AnyOperation, Struct]]:
    """What has to be asked with more than the least input to tell of others, if it did."""
    [tag], [policy] = scope.world.inventory.all(Tag), scope.world.inventory.all(StoragePolicyDocument)
    of_tag: tuple[AnyOperation, ...] = (cis_tagging.TagAssociation.list_attached_objects, cis_tagging.Tag.get)
    for operation in of_tag:
        yield operation, operation.input(tag_id=tag)
    on_tags = cis_tagging.TagAssociation.list_attached_objects_on_tags
    yield on_tags, on_tags.input(tag_ids=(tag,))
    of_objects = cis_tagging.TagAssociation.list_attached_tags_on_objects
    yield of_objects, of_objects.input(object_ids=(vapi_std.DynamicID(type="VirtualMachine", id=MACHINE),))
    yield PolicyMachines.list, PolicyMachines.list.input(policy=policy)
    yield Compliance.list, Compliance.list.input(filter=Compliance.FilterSpec(status=frozenset(Compliance.Status)))
    of_vms = VmCompliance.list
    yield of_vms, of_vms.input(filter=VmCompliance.FilterSpec(status=frozenset(VmCompliance.Status)))
    of_all: tuple[AnyOperation, ...] = (Data.query_data_points, ResourceAddresses.list, cis.Tasks.list)
    for operation in of_all:
        yield operation, operation.input()
    for cluster in scope.real(True)["ClusterComputeResourceId"]:
        for browsed in (ConfigTargets.get, ConfigOptionDescriptors.list):
            yield browsed, minimal_with(browsed, frozenset({cluster}))
    for host in scope.real(True)["HostSystemId"]:
        yield HostDetail.get, HostDetail.get.input(host=host)
    for path in ("/DC01/vm/Production/Databases/db-001", "/DC01/vm/Production/Databases", "/DC01/nothing"):
        yield InventoryObjects.find, InventoryObjects.find.input(path=path)


def minimal_with(operation: AnyOperation, clusters: frozenset[str]) -> Struct:
    """The least input about some clusters."""
    value = minimal_input(operation)
    return operation.input(params=msgspec.structs.replace(value.params, clusters=clusters))


@pytest.mark.parametrize("place", PLACES)
def test_what_tells_of_others_tells_of_those_that_are_seen(tmp_path: Path, place: str) -> None:
    scope = Scope(tmp_path, PLACES[place], READ_ONLY)
    with scope.served:
        for operation, value in more_questions(scope):
            call = api_call(operation, value)
            reply = scope.served.ask_api(call)
            assert not scope.leaks(call, reply), (operation.id, reply.status, bytes(reply.body))
        said = b"".join(bytes(scope.served.ask_api(api_call(o, v)).body) for o, v in more_questions(scope))
    assert (MACHINE in said.decode()) == (MACHINE in scope.seen)


def test_what_only_needs_to_view_answers_of_what_the_machine_stands_in(tmp_path: Path) -> None:
    """And of nothing beside: ``System.View`` comes with the way to the machine, ``System.Read`` does not."""
    scope = Scope(tmp_path, (MACHINE,), READ_ONLY)
    mode, cluster, find = vcenter_cluster.EvcMode.get, vcenter.Cluster.get, InventoryObjects.find
    with scope.served:
        assert scope.served.by_api(cluster, cluster.input(cluster=CLUSTER)).error_type == "UNAUTHORIZED"
        assert not isinstance(scope.served.by_api(mode, mode.input(cluster=CLUSTER)), Failure)
        beside = scope.served.by_api(mode, mode.input(cluster=ELSEWHERE["ClusterComputeResourceId"]))
        assert beside.error_type == "UNAUTHORIZED"
        for path in ("/DC01", "/DC01/vm", "/DC01/vm/Production"):
            assert scope.served.by_api(find, find.input(path=path)).name == path.rpartition("/")[2]
        assert scope.served.by_api(find, find.input(path="/DC01/datastore")).error_type == "NOT_FOUND"


def test_what_is_global_tells_of_the_machines_that_are_seen(tmp_path: Path) -> None:
    """With a role on the root folder that does not propagate."""
    scope = Scope(tmp_path, PLACES["root and machine"], READ_ONLY)
    mine = vapi_std.DynamicID(type="VirtualMachine", id=MACHINE)
    with scope.served:
        answers = {operation.id: scope.served.by_api(operation, value) for operation, value in more_questions(scope)}
        associations = scope.served.by_api(Associations.list, Associations.list.input())
        foreign = vapi_std.DynamicID(type="VirtualMachine", id=ELSEWHERE["VirtualMachineId"])
        unseen = scope.served.by_api(
            cis_tagging.TagAssociation.list_attached_tags,
            cis_tagging.TagAssociation.list_attached_tags.input(object_id=foreign),
        )
    assert answers["com.vmware.cis.tagging.tag_association.list_attached_objects"] == (mine,)
    assert [each.object for each in associations.associations] == [mine]
    assert unseen.error_type == "UNAUTHORIZED"
    assert answers["com.vmware.vcenter.storage.policies.VM.list"].keys() == {MACHINE}
    assert [each.vm for each in answers["com.vmware.vcenter.storage.policies.compliance.list"]] == [MACHINE]
    assert answers["com.vmware.vcenter.storage.policies.compliance.VM.list"].keys() == {MACHINE}
    points = answers["com.vmware.vstats.data.query_data_points"].data_points
    assert {point.rid for point in points} == {f"type.VM={MACHINE}"}
    addresses = answers["com.vmware.vstats.resource_addresses.list"].rsrc_addrs
    assert [address.id for address in addresses] == [f"type.VM={MACHINE}"]
    assert {task.target.id for task in answers["com.vmware.cis.tasks.list"].values()} == {MACHINE}


def test_tasks_are_seen_by_who_asked_for_them_or_sees_what_they_are_done_to(tmp_path: Path) -> None:
    scope = Scope(tmp_path, (FOLDER,), ADMIN)
    with scope.served:
        others = {task.target: task.id for task in scope.world.inventory.all(Task).values()}
        assert scope.served.by_api(cis.Tasks.get, cis.Tasks.get.input(task=others[MACHINE])).target.id == MACHINE
        for operation in (cis.Tasks.get, cis.Tasks.cancel):
            unseen = scope.served.by_api(operation, operation.input(task=others[ELSEWHERE["VirtualMachineId"]]))
            assert unseen.error_type == "NOT_FOUND"
        stop = vcenter_vm.Power.stop
        assert scope.served.by_api(stop, stop.input(vm=MACHINE)) == b""
        delete = vcenter.VM.delete
        assert scope.served.by_api(delete, delete.input(vm=MACHINE)) == b""
        mine = scope.served.by_api(cis.Tasks.list, cis.Tasks.list.input()).values()
        # The machine is no more: who deleted it still sees that, and nobody else's work on it.
        assert {task.operation for task in mine} == {"stop", "delete"}


def test_why_a_task_failed_is_told_in_words_for_who_reads_it(tmp_path: Path) -> None:
    """The record is one; who asked for the work, and who only sees its target, may know of different objects."""
    scope = Scope(tmp_path, (MACHINE,), READ_ONLY)
    hidden, gone = scope.hidden[ELSEWHERE["VirtualMachineId"]], Mention("vm-999", "gone")
    error = NotAllowedInCurrentState(
        message("an.id", "{0} is in the way of {1} and {2}.", named(hidden), identified(MACHINE), gone)
    )
    task = msgspec.structs.replace(next(iter(scope.world.inventory.all(Task).values())), target=MACHINE)
    unseen = "an object that you may not see"
    with scope.served:
        for user, words in (
            (ADMINISTRATOR, f"{unseen} is in the way of {MACHINE} and {unseen}."),
            (ANN.name, f"{unseen} is in the way of {MACHINE} and gone."),
        ):
            record = failed(msgspec.structs.replace(task, user=user), error, NOW)
            scope.world.run(scope.world.inventory.change(partial(Edit.put, obj=record)))
            told = scope.served.by_api(cis.Tasks.get, cis.Tasks.get.input(task=task.id))
            assert [each.default_message for each in told.error.messages] == [words]
        ask_as_ann(scope.served, [permission(ROOT_FOLDER, READ_ONLY)])
        told = scope.served.by_api(cis.Tasks.get, cis.Tasks.get.input(task=task.id))
        assert [each.args for each in told.error.messages] == [(hidden.name, MACHINE, "gone")]


@pytest.mark.parametrize("place", PLACES)
def test_the_result_of_a_task_names_what_its_reader_sees(tmp_path: Path, place: str) -> None:
    """Tasks of somebody else on what is seen, which result in something that is, and in something that is not."""
    scope = Scope(tmp_path, PLACES[place], READ_ONLY)
    with scope.served:
        world, source = scope.world, ids.VirtualMachineId(MACHINE)
        folders = sorted(
            each.id for each in world.inventory.all(Folder).values() if each.type is vcenter.Folder.Type.VIRTUAL_MACHINE
        )
        for folder in folders:
            place_of_copy = vcenter.VM.ClonePlacementSpec(folder=ids.FolderId(folder))
            copy = vcenter.VM.CloneSpec(source=source, name=f"to {folder}", placement=place_of_copy)
            world.call(vcenter.VM.clone, copy)
        records = [each for each in world.inventory.all(Task).values() if each.operation == "clone"]
        assert len(records) == len(folders) > 1
        known = viewed_by(scope.view)
        told = scope.served.by_api(cis.Tasks.list, cis.Tasks.list.input())
        for record in records:
            assert (record.id in told) == scope.view.holds(READ, record.target)
            if record.id not in told:
                continue
            one = scope.served.by_api(cis.Tasks.get, cis.Tasks.get.input(task=record.id))
            assert told[record.id].result == one.result == (record.result if known(record.result) else None)
            assert one.status is cis_task.Status.SUCCEEDED
            mine = msgspec.structs.replace(record, user=ANN.name, result="vm-999")
            world.put(mine)
            # What is no more is no secret to who made it.
            one = scope.served.by_api(cis.Tasks.get, cis.Tasks.get.input(task=record.id))
            assert one.result == "vm-999"
            world.put(msgspec.structs.replace(mine, user=ADMINISTRATOR))
            one = scope.served.by_api(cis.Tasks.get, cis.Tasks.get.input(task=record.id))
            assert one.result is None


LISTS: dict[AnyOperation, str] = {
    vcenter.VM.list: "vm",
    vcenter.Host.list: "host",
    vcenter.Cluster.list: "cluster",
    vcenter.Datacenter.list: "datacenter",
    vcenter.Datastore.list: "datastore",
    vcenter.Folder.list: "folder",
    vcenter.Network.list: "network",
    vcenter.ResourcePool.list: "resource_pool",
}


@pytest.mark.parametrize("place", PLACES)
def test_lists_hold_what_is_seen_and_all_of_it(tmp_path: Path, place: str) -> None:
    scope = Scope(tmp_path, PLACES[place], READ_ONLY)
    with scope.served:
        listed = {
            getattr(each, field)
            for operation, field in LISTS.items()
            for each in scope.served.by_api(operation, operation.input())
        }
        unlisted = {each.id for each in scope.seen.values() if isinstance(each, Snapshot)}
        assert listed | unlisted == scope.seen.keys()
        assert listed.issuperset(PLACES[place])
