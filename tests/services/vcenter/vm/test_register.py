"""Virtual machines that leave the inventory with their files, and come back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotAllowedInCurrentState, NotFound, VapiError
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Disk, Ethernet
from resphere.inventory.model import (
    Datastore,
    DatastoreFile,
    Host,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.providers.simulator.inventory_file import parse_inventory, write_inventory
from resphere.rules.space import files_on, free_space
from tests.support.invariants import managed_objects
from tests.support.world import World

VM = vcenter.VM
Id = ids.VirtualMachineId
STATE = vcenter_vm.Power.State
GIB = 1 << 30


def vm_off(world: World) -> VirtualMachine:
    return next(
        vm
        for vm in world.inventory.all(VirtualMachine).values()
        if vm.power_state is STATE.POWERED_OFF and vm.disks and not vm.template
    )


def placement(world: World, vm: VirtualMachine, **fields: Any) -> VM.RegisterPlacementSpec:
    return VM.RegisterPlacementSpec(
        **{"folder": ids.FolderId(vm.parent or ""), "resource_pool": vm.resource_pool, "host": vm.host, **fields}
    )


def register(world: World, vm: VirtualMachine, **fields: Any) -> VirtualMachine:
    spec = VM.RegisterSpec(**{"datastore_path": vm.vmx_path, "placement": placement(world, vm), **fields})
    found = world.inventory.get(VirtualMachine, world.call(VM.register, spec))
    assert found is not None
    return found


def unplugged(vm: VM.Info) -> VM.Info:
    """``vm`` without the ports that its NICs have on distributed switches: another VM gets others."""
    return msgspec.structs.replace(
        vm,
        nics={
            key: msgspec.structs.replace(
                nic, backing=msgspec.structs.replace(nic.backing, distributed_port=None, connection_cookie=None)
            )
            for key, nic in vm.nics.items()
        },
    )


def test_a_vm_comes_back_whole_under_a_new_id(world: World) -> None:
    vm = vm_off(world)
    for name in ("first", "second"):
        world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name=name))
    before = world.call(VM.get, Id(vm.id))
    tree = [s.name for s in world.inventory.by(Snapshot, "parent", vm.id).values()]
    world.call(VM.unregister, Id(vm.id))
    assert world.inventory.get(VirtualMachine, vm.id) is None
    assert not world.inventory.by(Snapshot, "parent", vm.id)
    back = register(world, vm)
    assert back.id != vm.id
    assert unplugged(world.call(VM.get, Id(back.id))) == unplugged(before)
    snapshots = world.inventory.by(Snapshot, "parent", back.id)
    assert sorted(s.name for s in snapshots.values()) == sorted(tree)
    assert back.snapshot in snapshots
    assert (back.host, back.resource_pool, back.parent) == (vm.host, vm.resource_pool, vm.parent)
    assert not world.inventory.all(UnregisteredVm)
    last = snapshots[back.snapshot or ""]
    assert last.parent_snapshot in snapshots
    assert last.state.id == back.id
    world.call(VmSnapshots.revert, Id(back.id), last.id)


def test_its_files_stay(world: World) -> None:
    vm = vm_off(world)
    store = world.inventory.get(Datastore, vm.datastore)
    assert store is not None
    files, free = dict(files_on(world.inventory, store.id)), free_space(world.inventory, store)
    world.call(VM.unregister, Id(vm.id))
    assert (files_on(world.inventory, store.id), free_space(world.inventory, store)) == (files, free)


def test_another_name_and_place(world: World) -> None:
    vm = vm_off(world)
    pool = next(p for p in world.inventory.all(ResourcePool).values() if p.owner == cluster_of(world, vm))
    other = next(
        h
        for h in world.inventory.by(Host, "parent", cluster_of(world, vm)).values()
        if h.id != vm.host and vm.datastore in h.datastores
    )
    world.call(VM.unregister, Id(vm.id))
    where = placement(world, vm, resource_pool=ids.ResourcePoolId(pool.id), host=ids.HostSystemId(other.id))
    back = register(world, vm, name="renamed", placement=where)
    assert (back.name, back.resource_pool, back.host, back.vmx_path) == ("renamed", pool.id, other.id, vm.vmx_path)


def cluster_of(world: World, vm: VirtualMachine) -> str:
    host = world.inventory.get(Host, vm.host)
    assert host is not None
    assert host.parent is not None
    return host.parent


def test_by_datastore_and_path(world: World) -> None:
    vm = vm_off(world)
    world.call(VM.unregister, Id(vm.id))
    path = vm.vmx_path.partition("] ")[2]
    assert register(world, vm, datastore_path=None, datastore=vm.datastore, path=path).name == vm.name


def test_a_suspended_vm_and_a_template_can_go_too(world: World) -> None:
    world.serve_as("6.7.0")
    for fields in ({"power_state": STATE.SUSPENDED}, {"template": True}):
        vm = world.change(vm_off(world), **fields)
        world.call(VM.unregister, Id(vm.id))
        back = register(world, vm)
        assert (back.power_state, back.template) == (vm.power_state, vm.template)


def test_what_has_changed_meanwhile(world: World) -> None:
    """Its datastore has another name, and its network is gone."""
    vm = vm_off(world)
    store = world.inventory.get(Datastore, vm.datastore)
    network = Network(
        id="network-9001", name="gone", parent=network_folder(world), type=vcenter.Network.Type.STANDARD_PORTGROUP
    )
    host = world.inventory.get(Host, vm.host)
    assert store is not None
    assert host is not None
    world.put(network)
    world.change(host, networks=(*host.networks, ids.NetworkId(network.id)))
    key, nic = next(iter(vm.nics.items()))
    backing = Ethernet.BackingInfo(
        type=Ethernet.BackingType.STANDARD_PORTGROUP, network=ids.NetworkId(network.id), network_name="gone"
    )
    vm = world.change(vm, nics={key: msgspec.structs.replace(nic, backing=backing)})
    world.call(VM.unregister, Id(vm.id))
    for each in list(world.inventory.by(VirtualMachine, "datastore", store.id).values()):
        if each.power_state is STATE.POWERED_ON:
            world.call(vcenter_vm.Power.stop, Id(each.id))
        world.call(VM.unregister, Id(each.id))
    world.change(host, networks=host.networks)

    def plan(edit: Any) -> None:
        edit.delete(Network, network.id)

    world.run(world.inventory.change(plan))
    world.change(store, name="renamed")
    back = register(world, vm, datastore_path=vm.vmx_path.replace(f"[{store.name}]", "[renamed]"))
    assert back.vmx_path.startswith("[renamed] ")
    assert all(str(disk.backing.vmdk_file).startswith("[renamed] ") for disk in back.disks.values())
    (left,) = back.nics.values()
    assert (left.backing.network, left.backing.network_name) == (None, "gone")
    assert next(iter(world.call(VM.get, Id(back.id)).nics.values())).backing.network_name == "gone"


def network_folder(world: World) -> str:
    return str(next(iter(world.inventory.all(Network).values())).parent)


def test_an_export_holds_files_of_no_vm(world: World) -> None:
    vm = vm_off(world)
    world.call(VmSnapshots.create, Id(vm.id), VmSnapshots.CreateSpec(name="kept"))
    world.call(VM.unregister, Id(vm.id))
    other = vm_off(world)
    world.call(Disk.delete, Id(other.id), next(iter(other.disks)))
    before = managed_objects(world.inventory)
    assert {UnregisteredVm, DatastoreFile} <= {type(obj) for obj in before}
    read = parse_inventory(write_inventory(before), "test")
    assert {obj.id: obj for obj in read} == {obj.id: obj for obj in before}


@pytest.mark.parametrize(
    ("fields", "error", "id"),
    [
        ({"datastore_path": None}, InvalidArgument, "resphere.vm.register.file"),
        ({"datastore": ids.DatastoreId("datastore-1")}, InvalidArgument, "resphere.vm.register.file"),
        ({"path": "a/a.vmx", "datastore_path": None}, InvalidArgument, "resphere.vm.register.file"),
        ({"placement": None}, InvalidArgument, "resphere.vm.placement.none"),
        ({"name": ""}, InvalidArgument, "resphere.inventory.name"),
        ({"datastore_path": "[nowhere] a/a.vmx"}, NotFound, "resphere.vm.register.no_file"),
        ({"datastore_path": "a.vmx"}, NotFound, "resphere.vm.register.no_file"),
        (
            {"datastore_path": None, "datastore": ids.DatastoreId("datastore-9999"), "path": "a/a.vmx"},
            NotFound,
            "com.vmware.api.vcenter.datastore.not_found",
        ),
    ],
)
def test_what_is_refused(world: World, fields: dict[str, Any], error: type[VapiError], id: str) -> None:
    vm = vm_off(world)
    world.call(VM.unregister, Id(vm.id))
    with pytest.raises(error) as refused:
        register(world, vm, **fields)
    assert refused.value.messages[0].id == id
    assert len(world.inventory.all(UnregisteredVm)) == 1


def test_a_vm_that_is_registered(world: World) -> None:
    vm = vm_off(world)
    with pytest.raises(AlreadyExists) as refused:
        register(world, vm, name="another")
    assert refused.value.messages[0].id == "resphere.vm.register.registered"
    world.call(VM.unregister, Id(vm.id))
    back = register(world, vm)
    with pytest.raises(AlreadyExists):
        register(world, back)


def test_a_name_that_is_taken(world: World) -> None:
    vm = vm_off(world)
    world.call(VM.unregister, Id(vm.id))
    other = next(o for o in world.inventory.by(VirtualMachine, "parent", vm.parent or "").values())
    with pytest.raises(AlreadyExists) as refused:
        register(world, vm, name=other.name)
    assert refused.value.messages[0].id == "vmsg.DuplicateName.summary"


def test_a_vm_that_runs_stays(world: World) -> None:
    vm = vm_off(world)
    world.call(vcenter_vm.Power.start, Id(vm.id))
    with pytest.raises(NotAllowedInCurrentState) as refused:
        world.call(VM.unregister, Id(vm.id))
    assert [each.id for each in refused.value.messages] == [
        "resphere.vm.unregister.power_state",
        "vmsg.InvalidPowerState.summary",
    ]
    with pytest.raises(NotFound):
        world.call(VM.unregister, Id("vm-9999"))
