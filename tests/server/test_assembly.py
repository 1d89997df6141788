"""A worker's start and stop: whatever fails, all that was begun is released."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from resphere.auth.sessions import Sessions
from resphere.replica.lease import Lease
from resphere.replica.replica import Replica
from resphere.replica.wiring import WIRING
from resphere.server import assembly
from resphere.server.assembly import running
from resphere.server.prepare import fill
from resphere.server.settings import Settings
from resphere.store.engines import open_store
from resphere.tasks.runner import Tasks


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a server whose store is filled."""
    settings = Settings(data_dir=tmp_path, vms=1, hosts=1, clusters=1)
    settings.logs.mkdir()
    asyncio.run(fill(settings, "secret"))
    return settings


class Traces:
    """What a worker would leave: threads, handlers of logs, signs of life."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = set(threading.enumerate())
        self._handlers = set(logging.getLogger().handlers)

    def assert_none(self) -> None:
        # Those of the event loop's own pool have ended with it.
        assert {thread.name for thread in set(threading.enumerate()) - self._threads} == set()
        assert set(logging.getLogger().handlers) <= self._handlers
        assert [*(self._settings.data_dir / "workers").iterdir()] == []


async def lease_of(settings: Settings) -> Lease | None:
    """The lease of the provider's feed."""
    store = await open_store(settings.store_url)
    try:
        replica = Replica(store, WIRING.tables)
        await replica.load()
        return replica.get(Lease, assembly.FEED)
    finally:
        await store.close()


async def hold(settings: Settings, held: list[str | None]) -> None:
    """Run a worker until it leads."""
    async with running(settings) as worker:
        inventory = worker.pipeline.environment.inventory
        leads = asyncio.Event()
        inventory.subscribe(Lease, lambda _, new: leads.set() if new and new.holder else None)
        lease = inventory.get(Lease, assembly.FEED)
        if lease is None or lease.holder is None:
            await leads.wait()
        lease = inventory.get(Lease, assembly.FEED)
        held.append(lease.holder if lease else None)


def test_an_orderly_stop_releases_everything(settings: Settings) -> None:
    traces, held = Traces(settings), list[str | None]()
    asyncio.run(hold(settings, held))
    traces.assert_none()
    assert held[0]
    assert asyncio.run(lease_of(settings)) == Lease(id=assembly.FEED)


@pytest.mark.parametrize("part", ["make_provider", "dialects", "Leases", "open_replica"])
def test_a_start_that_fails_releases_what_was_begun(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*_: object) -> None:
        raise LookupError(part)

    monkeypatch.setattr(assembly, part, fail)
    traces = Traces(settings)
    (settings.data_dir / "workers").mkdir(exist_ok=True)
    with pytest.raises(LookupError, match=part):
        asyncio.run(hold(settings, []))
    traces.assert_none()


@pytest.mark.parametrize(("cls", "method"), [(Sessions, "finish"), (Tasks, "close")])
def test_what_cannot_be_released_keeps_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, cls: type, method: str
) -> None:
    async def fail(_: object) -> None:
        raise LookupError(method)

    monkeypatch.setattr(cls, method, fail)
    traces = Traces(settings)
    with pytest.raises(LookupError, match=method):
        asyncio.run(hold(settings, []))
    traces.assert_none()
