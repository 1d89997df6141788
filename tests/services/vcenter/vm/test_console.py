"""Console tickets, EVC modes, and where a VM was checked out from."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound
from resphere.contract.extensions.console import Console
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_evc_mode import EvcMode as Mode
from resphere.contract.generated.vcenter_evc_mode import FeatureMask
from resphere.contract.generated.vcenter_vm import EvcMode, LibraryItem, Power
from resphere.contract.generated.vcenter_vm_console import Tickets
from resphere.contract.model import Secret
from resphere.inventory.console import ConsoleTicket
from tests.services.content.templates import check_out, golden
from tests.support.guests import ended, machine
from tests.support.world import NOW, World

Id = ids.VirtualMachineId
VMRC, WEBMKS = Tickets.CreateSpec(type=Tickets.Type.VMRC), Tickets.CreateSpec(type=Tickets.Type.WEBMKS)


def test_a_ticket_opens_the_console_once(world: World, vm: Id) -> None:
    address = world.call(Tickets.create, vm, WEBMKS).ticket
    assert address.startswith("wss://*/ticket/")
    ticket = Secret(address.rpartition("/")[2])
    assert ticket not in str(world.inventory.all(ConsoleTicket))
    guest = machine(world, vm).guest
    assert guest is not None
    assert world.call(Console.open, ticket).decode().startswith(f"{guest.full_name} {guest.host_name} tty1\n")
    with pytest.raises(NotFound) as refusal:
        world.call(Console.open, ticket)
    assert refusal.value.messages[0].id == "resphere.vm.console.no_ticket"


def test_which_tickets_need_a_running_machine(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    with pytest.raises(NotAllowedInCurrentState) as refusal:
        world.call(Tickets.create, vm, WEBMKS)
    assert refusal.value.messages[0].id == "com.vmware.api.vcenter.vm.console.tickets.not_allowed_in_current_state"
    address = world.call(Tickets.create, vm, VMRC).ticket
    assert address.startswith("vmrc://clone:")
    assert address.endswith(f"@*/?moid={vm}")
    ticket = Secret(address.removeprefix("vmrc://clone:").partition("@")[0])
    assert "powered off" in world.call(Console.open, ticket).decode()
    with pytest.raises(NotFound):
        world.call(Tickets.create, Id("vm-999999"), VMRC)


def test_a_ticket_has_its_time(world: World, vm: Id) -> None:
    ticket = Secret(world.call(Tickets.create, vm, WEBMKS).ticket.rpartition("/")[2])
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + timedelta(minutes=30))
    with pytest.raises(NotFound):
        world.call(Console.open, ticket)
    world.call(Tickets.create, vm, WEBMKS)
    assert len(world.inventory.all(ConsoleTicket)) == 1


def test_a_template_has_no_console(world: World, vm: Id) -> None:
    world.serve_as("6.7.0")
    world.change(machine(world, vm), template=True, power_state=Power.State.POWERED_OFF)
    with pytest.raises(NotAllowedInCurrentState) as refusal:
        world.call(Tickets.create, vm, VMRC)
    assert refusal.value.messages[0].id == "resphere.vm.console.template"


MODE = Mode(key="intel-skylake", masks=(FeatureMask(key="cpuid.AVX", name="cpuid.AVX", value="Val:1"),))


def test_an_evc_mode_is_given_and_taken(world: World, vm: Id) -> None:
    world.call(Power.stop, vm)
    task = world.call(EvcMode.set_task, vm, EvcMode.SetSpec(evc_mode=MODE))
    assert ended(world, task) == "SUCCEEDED"
    assert world.call(EvcMode.get, vm).evc_mode == MODE
    assert ended(world, world.call(EvcMode.set_task, vm, EvcMode.SetSpec())) == "SUCCEEDED"
    assert world.call(EvcMode.get, vm).evc_mode is None


def test_evc_modes_that_cannot_be(world: World, vm: Id) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        world.call(EvcMode.set_task, vm, EvcMode.SetSpec(evc_mode=MODE))
    assert refusal.value.messages[0].id == "resphere.vm.evc_mode"
    world.call(Power.stop, vm)
    for wrong in (Mode(key="", masks=()), Mode(key="intel-skylake", masks=(FeatureMask(key="", name="", value=""),))):
        with pytest.raises(InvalidArgument):
            world.call(EvcMode.set_task, vm, EvcMode.SetSpec(evc_mode=wrong))
    with pytest.raises(NotFound):
        world.call(EvcMode.get, Id("vm-999999"))


def test_where_a_machine_was_checked_out_from(world: World, vm: Id) -> None:
    assert world.call(LibraryItem.get, vm).check_out is None
    item = golden(world)
    found = world.call(LibraryItem.get, check_out(world, item)).check_out
    assert found is not None
    assert found.library_item == item
    with pytest.raises(NotFound):
        world.call(LibraryItem.get, Id("vm-999999"))
