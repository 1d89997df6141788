"""The simulated vCenter: its truth is the store itself, and its machines are what the inventory says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from resphere.inventory.effects import AnyEffect
from resphere.inventory.facts import Facts
from resphere.providers.base import Capabilities, Inventory, Step
from resphere.providers.simulator.durations import NONE, Durations
from resphere.providers.simulator.load import Statistics
from resphere.providers.simulator.pace import steps
from resphere.providers.simulator.work.failures import Failures
from resphere.providers.simulator.work.guests import GuestOptions, Guests
from resphere.providers.simulator.work.hardware import Hardware
from resphere.providers.simulator.work.hosts import Hosts
from resphere.providers.simulator.work.lifecycle import Lifecycle
from resphere.providers.simulator.work.power import Power
from resphere.providers.simulator.work.reboots import Reboots
from resphere.providers.simulator.work.snapshots import Snapshots
from resphere.replica.replica import Replica
from resphere.store.base import Contents

GUESTS = GuestOptions()


class Simulator:
    """A vCenter without machines."""

    name = "simulator"

    def __init__(
        self,
        inventory: Replica,
        contents: Contents,
        now: Callable[[], datetime],
        durations: Durations = NONE,
        guests: GuestOptions = GUESTS,
    ) -> None:
        self._durations = durations
        self._guests = Guests(inventory, contents, now, guests)
        self._reboots = Reboots(inventory, now)
        power, hosts = Power(inventory, now, durations), Hosts(inventory)
        lifecycle = Lifecycle(inventory, now, durations)
        self.capabilities = Capabilities(
            at_once=True,
            power=power,
            lifecycle=lifecycle,
            hardware=Hardware(),
            suspension=power,
            guest_power=power,
            registration=lifecycle,
            copies=lifecycle,
            migration=lifecycle,
            snapshots=Snapshots(inventory, now),
            hosts=hosts,
            maintenance=hosts,
            failures=Failures(inventory, power),
            guests=self._guests,
            tools=self._guests,
            customization=self._guests,
            statistics=Statistics(inventory),
        )

    def steps(self, effect: AnyEffect) -> Sequence[Step]:
        """As the durations say."""
        return steps(self._durations, effect)

    async def observe(self, work: str, effect: AnyEffect) -> Facts | None:
        """What was not settled has not happened."""
        return None

    async def feed(self, inventory: Inventory) -> None:
        """The store is the truth; what goes on in guests by itself is brought about here."""
        async with asyncio.TaskGroup() as going_on:
            going_on.create_task(self._guests.go_on())
            going_on.create_task(self._reboots.due.run())
