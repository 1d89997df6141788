"""Work that takes time, for as long as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from resphere.inventory.effects import AnyEffect, Intent
from resphere.inventory.facts import Facts
from resphere.providers.base import Provider, Step
from resphere.providers.simulator.durations import MOST_SECONDS
from resphere.providers.simulator.provider import Simulator
from resphere.tasks.runner import Tasks
from tests.support.racing import Work
from tests.support.world import World

READ = ("at_once", "statistics")
"""Of capabilities, what does nothing."""


class Waiting:
    """Verbs of a provider that wait for the gate and then do what those of another do."""

    def __init__(self, verbs: Any, gate: asyncio.Event) -> None:
        self._verbs = verbs
        self._gate = gate

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Facts]]:
        verb = getattr(self._verbs, name)

        async def waiting(*given: Any) -> Facts:
            await self._gate.wait()
            facts: Facts = await verb(*given)
            return facts

        return waiting


class Slow(Simulator):
    """A simulator with durations that do not end by themselves."""

    def __init__(self, world: World) -> None:
        super().__init__(world.inventory, world.contents, world.environment.now)

    def steps(self, effect: AnyEffect) -> Sequence[Step]:
        """One step without end."""
        return (Step(seconds=float(MOST_SECONDS)),)


class Outside(Simulator):
    """A simulator that acts outside, once ``gate`` is set."""

    def __init__(self, world: World) -> None:
        super().__init__(world.inventory, world.contents, world.environment.now)
        self.gate = asyncio.Event()
        can = msgspec.structs.asdict(self.capabilities).items()
        self.capabilities = msgspec.structs.replace(
            self.capabilities,
            **{name: Waiting(verbs, self.gate) for name, verbs in can if name not in READ and verbs is not None},
            at_once=False,
        )


def use(world: World, provider: Provider, is_alive: Callable[[str], bool] = lambda _: True) -> None:
    """Have the provider do the world's work; ``is_alive`` tells of other workers."""
    owner = world.environment.tasks.owner
    tasks = Tasks(world.inventory, world.environment.now, owner, is_alive, provider)
    world.environment = msgspec.structs.replace(world.environment, provider=provider, tasks=tasks)


def slowly(world: World, work: Work) -> tuple[Outside, Work, list[asyncio.Task[Any]]]:
    """Work that is begun, and goes on until the provider's gate is opened: the provider, the work up to its decision,
    and its tasks."""
    provider = Outside(world)
    use(world, provider)
    begun: list[asyncio.Task[Any]] = []

    async def begin(world: World) -> None:
        decided = asyncio.Event()
        world.inventory.subscribe(Intent, lambda _, __: decided.set())
        begun.append(asyncio.ensure_future(work(world)))
        await decided.wait()

    return provider, begin, begun


@asynccontextmanager
async def under_way(world: World, work: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Work of a slow provider, from its decision on; it is broken off at the end where it is not over."""
    decided = asyncio.Event()
    end = world.inventory.subscribe(Intent, lambda _, new: decided.set() if new is not None else None)
    working = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(decided.wait())
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        assert not working.done(), working.result()
        yield working
    finally:
        end()
        waiting.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
            await world.environment.tasks.close()
