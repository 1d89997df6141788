"""Where documents are made that are the same for everybody: one at a time, in a thread of their own.

Whoever asks for one that is being made waits for it, and takes none of the threads that others need meanwhile, such as
those of passwords.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

P = TypeVarTuple("P")
T = TypeVar("T")

_MAKER = ThreadPoolExecutor(1, "documents")


async def made_once(make: Callable[[*P], T], *args: *P) -> T:
    """What ``make`` returns, which keeps what it has made: nobody else makes the same meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(_MAKER, make, *args)
