"""The same three routes as one would write them with FastAPI, beside the contract's other paths.

It checks no session, no privilege and no filter, keeps no audit trail and makes no task: it is measured at its best.
Power operations are durable too: a row in SQLite (WAL, synchronous=FULL) is changed and committed before the answer.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException

from bench.apps.serving import main
from resphere.contract.lookup import api_routes

AFTER = {"start": "POWERED_ON", "stop": "POWERED_OFF"}


@dataclass
class Summary:
    """A VM as lists show it."""

    vm: str
    name: str
    power_state: str
    cpu_count: int
    memory_size_MiB: int


class VirtualMachines:
    """The handlers, with what they serve: ``vms.json`` is the list, ``vm.json`` the detail of each."""

    def __init__(self, data: Path) -> None:
        self._summaries = [Summary(**each) for each in json.loads((data / "vms.json").read_bytes())]
        detail = json.loads((data / "vm.json").read_bytes())
        self._details: dict[str, dict[str, Any]] = {each.vm: detail for each in self._summaries}
        path = data / "fastapi.db"
        with closing(connect(path)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS vms (id TEXT PRIMARY KEY, power_state TEXT NOT NULL)")
            rows = [(each.vm, each.power_state) for each in self._summaries]
            connection.executemany("INSERT OR IGNORE INTO vms (id, power_state) VALUES (?, ?)", rows)
        self._connection = connect(path)

    async def list(self) -> Any:
        return self._summaries

    async def get(self, vm: str) -> dict[str, Any]:
        found = self._details.get(vm)
        if found is None:
            raise HTTPException(404)
        return found

    async def power(self, vm: str, action: str) -> None:
        state = AFTER[action]
        with self._connection as connection:
            changed = connection.execute(
                "UPDATE vms SET power_state = ? WHERE id = ? AND power_state <> ?", (state, vm, state)
            )
        if changed.rowcount == 0:
            raise HTTPException(400)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that flushes to disk at each commit."""
    connection = sqlite3.connect(path, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def paths() -> Iterator[tuple[str, str]]:
    """Each method and path of the contract once, in its order."""
    return iter(dict.fromkeys((method, text.partition("?")[0]) for method, text, _ in api_routes()))


async def nothing() -> None:
    """What the other routes do."""


def application(data: Path) -> Any:
    """The FastAPI application."""
    app = FastAPI(openapi_url=None)
    vms = VirtualMachines(data)
    for method, path in paths():
        match method, path:
            case "GET", "/api/vcenter/vm":
                app.add_api_route(path, vms.list, methods=[method], response_model=list[Summary])
            case "GET", "/api/vcenter/vm/{vm}":
                app.add_api_route(path, vms.get, methods=[method])
            case "POST", "/api/vcenter/vm/{vm}/power":
                app.add_api_route(path, vms.power, methods=[method], status_code=204)
            case _:
                app.add_api_route(path, nothing, methods=[method])
    return app


if __name__ == "__main__":
    main(application)
