"""The verbs: what is done with machines that are processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from resphere.contract.errors import ServiceUnavailable, message
from resphere.contract.generated.vcenter_vm import Power as ApiPower
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.mentions import named
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import NotCapable, Work
from resphere.providers.processes.files import Machine, Machines

PROGRAM = (sys.executable, "-m", "resphere.providers.processes.machine")
DYING_SECONDS = 0.002
"""How often a killed process is looked at: nobody tells who is not its parent when it is gone."""

ONLY_SIZE = "Machines of the provider processes have CPUs and memory, which change while they are off, and no devices."


class Verbs:
    """Power, lifecycle and hardware. ``program`` is the command that is a machine, less its arguments."""

    def __init__(self, machines: Machines, program: Sequence[str] = PROGRAM) -> None:
        self._machines = machines
        self._program = program

    async def create(self, work: Work, vm: VirtualMachine) -> Facts:
        """Write its file."""
        self._machines.put(machine_of(vm))
        return NOTHING

    async def delete(self, work: Work, vm: VirtualMachine) -> Facts:
        """Kill its process, if somebody has started one, and delete its file."""
        self._machines.begin_stop(vm.bios_uuid, work.id)
        await self.finish_delete(vm.bios_uuid, work.id)
        return NOTHING

    async def power_on(self, work: Work, vm: VirtualMachine, host: Host) -> Facts:
        """Start its process, unless somebody has.

        :raises ServiceUnavailable: it does not start, or its file is gone.
        """
        machine = self._machines.get(vm.bios_uuid)
        if machine is not None and machine.host != host.id and self._machines.process(machine.uuid) is None:
            self._machines.put(msgspec.structs.replace(machine, host=host.id))
        await self._start(work, vm)
        return NOTHING

    async def power_off(self, work: Work, vm: VirtualMachine) -> Facts:
        """Kill its process."""
        self._machines.begin_stop(vm.bios_uuid, work.id)
        await self.finish_stop(vm.bios_uuid, work.id)
        return NOTHING

    async def reset(self, work: Work, vm: VirtualMachine) -> Facts:
        """Kill its process and start another.

        :raises ServiceUnavailable: that does not start.
        """
        await self._die(vm.bios_uuid)
        await self._start(work, vm)
        return NOTHING

    async def reconfigure(self, work: Work, before: VirtualMachine, after: VirtualMachine) -> Facts:
        """Write its size into its file.

        :raises NotCapable: something else is to change, or the machine runs.
        """
        if after == before:
            return NOTHING
        sized = msgspec.structs.replace(before, cpu=after.cpu, memory=after.memory)
        if sized != after or before.power_state is not ApiPower.State.POWERED_OFF:
            raise NotCapable(ONLY_SIZE)
        try:
            self._machines.put(machine_of(after))
        except BlockingIOError:
            raise NotCapable(ONLY_SIZE) from None
        return NOTHING

    async def finish_stop(self, uuid: str, work: str) -> None:
        """Bring a stop that was begun to its end."""
        await self._die(uuid)
        self._machines.end_stop(uuid, work)

    async def finish_delete(self, uuid: str, work: str) -> None:
        """Bring a deletion that was begun to its end."""
        await self._die(uuid)
        self._machines.remove(uuid)
        self._machines.end_stop(uuid, work)

    async def _start(self, work: Work, vm: VirtualMachine) -> None:
        """Have a process be the machine; it takes its ticket as the last thing before it runs."""
        ticket = self._machines.begin_start(vm.bios_uuid, work.id)
        status = await run(*self._program, self._machines.file(vm.bios_uuid), ticket)
        if status == 0:
            return
        self._machines.call_off_start(vm.bios_uuid, work.id)
        if self._machines.process(vm.bios_uuid) is None:
            raise ServiceUnavailable(
                message(
                    "resphere.processes.no_start", "The process of the virtual machine {0} does not start.", named(vm)
                )
            )

    async def _die(self, uuid: str) -> None:
        while self._machines.kill(uuid):  # noqa: ASYNC110 - see DYING_SECONDS
            await asyncio.sleep(DYING_SECONDS)


async def run(*command: str | Path) -> int:
    """The exit status of a program that ends soon, and gets nothing of ours: no descriptors, no terminal."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("RESPHERE_")},
    )
    return await process.wait()


def machine_of(vm: VirtualMachine) -> Machine:
    """What the file of ``vm`` says."""
    return Machine(
        uuid=vm.bios_uuid,
        name=vm.name,
        host=vm.host,
        cpu_count=vm.cpu.count,
        memory_size_MiB=vm.memory.size_MiB,
        guest_OS=vm.guest_OS,
    )
