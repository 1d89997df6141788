"""Storage policies: listed, assigned, complied with, made and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ResourceInUse,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.storage_policies import StoragePolicies as Own
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import (
    cis_tagging,
    ids,
    vapi_std,
    vcenter,
    vcenter_datastore,
    vcenter_storage,
    vcenter_storage_policies,
    vcenter_storage_policies_compliance,
    vcenter_vm_hardware,
    vcenter_vm_storage,
    vcenter_vm_storage_policy,
)
from resphere.inventory.model import Cluster, Datacenter, Datastore, VirtualMachine
from resphere.inventory.storage_policies import (
    BUILT_IN,
    ENCRYPTION,
    PMEM_DEFAULT,
    VSAN_DEFAULT,
    VVOL_DEFAULT,
    StoragePolicy,
)
from resphere.replica.edit import Edit
from tests.support.world import World

Policies = vcenter_storage.Policies
Policy = vcenter_vm_storage.Policy
Check = vcenter_vm_storage_policy.Compliance
Entities = vcenter_storage_policies.Compliance
PolicyVm = vcenter_storage_policies.VM
ComplianceVm = vcenter_storage_policies_compliance.VM
Type = vcenter.Datastore.Type
Disk = ids.VcenterVmHardwareDiskId
NO_POLICY = ids.VcenterStoragePolicyId("00000000-0000-0000-0000-000000000000")
SPECIFIED_HOME = Policy.VmHomePolicySpec.PolicyType.USE_SPECIFIED_POLICY
DEFAULT_HOME = Policy.VmHomePolicySpec.PolicyType.USE_DEFAULT_POLICY
SPECIFIED_DISK = Policy.DiskPolicySpec.PolicyType.USE_SPECIFIED_POLICY


def machine(world: World) -> VirtualMachine:
    return next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.disks)


def vm_id(vm: VirtualMachine) -> ids.VirtualMachineId:
    return ids.VirtualMachineId(vm.id)


def store(world: World, vm: VirtualMachine) -> Datastore:
    return world.inventory.all(Datastore)[vm.datastore]


def assign(world: World, vm: VirtualMachine, policy: ids.VcenterStoragePolicyId, *disks: str) -> None:
    home = Policy.VmHomePolicySpec(type=SPECIFIED_HOME, policy=policy)
    each = Policy.DiskPolicySpec(type=SPECIFIED_DISK, policy=policy)
    spec = Policy.UpdateSpec(vm_home=home, disks={Disk(disk): each for disk in disks} or None)
    world.call(Policy.update, vm_id(vm), spec)


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def tag(world: World, name: str) -> ids.CisTaggingTagId:
    category = world.call(
        cis_tagging.Category.create,
        cis_tagging.Category.CreateSpec(
            name=f"{name} category",
            description="",
            cardinality=cis_tagging.CategoryModel.Cardinality.MULTIPLE,
            associable_types=frozenset(),
        ),
    )
    spec = cis_tagging.Tag.CreateSpec(name=name, description="", category_id=category)
    return world.call(cis_tagging.Tag.create, spec)


def tag_datastore(world: World, tag_id: ids.CisTaggingTagId, datastore: str) -> None:
    world.call(cis_tagging.TagAssociation.attach, tag_id, vapi_std.DynamicID(type="Datastore", id=datastore))


def status(world: World, vm: VirtualMachine) -> Check.Status | None:
    found = world.call(Check.get, vm_id(vm))
    return found.overall_compliance if found is not None else None


def test_every_vcenter_has_the_same_policies(world: World) -> None:
    listed = world.call(Policies.list, None)
    assert {summary.policy for summary in listed} == set(BUILT_IN)
    assert "VM Encryption Policy" in {summary.name for summary in listed}
    one = world.call(Policies.list, Policies.FilterSpec(policies=frozenset({ENCRYPTION.id, NO_POLICY})))
    assert [summary.policy for summary in one] == [ENCRYPTION.id]


def test_a_list_has_a_limit(world: World) -> None:
    def plan(edit: Edit) -> None:
        for number in range(1025):
            edit.put(StoragePolicy(id=ids.VcenterStoragePolicyId(f"policy-{number}"), name=f"policy {number}"))

    world.run(world.inventory.change(plan))
    with pytest.raises(UnableToAllocateResource) as error:
        world.call(Policies.list, None)
    assert refused(error) == (500, "com.vmware.api.vcenter.storage.policies.too_many_matches")
    assert len(world.call(Policies.list, Policies.FilterSpec(policies=frozenset({ENCRYPTION.id})))) == 1


@pytest.mark.parametrize(
    ("policy", "fitting"),
    [
        (ENCRYPTION, {Type.VMFS, Type.VSAN, Type.VVOL}),
        (VSAN_DEFAULT, {Type.VSAN}),
        (VVOL_DEFAULT, {Type.VVOL}),
        (PMEM_DEFAULT, set()),
    ],
)
def test_compatibility_is_of_the_type(world: World, policy: StoragePolicy, fitting: set[Type]) -> None:
    first, *others = world.inventory.all(Datastore).values()
    kinds = (Type.VMFS, Type.VSAN, Type.VVOL)
    stores = {world.change(each, type=kind).id: kind for kind, each in zip(kinds, (first, *others), strict=False)}
    found = world.call(Policies.check_compatibility, policy.id, frozenset(map(ids.DatastoreId, stores)))
    wanted = {id for id, kind in stores.items() if kind in fitting}
    assert {each.datastore for each in found.compatible_datastores} == wanted


def test_compatibility_with_what_is_not_there(world: World) -> None:
    datastore = ids.DatastoreId(next(iter(world.inventory.all(Datastore))))
    with pytest.raises(NotFound) as error:
        world.call(Policies.check_compatibility, NO_POLICY, frozenset({datastore}))
    assert refused(error) == (404, "resphere.storage_policy.unknown")
    with pytest.raises(NotFound) as error:
        world.call(Policies.check_compatibility, ENCRYPTION.id, frozenset({ids.DatastoreId("datastore-0")}))
    assert refused(error) == (404, "com.vmware.api.vcenter.datastore.not_found")


def test_assign_to_home_and_disks(world: World) -> None:
    vm = machine(world)
    disk = next(iter(vm.disks))
    assert world.call(Policy.get, vm_id(vm)) == Policy.Info(vm_home=None, disks={})
    assert world.call(Check.get, vm_id(vm)) is None
    assign(world, vm, ENCRYPTION.id, disk)
    assert world.call(Policy.get, vm_id(vm)) == Policy.Info(vm_home=ENCRYPTION.id, disks={disk: ENCRYPTION.id})
    assert world.call(PolicyVm.list, ENCRYPTION.id) == {vm.id: PolicyVm.Info(vm_home=True, disks=(disk,))}
    assert world.call(PolicyVm.list, VSAN_DEFAULT.id) == {}
    # The default of an ordinary datastore is no policy.
    home = Policy.VmHomePolicySpec(type=DEFAULT_HOME)
    world.call(Policy.update, vm_id(vm), Policy.UpdateSpec(vm_home=home))
    assert world.call(Policy.get, vm_id(vm)) == Policy.Info(vm_home=None, disks={disk: ENCRYPTION.id})


def test_the_default_is_what_the_datastore_prescribes(world: World) -> None:
    vm = machine(world)
    datastore = store(world, vm)
    assert world.call(vcenter_datastore.DefaultPolicy.get, vm.datastore) is None
    world.change(datastore, type=Type.VSAN)
    assert world.call(vcenter_datastore.DefaultPolicy.get, vm.datastore) == VSAN_DEFAULT.id
    home = Policy.VmHomePolicySpec(type=DEFAULT_HOME)
    world.call(Policy.update, vm_id(vm), Policy.UpdateSpec(vm_home=home))
    assert world.call(Policy.get, vm_id(vm)).vm_home == VSAN_DEFAULT.id
    with pytest.raises(NotFound) as error:
        world.call(vcenter_datastore.DefaultPolicy.get, ids.DatastoreId("datastore-0"))
    assert refused(error) == (404, "com.vmware.api.vcenter.datastore.not_found")


def test_assign_what_is_not_there(world: World) -> None:
    vm = machine(world)
    with pytest.raises(InvalidArgument) as error:
        assign(world, vm, NO_POLICY)
    assert refused(error) == (400, "resphere.storage_policy.unknown")
    with pytest.raises(InvalidArgument) as error:
        assign(world, vm, ENCRYPTION.id, "9999")
    assert refused(error) == (400, "resphere.storage_policy.no_disk")
    assert world.call(Policy.get, vm_id(vm)).vm_home is None
    with pytest.raises(NotFound):
        world.call(Policy.get, ids.VirtualMachineId("vm-0"))
    with pytest.raises(NotFound):
        world.call(Check.get, ids.VirtualMachineId("vm-0"))
    with pytest.raises(NotFound) as missing:
        world.call(PolicyVm.list, NO_POLICY)
    assert refused(missing) == (404, "resphere.storage_policy.unknown")


def test_compliance_follows_from_where_things_are(world: World) -> None:
    vm = machine(world)
    gold = tag(world, "gold")
    policy = world.call(Own.create, Own.CreateSpec(name="Gold", tags=frozenset({gold})))
    assign(world, vm, policy)
    assert status(world, vm) is Check.Status.NON_COMPLIANT
    tag_datastore(world, gold, vm.datastore)
    assert status(world, vm) is Check.Status.COMPLIANT
    assign(world, vm, VSAN_DEFAULT.id)
    assert status(world, vm) is Check.Status.NOT_APPLICABLE
    world.change(store(world, vm), accessible=False)
    assert status(world, vm) is Check.Status.UNKNOWN_COMPLIANCE
    info = world.call(Check.get, vm_id(vm))
    assert info is not None
    assert info.vm_home is not None
    assert [cause.id for cause in info.vm_home.failure_cause] == ["resphere.storage_policy.inaccessible"]


def test_compliance_is_checked_of_some_parts(world: World) -> None:
    vm = machine(world)
    disk = next(iter(vm.disks))
    assign(world, vm, ENCRYPTION.id, disk)
    found = world.call(Check.check, vm_id(vm), None)
    assert found is not None
    assert found.vm_home is not None
    assert set(found.disks) == {disk}
    only_disk = world.call(Check.check, vm_id(vm), Check.CheckSpec(vm_home=False, disks=frozenset({disk})))
    assert only_disk is not None
    assert only_disk.vm_home is None
    assert set(only_disk.disks) == {disk}
    assert world.call(Check.check, vm_id(vm), Check.CheckSpec(vm_home=False)) is None
    with pytest.raises(InvalidArgument) as error:
        world.call(Check.check, vm_id(vm), Check.CheckSpec(vm_home=True, disks=frozenset({Disk("9999")})))
    assert refused(error) == (400, "resphere.storage_policy.no_disk")


def test_list_compliance(world: World) -> None:
    first, second, *_ = (vm for vm in world.inventory.all(VirtualMachine).values() if vm.disks)
    disk = next(iter(second.disks))
    assign(world, first, ENCRYPTION.id)
    assign(world, second, VSAN_DEFAULT.id, disk)
    good = frozenset({Entities.Status.COMPLIANT})
    assert world.call(Entities.list, Entities.FilterSpec(status=good)) == (
        Entities.Summary(vm=vm_id(first), vm_home=Entities.Status.COMPLIANT),
    )
    other = frozenset({ComplianceVm.Status.NOT_APPLICABLE})
    na = ComplianceVm.Status.NOT_APPLICABLE
    wanted = {second.id: ComplianceVm.Info(vm_home=na, disks={disk: na})}
    assert world.call(ComplianceVm.list, ComplianceVm.FilterSpec(status=other)) == wanted
    of_first = ComplianceVm.FilterSpec(status=other, vms=frozenset({vm_id(first)}))
    assert world.call(ComplianceVm.list, of_first) == {}
    with pytest.raises(InvalidArgument) as error:
        world.call(Entities.list, Entities.FilterSpec(status=frozenset()))
    assert refused(error) == (400, "resphere.storage_policy.no_status")
    with pytest.raises(InvalidArgument) as error:
        world.call(ComplianceVm.list, ComplianceVm.FilterSpec(status=frozenset()))
    assert refused(error) == (400, "resphere.storage_policy.no_status")


def test_create_and_delete(world: World) -> None:
    vm = machine(world)
    types = frozenset({Type.NFS})
    policy = world.call(Own.create, Own.CreateSpec(name="NFS", description="on NFS", datastore_types=types))
    assert {summary.name for summary in world.call(Policies.list, None)} > {"NFS"}
    assign(world, vm, policy)
    assert status(world, vm) is Check.Status.NON_COMPLIANT
    with pytest.raises(ResourceInUse) as in_use:
        world.call(Own.delete, policy)
    assert refused(in_use) == (400, "resphere.storage_policy.in_use")
    world.call(Policy.update, vm_id(vm), Policy.UpdateSpec(vm_home=Policy.VmHomePolicySpec(type=DEFAULT_HOME)))
    world.call(Own.delete, policy)
    with pytest.raises(NotFound) as gone:
        world.call(Own.delete, policy)
    assert refused(gone) == (404, "resphere.storage_policy.unknown")


def test_refused_creations(world: World) -> None:
    with pytest.raises(AlreadyExists) as taken:
        world.call(Own.create, Own.CreateSpec(name=ENCRYPTION.name))
    assert refused(taken) == (400, "resphere.storage_policy.name_taken")
    with pytest.raises(InvalidArgument):
        world.call(Own.create, Own.CreateSpec(name=""))
    nowhere = ids.CisTaggingTagId("urn:vmomi:InventoryServiceTag:00000000-0000-0000-0000-000000000000:GLOBAL")
    with pytest.raises(NotFound):
        world.call(Own.create, Own.CreateSpec(name="x", tags=frozenset({nowhere})))
    with pytest.raises(InvalidArgument) as own:
        world.call(Own.delete, ENCRYPTION.id)
    assert refused(own) == (400, "resphere.storage_policy.own")


def test_a_new_vm_and_a_new_disk_have_the_policy_that_they_are_made_with(world: World) -> None:
    datacenter = next(iter(world.inventory.all(Datacenter).values()))
    cluster = next(iter(world.inventory.all(Cluster)))
    placement = vcenter.VM.PlacementSpec(folder=datacenter.vm_folder, cluster=ids.ClusterComputeResourceId(cluster))
    Spec = vcenter.VM.CreateSpec
    disk_policy = vcenter_vm_hardware.Disk.StoragePolicySpec(policy=ENCRYPTION.id)
    vmdk = vcenter_vm_hardware.Disk.VmdkCreateSpec(storage_policy=disk_policy)
    spec = Spec(
        guest_OS=machine(world).guest_OS,
        name="encrypted",
        placement=placement,
        storage_policy=vcenter.VM.StoragePolicySpec(policy=ENCRYPTION.id),
        disks=(vcenter_vm_hardware.Disk.CreateSpec(new_vmdk=vmdk),),
    )
    made = world.call(vcenter.VM.create, spec)
    found = world.call(Policy.get, made)
    assert found.vm_home == ENCRYPTION.id
    assert list(found.disks.values()) == [ENCRYPTION.id]
    disk = next(iter(found.disks))
    world.call(vcenter_vm_hardware.Disk.delete, made, disk)
    assert world.call(Policy.get, made).disks == {}
    wrong = msgspec.structs.replace(spec, name="x", storage_policy=vcenter.VM.StoragePolicySpec(policy=NO_POLICY))
    with pytest.raises(InvalidArgument) as error:
        world.call(vcenter.VM.create, wrong)
    assert refused(error) == (400, "resphere.storage_policy.unknown")


@pytest.mark.parametrize("assigned_first", [True, False])
def test_what_is_assigned_is_not_deleted_at_the_same_time(world: World, assigned_first: bool) -> None:
    vm = machine(world)
    for number in range(10):
        policy = world.call(Own.create, Own.CreateSpec(name=f"policy {number}"))
        spec = Policy.UpdateSpec(vm_home=Policy.VmHomePolicySpec(type=SPECIFIED_HOME, policy=policy))
        both = [world.begin(Policy.update, vm_id(vm), spec), world.begin(Own.delete, policy)]
        outcomes = world.run(at_once(both if assigned_first else both[::-1]))
        assert sum(isinstance(outcome, VapiError) for outcome in outcomes) == 1
        current = world.inventory.all(VirtualMachine)[vm.id].storage_policy
        assert (current == policy) == (policy in world.inventory.all(StoragePolicy))


@pytest.mark.parametrize("disk_first", [True, False])
def test_a_new_disk_does_not_come_to_a_policy_that_is_deleted(world: World, disk_first: bool) -> None:
    Disk = vcenter_vm_hardware.Disk
    vm = machine(world)
    for number in range(6):
        policy = world.call(Own.create, Own.CreateSpec(name=f"policy {number}"))
        vmdk = Disk.VmdkCreateSpec(capacity=1 << 20, storage_policy=Disk.StoragePolicySpec(policy=policy))
        both = [world.begin(Disk.create, vm_id(vm), Disk.CreateSpec(new_vmdk=vmdk)), world.begin(Own.delete, policy)]
        outcomes = world.run(at_once(both if disk_first else both[::-1]))
        assert sum(isinstance(outcome, VapiError) for outcome in outcomes) == 1
        assigned = world.inventory.all(VirtualMachine)[vm.id].disk_policies.values()
        assert (policy in assigned) == (policy in world.inventory.all(StoragePolicy))


def test_a_snapshot_does_not_bring_back_a_policy_that_is_gone(world: World) -> None:
    vm = machine(world)
    policy = world.call(Own.create, Own.CreateSpec(name="short-lived"))
    assign(world, vm, policy, *vm.disks)
    snapshot = world.call(VmSnapshots.create, vm_id(vm), VmSnapshots.CreateSpec(name="one"))
    assign(world, vm, ENCRYPTION.id, *vm.disks)
    world.call(Own.delete, policy)
    world.call(VmSnapshots.revert, vm_id(vm), snapshot)
    reverted = world.inventory.all(VirtualMachine)[vm.id]
    assert (reverted.storage_policy, reverted.disk_policies) == (None, {})


async def at_once(begun: list[Coroutine[Any, Any, Any]]) -> list[BaseException | None]:
    """What calls come to that are made at once."""
    return list(await asyncio.gather(*begun, return_exceptions=True))
