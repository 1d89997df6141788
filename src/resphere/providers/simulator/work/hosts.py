"""Simulated hosts."""

from __future__ import annotations

from resphere.inventory.effects import NewHost
from resphere.inventory.facts import NOTHING, Facts, HostFacts
from resphere.inventory.model import Host
from resphere.providers.base import Work
from resphere.providers.simulator.new_hosts import facts_of, free_address, reach
from resphere.replica.replica import Replica


class Hosts:
    """Hosts that nobody has seen before, each with its local datastore. Known ones always answer."""

    def __init__(self, inventory: Replica) -> None:
        self._inventory = inventory

    async def inspect(self, new_host: NewHost) -> HostFacts:
        """The host that would be added."""
        reach(new_host)
        return facts_of(new_host, free_address(self._inventory.all(Host).values()))

    async def add(self, work: Work, new_host: NewHost, id: str) -> Facts:
        """It is as it says."""
        return Facts(host=await self.inspect(new_host))

    async def connect(self, work: Work, host: Host) -> Facts:
        """It answers."""
        return NOTHING

    async def disconnect(self, work: Work, host: Host) -> Facts:
        """Its machines stay as they are."""
        return NOTHING

    async def enter(self, work: Work, host: Host) -> Facts:
        """Nothing runs there any more."""
        return NOTHING

    async def exit(self, work: Work, host: Host) -> Facts:
        """It is as before."""
        return NOTHING
