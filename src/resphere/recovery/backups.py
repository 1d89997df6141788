"""Makes backups: what the server keeps goes to a folder elsewhere, sealed on its way, and never by half."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage
from resphere.recovery.archives import ArchiveFailure, Archives, Taken
from resphere.recovery.layout import FILES, PLAIN, SEALED, TIME, Metadata, archive_name, system_folder, write_metadata
from resphere.recovery.places.base import Means, Place, require_all
from resphere.recovery.places.errors import PlaceError
from resphere.recovery.places.location import Login
from resphere.recovery.places.opening import opened
from resphere.recovery.record import BackupJob, BackupSchedule, State
from resphere.recovery.requests import Request, all_parts, faults
from resphere.recovery.sealed import RandomBytes, SealingSink, Sink
from resphere.recovery.threads import Progress, Threads
from resphere.recovery.work import Runner, require_idle
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

log = logging.getLogger(__name__)

Looked = TypeVar("Looked")

MOST_JOBS = 500
"""Of so many finished backups it is remembered what became of them, and of those that a schedule keeps."""
PROBE = "probe"


class About(msgspec.Struct, frozen=True):
    """What backups say of the server: its name, and the release and build of vCenter that it is."""

    system_name: str
    version: str
    build: str


class Sent(msgspec.Struct, frozen=True):
    """What was sent."""

    size_bytes: int
    sha256: str


class Backups:
    """Makes backups that somebody, or a schedule, asks for."""

    def __init__(
        self,
        replica: Replica,
        archives: Archives,
        means: Means,
        about: About,
        owner: str,
        threads: Threads,
        now: Callable[[], datetime],
        random_bytes: RandomBytes,
    ) -> None:
        self.means = means
        self._replica = replica
        self._archives = archives
        self._about = about
        self._owner = owner
        self._threads = threads
        self._now = now
        self._random_bytes = random_bytes
        self.runner = Runner(BackupJob, replica, now)

    async def create(self, request: Request, user: str | None) -> BackupJob:
        """Begin a backup. What is wrong with the request stands in the job, which has failed then.

        :raises FeatureInUse: a backup or a restoration is in progress.
        """
        wrong = faults(request)

        def plan(edit: Edit) -> BackupJob:
            require_idle(edit)
            return self.put(edit, request, user, wrong)

        job = await self._replica.change(plan)
        self.launch(job, request)
        return job

    def put(
        self, edit: Edit, request: Request, user: str | None, wrong: tuple[LocalizableMessage, ...] = ()
    ) -> BackupJob:
        """Record a backup that begins, or has failed for what is ``wrong``."""
        now = self._now()
        self._forget_oldest(edit)
        archive = archive_name(request.type, self._about.version, now, request.comment)
        job = BackupJob(
            id=self._free_id(edit, now),
            owner=self._owner,
            user=user,
            type=request.type,
            schedule=request.schedule,
            location=safe(request),
            location_user=request.login.user,
            folder=f"{system_folder(self._about.system_name)}/{archive}",
            archive=archive,
            parts=all_parts(request.parts),
            comment=request.comment,
            fast_backup=request.fast_backup,
            version=self._about.version,
            build=self._about.build,
            start_time=now,
            state=State.FAILED if wrong else State.RUNNING,
            end_time=now if wrong else None,
            messages=wrong,
        )
        edit.put(job)
        return job

    def launch(self, job: BackupJob, request: Request) -> None:
        """Do what was recorded."""
        if job.state is State.RUNNING:
            self.runner.begin(job, partial(self._make, request=request))

    def _free_id(self, edit: Edit, now: datetime) -> str:
        """A number that begins with the time, as vCenter has it."""
        while True:
            id = f"{now.astimezone(UTC):{TIME}}-{self._about.build}"
            if edit.get(BackupJob, id) is None:
                return id
            now += timedelta(seconds=1)

    def _forget_oldest(self, edit: Edit) -> None:
        jobs = sorted(self._replica.all(BackupJob).values(), key=lambda job: job.start_time)
        surplus = len(jobs) + 1 - MOST_JOBS
        for job in jobs:
            if surplus <= 0:
                return
            if job.state is not State.RUNNING and not self._is_kept_by_schedule(job):
                edit.delete(BackupJob, job.id)
                surplus -= 1

    def _is_kept_by_schedule(self, job: BackupJob) -> bool:
        schedule = None if job.schedule is None else self._replica.get(BackupSchedule, job.schedule)
        return schedule is not None and job.state is State.SUCCEEDED and not job.removed

    # --- making ------------------------------------------------------------------------------------------------------

    async def _make(self, job: BackupJob, progress: Progress, request: Request) -> Callable[[BackupJob], BackupJob]:
        # Whoever cannot be reached is found out before anything is copied.
        await self._threads.work(partial(self._probe, request))
        async with self._archives.taking(job.parts, job.id) as taken:
            progress.total_bytes = taken.size_bytes
            sent = await self._threads.work(partial(self._send, job, request, taken, progress))
            metadata = self._metadata(job, request, taken, sent)
            try:
                await self.runner.finalize(job.id)
                await self._threads.work(partial(self._finish, job, request, metadata))
            except (PlaceError, ArchiveFailure):
                await self._threads.work(partial(self._clear, job, request))
                raise
        warnings = await self.retain(request) if request.schedule is not None else ()
        return lambda current: msgspec.structs.replace(
            current, size_bytes=sent.size_bytes, messages=(*current.messages, *warnings)
        )

    def _send(self, job: BackupJob, request: Request, taken: Taken, progress: Progress) -> Sent:
        """Send the archive; nobody takes it for a backup yet."""
        name = file_name(request)
        with opened(request.place, request.login, self.means) as place:
            place.make_folder(job.folder)
            try:
                with place.writing(f"{job.folder}/{name}") as sink:
                    digesting = DigestingSink(progress.counted(sink))
                    if request.password is None:
                        taken.write(digesting)
                    else:
                        sealing = SealingSink(digesting, request.password, self._random_bytes)
                        taken.write(sealing)
                        sealing.finish()
                require_all(place, f"{job.folder}/{name}", digesting.sent.size_bytes, request.place.where)
            except BaseException:
                with suppress(PlaceError):
                    place.remove(job.folder, FILES)
                raise
        return digesting.sent

    def _finish(self, job: BackupJob, request: Request, metadata: Metadata) -> None:
        with opened(request.place, request.login, self.means) as place:
            write_metadata(place, job.folder, metadata)

    def _clear(self, job: BackupJob, request: Request) -> None:
        """Delete what was sent, as far as that goes: without metadata it is no backup."""
        with suppress(PlaceError), opened(request.place, request.login, self.means) as place:
            place.remove(job.folder, FILES)

    def _metadata(self, job: BackupJob, request: Request, taken: Taken, sent: Sent) -> Metadata:
        description = taken.description
        return Metadata(
            timestamp=self._now(),
            parts=job.parts,
            version=job.version,
            build=job.build,
            system_name=self._about.system_name,
            comment=job.comment,
            job=job.id,
            made_by=description.made_by,
            engine=description.engine,
            form=description.form,
            provider=description.provider,
            encrypted=request.password is not None,
            file=file_name(request),
            size_bytes=sent.size_bytes,
            sha256=sent.sha256,
        )

    # --- looking -----------------------------------------------------------------------------------------------------

    async def validate(self, request: Request) -> tuple[LocalizableMessage, ...]:
        """What is wrong with a backup that would be asked for so; its location is tried.

        :raises FeatureInUse: a backup or a restoration is in progress.
        """
        await self._replica.change(require_idle)
        wrong = faults(request)
        if wrong:
            return wrong
        try:
            await self._threads.look(partial(self._probe, request))
        except PlaceError as error:
            return (error.message,)
        return ()

    def _probe(self, request: Request) -> None:
        """Write a file at the location, and delete it."""
        folder = f"{system_folder(self._about.system_name)}/{PROBE}-{secrets.token_hex(4)}"
        with opened(request.place, request.login, self.means) as place:
            place.make_folder(folder)
            with place.writing(f"{folder}/{PROBE}") as sink:
                sink.write(PROBE.encode())
            place.remove(folder, (PROBE,))

    async def look(self, location: str, login: Login, do: Callable[[Place, str], Looked]) -> Looked:
        """What ``do`` finds at a location; it gets the place, and what messages call that.

        :raises PlaceError: it cannot be reached.
        """
        found = Request(location=location, login=login).place

        def look() -> Looked:
            with opened(found, login, self.means) as place:
                return do(place, found.where)

        return await self._threads.look(look)

    # --- keeping so many ---------------------------------------------------------------------------------------------

    async def retain(self, request: Request) -> tuple[LocalizableMessage, ...]:
        """Delete the oldest backups of a schedule beyond those that are kept, now that there is one more. Returns what
        could not be deleted."""
        if request.max_count is None or request.schedule is None:
            return ()
        jobs = self._replica.by(BackupJob, "schedule", request.schedule).values()
        kept = [job for job in jobs if job.state is State.SUCCEEDED and not job.removed]
        kept.sort(key=lambda job: job.start_time)
        surplus = kept[: max(0, len(kept) + 1 - request.max_count)]
        warnings = []
        for job in surplus:
            if job.location != safe(request):
                continue  # the schedule has another location since, and no password for that one
            try:
                await self._threads.work(partial(self._remove, job, request))
            except PlaceError as error:
                log.warning("the backup %s could not be deleted: %s", job.id, error)
                text = "The backup {0} could not be deleted: {1}"
                warnings.append(message("resphere.recovery.not_removed", text, job.archive, error))
            else:
                await self._note_removed(job.id)
        return tuple(warnings)

    def _remove(self, job: BackupJob, request: Request) -> None:
        with opened(request.place, request.login, self.means) as place:
            place.remove(job.folder, FILES)

    async def _note_removed(self, id: str) -> None:
        def plan(edit: Edit) -> None:
            job = edit.get(BackupJob, id)
            if job is not None:
                edit.put(msgspec.structs.replace(job, removed=True))

        await self._replica.change(plan)


def file_name(request: Request) -> str:
    """What the archive is called."""
    return SEALED if request.password is not None else PLAIN


class DigestingSink:
    """Digests and counts what is written."""

    def __init__(self, to: Sink) -> None:
        self._to = to
        self._digest = hashlib.sha256()
        self._size_bytes = 0

    def write(self, piece: bytes) -> int:
        """Take a piece."""
        self._digest.update(piece)
        self._size_bytes += len(piece)
        self._to.write(piece)
        return len(piece)

    @property
    def sent(self) -> Sent:
        """What it was so far."""
        return Sent(self._size_bytes, self._digest.hexdigest())


def safe(request: Request) -> str:
    """The location as it is shown; of one that is none, in which a password may stand, no more than how it begins."""
    try:
        return request.place.url
    except PlaceError:
        scheme, separator, _ = request.location.partition("://")
        return f"{scheme}://..." if separator and scheme.isalnum() else "..."
