"""Work that goes on whenever something has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from resphere.replica.replica import Replica
from resphere.replica.table import Stored


@contextmanager
def noticing(replica: Replica, *classes: type[Stored]) -> Iterator[asyncio.Event]:
    """An event that is set, within, after each change of an object of one of the classes; to be cleared before it is
    looked what has changed."""
    changed = asyncio.Event()
    with ExitStack() as stack:
        for cls in classes:
            stack.callback(replica.subscribe(cls, lambda _, __: changed.set()))
        yield changed
