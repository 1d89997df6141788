"""Restores a backup by the API: it is taken in and found whole, and then takes the server's place at its restart."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from functools import partial

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, message
from resphere.contract.model import LocalizableMessage
from resphere.recovery.archives import Archives
from resphere.recovery.layout import METADATA, Metadata, read_metadata
from resphere.recovery.places.base import Means, Place
from resphere.recovery.places.errors import NothingThere, PlaceError, failed
from resphere.recovery.places.location import Login
from resphere.recovery.places.opening import opened
from resphere.recovery.record import LAST, RestoreJob
from resphere.recovery.requests import Request, all_parts, part_refusal
from resphere.recovery.sealed import CHUNK_BYTES, OpenedSource, SealError, Source
from resphere.recovery.threads import Progress, Threads
from resphere.recovery.work import Runner, require_idle
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """A restoration: of which ``parts`` (``None``: all that are there), from the folder of a backup."""

    parts: tuple[str, ...] | None = None
    password: str | None = None
    location: str
    location_type: str | None = None
    login: Login = Login()

    @property
    def request(self) -> Request:
        """The place of it."""
        return Request(location=self.location, location_type=self.location_type, login=self.login)


class Found(msgspec.Struct, frozen=True):
    """A backup, and why it cannot be restored here, if so."""

    metadata: Metadata
    refusal: LocalizableMessage | None


class Restores:
    """Restores backups that somebody asks for."""

    def __init__(
        self,
        replica: Replica,
        archives: Archives,
        means: Means,
        owner: str,
        threads: Threads,
        now: Callable[[], datetime],
    ) -> None:
        self._replica = replica
        self._archives = archives
        self._means = means
        self._owner = owner
        self._threads = threads
        self._now = now
        self.runner = Runner(RestoreJob, replica, now)

    async def validate(self, wanted: Restoration) -> Found:
        """The backup that is meant, and whether it can be restored here.

        :raises NotFound: there is none.
        :raises InvalidArgument: the location cannot be used, or the password is wrong.
        """
        metadata = await self._look(wanted)
        return Found(metadata, await self._archives.refusal(metadata))

    async def create(self, wanted: Restoration, user: str) -> RestoreJob:
        """Begin to restore.

        :raises FeatureInUse: a backup or a restoration is in progress.
        :raises NotAllowedInCurrentState: this server is none to restore into.
        :raises NotFound: there is no such backup.
        :raises InvalidArgument: the location cannot be used, or the password is wrong; or it is a backup of another
            kind of server.
        """
        await self._replica.change(require_idle)
        why = await self._archives.refusal()
        if why is not None:
            raise NotAllowedInCurrentState(why)
        found = await self.validate(wanted)
        if found.refusal is not None:
            raise InvalidArgument(found.refusal)
        parts = parts_of(wanted, found.metadata)

        def plan(edit: Edit) -> RestoreJob:
            require_idle(edit)
            job = RestoreJob(
                id=LAST,
                owner=self._owner,
                user=user,
                location=wanted.request.place.url,
                parts=parts,
                start_time=self._now(),
            )
            edit.put(job)
            return job

        job = await self._replica.change(plan)
        self.runner.begin(job, partial(self._restore, wanted=wanted, metadata=found.metadata))
        return job

    async def _look(self, wanted: Restoration) -> Metadata:
        unknown = part_refusal(wanted.parts or ())
        if unknown is not None:
            raise InvalidArgument(unknown)
        try:
            metadata = await self._threads.look(partial(self._read, wanted))
        except NothingThere as error:
            raise NotFound(error.message) from error
        except PlaceError as error:
            raise InvalidArgument(error.message) from error
        except SealError as error:
            text = "The field backup_password is not good: {0}."
            raise InvalidArgument(message("resphere.recovery.backup_password", text, error)) from error
        parts_of(wanted, metadata)
        return metadata

    def _read(self, wanted: Restoration) -> Metadata:
        """What the backup says of itself; that the password is right is seen at the beginning of its file."""
        found = wanted.request.place
        with opened(found, wanted.login, self._means) as place:
            metadata = read_metadata(place, "", found.where)
            if metadata.encrypted and wanted.password is None:
                raise SealError("the backup is encrypted, and no password was given")
            if not metadata.encrypted and wanted.password is not None:
                raise SealError("the backup is not encrypted, and a password was given")
            with place.reading(metadata.file) as source:
                if wanted.password is not None:
                    OpenedSource(source, wanted.password)
        return metadata

    # --- restoring ---------------------------------------------------------------------------------------------------

    async def _restore(
        self, job: RestoreJob, progress: Progress, wanted: Restoration, metadata: Metadata
    ) -> Callable[[RestoreJob], RestoreJob]:
        progress.total_bytes = metadata.size_bytes
        try:
            await self._threads.work(partial(self._take_in, wanted, metadata, progress))
            await self._archives.check(job.parts)
            await self.runner.finalize(job.id)
            await self._archives.commit(job)
        except BaseException:
            await self._archives.discard()
            raise
        # The restored server says how it went; this worker is stopped meanwhile.
        restarted: asyncio.Future[Callable[[RestoreJob], RestoreJob]] = asyncio.get_running_loop().create_future()
        return await restarted

    def _take_in(self, wanted: Restoration, metadata: Metadata, progress: Progress) -> None:
        found = wanted.request.place
        with opened(found, wanted.login, self._means) as place, self._archives.receiving() as sink:
            digest = self._copied(place, wanted, metadata, progress, sink.write)
        if not hmac.compare_digest(digest, metadata.sha256):
            raise failed(found.where, f"{metadata.file} is not what {METADATA} says: it is damaged")

    def _copied(
        self,
        place: Place,
        wanted: Restoration,
        metadata: Metadata,
        progress: Progress,
        write: Callable[[bytes], object],
    ) -> str:
        with place.reading(metadata.file) as raw:
            digesting = DigestingSource(raw, progress)
            opened_source: Source = digesting
            if wanted.password is not None:
                opened_source = OpenedSource(digesting, wanted.password)
            while piece := opened_source.read(CHUNK_BYTES):
                write(piece)
            return digesting.sha256


class DigestingSource:
    """Digests and counts what is read."""

    def __init__(self, source: Source, progress: Progress) -> None:
        self._source = source
        self._progress = progress
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes.

        :raises Canceled: it shall stop.
        """
        piece = self._source.read(size)
        self._progress.advance(len(piece))
        self._digest.update(piece)
        return piece

    @property
    def sha256(self) -> str:
        """Of all that was read."""
        return self._digest.hexdigest()


def parts_of(wanted: Restoration, metadata: Metadata) -> tuple[str, ...]:
    """The parts that are restored.

    :raises InvalidArgument: one of them is not in the backup.
    """
    if wanted.parts is None:
        return metadata.parts
    missing = [part for part in wanted.parts if part not in metadata.parts][:1]
    if missing:
        text = "The field parts is not good: the backup has no part {0}, but {1}."
        raise InvalidArgument(message("resphere.recovery.parts", text, missing[0], ", ".join(metadata.parts)))
    return all_parts(wanted.parts)
