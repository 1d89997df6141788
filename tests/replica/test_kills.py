"""Processes that change one store and are killed at any moment; nobody ever sees half a change."""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from pathlib import Path

from resphere.replica.replica import Replica
from tests.replica.worlds import WORLD, Item, check_indexes, contents, opened
from tests.replica.writer import check, twins

SEED = 20_260_102
WRITERS = 2
KILLS_OF_EACH = 8
MOST_CHANGES = 600


class Checker:
    """Looks at the store after each change that a writer was acknowledged."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._sequence = 0
        self._revision = 0
        self.looks = 0

    async def look(self, line: str) -> None:
        """See that the change is there, that none is there by half, and that nothing goes back."""
        await self._replica.refresh()
        assert self._replica.sequence >= self._sequence
        assert self._replica.revision >= self._revision
        self._sequence, self._revision = self._replica.sequence, self._replica.revision
        check(self._replica)
        if line != "-":
            pair, value = map(int, line.split())
            shown = self._replica.get(Item, twins(pair)[0])
            assert shown is not None
            assert shown.value >= value
        self.looks += 1


async def write_and_die(path: Path, seed: int, changes: int, checker: Checker) -> None:
    """Start a writer, and kill it once it has reported so many changes."""
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.replica.writer", str(path), str(seed), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    try:
        for _ in range(changes):
            line = (await writer.stdout.readline()).decode().strip()
            assert line, f"the writer with seed {seed} has failed"
            await checker.look(line)
    finally:
        with suppress(ProcessLookupError):
            writer.kill()
        rest = (await writer.stdout.read()).decode().splitlines(keepends=True)
        await writer.wait()
    for line in rest:
        if line.endswith("\n"):
            await checker.look(line.strip())


async def die_again_and_again(path: Path, writer: int, checker: Checker) -> None:
    rng = random.Random(SEED + writer)
    for kill in range(KILLS_OF_EACH):
        await write_and_die(path, SEED + 100 * writer + kill, rng.randrange(1, MOST_CHANGES), checker)


def test_no_half_change_is_ever_seen(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "store"
        async with opened(path) as replica:
            checker = Checker(replica)
            async with asyncio.TaskGroup() as tasks:
                for writer in range(WRITERS):
                    tasks.create_task(die_again_and_again(path, writer, checker))
            await replica.refresh()
            check(replica)
            check_indexes(replica, WORLD)
            assert checker.looks >= WRITERS * KILLS_OF_EACH
            async with opened(path) as fresh:
                assert contents(fresh) == contents(replica)

    sys.stdout.write(f"seed {SEED}\n")
    asyncio.run(test())
