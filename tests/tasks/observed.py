"""Machines that a provider tells of in tests."""

from __future__ import annotations

from resphere.contract.generated.vcenter_vm import GuestOS, Power
from resphere.inventory.facts import ObservedMachine
from resphere.inventory.model import VirtualMachine
from tests.support.world import World

STRAY_UUID = "0f0e0d0c-0b0a-4908-8706-050403020100"


def stray(host: str, uuid: str = STRAY_UUID) -> ObservedMachine:
    """A machine that nobody made through vCenter."""
    return ObservedMachine(
        name="stray",
        host=host,
        bios_uuid=uuid,
        instance_uuid=uuid,
        guest_OS=GuestOS.DEBIAN_11_64,
        cpu_count=2,
        memory_size_MiB=512,
        running=True,
    )


def machine_off(world: World) -> VirtualMachine:
    """A machine that is off."""
    vms = world.inventory.all(VirtualMachine).values()
    return next(vm for vm in vms if vm.power_state is Power.State.POWERED_OFF and not vm.template)
