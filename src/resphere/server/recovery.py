"""Archives of the running server for backups that are asked for by the API, and a restored one in the server's place.

What is restored lies in :data:`~resphere.server.backup.STAGING` of the data directory: taken in, then tried in a
process of its own, then under the name :data:`COMMITTED`. From that moment it takes the place of what is there, at the
next restart of the workers, which the supervisor sees to at once, or at the next start of the server: whoever is
killed, there is the one server or the other.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from resphere import __version__
from resphere.auth.accounts import ADMINISTRATOR, Account
from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage
from resphere.events.event import DECODER, Kind
from resphere.events.told import BACKUP_FAILED
from resphere.inventory.installation import INSTALLATION, ONLY, Installation
from resphere.recovery.archives import COMMON, SEAT, ArchiveFailure, Description, Taken, out_of_order
from resphere.recovery.layout import FORMAT, Metadata
from resphere.recovery.record import BackupJob, RestoreJob, State
from resphere.recovery.sealed import Sink
from resphere.recovery.threads import Threads
from resphere.recovery.wiring import WIRING as RECOVERY
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.server.archive import Archive, ArchiveError, write_tar
from resphere.server.backup import EXTENT, STAGING, Taking, data_files, restore, taking
from resphere.server.first_start import require_same
from resphere.server.forms.record import FORM
from resphere.server.forms.upgrade import bring_to_present_form
from resphere.server.process_end import ending, watch_parent
from resphere.server.secrets_key import given_key
from resphere.server.settings import Settings
from resphere.server.wiring import WIRING
from resphere.store.base import Store, StoreError
from resphere.store.engines import engine_of, open_store, shown_url, sizes
from resphere.store.files import sync_folder

log = logging.getLogger(__name__)

INCOMING, COMMITTED, NOTE = "incoming.tar", "restore.tar", "restore.json"
TRIED = "tried"
COPY = "backup"
OWN_EVENTS = "resphere.recovery."
"""What the names of events begin with that a backup, or an attempt to restore one, makes."""
READ_AT_ONCE = 500
MOST_READ = 20_000
"""A server that has told of more is not looked at closer."""


class Tar:
    """What is kept as of one moment, as a tar."""

    def __init__(self, taken: Taking) -> None:
        self._taken = taken
        manifest = taken.manifest
        self.description = Description(
            made_by=manifest.made_by,
            engine=manifest.store.engine,
            form=manifest.store.form,
            provider=manifest.provider or "",
        )
        self.size_bytes = taken.size_bytes

    def write(self, sink: Sink) -> None:
        """As :meth:`Taken.write`."""
        try:
            write_tar(sink, self._taken.manifest, self._taken.files)
        except OSError as error:
            log.exception("the archive cannot be written")
            raise out_of_order(error.strerror or "a file cannot be read") from error


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What is restored, beside the archive: the job that asked for it."""

    job: RestoreJob


class ServerArchives:
    """Of a worker of the server; ``store`` and ``replica`` are its own."""

    def __init__(
        self, settings: Settings, store: Store, replica: Replica, threads: Threads, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._store = store
        self._replica = replica
        self._threads = threads
        self._now = now
        self._staging = settings.data_dir / STAGING

    @asynccontextmanager
    async def taking(self, parts: Collection[str], job: str) -> AsyncIterator[Taken]:
        """As :meth:`Archives.taking`."""
        folder = self._staging / COPY
        with told():
            await self._threads.work(partial(emptied, folder))
        try:
            async with AsyncExitStack() as stack:
                with told():
                    taken = await stack.enter_async_context(taking(self._settings, folder, self._now(), parts, job))
                yield Tar(taken)
        finally:
            # Not behind a thread that may wait for somebody else still.
            await self._threads.look(partial(shutil.rmtree, folder, ignore_errors=True))

    async def sizes(self) -> Mapping[str, int]:
        """As :meth:`Archives.sizes`."""
        found = await sizes(self._settings.store_url, EXTENT)
        beside = await self._threads.look(
            lambda: sum(path.stat().st_size for _, path in data_files(self._settings.data_dir))
        )
        return {COMMON: found.rest + beside, SEAT: found.journal}

    # --- restoring ---------------------------------------------------------------------------------------------------

    async def refusal(self, metadata: Metadata | None = None) -> LocalizableMessage | None:
        """As :meth:`Archives.refusal`."""
        if not await self._is_empty():
            text = (
                "A backup is restored into a server that was started on an empty data directory, and changed by nobody "
                "since. This one has been changed; resphere restore --replace puts a backup in the place of a stopped "
                "server."
            )
            return message("resphere.recovery.not_empty", text)
        if metadata is None:
            return None
        engine = engine_of(self._settings.store_url)
        if metadata.format > FORMAT or metadata.form > FORM:
            text = "The backup was made by a newer release, {0}; this one is resphere {1}."
            return message("resphere.recovery.newer", text, metadata.made_by, __version__)
        if metadata.engine != engine:
            text = "The backup is of a store of {0}, and this server has one of {1}."
            return message("resphere.recovery.engine", text, metadata.engine, engine)
        if metadata.provider != self._settings.provider:
            text = "The backup is of a server with the provider {0}, and this one has {1}."
            return message("resphere.recovery.provider", text, metadata.provider, self._settings.provider)
        return None

    async def _is_empty(self) -> bool:
        """Whether nobody has changed anything since the first start: no event tells of it, and nobody else may log
        in."""
        if any(id != ADMINISTRATOR for id in self._replica.all(Account)):
            return False
        after = 0
        while True:
            journal = await self._store.journal(after, READ_AT_ONCE)
            if journal.first > 1 or journal.last > MOST_READ:
                return False
            for _, body in journal.entries:
                event = DECODER.decode(body)
                own = event.type == BACKUP_FAILED or event.type.startswith(OWN_EVENTS)
                if event.kind is not Kind.SESSION and not own:
                    return False
            if not journal.entries:
                return True
            after = journal.entries[-1][0]

    @contextmanager
    def receiving(self) -> Iterator[Sink]:
        """As :meth:`Archives.receiving`."""
        with told():
            self._staging.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._staging / INCOMING, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield ToldSink(file.write)
            with told():
                file.flush()
                os.fsync(file.fileno())

    async def check(self, parts: Collection[str]) -> None:
        """As :meth:`Archives.check`."""
        tried = self._staging / TRIED
        try:
            with told():
                why = await self._threads.work(
                    partial(try_apart, self._settings, self._staging / INCOMING, tried, tuple(parts), self._now())
                )
        finally:
            await self._threads.work(partial(shutil.rmtree, tried, ignore_errors=True))
        if why is not None:
            raise ArchiveFailure(message("resphere.recovery.unusable", "The backup cannot be restored here: {0}", why))

    async def commit(self, job: RestoreJob) -> None:
        """As :meth:`Archives.commit`."""
        with told():
            await self._threads.work(partial(self._commit, job))

    def _commit(self, job: RestoreJob) -> None:
        with (self._staging / NOTE).open("wb") as file:
            file.write(msgspec.json.encode(Note(job=job)))
            file.flush()
            os.fsync(file.fileno())
        (self._staging / INCOMING).rename(self._staging / COMMITTED)
        sync_folder(self._staging)

    async def discard(self) -> None:
        """As :meth:`Archives.discard`."""
        (self._staging / INCOMING).unlink(missing_ok=True)


class ToldSink:
    """Writes, and tells of failures as archives do."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, piece: bytes) -> None:
        """Take a piece.

        :raises ArchiveFailure: it cannot be.
        """
        with told():
            self._write(piece)


def emptied(folder: Path) -> None:
    """Make it an empty folder, that only its owner may enter."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)


@contextmanager
def told() -> Iterator[None]:
    """Say what this server's own disk and store do, without saying where they are."""
    try:
        yield
    except OSError as error:
        log.exception("a backup cannot be made or restored")
        raise out_of_order(error.strerror or type(error).__name__) from error
    except (ArchiveError, StoreError) as error:
        log.exception("a backup cannot be made or restored")
        raise out_of_order("its store or its files cannot be used, of which the log has more") from error


# --- trying what was taken in ----------------------------------------------------------------------------------------


def try_apart(settings: Settings, archive: Path, folder: Path, parts: tuple[str, ...], now: datetime) -> str | None:
    """Restore the archive into a folder, and start a server on it as far as that goes, in a process of its own whose
    memory ends with it. Returns what is wrong, ``None``: nothing."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    elsewhere = msgspec.structs.replace(settings, data_dir=folder, store=None)
    # Not forked: this process has threads.
    process = multiprocessing.get_context("spawn").Process(
        target=_report, args=(elsewhere, archive, parts, now, sender), daemon=True
    )
    process.start()
    sender.close()
    try:
        found: str | None = receiver.recv()
    except EOFError:
        process.join()
        return f"the process that tried it {ending(process.exitcode)}"
    process.join()
    return found


def _report(settings: Settings, archive: Path, parts: tuple[str, ...], now: datetime, sender: Connection) -> None:
    watch_parent()
    try:
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        asyncio.run(_try(settings, archive, parts, now))
    except (ArchiveError, StoreError, ValueError, OSError) as error:
        sender.send(str(error).replace(str(settings.data_dir), "it").replace(str(archive), "it"))
    else:
        sender.send(None)


async def _try(settings: Settings, archive: Path, parts: tuple[str, ...], now: datetime) -> None:
    await restore(settings, archive, now, replace=False, parts=parts)
    await start_on(settings)


async def start_on(settings: Settings) -> None:
    """See that a server with these settings could start on what is there.

    :raises ValueError: it asks for another inventory than the one that is there.
    :raises StoreError: documents cannot be read, or their secrets not be opened.
    """
    store = await open_store(settings.store_url, make=False)
    try:
        sealing = await open_sealing(store, os.urandom, given_key(settings))
        await bring_to_present_form(store, WIRING.tables, sealing, "the backup")
        replica = Replica(store, (INSTALLATION,), sealing=sealing)
        await replica.load()
        installation = replica.get(Installation, ONLY)
        if installation is not None:
            require_same(settings, installation)
    finally:
        await store.close()


# --- in the server's place -------------------------------------------------------------------------------------------


def is_committed(settings: Settings) -> bool:
    """Whether a backup is to take the place of what is there."""
    return (settings.data_dir / STAGING / COMMITTED).exists()


def put_in_place(settings: Settings, now: datetime) -> None:
    """Have it take the place; harmless to repeat until it has. No worker may run.

    :raises StoreError: it cannot. What was there stays, or is given up already: then this has to be repeated.
    :raises ArchiveError: likewise.
    :raises OSError: likewise.
    """
    staging = settings.data_dir / STAGING
    note = msgspec.json.decode((staging / NOTE).read_bytes(), type=Note)
    asyncio.run(_put_in_place(settings, staging / COMMITTED, note.job, now))
    give_up(settings)


async def _put_in_place(settings: Settings, archive: Path, job: RestoreJob, now: datetime) -> None:
    with Archive(archive) as source:
        made_by = source.manifest.job
    await restore(settings, archive, now, replace=True, parts=job.parts)
    store = await open_store(settings.store_url, make=False)
    try:
        sealing = await open_sealing(store, os.urandom, given_key(settings))
        await bring_to_present_form(store, WIRING.tables, sealing, shown_url(settings.store_url))
        replica = Replica(store, RECOVERY.tables, sealing=sealing)
        await replica.load()
        backup = None if made_by is None else replica.get(BackupJob, made_by)

        def plan(edit: Edit) -> None:
            edit.put(msgspec.structs.replace(job, state=State.SUCCEEDED, progress=100, end_time=now, final=True))
            if backup is not None and backup.state is State.RUNNING:
                # The one that was restored, so that it has succeeded.
                edit.put(
                    msgspec.structs.replace(backup, state=State.SUCCEEDED, progress=100, end_time=backup.start_time)
                )

        await replica.change(plan)
    finally:
        await store.close()


def is_usable(settings: Settings) -> bool:
    """Whether a server can start on what is there: nothing of it was given up."""
    return asyncio.run(_is_usable(settings))


async def _is_usable(settings: Settings) -> bool:
    try:
        await start_on(settings)
    except (StoreError, ValueError) as error:
        log.warning("what is there cannot be used: %s", error)
        return False
    return True


def give_up(settings: Settings) -> None:
    """Delete what is left of backups and restorations: nobody is at work."""
    staging = settings.data_dir / STAGING
    if staging.exists():
        (staging / COMMITTED).unlink(missing_ok=True)
        sync_folder(staging)
        shutil.rmtree(staging, ignore_errors=True)


def tidy(settings: Settings) -> None:
    """Delete what a killed server has left of backups, and of restorations that were not committed."""
    staging = settings.data_dir / STAGING
    if not staging.exists():
        return
    for path in staging.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name == INCOMING or (path.name == NOTE and not is_committed(settings)):
            path.unlink()
