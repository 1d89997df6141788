"""What is finished when its moment has come."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.work import due as module
from resphere.providers.simulator.work.due import Due
from resphere.replica.edit import Edit
from tests.support.world import NOW, World


def test_what_is_due_sooner_is_not_slept_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what comes later than what is waited for wakes nobody."""
    monkeypatch.setattr(module, "GATHERED_SECONDS", 0.0)
    with World(tmp_path) as world:
        inventory = world.inventory
        last, first, *between = inventory.all(VirtualMachine)
        finished: list[list[str]] = []
        looks = 0
        over = asyncio.Event()

        def waiting() -> list[tuple[object, str]]:
            nonlocal looks
            looks += 1
            return [(found.due, found.id) for found in inventory.all(GuestReboot).values()]

        async def finish(machines: list[str]) -> None:
            finished.append(machines)

            def plan(edit: Edit) -> None:
                for each in machines:
                    edit.delete(GuestReboot, each)

            await inventory.change(plan)
            over.set()

        async def put(id: str, seconds: float) -> None:
            def plan(edit: Edit) -> None:
                edit.put(GuestReboot(id=id, due=NOW + timedelta(seconds=seconds)))

            await inventory.change(plan)

        async def scenario() -> None:
            due = Due(inventory, lambda: NOW, GuestReboot, waiting, finish)  # type: ignore[arg-type]
            await put(first, 1000.0)
            running = asyncio.ensure_future(due.run())
            await asyncio.sleep(0)
            looked = looks
            for number, id in enumerate(between, 1):
                await put(id, 1000.0 + number)
            assert looks == looked
            await put(last, 0.0)
            await over.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        world.run(scenario())
        assert finished == [[last]]
        assert between
