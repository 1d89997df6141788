"""What has become of machines that were to start as soon as they were there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from resphere.inventory.effects import CreateVm
from resphere.inventory.facts import Facts
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.processes.files import Machines
from resphere.providers.processes.provider import Processes
from resphere.providers.processes.work import Verbs, machine_of
from resphere.providers.simulator.generate import generate
from tests.support.world import SMALL


def test_one_that_is_there_and_was_not_started_is_off(tmp_path: Path) -> None:
    objects = list(generate(SMALL, 1))
    vm = next(each for each in objects if isinstance(each, VirtualMachine))
    host = next(each for each in objects if isinstance(each, Host))
    effect = CreateVm(vm=msgspec.structs.replace(vm, host=host.id), start_on=host)
    machines = Machines(tmp_path)
    provider = Processes(machines, Verbs(machines))
    assert asyncio.run(provider.observe("task-1", effect)) is None
    machines.put(machine_of(effect.vm))
    assert asyncio.run(provider.observe("task-1", effect)) == Facts(machine=effect.vm)
