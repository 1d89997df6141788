"""What is sealed by an old key does not stay."""

from __future__ import annotations

import asyncio
from pathlib import Path

from resphere.contract.extensions.states import States
from resphere.inventory.states import SavedState
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.server.rotation import rotate
from resphere.server.wiring import WIRING
from resphere.store.engines import default_url, open_store
from tests.support.world import World

NEW = b"k" * KEY_BYTES


def test_states_go_with_the_key_that_they_are_sealed_by(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.call(States.create, States.CreateSpec(name="s"))

    async def rotated() -> int:
        store = await open_store(default_url(tmp_path))
        try:
            await rotate(store, bytes(KEY_BYTES), NEW)
            replica = Replica(store, WIRING.tables, sealing=Sealing(NEW, lambda size: bytes(size)))
            await replica.load()
            return replica.count(SavedState)
        finally:
            await store.close()

    assert asyncio.run(rotated()) == 0
