"""The inventory of a new store."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from resphere.cli.inventory import exported
from resphere.inventory.model import KINDS
from resphere.replica.edit import Edit
from resphere.replica.sealing import open_sealing
from resphere.server.assembly import open_replica
from resphere.server.prepare import fill
from resphere.server.settings import Settings
from resphere.store.engines import open_store


def numbers(settings: Settings) -> tuple[set[int], list[int]]:
    """The numbers in the ids of a filled store, and some new ones."""

    async def ask() -> tuple[set[int], list[int]]:
        store = await open_store(settings.store_url)
        try:
            replica = await open_replica(store, await open_sealing(store, secrets.token_bytes))
            taken = {int(id.lstrip("abcdefghijklmnopqrstuvwxyz-")) for cls in KINDS.values() for id in replica.all(cls)}

            def plan(edit: Edit) -> list[int]:
                return [int(edit.new_id("vm-").removeprefix("vm-")) for _ in range(600)]

            return taken, await replica.change(plan)
        finally:
            await store.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("vms", [0, 40, 1500])
def test_new_ids_are_new(tmp_path: Path, vms: int) -> None:
    settings = Settings(data_dir=tmp_path, vms=vms)
    asyncio.run(fill(settings, "secret"))
    for _ in range(2):
        taken, new = numbers(settings)
        assert not taken & set(new)
        assert min(new) > max(taken)
        assert min(new) > 1000


def test_new_ids_are_new_after_an_import(tmp_path: Path) -> None:
    first, second = (Settings(data_dir=tmp_path / name, vms=1500) for name in ("one", "two"))
    for settings in (first, second):
        settings.data_dir.mkdir()
    asyncio.run(fill(first, "secret"))
    file = tmp_path / "inventory.yaml"
    file.write_text(asyncio.run(exported(first.store_url))[0], encoding="utf-8")
    imported = Settings(data_dir=second.data_dir, inventory=file)
    asyncio.run(fill(imported, "secret"))
    taken, new = numbers(imported)
    assert min(new) > max(taken)
