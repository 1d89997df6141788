"""Sends the logs to servers of syslog as they grow: by one elected worker, in order, from where it was left.

What is sent is noted after it was taken, so that after a crash the last lines may come twice, and none is left out.
What comes while a receiver is away waits in the files of the logs, as long as these are kept.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from resphere.appliance.receivers import Connections
from resphere.audit.reading import AuditLog, Query
from resphere.audit.server_log import FILE_NAME, ServerLogLine
from resphere.audit.syslog import ERROR, INFO, WARNING, Sender, syslog, syslog_text
from resphere.inventory.appliance.forwarding import ForwardingProgress, LogForwarding, LogReceiver
from resphere.inventory.appliance.settings import ApplianceSetting, setting_of
from resphere.replica.edit import Edit
from resphere.replica.noticing import noticing
from resphere.replica.replica import Replica

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
RETRY_SECONDS = 5.0
BATCH_LINES = 1000
BATCH_BYTES = 1024 * 1024
APPLICATION = "resphere"
DAEMON = 3
"""The facility of the server's own log."""
SEVERITIES = {"debug": 7, "info": INFO, "warning": WARNING, "error": ERROR, "critical": 2}
ALL = Query(newest_first=False)

_lines = msgspec.json.Decoder(ServerLogLine)


class LogForwarder:
    """All receivers of a server, whose logs are in ``folder``; ``host_name`` is what it is called in messages."""

    def __init__(
        self,
        replica: Replica,
        folder: Path,
        connections: Connections,
        host_name: Callable[[], str],
        *,
        look_seconds: float = LOOK_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._replica = replica
        self._audit = AuditLog(folder)
        self._log = folder / FILE_NAME
        self._connections = connections
        self._host_name = host_name
        self._look_seconds = look_seconds
        self._retry_seconds = retry_seconds

    async def run(self) -> None:
        """Send, until canceled: to be done by one worker at a time."""
        running: dict[LogReceiver, asyncio.Task[None]] = {}
        try:
            with noticing(self._replica, ApplianceSetting) as changed:
                while True:
                    changed.clear()
                    await self._reconcile(running)
                    await changed.wait()
        finally:
            await stop(running.values())

    async def _reconcile(self, running: dict[LogReceiver, asyncio.Task[None]]) -> None:
        """Have each receiver sent to, and nobody else; what is noted of others is forgotten."""
        wanted = setting_of(self._replica, LogForwarding).receivers
        await stop([running.pop(receiver) for receiver in [*running] if receiver not in wanted])
        ids = {receiver.id for receiver in wanted}

        def forget(edit: Edit) -> None:
            for id in [id for id in self._replica.all(ForwardingProgress) if id not in ids]:
                edit.delete(ForwardingProgress, id)

        await self._replica.change(forget)
        for receiver in wanted:
            if receiver not in running:
                running[receiver] = asyncio.get_running_loop().create_task(self._tend(receiver))

    async def _tend(self, receiver: LogReceiver) -> None:
        told = False
        while True:
            try:
                progress = self._replica.get(ForwardingProgress, receiver.id) or await self._begun(receiver)
                sender = await asyncio.to_thread(self._connections.open, receiver)
                if told:
                    log.info("logs are sent to %s again", receiver.id)
                    told = False
                try:
                    await self._follow(progress, sender)
                finally:
                    sender.close()
            except OSError as error:
                # Once: what is logged would be sent, too.
                if not told:
                    log.warning("logs cannot be sent to %s, and wait: %s", receiver.id, error)
                told = True
            except Exception:
                log.exception("the forwarding of logs to %s failed and will go on", receiver.id)
            await asyncio.sleep(self._retry_seconds)

    async def _begun(self, receiver: LogReceiver) -> ForwardingProgress:
        """Where a new receiver begins: with what comes from now on."""
        chains = await asyncio.to_thread(self._audit.ends)
        progress = ForwardingProgress(id=receiver.id, chains=chains, log_bytes=size_of(self._log))
        await self._note(progress)
        return progress

    async def _follow(self, progress: ForwardingProgress, sender: Sender) -> None:
        while True:
            messages, after = await asyncio.to_thread(self._read, progress)
            if messages:
                await asyncio.to_thread(sender.send, messages)
                progress = after
                await self._note(progress)
            if len(messages) < BATCH_LINES:
                await asyncio.sleep(self._look_seconds)

    async def _note(self, progress: ForwardingProgress) -> None:
        await self._replica.change(lambda edit: edit.put(progress))

    def _read(self, progress: ForwardingProgress) -> tuple[list[bytes], ForwardingProgress]:
        """What comes next, as messages, and how far that is."""
        host = self._host_name()
        chains, messages = dict(progress.chains), []
        for time, chain, line in islice(self._audit.lines(ALL, progress.chains), BATCH_LINES):
            chains[chain] = line.sequence
            messages.append(syslog(line, time, line.text, host, APPLICATION))
        lines, log_bytes = lines_after(self._log, progress.log_bytes)
        messages += [of_server(line, host) for line in lines]
        return messages, ForwardingProgress(id=progress.id, chains=chains, log_bytes=log_bytes)


async def stop(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End tasks."""
    ended = list(tasks)
    for task in ended:
        task.cancel()
    await asyncio.gather(*ended, return_exceptions=True)


def size_of(path: Path) -> int:
    """How long a file is that may not be there yet."""
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0


def lines_after(path: Path, position: int) -> tuple[list[bytes], int]:
    """The whole lines of a growing file from so many bytes on, and where they end. One that became shorter was begun
    anew.

    :raises OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < position:
                position = 0
            file.seek(position)
            content = file.read(BATCH_BYTES)
    except FileNotFoundError:
        return [], position
    whole = content[: content.rfind(b"\n") + 1]
    if not whole and len(content) == BATCH_BYTES:
        whole = content  # no line is so long; what is none is passed on
    return whole.splitlines(), position + len(whole)


def of_server(line: bytes, host: str) -> bytes:
    """A line of the server's log as a message."""
    try:
        found = _lines.decode(line)
    except (msgspec.DecodeError, ValueError):
        return message(INFO, datetime.now(UTC), line, host)
    return message(SEVERITIES.get(found.level, INFO), found.time, line, host)


def message(severity: int, time: datetime, text: bytes, host: str) -> bytes:
    """A message of the server itself."""
    return syslog_text(DAEMON * 8 + severity, time, host, APPLICATION, "log", text)
