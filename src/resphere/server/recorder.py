"""Where calls are on record: the audit log and the ``vpxd.log``."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from resphere.audit.batches import Batches, Counted, uncounted
from resphere.audit.formats import VpxdFormat, json_object
from resphere.audit.heads import WORKER_CHAINS
from resphere.audit.retention import Keep, tidy
from resphere.audit.signing import PUBLIC_KEYS, SigningKey, publish
from resphere.audit.syncing import Sync, Syncing
from resphere.audit.trail import Rotation, Trail
from resphere.audit.writer import LineWriter
from resphere.contract.errors import ServiceUnavailable, VapiError, message
from resphere.dialects.base import Reply
from resphere.server.exchange import Exchange
from resphere.server.record import audit_record
from resphere.server.settings import Settings

log = logging.getLogger(__name__)

LOGS = "log-dir"
TEND_SECONDS = 1.0
TIDY_TENDINGS = 60
"""Old files are looked for after so many seconds."""


class Policy(StrEnum):
    """What becomes of calls while none can be recorded."""

    FAIL_CLOSED = "fail-closed"
    """They are refused, and nothing is done."""
    DROP_AND_COUNT = "drop-and-count"
    """They are answered; how many were not recorded is told as soon as that can be."""


def heads_folder(data_dir: Path) -> Path:
    """Where the heads of the audit log's chains are, and the public keys."""
    return data_dir / "audit"


def open_trail(settings: Settings, seed: bytes, clock: Callable[[], datetime], chains: range = WORKER_CHAINS) -> Trail:
    """The audit log as this process writes it, one of those chains, signed by the key of that secret.

    :raises OSError: its files cannot be used.
    """
    folder = heads_folder(settings.data_dir)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = SigningKey.of(seed)
    publish(key, folder / PUBLIC_KEYS)
    rotation = Rotation(bytes=settings.audit_file_bytes, seconds=settings.audit_file_seconds)
    return Trail(settings.logs, folder, key, rotation=rotation, chains=chains, clock=clock)


def note_logs(settings: Settings) -> None:
    """Note beside the heads where the server has its logs, for commands that are told of the data directory alone.

    :raises OSError: it cannot be written.
    """
    place = heads_folder(settings.data_dir) / LOGS
    content = os.fsencode(settings.logs.resolve())
    if place.exists() and place.read_bytes() == content:
        return
    unfinished = place.with_name(f"{LOGS}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(place)


def noted_logs(data_dir: Path) -> Path | None:
    """Where the server of a data directory had its logs when it ran last; ``None`` where none says.

    :raises OSError: it cannot be read.
    """
    place = heads_folder(data_dir) / LOGS
    return Path(os.fsdecode(place.read_bytes())) if place.exists() else None


class Recorder:
    """Records the calls of one worker."""

    def __init__(
        self,
        trail: Trail,
        vpxd_log: Path,
        policy: Policy,
        sync: Sync,
        clock: Callable[[], datetime],
        counted: Counted = uncounted,
    ) -> None:
        """:raises OSError: ``vpxd_log`` cannot be written."""
        self._trail = trail
        self._policy = policy
        self._sync = sync
        self._clock = clock
        self._batches = Batches(trail, keeps_room=policy is Policy.FAIL_CLOSED, counted=counted)
        self._syncing = Syncing(trail, self._batches.run)
        self._vpxd_format = VpxdFormat()
        self._vpxd = LineWriter(vpxd_log, self._vpxd_format.loss)

    def require(self) -> None:
        """Refuse a call that could not be recorded, where that is the policy, before anything is done.

        :raises ServiceUnavailable: it could not.
        """
        if self._policy is Policy.FAIL_CLOSED and not self._batches.ready:
            raise not_recorded()

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        """Record a call that is over: with all others of this turn of the event loop, at its end."""
        record = audit_record(exchange, duration_seconds)
        written = json_object(record)
        exchange.recorded = self._batches.add(written)
        self._vpxd.write(self._vpxd_format.line(record, written))

    async def released(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply to a call, once its record is as safe as it should be; a refusal where it cannot be."""
        recorded = exchange.recorded is not None and await exchange.recorded
        if self._sync is Sync.CALL and recorded:
            try:
                await self._syncing.settled()
            except OSError as error:
                log.error("the audit log cannot be written to the disk: %s", error)
                recorded = False
        if recorded or self._policy is Policy.DROP_AND_COUNT:
            return reply
        if reply.stream is not None:
            await reply.stream.close()
        return exchange.dialect.error(not_recorded(), exchange.outcome)

    async def tend(self, keep: Keep, folder: Path, heads: Path) -> None:
        """What is done now and then, until it is canceled."""
        trouble = ""
        for tending in itertools.count(1):
            await asyncio.sleep(TEND_SECONDS)
            try:
                await self._batches.tend()
                if self._sync is Sync.SECOND:
                    await self._syncing.settled()
                if self._trail.chain == 1 and tending % TIDY_TENDINGS == 0:
                    await tidy(self._trail, folder, heads, keep, self._clock(), self._batches.run)
                trouble = ""
            except OSError as error:
                if str(error) != trouble:  # told once, not each second
                    log.error("the audit log cannot be looked after: %s", error)
                trouble = str(error)

    def close(self) -> None:
        """Write all that is left."""
        self._batches.close()
        self._trail.close()
        self._vpxd.close()


def not_recorded() -> VapiError:
    """The refusal of a call that is not on record."""
    return ServiceUnavailable(
        message(
            "resphere.audit.not_recorded",
            "The server cannot write its audit log, and answers no calls until it can. "
            "Of a call that was under way, it is not on record what became of it.",
        )
    )
