"""Long work on the event loop in pieces, between which everybody else has a turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

PIECE = 500
"""How many items are worked on in one turn where each takes some ten microseconds."""


async def in_turns(items: Iterable[T], most: int = PIECE) -> AsyncIterator[list[T]]:
    """The items in lists of at most so many. What was read from the inventory may be out of date at the next one."""
    iterator = iter(items)
    piece = list(islice(iterator, most))
    while piece:
        yield piece
        following = list(islice(iterator, most))
        if following:
            await asyncio.sleep(0)
        piece = following


async def heard(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for the event, for so long (``None``: as long as it takes); whether it came.

    Not ``asyncio.wait_for``, which Python 3.11 has swallow a cancelation that comes at the same moment as the event.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
