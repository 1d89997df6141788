"""Machines that are processes of this computer: they start, stop and have a size, and that is all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.generated.vcenter_vm import Power as ApiPower
from resphere.inventory import effects as e
from resphere.inventory.facts import NOTHING, Facts, ObservedMachine
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Capabilities, Inventory, Missing, Step
from resphere.providers.processes.files import Machine, Machines
from resphere.providers.processes.work import Verbs
from resphere.rules.machines.power_states import powered_off, powered_on

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the feed looks at files and locks, of whose changes nobody tells it."""

OFF, ON = ApiPower.State.POWERED_OFF, ApiPower.State.POWERED_ON
LACKS = {
    "suspension": "Machines of the provider processes cannot be suspended.",
    "guest_power": "Machines of the provider processes have no guest that could be asked.",
    "registration": "Machines of the provider processes go with their files.",
    "copies": "Machines of the provider processes cannot be copied.",
    "migration": "Machines of the provider processes stay where they are.",
    "snapshots": "Machines of the provider processes have no snapshots.",
    "hosts": "The provider processes has this computer, and takes no other hosts.",
    "maintenance": "Machines of the provider processes cannot leave a host for its maintenance.",
    "failures": "Hosts of the provider processes do not fail on purpose.",
    "guests": "Machines of the provider processes have no guest.",
    "tools": "Machines of the provider processes have no guest for Tools.",
    "customization": "Machines of the provider processes have no guest to customize.",
    "statistics": "The provider processes measures nothing.",
}
"""The areas that it has no verbs for, each with the sentence that refuses them."""


class Processes:
    """The machines of a folder.

    A start is called off where its caller died before the machine ran, a stop that was begun is finished: so what has
    become of an effect is certain once it was asked for.
    """

    name = "processes"

    def __init__(self, machines: Machines, verbs: Verbs, look_seconds: float = LOOK_SECONDS) -> None:
        self.machines = machines
        self._verbs = verbs
        self._look_seconds = look_seconds
        self.capabilities = capabilities(verbs)

    def steps(self, effect: e.AnyEffect) -> Sequence[Step]:
        """Starting and stopping take the time that they take."""
        return ()

    async def observe(self, work: str, effect: e.AnyEffect) -> Facts | None:
        """By the machine's file, its lock, and what lies beside them."""
        if not await self._is_true(work, effect):
            return None
        if isinstance(effect, e.CreateVm) and effect.start_on is not None:
            self.machines.call_off_start(effect.vm.bios_uuid, work)
            # One that is there and did not start any more is off.
            return NOTHING if self.machines.process(effect.vm.bios_uuid) is not None else Facts(machine=effect.vm)
        return NOTHING

    async def _is_true(self, work: str, effect: e.AnyEffect) -> bool:
        machines = self.machines
        match effect:
            case e.CreateVm(vm=vm):
                return machines.get(vm.bios_uuid) is not None
            case e.DeleteVm(vm=vm):
                if machines.is_stopping(vm.bios_uuid, work):
                    await self._verbs.finish_delete(vm.bios_uuid, work)
                return not machines.exists(vm.bios_uuid)
            case e.PowerOn(vm=vm):
                machines.call_off_start(vm.bios_uuid, work)
                return machines.process(vm.bios_uuid) is not None
            case e.PowerOff(vm=vm):
                if machines.is_stopping(vm.bios_uuid, work):
                    await self._verbs.finish_stop(vm.bios_uuid, work)
                return machines.process(vm.bios_uuid) is None
            case e.Reset(vm=vm):
                machines.call_off_start(vm.bios_uuid, work)
                return machines.process(vm.bios_uuid) is not None and machines.started_by(vm.bios_uuid) == work
            case e.ReconfigureVm(after=vm):
                machine = machines.get(vm.bios_uuid)
                return machine is not None and (machine.cpu_count, machine.memory_size_MiB) == (
                    vm.cpu.count,
                    vm.memory.size_MiB,
                )
            case _:
                return False

    async def feed(self, inventory: Inventory) -> None:
        """Look again and again."""
        while True:
            try:
                await self.look(inventory)
            except Exception:
                log.exception("what has become of the machines is not known, and is looked at again")
            await asyncio.sleep(self._look_seconds)

    async def look(self, inventory: Inventory) -> None:
        """Tell what is not as the inventory has it."""
        # Files are looked at first: a machine that is made now is intended before it has one.
        there = self.machines.all()
        known = {vm.bios_uuid: vm for vm in (await inventory.machines()).values()}
        for uuid, vm in known.items():
            if not self.machines.exists(uuid):
                await inventory.machine_gone(vm)
            elif (changed := self._changed(vm)) is not None:
                await inventory.machine_changed(vm, Facts(machine=changed))
        for uuid, machine in there.items():
            if uuid not in known and self.machines.exists(uuid):
                await self._tell(inventory, machine)

    def _changed(self, vm: VirtualMachine) -> VirtualMachine | None:
        """The machine as it is, where that is not as it was."""
        runs = self.machines.process(vm.bios_uuid) is not None
        if runs == (vm.power_state is ON):
            return None
        return powered_on(vm) if runs else msgspec.structs.replace(powered_off(vm), clean_power_off=False)

    async def _tell(self, inventory: Inventory, machine: Machine) -> None:
        observed = ObservedMachine(
            name=machine.name,
            host=machine.host,
            bios_uuid=machine.uuid,
            instance_uuid=machine.uuid,
            guest_OS=machine.guest_OS,
            cpu_count=machine.cpu_count,
            memory_size_MiB=machine.memory_size_MiB,
            running=self.machines.process(machine.uuid) is not None,
        )
        try:
            await inventory.machine_appeared(observed)
        except VapiError as error:
            log.warning("the machine %s has no place in the inventory: %s", machine.uuid, error)


def capabilities(verbs: Verbs) -> Capabilities:
    """Little, and a sentence for all the rest."""
    return Capabilities(
        power=verbs,
        lifecycle=verbs,
        hardware=verbs,
        suspension=Missing(LACKS["suspension"]),
        guest_power=Missing(LACKS["guest_power"]),
        registration=Missing(LACKS["registration"]),
        copies=Missing(LACKS["copies"]),
        migration=Missing(LACKS["migration"]),
        snapshots=Missing(LACKS["snapshots"]),
        hosts=Missing(LACKS["hosts"]),
        maintenance=Missing(LACKS["maintenance"]),
        failures=Missing(LACKS["failures"]),
        guests=Missing(LACKS["guests"]),
        tools=Missing(LACKS["tools"]),
        customization=Missing(LACKS["customization"]),
        statistics=Missing(LACKS["statistics"]),
    )
