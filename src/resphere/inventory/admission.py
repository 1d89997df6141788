"""Lets new files onto datastores, never more than there is room for, whoever else writes at the same time.

Who writes a file sees all that was committed, and nothing of what others are about to commit. Where a datastore is
far from full that does no harm, if everybody keeps to a share: each process has no more under way at once than its
part of a margin, and as long as the whole margin is free, all of that finds room together. So many writers pass each
other without a conflict. Where less is free the datastore becomes ``crowded``: then every new file changes the
datastore itself, so that of two writers one must look again. Who wants more than a share does that in any case.

Whoever relies on the datastore being as it was is stopped by such a change.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from resphere.contract.errors import ResourceInaccessible, UnableToAllocateResource, message
from resphere.inventory.edit import Edit
from resphere.inventory.following import Following
from resphere.inventory.model import Datastore
from resphere.inventory.replica import Replica
from resphere.inventory.space import free_space

R = TypeVar("R")

MARGIN_PART = 8
"""The margin is this part of a datastore's capacity."""


class NotYet(Exception):
    """New files on a datastore must wait: until others are done or, ``crowding``, until it has become crowded."""

    def __init__(self, datastore: str, *, crowding: bool) -> None:
        super().__init__(datastore)
        self.datastore = datastore
        self.crowding = crowding


class _UnderWay:
    """The bytes that this process is about to commit on each datastore that is not crowded."""

    def __init__(self, _: Replica) -> None:
        self.bytes: defaultdict[str, int] = defaultdict(int)
        self._waiting: list[asyncio.Future[None]] = []

    def begin(self, datastore: str, size: int) -> Callable[[], None]:
        """Count them in; to call the result counts them out again."""
        self.bytes[datastore] += size

        def end() -> None:
            self.bytes[datastore] -= size
            for waiting in self._waiting:
                if not waiting.done():
                    waiting.set_result(None)
            self._waiting.clear()

        return end

    async def changed(self) -> None:
        """Wait until something is done."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting


_under_way = Following(_UnderWay)


async def with_room(inventory: Replica, work: Callable[[], Awaitable[R]]) -> R:
    """Do ``work``, a change whose plan calls :func:`admit`, again until it need not wait."""
    while True:
        try:
            return await work()
        except NotYet as not_yet:
            reason = not_yet
        await _come_to(inventory, reason)


async def _come_to(inventory: Replica, reason: NotYet) -> None:
    """What a change waits for."""
    if reason.crowding:
        await inventory.change(lambda edit: _crowd(edit, reason.datastore))
    elif _under_way.of(inventory).bytes[reason.datastore]:
        await _under_way.of(inventory).changed()


def admit(inventory: Replica, edit: Edit, wanted: Mapping[str, int]) -> None:
    """Have the change that ``edit`` makes take that many more bytes on each datastore, by id.

    :raises UnableToAllocateResource: there is no room.
    :raises ResourceInaccessible: the datastore is not accessible, or is no more.
    :raises NotYet: for :func:`with_room`.
    """
    for datastore, size in wanted.items():
        store = edit.get(Datastore, datastore)
        if store is None or not store.accessible:
            raise ResourceInaccessible(
                message("resphere.datastore.inaccessible", "The datastore {0} is not accessible.", datastore)
            )
        if size > 0:
            _admit(inventory, edit, store, size)


def _admit(inventory: Replica, edit: Edit, store: Datastore, size: int) -> None:
    free = free_space(inventory, store)
    if size > free:
        raise no_room(store, free, size)
    margin = store.capacity // MARGIN_PART
    share = margin // inventory.writers
    before = _under_way.of(inventory).bytes[store.id]
    if store.crowded:
        _put(edit, store, crowded=free - size < 2 * margin)
    elif free - before - size < margin:
        raise NotYet(store.id, crowding=True)
    elif size > share:
        _put(edit, store, crowded=False)
    elif before + size > share:
        raise NotYet(store.id, crowding=False)
    else:
        edit.rely_on(store)
        edit.when_over(_under_way.of(inventory).begin(store.id, size))


def _put(edit: Edit, store: Datastore, *, crowded: bool) -> None:
    edit.put(msgspec.structs.replace(store, crowded=crowded, admissions=store.admissions + 1))


def _crowd(edit: Edit, datastore: str) -> None:
    store = edit.get(Datastore, datastore)
    if store is not None:
        edit.put(msgspec.structs.replace(store, crowded=True))


def no_room(store: Datastore, free: int, wanted: int) -> UnableToAllocateResource:
    """The refusal where a datastore is too full."""
    return UnableToAllocateResource(
        message(
            "resphere.vm.disk.no_room",
            "The datastore {0} has {1} bytes free, and {2} are needed.",
            store.name,
            free,
            wanted,
        )
    )
