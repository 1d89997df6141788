"""Schedules of a server in the test's own process, with a clock that the test sets."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from resphere.auth.by_requester import ByRequester
from resphere.auth.requesters import Requester
from resphere.bulk.record import BulkRecord
from resphere.events.seeing import Eyes, eyes_of
from resphere.schedules.listening import Listener
from resphere.schedules.record import Schedule
from resphere.schedules.runner import Clock
from tests.support.bulk import STOP, BulkClient, carried_out, is_over
from tests.support.served import Served
from tests.support.world import NOW

PATH = "/api/resphere/schedules"
NIGHTLY = {"type": "CRON", "cron": "0 4 * * *"}
STOP_ALL = {
    "each": {
        "operation": STOP,
        "parameter": "vm",
        "filter": {
            "operation": "com.vmware.vcenter.VM.list",
            "input": {"filter": {"power_states": ["POWERED_ON"]}},
        },
    }
}


class ScheduleClient(BulkClient):
    """Asks for schedules, sets the clock, and has the elected worker look at it."""

    def __init__(self, served: Served) -> None:
        super().__init__(served)
        self.set(NOW)

    def set(self, moment: datetime) -> None:
        """Set the clock of the server."""
        self.moment = moment
        world = self.served.world
        world.environment = msgspec.structs.replace(world.environment, now=lambda: self.moment)
        served = self.served
        served.pipeline = msgspec.structs.replace(served.pipeline, environment=world.environment)
        # Sessions end while time passes.
        principal = served.accounts.principal("administrator@vsphere.local")
        assert principal is not None
        served.token = world.run(world.environment.identities.sessions.open(principal, "password"))

    def schedule(self, **spec: Any) -> str:
        """Make one; its id."""
        given = {"name": "nightly", "trigger": NIGHTLY, "work": STOP_ALL, **spec}
        status, identity = self.ask("POST", PATH, given)
        assert status == 201, identity
        assert isinstance(identity, str)
        return identity

    def refused(self, **spec: Any) -> str:
        """Why one is refused."""
        given = {"name": "nightly", "trigger": NIGHTLY, "work": STOP_ALL, **spec}
        status, error = self.ask("POST", PATH, given)
        assert status == 400, error
        text: str = error["messages"][0]["default_message"]
        return text

    def told(self, schedule: str) -> dict[str, Any]:
        """What is told of it."""
        status, found = self.ask("GET", f"{PATH}/{schedule}")
        assert status == 200, found
        assert isinstance(found, dict)
        return found

    def runs(self, schedule: str) -> list[dict[str, Any]]:
        """What became of its times."""
        status, found = self.ask("GET", f"{PATH}/{schedule}/runs")
        assert status == 200, found
        assert isinstance(found, list)
        return found

    def tick(self) -> None:
        """Have the worker look at the clock once, for what is due now."""
        world = self.served.world
        planner = world.environment.planner

        async def look() -> None:
            clock = Clock(world.inventory, planner, lambda: self.moment)
            running = asyncio.ensure_future(clock.run())
            # What is due now is fired, and what has ended is settled, before it waits for the first time.
            await clock.looked.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        world.run(look())

    def work(self) -> None:
        """Have all that was begun be carried out."""
        bulks = list(self.served.world.inventory.by(BulkRecord, "open", "yes"))
        self.served.world.run(carried_out(self.served, lambda replica: all(is_over(replica, each) for each in bulks)))

    def listen(self) -> None:
        """Have another worker listen to events, from where the one before was, until all that there are were heard."""
        world = self.served.world

        async def look() -> None:
            environment = world.environment
            listener = Listener(world.inventory, environment.planner, environment.feed, self.eyes, lambda: self.moment)
            running = asyncio.ensure_future(listener.run())
            latest = await environment.feed.latest()
            await listener.looked.wait()
            while any(each.listens for each in world.inventory.all(Schedule).values()) and listener.position < latest:
                listener.looked.clear()
                await listener.looked.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        world.run(look())

    def eyes(self, requester: Requester) -> Eyes | None:
        """What somebody sees who has asked for work."""
        parts = self.served.world.environment.identities
        principal = ByRequester(parts.accounts, parts.tokens).principal(requester, self.moment)
        inventory = self.served.world.inventory
        return None if principal is None else eyes_of(inventory, self.served.pipeline.views.of(principal), principal)
