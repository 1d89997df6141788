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
