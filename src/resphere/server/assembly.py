"""Puts a worker together: the one place that knows every concrete part."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from resphere import __version__, services
from resphere.access.view import RootViews
from resphere.audit.formats import JsonFormat, VpxdFormat
from resphere.audit.server_log import ServerLog
from resphere.audit.writer import LineWriter
from resphere.auth.accounts import LocalAccounts
from resphere.auth.sessions import SessionLimits, Sessions
from resphere.contract.catalogue import Catalogue
from resphere.dialects.table import dialects
from resphere.replica.replica import Replica
from resphere.replica.sealing import Sealing
from resphere.server.exchange import Exchange
from resphere.server.faults import NO_FAULTS, Faults, read_faults
from resphere.server.kept import Kept
from resphere.server.key_file import read_sealing
from resphere.server.memory import give_back
from resphere.server.pipeline import Pipeline
from resphere.server.providers import Parts, make_provider
from resphere.server.record import audit_record
from resphere.server.settings import Settings
from resphere.server.wiring import WIRING
from resphere.server.workers import WorkerLock
from resphere.services.call import Environment, Product
from resphere.services.registry import load
from resphere.store.base import Store
from resphere.store.contents import Contents
from resphere.store.engines import open_store
from resphere.tasks.observing import Observations
from resphere.tasks.runner import Tasks

log = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0


def now() -> datetime:
    """The present moment, in UTC, to the millisecond."""
    # Milliseconds, as on vCenter's wire: what is stored is what is shown.
    return datetime.fromtimestamp(time.time_ns() // 1_000_000 / 1000, UTC)


async def open_replica(store: Store, sealing: Sealing) -> Replica:
    """The inventory in memory, loaded."""
    replica = Replica(store, WIRING.tables, sealing=sealing, derived=WIRING.derived, rules=WIRING.rules)
    await replica.load()
    return replica


class Worker:
    """Everything that one worker process runs, from its start to its orderly end."""

    def __init__(self, settings: Settings, ca_archive: bytes | None, store: Store, replica: Replica) -> None:
        self.settings = settings
        self._server_log = ServerLog(settings.logs)
        self._audit = LineWriter(settings.logs / "audit.log", JsonFormat())
        self._vpxd = LineWriter(settings.logs / "vpxd.log", VpxdFormat())
        self._store = store
        self._replica = replica
        self._lock = WorkerLock(settings.data_dir / "workers", f"{os.getpid()}-{secrets.token_hex(4)}")
        self._accounts = LocalAccounts(self._replica, secrets.token_bytes)
        self._sessions = Sessions(self._replica, session_limits(settings), now, secrets.token_bytes)
        contents = Contents(settings.guest_files, self._lock.name, self._lock.is_alive)
        self._provider = make_provider(Parts(settings, self._replica, contents, now))
        self._tasks = Tasks(
            self._replica,
            now,
            self._lock.name,
            self._lock.is_alive,
            self._provider,
        )
        self.pipeline = Pipeline(
            environment=Environment(
                inventory=self._replica,
                provider=self._provider,
                tasks=self._tasks,
                product=product(settings, self._replica.epoch, self._provider.name),
                now=now,
                random_bytes=secrets.token_bytes,
                list_limits=settings.list_limits,
                ca_archive=ca_archive,
            ),
            accounts=self._accounts,
            sessions=self._sessions,
            views=RootViews(),
            implementations=load(services),
            faults=Faults(read_faults(settings.faults) if settings.faults else NO_FAULTS),
            kept=Kept(),
            record=self.record,
            clock=time.perf_counter,
            body_limit_bytes=settings.max_body_bytes,
            stream_limit_bytes=settings.max_guest_file_bytes,
        )
        self.dialects = dialects(Catalogue(settings.api_release), settings.max_body_bytes)
        parts: dict[type, Any] = {type(part): part for part in (self._sessions, self._tasks)}
        self._sweeps = [partial(sweep.run, parts[sweep.part]) for sweep in WIRING.sweeps]
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin what goes on beside the requests."""
        orphans = await self._tasks.take_over_orphans()
        if orphans:
            log.warning("%d tasks had been interrupted and are ended now", orphans)
        loop = asyncio.get_running_loop()
        self._background = [
            loop.create_task(self._sweep()),
            loop.create_task(self._provider.feed(Observations(self._replica, now))),
        ]
        log.info("worker %s serves %s", self._lock.name, self.settings.data_dir)

    async def stop(self) -> None:
        """Finish what was handed in and release everything."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._sessions.finish()
        await self._tasks.close()
        await self._store.close()
        self._lock.release()
        log.info("worker %s stopped", self._lock.name)
        self._audit.close()
        self._vpxd.close()
        self._server_log.close()

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        """Write one call into the audit trail and the ``vpxd.log``."""
        record = audit_record(exchange, duration_seconds)
        self._audit.write(record)
        self._vpxd.write(record)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self._replica.refresh()
                for sweep in self._sweeps:
                    await sweep()
            except Exception:
                log.exception("the periodic clean-up failed and will be tried again")


@asynccontextmanager
async def running(settings: Settings, ca_archive: bytes | None) -> AsyncIterator[Worker]:
    """A worker from its start to its orderly end."""
    store = await open_store(settings.store_url)
    replica = await open_replica(store, read_sealing(settings.key_file))
    give_back()
    worker = Worker(settings, ca_archive, store, replica)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def session_limits(settings: Settings) -> SessionLimits:
    """The settings that concern sessions."""
    return SessionLimits(
        idle=timedelta(seconds=settings.session_idle_seconds),
        lifetime=timedelta(seconds=settings.session_lifetime_seconds),
        per_user=settings.max_sessions_per_user,
        total=settings.max_sessions,
    )


def product(settings: Settings, epoch: str, provider: str) -> Product:
    """What the server says of itself."""
    return Product(
        version=settings.version,
        build=settings.build,
        server_version=__version__,
        instance_uuid=epoch,
        api_releases=Catalogue(settings.api_release).releases,
        provider=provider,
        host_name=settings.tls_names[0] if settings.tls_names else socket.gethostname(),
    )
