"""The simulated vCenter: its truth is the store itself, and its work is a change of the inventory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from resphere.providers.simulator.durations import NONE, Durations
from resphere.providers.simulator.load import Statistics
from resphere.providers.simulator.work.guests import GuestOptions, Guests
from resphere.providers.simulator.work.hardware import Hardware
from resphere.providers.simulator.work.hosts import Hosts
from resphere.providers.simulator.work.inventory import Inventory
from resphere.providers.simulator.work.lifecycle import Lifecycle
from resphere.providers.simulator.work.power import Power
from resphere.providers.simulator.work.reboots import Reboots
from resphere.providers.simulator.work.snapshots import Snapshots
from resphere.replica.replica import Replica
from resphere.store.contents import Contents

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
        self.power = Power(inventory, durations)
        self.hardware = Hardware(inventory, durations)
        self.snapshots = Snapshots(inventory, durations)
        self.lifecycle = Lifecycle(inventory, durations)
        self.hosts = Hosts(inventory, durations)
        self.inventory = Inventory(inventory, durations)
        self.guests = Guests(inventory, contents, now, durations, guests)
        self.statistics = Statistics(inventory)
        self._reboots = Reboots(inventory, now)

    async def feed(self, inventory: Replica) -> None:
        """The store is the truth; what goes on in guests by itself is brought about here."""
        async with asyncio.TaskGroup() as going_on:
            going_on.create_task(self.guests.go_on())
            going_on.create_task(self._reboots.due.run())
