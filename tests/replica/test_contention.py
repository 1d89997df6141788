"""Changes of one object within a worker follow each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from tests.replica.worlds import Item, add, put, run

MANY = 30


def test_each_waits_for_its_turn_and_plans_no_more_than_it_must(tmp_path: Path) -> None:
    """Whoever waited only for the commit under way would plan again after each one's."""

    async def test(replica: Replica) -> None:
        await replica.change(put(Item(id="item-1", name="one")))
        plans = 0

        def counted(edit: Edit) -> int:
            nonlocal plans
            plans += 1
            return add("item-1")(edit)

        values = await asyncio.gather(*(replica.change(counted) for _ in range(MANY)))
        assert values == list(range(1, MANY + 1))
        assert plans <= 4 * MANY

    run(test, tmp_path / "store")
