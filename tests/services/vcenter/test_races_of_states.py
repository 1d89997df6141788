"""What one does because something is as it is, while another changes that: the first looks again.

Two workers on one store; one of them finishes between the plan of the other's change and its commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    ServiceUnavailable,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import HostMoves, Machines
from resphere.contract.extensions.networks import Networks
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.cis_task import Status
from resphere.contract.generated.vcenter_host_entropy import ExternalPool
from resphere.contract.generated.vcenter_host_hardware import DirectPathDevices
from resphere.contract.generated.vcenter_vm import DataSets, Hardware, Power
from resphere.contract.generated.vcenter_vm_data_sets import Entries
from resphere.contract.generated.vcenter_vm_guest import Customization
from resphere.contract.generated.vcenter_vm_guest_filesystem import Files
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.data_sets import DataSet, data_set_id
from resphere.inventory.host_parts import devices_of
from resphere.inventory.model import Cluster, Datacenter, Host, VirtualMachine
from resphere.services.vcenter.vm.data_sets.data_sets import MOST_DATA_SETS
from resphere.services.vcenter.vm.data_sets.entries import MOST_BYTES
from resphere.tasks.record import Task
from tests.services.vcenter.building import add_cluster, add_host, first, found
from tests.support.customizations import linux
from tests.support.guests import ROOT, ending, machine, ready_vm, run_shell
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import NOW, World

OFF, ON = Power.State.POWERED_OFF, Power.State.POWERED_ON
ENTER = HostMaintenance.Spec(action=HostMaintenance.Action.ENTER, evacuate_powered_off_vms=False)


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two workers on one store."""
    with two_worlds(tmp_path) as both:
        yield both


def meet(worlds: tuple[World, World], slow: Work, quick: Work, refusal: type[VapiError] | None = None) -> Any:
    """The quick one is done, and the slow one refused so or done; all is sound. Returns what came of the slow one."""
    outcomes = race(*worlds, slow, quick)
    check(worlds, outcomes)
    assert (type(outcomes[1]) if isinstance(outcomes[1], Exception) else None) is refusal, outcomes
    return outcomes[1]


def changed(cls: type[Any], id: str, **fields: Any) -> Work:
    """The object gets other fields, as a provider's feed would give it."""

    def work(world: World) -> Any:
        now = found(world, cls, id)
        return world.inventory.change(lambda edit: edit.put(msgspec.structs.replace(now, **fields)))

    return work


def enter(host: str) -> Work:
    return lambda world: world.begin(HostMaintenance.set, ids.HostSystemId(host), ENTER)


def machine_off(world: World) -> VirtualMachine:
    """A machine on a host of the cluster where all are off."""
    vm = next(vm for vm in world.inventory.all(VirtualMachine).values() if not vm.template)
    for other in list(world.inventory.all(VirtualMachine).values()):
        if other.power_state is not OFF:
            world.change(other, power_state=OFF)
    return machine(world, ids.VirtualMachineId(vm.id))


def runs_where_it_may(world: World, vm: str) -> bool:
    """Whether it runs, on a host that takes machines."""
    now = found(world, VirtualMachine, vm)
    return now.power_state is ON and not found(world, Host, now.host).in_maintenance_mode


def test_a_machine_starts_while_its_host_enters_maintenance_mode(worlds: tuple[World, World]) -> None:
    vm = machine_off(worlds[0])
    meet(worlds, lambda world: world.begin(Power.start, ids.VirtualMachineId(vm.id)), enter(vm.host))
    assert runs_where_it_may(worlds[0], vm.id)


def test_a_machine_goes_back_to_running_while_its_host_enters_maintenance_mode(worlds: tuple[World, World]) -> None:
    vm = ids.VirtualMachineId(machine_off(worlds[0]).id)
    worlds[0].call(Power.start, vm)
    snapshot = worlds[0].call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="on", memory=True))
    worlds[0].call(Power.stop, vm)
    meet(worlds, lambda world: world.begin(VmSnapshots.revert, vm, snapshot), enter(machine(worlds[0], vm).host))
    assert runs_where_it_may(worlds[0], vm)


def with_file(world: World) -> ids.VirtualMachineId:
    """A machine with a file whose content is a document of its own."""
    vm = ready_vm(world)
    run_shell(world, vm, "echo " + "a" * 3000 + " > /srv/x")
    return vm


def delete_file(vm: ids.VirtualMachineId) -> Work:
    return lambda world: world.begin(Files.delete, vm, ROOT, "/srv/x")


def test_a_machine_is_cloned_while_a_file_of_its_guest_goes(worlds: tuple[World, World]) -> None:
    vm = with_file(worlds[0])
    spec = vcenter.VM.CloneSpec(source=vm, name="clone")
    meet(worlds, lambda world: world.begin(vcenter.VM.clone, spec), delete_file(vm))


def test_a_snapshot_is_taken_while_a_file_of_the_guest_goes(worlds: tuple[World, World]) -> None:
    vm = with_file(worlds[0])
    spec = VmSnapshots.CreateSpec(name="kept")
    meet(worlds, lambda world: world.begin(VmSnapshots.create, vm, spec), delete_file(vm))


def test_a_guest_is_changed_while_its_machine_becomes_another(worlds: tuple[World, World]) -> None:
    """Tools stop, of which the guest's own document knows nothing."""
    vm = with_file(worlds[0])
    tools = msgspec.structs.replace(machine(worlds[0], vm).tools, run_state=vcenter_vm.Tools.RunState.NOT_RUNNING)
    meet(worlds, delete_file(vm), changed(VirtualMachine, vm, tools=tools), ServiceUnavailable)


def test_a_pool_is_filled_while_its_host_is_disconnected(worlds: tuple[World, World]) -> None:
    host = ids.HostSystemId(first(worlds[0], Host).id)
    add = ExternalPool.AddSpec(data=b"12345")
    worlds[0].call(ExternalPool.add, host, add)
    disconnected = changed(Host, host, connection_state=vcenter.Host.ConnectionState.DISCONNECTED)
    meet(worlds, lambda world: world.begin(ExternalPool.add, host, add), disconnected, ServiceUnavailable)


def test_a_device_is_configured_while_it_goes(worlds: tuple[World, World]) -> None:
    world, host = worlds[0], first(worlds[0], Host)
    device = list(devices_of(host))[-1]
    modes = DirectPathDevices.DirectPathDeviceMode

    def configure(mode: DirectPathDevices.DirectPathDeviceMode) -> Work:
        spec = DirectPathDevices.ConfigureSpec(device=device, new_mode=mode)

        async def work(world: World) -> Any:
            task = await world.begin(DirectPathDevices.configure_task, ids.HostSystemId(host.id), spec)
            return await ending(world, task)

        return work

    world.run(configure(modes.DIRECTPATH)(world))
    fewer = changed(Host, host.id, physical_nics=host.physical_nics[:-1])
    task = meet(worlds, configure(modes.HOST), fewer)
    assert task.status == "FAILED"


def with_data_set(world: World) -> tuple[ids.VirtualMachineId, ids.VcenterVmDataSetId]:
    vm = ready_vm(world)
    version = msgspec.structs.replace(machine(world, vm).hardware, version=Hardware.Version.VMX_20)
    world.change(machine(world, vm), hardware=version)
    access = DataSets.Access.READ_WRITE
    spec = DataSets.CreateSpec(name="set", description="", host=access, guest=access)
    return vm, world.call(DataSets.create, vm, spec)


@pytest.mark.parametrize("what", ["update", "delete", "entry"])
def test_a_data_set_is_changed_while_its_machine_is_suspended(worlds: tuple[World, World], what: str) -> None:
    vm, data_set = with_data_set(worlds[0])
    before = list(worlds[0].inventory.all(DataSet).values())

    def change(world: World) -> Any:
        if what == "update":
            return world.begin(DataSets.update, vm, data_set, DataSets.UpdateSpec(description="new"))
        if what == "delete":
            return world.begin(DataSets.delete, vm, data_set, True)
        return world.begin(Entries.set, vm, data_set, ids.VcenterVmDataSetsEntryId("key"), "value")

    suspend: Work = changed(VirtualMachine, vm, power_state=Power.State.SUSPENDED)
    meet(worlds, change, suspend, NotAllowedInCurrentState)
    assert list(worlds[0].inventory.all(DataSet).values()) == before


def make_data_set(vm: ids.VirtualMachineId, name: str) -> Work:
    access = DataSets.Access.READ_WRITE
    spec = DataSets.CreateSpec(name=name, description="", host=access, guest=access)
    return lambda world: world.begin(DataSets.create, vm, spec)


@pytest.mark.parametrize("left", [1, 2])
def test_two_make_a_data_set_where_there_is_room_for_some(worlds: tuple[World, World], left: int) -> None:
    vm, name = with_data_set(worlds[0])
    one = worlds[0].inventory.all(DataSet)[data_set_id(vm, name)]
    names = [f"set {number}" for number in range(MOST_DATA_SETS - 1 - left)]
    worlds[0].put(*[msgspec.structs.replace(one, id=data_set_id(vm, name), name=name) for name in names])
    meet(
        worlds,
        make_data_set(vm, "slow"),
        make_data_set(vm, "quick"),
        UnableToAllocateResource if left == 1 else None,
    )
    assert len(worlds[0].inventory.by(DataSet, "owner", vm)) == MOST_DATA_SETS


@pytest.mark.parametrize("left", [10, 20])
def test_two_write_entries_where_there_is_room_for_some(worlds: tuple[World, World], left: int) -> None:
    """Each in another data set of the same machine."""
    vm, name = with_data_set(worlds[0])
    worlds[0].run(make_data_set(vm, "another")(worlds[0]))
    full = msgspec.structs.replace(worlds[0].inventory.all(DataSet)[data_set_id(vm, name)], used=MOST_BYTES - left)
    worlds[0].put(full)

    def write(data_set: str) -> Work:
        key = ids.VcenterVmDataSetsEntryId("key")
        return lambda world: world.begin(Entries.set, vm, ids.VcenterVmDataSetId(data_set), key, "1234567")

    meet(worlds, write(name), write("another"), UnableToAllocateResource if left == 10 else None)
    used = [each.used for each in worlds[0].inventory.by(DataSet, "owner", vm).values()]
    assert sum(used) == MOST_BYTES - left + (10 if left == 10 else 20)


def test_a_data_set_is_made_while_its_machine_is_reverted(worlds: tuple[World, World]) -> None:
    """The snapshot does not have it, and it goes."""
    vm, _ = with_data_set(worlds[0])
    snapshot = worlds[0].call(VmSnapshots.create, vm, VmSnapshots.CreateSpec(name="snapshot"))
    meet(worlds, lambda world: world.begin(VmSnapshots.revert, vm, snapshot), make_data_set(vm, "late"))
    assert [each.name for each in worlds[0].inventory.by(DataSet, "owner", vm).values()] == ["set"]


def test_a_guest_is_to_be_customized_while_it_starts(worlds: tuple[World, World]) -> None:
    """It has been customized before, and keeps that as it starts."""
    vm = ids.VirtualMachineId(machine_off(worlds[0]).id)
    spec = Customization.SetSpec(spec=linux())
    worlds[0].call(Customization.set, vm, spec)
    worlds[0].call(Power.start, vm)
    worlds[0].call(Power.stop, vm)
    before = worlds[0].inventory.get(GuestCustomization, vm)
    assert before is not None
    meet(
        worlds,
        lambda world: world.begin(Customization.set, vm, spec),
        lambda world: world.begin(Power.start, vm),
        NotAllowedInCurrentState,
    )
    assert worlds[0].inventory.get(GuestCustomization, vm) == before


def test_a_network_joins_a_switch_while_the_last_one_leaves_it(worlds: tuple[World, World]) -> None:
    folder = first(worlds[0], Datacenter).network_folder
    last = worlds[0].call(Networks.create, Networks.CreateSpec(name="last", folder=folder))
    switch = worlds[0].call(Networks.get, last).distributed_switch
    spec = Networks.CreateSpec(name="next", folder=folder, distributed_switch=switch)
    meet(
        worlds,
        lambda world: world.begin(Networks.create, spec),
        lambda world: world.begin(Networks.delete, last),
        InvalidArgument,
    )


def test_a_machine_comes_to_a_host_while_that_joins_a_cluster(worlds: tuple[World, World]) -> None:
    host, cluster = add_host(worlds[0]), add_cluster(worlds[0])

    def create(world: World) -> Any:
        placement = vcenter.VM.PlacementSpec(folder=first(world, Datacenter).vm_folder, host=host)
        spec = vcenter.VM.CreateSpec(guest_OS=vcenter_vm.GuestOS.DEBIAN_11_64, name="late", placement=placement)
        return world.begin(vcenter.VM.create, spec)

    def join(world: World) -> Any:
        return world.begin(HostMoves.move, host, HostMoves.MoveSpec(cluster=cluster))

    meet(worlds, join, create)
    vm = next(vm for vm in worlds[0].inventory.all(VirtualMachine).values() if vm.name == "late")
    assert vm.resource_pool == found(worlds[0], Cluster, cluster).resource_pool


def test_a_machine_is_deleted_while_it_is_worked_on(worlds: tuple[World, World]) -> None:
    """Of two that change one machine, the second finds it as the first has left it."""
    vm = ids.VirtualMachineId(machine_off(worlds[0]).id)
    meet(
        worlds,
        lambda world: world.begin(Power.start, vm),
        lambda world: world.begin(vcenter.VM.delete, vm),
        NotFound,
    )


@pytest.mark.parametrize("what", ["start", "rename"])
def test_a_machine_is_worked_on_at_once_while_other_work_begins(worlds: tuple[World, World], what: str) -> None:
    vm = ids.VirtualMachineId(machine_off(worlds[0]).id)
    other_work = Task(
        id="task-1",
        service="com.vmware.vcenter.VM",
        operation="relocate",
        description="",
        target_type="VirtualMachine",
        target=vm,
        exclusive=True,
        owner="other",
        status=Status.RUNNING,
        queued_time=NOW,
        start_time=NOW,
    )

    def work(world: World) -> Any:
        if what == "start":
            return world.begin(Power.start, vm)
        return world.begin(Machines.update, vm, NameSpec(name="renamed"))

    before = machine(worlds[0], vm)
    meet(worlds, work, lambda world: world.inventory.change(lambda edit: edit.put(other_work)), ResourceBusy)
    assert machine(worlds[0], vm) == before
