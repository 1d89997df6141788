"""The inventory of a server as a whole, as ``resphere inventory export`` writes it."""

from __future__ import annotations

import asyncio

from resphere.cli.inventory import exported
from resphere.inventory.model import KINDS, ManagedObject
from resphere.inventory.tables import TABLES
from resphere.replica.replica import Replica
from resphere.store.sqlite.store import SqliteStore
from tests.support.server import Server


def export(server: Server) -> str:
    """The exported YAML; the server may be running."""
    return asyncio.run(exported(server.data_dir / "resphere.db"))


def objects(server: Server) -> dict[str, ManagedObject]:
    """Every object by id, as the store has it now."""
    store = SqliteStore.open(server.data_dir / "resphere.db")
    try:
        replica = Replica(store, TABLES)
        replica.load()
        return {obj.id: obj for cls in KINDS.values() for obj in replica.all(cls).values()}
    finally:
        asyncio.run(store.close())
