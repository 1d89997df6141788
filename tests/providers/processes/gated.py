"""``python -m tests.providers.processes.gated``: resphere, with a provider ``processes`` that has gates.

``VERB.deciding`` lies before the decision's commit, ``VERB.decided`` after it, ``VERB.acting`` within the verb,
``VERB.acted`` between it and the settlement's commit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from resphere.cli.main import main
from resphere.inventory.facts import Facts
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import Provider, Work
from resphere.providers.processes.files import Machine, Machines
from resphere.providers.processes.provider import Processes
from resphere.providers.processes.work import Verbs
from resphere.server.providers import PROVIDERS, Choice, Parts
from tests.providers.processes.gates import reach

PROGRAM = (sys.executable, "-m", "tests.providers.processes.slow_machine")
Acting = Coroutine[Any, Any, Facts]


class GatedMachines(Machines):
    """Machines whose files and processes can be caught in the middle."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._new = folder

    def put(self, machine: Machine) -> None:
        if not self.exists(machine.uuid):
            (self._new / f"{machine.uuid}.new").write_text("{")
            reach("create.acting")
        super().put(machine)

    def kill(self, uuid: str) -> bool:
        killed = super().kill(uuid)
        reach("power_off.acting")
        return killed

    def remove(self, uuid: str) -> None:
        reach("delete.acting")
        super().remove(uuid)


class GatedVerbs(Verbs):
    """Verbs with gates before, between and after them."""

    def create(self, work: Work, vm: VirtualMachine) -> Acting:
        return gated("create", lambda: super(GatedVerbs, self).create(work, vm))

    def delete(self, work: Work, vm: VirtualMachine) -> Acting:
        return gated("delete", lambda: super(GatedVerbs, self).delete(work, vm))

    def power_on(self, work: Work, vm: VirtualMachine, host: Host) -> Acting:
        return gated("power_on", lambda: super(GatedVerbs, self).power_on(work, vm, host))

    def power_off(self, work: Work, vm: VirtualMachine) -> Acting:
        return gated("power_off", lambda: super(GatedVerbs, self).power_off(work, vm))


def gated(verb: str, acting: Callable[[], Acting]) -> Acting:
    """The verb with its gates; it is called for the decision, and awaited after that."""
    reach(f"{verb}.deciding")

    async def whole() -> Facts:
        reach(f"{verb}.decided")
        facts = await acting()
        reach(f"{verb}.acted")
        return facts

    return whole()


def processes(parts: Parts) -> Provider:
    """The provider with gates."""
    machines = GatedMachines(parts.settings.machines)
    return Processes(machines, GatedVerbs(machines, PROGRAM))


PROVIDERS["processes"] = Choice(processes)

if __name__ == "__main__":
    sys.exit(main())
