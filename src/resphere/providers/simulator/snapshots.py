"""Snapshot trees of generated VMs."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from resphere.contract.generated.vcenter_vm import Tools
from resphere.contract.generated.vcenter_vm_hardware import ConnectionState
from resphere.inventory.model import ManagedObject, Snapshot, VirtualMachine
from resphere.providers.simulator.catalog import BASE_TIME, SNAPSHOT_NAMES
from resphere.providers.simulator.draws import Draws, Numbers
from resphere.providers.simulator.machine import OFF, ON, memory_info

# Which snapshot each one descends from: a single one, a chain, a tree of two branches.
_SHAPES: tuple[tuple[int | None, ...], ...] = ((None,), (None, 0), (None, 0, 1), (None, 0, 0, 2))

_OLDEST = timedelta(days=90)


def with_snapshots(vm: VirtualMachine, numbers: Numbers, draws: Draws) -> list[ManagedObject]:
    """The VM, now descending from a snapshot, and its snapshots, oldest first."""
    shape = draws.pick(_SHAPES)
    snapshots: list[Snapshot] = []
    time = BASE_TIME - _OLDEST
    for index, ancestor in enumerate(shape):
        time += timedelta(seconds=3_600 + draws.number(20))
        parent = None if ancestor is None else snapshots[ancestor].id
        memory = vm.power_state is ON and draws.random() < 0.5
        snapshots.append(_snapshot(vm, f"snapshot-{numbers.take()}", parent, index, time, memory=memory))
    return [msgspec.structs.replace(vm, snapshot=snapshots[-1].id), *snapshots]


def _snapshot(
    vm: VirtualMachine, identifier: str, parent: str | None, index: int, time: datetime, *, memory: bool
) -> Snapshot:
    name, description = SNAPSHOT_NAMES[index]
    state = msgspec.structs.replace(vm, snapshot=parent)
    return Snapshot(
        id=identifier,
        name=name,
        parent=vm.id,
        parent_snapshot=parent,
        description=description,
        created_time=time,
        memory=memory,
        quiesced=vm.power_state is ON and not memory,
        takes_room=True,
        state=state if memory else switched_off(state),
    )


def switched_off(vm: VirtualMachine) -> VirtualMachine:
    """The VM as it is when it is off: what a snapshot without its memory brings back."""
    return msgspec.structs.replace(
        vm,
        power_state=OFF,
        memory=memory_info(vm.memory.size_MiB, vm.memory.hot_add_enabled, False),
        nics={key: msgspec.structs.replace(nic, state=ConnectionState.NOT_CONNECTED) for key, nic in vm.nics.items()},
        cdroms={
            key: msgspec.structs.replace(cdrom, state=ConnectionState.NOT_CONNECTED) for key, cdrom in vm.cdroms.items()
        },
        serial_ports={
            key: msgspec.structs.replace(port, state=ConnectionState.NOT_CONNECTED)
            for key, port in vm.serial_ports.items()
        },
        tools=msgspec.structs.replace(vm.tools, run_state=Tools.RunState.NOT_RUNNING),
    )
