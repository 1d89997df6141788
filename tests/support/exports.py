"""The inventory of a server as a whole, as ``resphere inventory export`` writes it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from resphere.cli.inventory import exported
from resphere.inventory.model import KINDS, ManagedObject
from resphere.inventory.tables import TABLES
from resphere.replica.replica import Replica
from resphere.store.engines import default_url, open_store
from tests.support.server import Server


def export(server: Server) -> str:
    """The exported YAML; the server may be running."""
    return asyncio.run(exported(default_url(server.data_dir)))[0]


def objects(server: Server) -> dict[str, ManagedObject]:
    """Every object by id, as the store has it now."""
    return asyncio.run(objects_in(server.data_dir))


async def objects_in(data_dir: Path) -> dict[str, ManagedObject]:
    """Every object by id in a server's data directory."""
    store = await open_store(default_url(data_dir))
    try:
        replica = Replica(store, TABLES)
        await replica.load()
        return {obj.id: obj for cls in KINDS.values() for obj in replica.all(cls).values()}
    finally:
        await store.close()
