"""Rotations of the key of secrets that are killed at each of their steps. What they leave is looked at after each.

``python -m tests.server.killed_rotations FOLDER OLD NEW`` ends with 0 where all was as it must be; ``OLD`` and ``NEW``
are ``own``, the key that the store keeps, or keys in hexadecimal.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from resphere.inventory.customization import CustomizationItem
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.server.assembly import open_replica
from resphere.server.rotation import rotate
from resphere.store.base import Store, StoreError
from resphere.store.engines import default_url, open_store
from tests.support.customizations import windows
from tests.support.killed import killed_at_each_step

PASSWORD = "an unusual passphrase to be found"
ITEMS = 3
NOW = datetime(2026, 11, 29, tzinfo=UTC)
FEWEST_STEPS = 4
"""Fewer would mean that steps are not seen."""


async def opened(store: Store, key: bytes | None) -> Replica:
    return await open_replica(store, await open_sealing(store, secrets.token_bytes, key))


async def fill(data_dir: Path, key: bytes | None) -> None:
    """A store with secrets."""
    store = await open_store(default_url(data_dir))

    def plan(edit: Edit) -> None:
        for n in range(ITEMS):
            edit.put(
                CustomizationItem(
                    id=f"win-{n}", description="", spec=windows(PASSWORD), fingerprint="", last_modified=NOW
                )
            )

    await (await opened(store, key)).change(plan)
    await store.close()


async def opens(data_dir: Path, key: bytes | None) -> bool:
    """Whether a server with that key starts, and finds all secrets."""
    store = await open_store(default_url(data_dir), make=False)
    try:
        replica = await opened(store, key)
    except StoreError:
        return False
    finally:
        await store.close()
    assert [item.spec for item in replica.all(CustomizationItem).values()] == [windows(PASSWORD)] * ITEMS
    return True


async def rotated(data_dir: Path, old: bytes | None, new: bytes | None) -> None:
    store = await open_store(default_url(data_dir), make=False)
    try:
        await rotate(store, old, new)
    finally:
        await store.close()


def main(folder: Path, old: bytes | None, new: bytes | None) -> int:
    """Kill a rotation at each step; the number of kills."""
    first, data_dir = folder / "first", folder / "data"
    first.mkdir()
    asyncio.run(fill(first, old))

    def before() -> None:
        shutil.rmtree(data_dir, ignore_errors=True)
        shutil.copytree(first, data_dir)

    def after(ended: bool) -> None:
        by_old, by_new = asyncio.run(opens(data_dir, old)), asyncio.run(opens(data_dir, new))
        # Where the store keeps both keys itself, the server cannot tell when it is over.
        assert by_old or by_new, "nobody can open it"
        assert not ended or by_new
        # Called again it ends well, whatever the first one had done.
        asyncio.run(rotated(data_dir, old if by_old else new, new))
        assert asyncio.run(opens(data_dir, new))
        names = {path.name for path in data_dir.glob("*.key")}
        assert names == ({"secrets.key"} if new is None else set()), names

    return killed_at_each_step(lambda: asyncio.run(rotated(data_dir, old, new)), before, after)


def key_of(text: str) -> bytes | None:
    return None if text == "own" else bytes.fromhex(text)


if __name__ == "__main__":
    kills = main(Path(sys.argv[1]), key_of(sys.argv[2]), key_of(sys.argv[3]))
    sys.stdout.write(f"{kills} kills\n")
    sys.exit(0 if kills >= FEWEST_STEPS else 1)
