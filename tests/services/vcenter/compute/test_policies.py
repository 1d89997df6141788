"""Compute policies: made, told of, complied with, and respected where VMs are placed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from resphere.contract.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.generated import cis_tagging, ids, vapi_std, vcenter_vm, vcenter_vm_compute
from resphere.contract.generated.vcenter_compute import Policies
from resphere.contract.generated.vcenter_compute_policies import (
    Capabilities,
    CreateItem,
    CreateTagsAndPoliciesSpec,
    DeleteTagsAndPoliciesSpec,
    ManagedBy,
    ObjectCompliance,
    TagUsage,
)
from resphere.inventory.compute_policies import Capability, ComputePolicy, Strictness
from resphere.inventory.model import Cluster, Host, VirtualMachine
from resphere.inventory.relations import cluster_of_host, hosts_of_cluster
from resphere.inventory.tagging import Tag
from resphere.rules.placement.hosts import evacuation
from tests.support.world import World

Power = vcenter_vm.Power
OFF = Power.State.POWERED_OFF
MULTIPLE = cis_tagging.CategoryModel.Cardinality.MULTIPLE
NO_POLICY = ids.VcenterComputePolicyId("00000000-0000-0000-0000-000000000000")
NO_TAG = "urn:vmomi:InventoryServiceTag:00000000-0000-0000-0000-000000000000:GLOBAL"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        for cluster in list(world.inventory.all(Cluster).values()):
            world.change(cluster, drs_enabled=True)
        for vm in list(world.inventory.all(VirtualMachine).values()):
            world.change(vm, power_state=OFF)
        yield world


def tag(world: World, name: str, *types: str) -> ids.CisTaggingTagId:
    spec = cis_tagging.Category.CreateSpec(
        name=f"{name}s", description="", cardinality=MULTIPLE, associable_types=frozenset(types)
    )
    category = world.call(cis_tagging.Category.create, spec)
    return world.call(
        cis_tagging.Tag.create, cis_tagging.Tag.CreateSpec(name=name, description="", category_id=category)
    )


def attach(world: World, tag_id: ids.CisTaggingTagId, *objects: VirtualMachine | Host) -> None:
    for obj in objects:
        subject = vapi_std.DynamicID(type=obj.resource_type, id=obj.id)
        world.call(cis_tagging.TagAssociation.attach, tag_id, subject)


def spec(capability: Capability, vm_tag: str, name: str = "policy", **fields: Any) -> dict[str, Any]:
    return {"capability": str(capability), "name": name, "description": "", "vm_tag": vm_tag, **fields}


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def vms(world: World) -> list[VirtualMachine]:
    return [vm for vm in world.inventory.all(VirtualMachine).values() if not vm.template and beside(world, vm)]


def beside(world: World, vm: VirtualMachine) -> list[Host]:
    """The hosts of the VM's cluster."""
    cluster = cluster_of_host(world.inventory, world.inventory.all(Host)[vm.host])
    return hosts_of_cluster(world.inventory, cluster.id) if cluster is not None else []


def elsewhere(world: World, vm: VirtualMachine) -> Host:
    return next(host for host in beside(world, vm) if host.id != vm.host)


def start(world: World, vm: VirtualMachine) -> str:
    """Power on; the host that it then runs on."""
    world.call(Power.start, ids.VirtualMachineId(vm.id))
    return world.inventory.all(VirtualMachine)[vm.id].host


def status(world: World, vm: VirtualMachine, policy: str) -> ObjectCompliance:
    id = ids.VcenterComputeResourcesCOMPUTEPOLICYId(policy)
    return world.call(vcenter_vm_compute.Policies.get, ids.VirtualMachineId(vm.id), id).status


def test_each_capability_tells_of_its_policies_in_its_own_structure(world: World) -> None:
    own: dict[Capability, dict[str, Any]] = {
        Capability.VM_HOST_AFFINITY: {"host_tag": tag(world, "fast"), "strictness": Strictness.REQUIRED.value},
        Capability.VM_HOST_ANTI_AFFINITY: {"host_tag": tag(world, "slow")},
        Capability.SPAN_LIMIT: {"number_of_hosts": 2},
        Capability.SCALE_IN_IGNORE: {"vm_capabilities": [str(Capability.VM_VM_AFFINITY)]},
    }
    vm_tag = tag(world, "web")
    listed = world.call(Capabilities.list)
    assert {summary.capability for summary in listed} == {str(capability) for capability in Capability}
    for capability in Capability:
        given = spec(capability, vm_tag, capability.rpartition(".")[2], **own.get(capability, {}))
        policy = world.call(Policies.create, given)
        told = cast(Any, world.call(Policies.get, policy))
        assert told.__vapi_name__ == world.call(Capabilities.get, capability_id(capability)).info_type
        assert {name: getattr(told, name) for name in ("name", "vm_tag")} == {n: given[n] for n in ("name", "vm_tag")}
        assert hasattr(told, "host_tag") == ("host_tag" in given)
    assert len(world.call(Policies.list)) == len(Capability)
    with pytest.raises(NotFound) as error:
        world.call(Capabilities.get, ids.VcenterComputePoliciesCapabilityId("magic"))
    assert refused(error) == (404, "resphere.compute_policy.no_capability")


def capability_id(capability: Capability) -> ids.VcenterComputePoliciesCapabilityId:
    return ids.VcenterComputePoliciesCapabilityId(capability)


@pytest.mark.parametrize(
    ("change", "id"),
    [
        ({"capability": "magic"}, "resphere.compute_policy.capability"),
        ({"capability": 7}, "resphere.compute_policy.capability"),
        ({"vm_tag": NO_TAG}, "resphere.compute_policy.no_tag"),
        ({"vm_tag": None}, "resphere.compute_policy.spec"),
        ({"vm_tag": 5}, "resphere.compute_policy.spec"),
        ({"host_tag": None}, "resphere.compute_policy.spec"),
        ({"strictness": "MAYBE"}, "resphere.compute_policy.spec"),
        ({"number_of_hosts": 3}, "resphere.compute_policy.spec"),
        ({"name": ""}, "resphere.inventory.name"),
        ({"host_tag": "VM"}, "resphere.compute_policy.tag_type"),
    ],
)
def test_refused_specs(world: World, change: dict[str, Any], id: str) -> None:
    only_vms, hosts = tag(world, "web", "VirtualMachine"), tag(world, "fast")
    given = {**spec(Capability.VM_HOST_AFFINITY, only_vms, host_tag=hosts), **change}
    if change.get("host_tag") == "VM":
        given["host_tag"] = only_vms
    with pytest.raises(InvalidArgument) as error:
        world.call(Policies.create, given)
    status, first = refused(error)
    assert (status, first) == (400, id)
    assert world.call(Policies.list) == ()


def test_names_are_unique_and_policies_few(world: World) -> None:
    vm_tag = tag(world, "web")
    world.call(Policies.create, spec(Capability.VM_VM_AFFINITY, vm_tag))
    with pytest.raises(AlreadyExists) as taken:
        world.call(Policies.create, spec(Capability.VM_VM_ANTI_AFFINITY, vm_tag))
    assert refused(taken) == (400, "resphere.compute_policy.name_taken")
    for number in range(98):
        world.call(Policies.create, spec(Capability.VM_VM_AFFINITY, vm_tag, f"policy {number}"))

    async def two() -> list[object]:
        last = (spec(Capability.VM_VM_AFFINITY, vm_tag, f"at once {number}") for number in range(2))
        made = (world.begin(Policies.create, each) for each in last)
        return list(await asyncio.gather(*made, return_exceptions=True))

    assert sum(isinstance(outcome, UnableToAllocateResource) for outcome in world.run(two())) == 1
    assert len(world.call(Policies.list)) == 100
    with pytest.raises(UnableToAllocateResource) as many:
        world.call(Policies.create, spec(Capability.VM_VM_AFFINITY, vm_tag, "one more"))
    assert refused(many) == (500, "resphere.compute_policy.too_many")


def test_update_and_delete(world: World) -> None:
    policy = world.call(Policies.create, spec(Capability.VM_VM_AFFINITY, tag(world, "web")))
    managed = ManagedBy(entity=ManagedBy.Entity.SUPERVISOR)
    world.call(Policies.update, policy, Policies.UpdateSpec(description="new", managed_by=managed))
    told = cast(Any, world.call(Policies.get, policy))
    assert (told.description, told.managed_by) == ("new", managed)
    world.call(Policies.delete, policy)
    assert world.call(Policies.list) == ()
    for _ in range(2):
        with pytest.raises(NotFound) as error:
            world.call(Policies.delete, policy)
        assert refused(error) == (404, "resphere.compute_policy.not_found")
    with pytest.raises(NotFound):
        world.call(Policies.get, NO_POLICY)
    with pytest.raises(NotFound):
        world.call(Policies.update, NO_POLICY, Policies.UpdateSpec(description="x"))
    with pytest.raises(NotFound):
        status(world, vms(world)[0], NO_POLICY)


def test_vms_start_on_the_hosts_of_their_tag(world: World) -> None:
    vm, other, *_ = vms(world)
    there = elsewhere(world, vm)
    web, fast = tag(world, "web"), tag(world, "fast")
    attach(world, web, vm)
    attach(world, fast, there)
    policy = world.call(Policies.create, spec(Capability.VM_HOST_AFFINITY, web, host_tag=fast))
    assert status(world, vm, policy) is ObjectCompliance.NOT_APPLICABLE
    assert start(world, vm) == there.id
    assert status(world, vm, policy) is ObjectCompliance.COMPLIANT
    assert start(world, other) == other.host
    assert status(world, other, policy) is ObjectCompliance.NOT_APPLICABLE


def test_without_drs_nobody_enforces(world: World) -> None:
    vm = vms(world)[0]
    web, fast = tag(world, "web"), tag(world, "fast")
    attach(world, web, vm)
    attach(world, fast, elsewhere(world, vm))
    policy = world.call(Policies.create, spec(Capability.VM_HOST_AFFINITY, web, host_tag=fast))
    for cluster in list(world.inventory.all(Cluster).values()):
        world.change(cluster, drs_enabled=False)
    assert start(world, vm) == vm.host
    assert status(world, vm, policy) is ObjectCompliance.NOT_APPLICABLE


def test_what_is_required_leaves_no_other_host(world: World) -> None:
    vm = vms(world)[0]
    there = elsewhere(world, vm)
    web, fast = tag(world, "web"), tag(world, "fast")
    attach(world, web, vm)
    attach(world, fast, there)
    fields = {"host_tag": fast, "strictness": Strictness.REQUIRED.value}
    policy = world.call(Policies.create, spec(Capability.VM_HOST_AFFINITY, web, **fields))
    world.change(there, in_maintenance_mode=True)
    with pytest.raises(UnableToAllocateResource) as error:
        start(world, vm)
    assert refused(error) == (500, "vmsg.NoCompatibleHost.summary")
    world.call(Policies.delete, policy)
    preferred = spec(Capability.VM_HOST_AFFINITY, web, host_tag=fast)
    policy = world.call(Policies.create, preferred)
    assert start(world, vm) != there.id
    assert status(world, vm, policy) is ObjectCompliance.NOT_COMPLIANT


def test_anti_affinity_avoids_tagged_hosts(world: World) -> None:
    vm = vms(world)[0]
    web, slow = tag(world, "web"), tag(world, "slow")
    attach(world, web, vm)
    attach(world, slow, world.inventory.all(Host)[vm.host])
    world.call(Policies.create, spec(Capability.VM_HOST_ANTI_AFFINITY, web, host_tag=slow))
    assert start(world, vm) != vm.host


def test_vms_together_and_apart(world: World) -> None:
    machines = [vm for vm in vms(world) if beside(world, vm) == beside(world, vms(world)[0])][:3]
    web = tag(world, "web")
    attach(world, web, *machines)
    apart = world.call(Policies.create, spec(Capability.VM_VM_ANTI_AFFINITY, web))
    hosts = [start(world, vm) for vm in machines]
    assert len(set(hosts)) == min(3, len(beside(world, machines[0])))
    assert {status(world, vm, apart) for vm in machines} == {ObjectCompliance.COMPLIANT}
    world.call(Policies.delete, apart)
    for vm in machines:
        world.call(Power.stop, ids.VirtualMachineId(vm.id))
    together = world.call(Policies.create, spec(Capability.VM_VM_AFFINITY, web))
    assert len({start(world, vm) for vm in machines}) == 1
    assert {status(world, vm, together) for vm in machines} == {ObjectCompliance.COMPLIANT}


def test_a_limit_of_hosts(world: World) -> None:
    machines = vms(world)[:4]
    web = tag(world, "web")
    attach(world, web, *machines)
    policy = world.call(Policies.create, spec(Capability.SPAN_LIMIT, web, number_of_hosts=1))
    assert len({start(world, vm) for vm in machines}) == 1
    assert status(world, machines[0], policy) is ObjectCompliance.COMPLIANT


def test_evacuation_prefers_the_hosts_of_the_tag_and_leaves_nobody_behind(world: World) -> None:
    vm = vms(world)[0]
    home = world.inventory.all(Host)[vm.host]
    start(world, vm)
    others = [host for host in beside(world, vm) if host.id != home.id]
    web, fast = tag(world, "web"), tag(world, "fast")
    attach(world, web, vm)
    attach(world, fast, others[-1])
    fields = {"host_tag": fast, "strictness": Strictness.REQUIRED.value}
    world.call(Policies.create, spec(Capability.VM_HOST_AFFINITY, web, **fields))
    assert evacuation(world.inventory, home, False)[vm.id] == others[-1].id
    world.change(others[-1], in_maintenance_mode=True)
    host = ids.HostSystemId(home.id)
    world.call(HostMaintenance.set, host, HostMaintenance.Spec(action=HostMaintenance.Action.ENTER))
    assert world.inventory.all(VirtualMachine)[vm.id].host not in (home.id, others[-1].id)


def test_capabilities_without_meaning_here(world: World) -> None:
    vm = vms(world)[0]
    web = tag(world, "web")
    attach(world, web, vm)
    start(world, vm)
    never = world.call(Policies.create, spec(Capability.ANTI_AFFINITY_WITH_VCLS, web, "vcls"))
    always = world.call(Policies.create, spec(Capability.DISABLE_DRS_VMOTION, web, "still"))
    assert status(world, vm, never) is ObjectCompliance.NOT_APPLICABLE
    assert status(world, vm, always) is ObjectCompliance.COMPLIANT


def test_tag_usage(world: World) -> None:
    web, fast = tag(world, "web"), tag(world, "fast")
    world.call(Policies.create, spec(Capability.VM_HOST_AFFINITY, web, "first", host_tag=fast))
    second = world.call(Policies.create, spec(Capability.VM_VM_AFFINITY, web, "second"))
    assert [(use.policy_name, use.tag_name) for use in world.call(TagUsage.list, None)] == [
        ("first", "web"),
        ("first", "fast"),
        ("second", "web"),
    ]
    only = [
        TagUsage.FilterSpec(policies=frozenset({second})),
        TagUsage.FilterSpec(policy_names=frozenset({"second"})),
        TagUsage.FilterSpec(capabilities=frozenset({str(Capability.VM_VM_AFFINITY)})),
    ]
    assert [[use.policy for use in world.call(TagUsage.list, filter)] for filter in only] == [[second]] * 3
    hosts = TagUsage.FilterSpec(tag_types=frozenset({ids.VapiResourceId("com.vmware.cis.tagging.Tag:HostSystem")}))
    assert [use.tag for use in world.call(TagUsage.list, hosts)] == [fast]
    assert [use.tag for use in world.call(TagUsage.list, TagUsage.FilterSpec(tags=frozenset({fast})))] == [fast]


def test_batches_are_no_larger_than_all_there_may_be(world: World) -> None:
    items = (CreateItem(spec={"capability": "magic"}),) * 101
    with pytest.raises(InvalidArgument) as refusal:
        world.call(Policies.create_tags_and_policies, CreateTagsAndPoliciesSpec(policies=items))
    assert refusal.value.messages[0].id == "resphere.compute_policy.too_many_specs"
    made = world.call(Policies.create_tags_and_policies, CreateTagsAndPoliciesSpec(policies=items[1:]))
    assert made.errors is not None
    assert len(made.errors) == 100


def test_batches_make_and_delete_tags(world: World) -> None:
    def item(name: str, tag_name: str) -> CreateItem:
        names = {"tag_name_spec": {"category_name": "tiers", "tag_name": tag_name}}
        given = spec(Capability.VM_VM_ANTI_AFFINITY, "", name, vm_selector={"tag": names})
        return CreateItem(spec={key: value for key, value in given.items() if key != "vm_tag"})

    wrong = CreateItem(spec={"capability": "magic", "name": "wrong"})
    items = (item("first", "gold"), item("second", "gold"), wrong)
    made = world.call(Policies.create_tags_and_policies, CreateTagsAndPoliciesSpec(policies=items))
    assert made.policies is not None
    assert made.errors is not None
    assert set(made.policies) == {"first", "second"}
    assert {key: error.error_type for key, error in made.errors.items()} == {"wrong": "INVALID_ARGUMENT"}
    first, second = (made.policies[name].policy for name in ("first", "second"))
    [gold] = world.inventory.all(Tag).values()
    assert cast(Any, made.policies["first"].info).vm_selector.tag.tag_id == gold.id
    gone = world.call(Policies.delete_tags_and_policies, DeleteTagsAndPoliciesSpec(policies=frozenset({first})))
    assert gone.errors is None
    assert list(world.inventory.all(Tag)) == [gold.id]
    both = frozenset({second, NO_POLICY})
    gone = world.call(Policies.delete_tags_and_policies, DeleteTagsAndPoliciesSpec(policies=both))
    assert gone.errors is not None
    assert {key: error.error_type for key, error in gone.errors.items()} == {NO_POLICY: "NOT_FOUND"}
    assert not world.inventory.all(ComputePolicy)
    assert not world.inventory.all(Tag)
