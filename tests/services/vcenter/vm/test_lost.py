"""A VM that comes back as it was kept: what was deleted since is not there again."""

from __future__ import annotations

import pytest

from resphere.contract.errors import InvalidArgument
from resphere.contract.extensions.networks import Networks
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm_hardware import Ethernet
from resphere.contract.generated.vcenter_vm_storage import Policy
from resphere.inventory.model import Datacenter, Host, VirtualMachine
from tests.services.vcenter.building import first, found, refused
from tests.support.world import World

Type = Policy.VmHomePolicySpec.PolicyType


def test_a_revert_brings_no_network_and_no_policy_back(world: World) -> None:
    vm = ids.VirtualMachineId(first(world, VirtualMachine).id)
    hosts = frozenset(map(ids.HostSystemId, world.inventory.all(Host)))
    folder = first(world, Datacenter).network_folder
    network = world.call(Networks.create, Networks.CreateSpec(name="Lost", folder=folder, hosts=hosts))
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    nic = world.call(Ethernet.create, vm, Ethernet.CreateSpec(backing=backing))
    policy = world.call(StoragePolicies.create, StoragePolicies.CreateSpec(name="Lost"))
    assign(world, vm, Policy.VmHomePolicySpec(type=Type.USE_SPECIFIED_POLICY, policy=policy))
    snapshot = world.call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="kept"))
    world.call(Ethernet.delete, vm, nic)
    assign(world, vm, Policy.VmHomePolicySpec(type=Type.USE_DEFAULT_POLICY))
    world.call(Networks.delete, network)
    world.call(StoragePolicies.delete, policy)
    world.call(VmSnapshots.revert, vm, snapshot)
    reverted = found(world, VirtualMachine, vm)
    assert reverted.nics[nic].backing.network is None
    assert reverted.storage_policy is None


def test_a_registered_vm_has_no_policy_that_is_gone(world: World) -> None:
    machine = first(world, VirtualMachine)
    world.change(machine, power_state="POWERED_OFF", guest=None)
    vm = ids.VirtualMachineId(machine.id)
    policy = world.call(StoragePolicies.create, StoragePolicies.CreateSpec(name="Lost"))
    assign(world, vm, Policy.VmHomePolicySpec(type=Type.USE_SPECIFIED_POLICY, policy=policy))
    world.call(vcenter.VM.unregister, vm)
    world.call(StoragePolicies.delete, policy)
    placement = vcenter.VM.RegisterPlacementSpec(
        folder=ids.FolderId(machine.parent or ""), host=machine.host, resource_pool=machine.resource_pool
    )
    spec = vcenter.VM.RegisterSpec(datastore_path=machine.vmx_path, placement=placement)
    registered = world.call(vcenter.VM.register, spec)
    assert found(world, VirtualMachine, registered).storage_policy is None


def assign(world: World, vm: ids.VirtualMachineId, home: Policy.VmHomePolicySpec) -> None:
    """Another storage policy for the VM's home."""
    world.call(Policy.update, vm, Policy.UpdateSpec(vm_home=home))


def test_a_nic_comes_to_no_network_that_its_host_does_not_reach(world: World) -> None:
    vm = ids.VirtualMachineId(first(world, VirtualMachine).id)
    folder = first(world, Datacenter).network_folder
    network = world.call(Networks.create, Networks.CreateSpec(name="Apart", folder=folder))
    backing = Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=network)
    with pytest.raises(InvalidArgument) as error:
        world.call(Ethernet.create, vm, Ethernet.CreateSpec(backing=backing))
    assert refused(error) == (400, "resphere.vm.ethernet.not_connected")
