"""Bulk operations of a world in the test's own process, and a worker that carries them out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec

from resphere.bulk.record import BulkRecord
from resphere.bulk.runner import BulkRunner
from resphere.replica.replica import Replica
from resphere.server.errands import Errands, unlimited
from resphere.tasks.runner import Tasks
from tests.support.calls import ApiCall
from tests.support.served import Served

PATH = "/api/resphere/bulk"
START = "com.vmware.vcenter.vm.power.start"
STOP = "com.vmware.vcenter.vm.power.stop"


class Alive(msgspec.Struct):
    """A worker that lives, beside ``others`` that do."""

    name: str
    others: frozenset[str] = frozenset()

    def is_alive(self, name: str) -> bool:
        return name == self.name or name in self.others

    async def release(self) -> None:
        """Nobody asks for it."""


class BulkClient:
    """Asks for bulk operations as a client does, in the process of the server."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and body of any request."""
        content = None if body is None else json.dumps(body).encode()
        reply = self.served.ask_api(ApiCall(method, path, content))
        return reply.status, json.loads(reply.body) if reply.body else None

    def create(self, **spec: Any) -> str:
        """Begin one; its id."""
        status, identity = self.ask("POST", PATH, spec)
        assert status == 201, identity
        assert isinstance(identity, str)
        return identity

    def refusal(self, **spec: Any) -> str:
        """Why one is refused before anything is begun."""
        status, error = self.ask("POST", PATH, spec)
        assert status == 400, error
        text: str = error["messages"][0]["default_message"]
        return text

    def info(self, bulk: str) -> dict[str, Any]:
        """What is told of it."""
        status, found = self.ask("GET", f"{PATH}/{bulk}")
        assert status == 200, found
        assert isinstance(found, dict)
        return found

    def items(self, bulk: str, query: str = "") -> list[dict[str, Any]]:
        """All items, page after page."""
        found: list[dict[str, Any]] = []
        marker = ""
        while True:
            status, page = self.ask("GET", f"{PATH}/{bulk}/items?{query}{marker}")
            assert status == 200, page
            found += page["items"]
            if "marker" not in page:
                return found
            marker = f"&marker={page['marker']}"

    def run(self, *bulks: str) -> dict[str, Any]:
        """Have them carried out to their ends; what is told of the last."""
        self.served.world.run(carried_out(self.served, lambda replica: all(is_over(replica, each) for each in bulks)))
        return self.info(bulks[-1])

    def done(self, **spec: Any) -> dict[str, Any]:
        """Begin one and have it carried out."""
        return self.run(self.create(**spec))


def is_over(replica: Replica, bulk: str) -> bool:
    """Whether a bulk operation has ended."""
    found = replica.get(BulkRecord, bulk)
    return found is None or found.is_finished


def runner_of(served: Served, name: str = "test", others: frozenset[str] = frozenset()) -> BulkRunner:
    """A worker's part in carrying out, of the world's replica."""
    world = served.world
    alive = Alive(name, others)
    tasks = Tasks(world.inventory, world.environment.now, name, alive.is_alive, world.environment.provider)
    return BulkRunner(world.inventory, world.environment.bulks, Errands(unlimited(served.pipeline)), tasks, alive)


async def carried_out(served: Served, over: Callable[[Replica], bool], name: str = "test") -> None:
    """Carry out what there is until ``over`` says so, and stop in order."""
    replica = served.world.inventory
    changed = asyncio.Event()
    end = replica.subscribe(BulkRecord, lambda *_: changed.set())
    running = asyncio.ensure_future(runner_of(served, name).run())
    try:
        while not over(replica):
            changed.clear()
            await changed.wait()
    finally:
        end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
