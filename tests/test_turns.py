"""Long work in pieces: all of it, in order, and others come in between."""

from __future__ import annotations

import asyncio

import pytest

from resphere.turns import PIECE, in_turns


@pytest.mark.parametrize(("count", "pieces"), [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_all_items_come_in_order(count: int, pieces: list[int]) -> None:
    async def collect() -> list[list[int]]:
        return [piece async for piece in in_turns(iter(range(count)), 3)]

    found = asyncio.run(collect())
    assert [len(piece) for piece in found] == pieces
    assert [item for piece in found for item in piece] == list(range(count))


def test_others_have_a_turn_between_pieces_only() -> None:
    seen: list[str] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        async for piece in in_turns(range(PIECE + 1)):
            loop.call_soon(seen.append, "other")
            seen.append(f"{len(piece)}")
        seen.append("end")

    asyncio.run(work())
    assert seen == [f"{PIECE}", "other", "1", "end", "other"]
