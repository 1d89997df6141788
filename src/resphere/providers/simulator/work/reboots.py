"""Starts and reboots of guests, which are there after a while, by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.guest.rebooting import rebooted
from resphere.providers.simulator.work.due import Due
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


class Reboots:
    """Those that are under way in all guests."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime]) -> None:
        self._inventory = inventory
        self._now = now
        self.due = Due(inventory, now, GuestReboot, self._under_way, self._finish)

    def _under_way(self) -> Iterator[tuple[datetime, str]]:
        for found in self._inventory.all(GuestReboot).values():
            yield found.due, found.id

    async def _finish(self, machines: list[str]) -> None:
        def plan(edit: Edit) -> None:
            now = self._now()
            for machine in machines:
                current, vm = edit.get(GuestReboot, machine), edit.get(VirtualMachine, machine)
                if current is None or current.due > now:
                    continue
                edit.delete(GuestReboot, machine)
                if vm is not None:
                    edit.put(rebooted(vm))

        await self._inventory.change(plan)
