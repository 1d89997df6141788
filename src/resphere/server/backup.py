"""Backups of all that a server keeps, made while it runs, and their restoration."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from resphere import __version__
from resphere.auth.sessions import Session
from resphere.inventory.installation import ONLY, Installation
from resphere.recovery.archives import PARTS, SEAT
from resphere.replica.sealing import KEY, NEXT_KEY
from resphere.server.archive import Archive, ArchiveError, Manifest, Size, StoreManifest, being_made, write_archive
from resphere.server.forms.record import FORM, form_in
from resphere.server.library_storage import LIBRARY_FILES, storage_in, words
from resphere.server.settings import Settings
from resphere.store.copies import CopiedFile, Copy, Extent
from resphere.store.engines import copying, engine_of, placing
from resphere.store.files import sync_folder, sync_tree

GUEST_FILES = "guest-files"
"""The large contents of files in guests."""
EXTENT = Extent(collections=(GUEST_FILES, LIBRARY_FILES), keys=(KEY, NEXT_KEY))
STORE, DATA = "store", "data"
"""The folders of an archive: what the store keeps, and what lies in the data directory besides."""
PASSWORD_FILE = "admin-password"  # noqa: S105 - a file's name
DATA_FILES = (PASSWORD_FILE, "tls/*", "tls/trusted/*", "machines/*.machine")
"""What is kept of the data directory besides the store."""
LOCKS = "*.lock"
STAGING = "recovery"
"""The folder in a data directory in which backups of the API are made, and taken in."""
RESTORING = "resphere-restoring"
"""The folder in a data directory in which a restore gathers what belongs there."""
ENDED = (Session.kind,)
"""What a restored store begins without."""


class Done(msgspec.Struct, frozen=True):
    """A backup that was made or restored."""

    manifest: Manifest
    size: Size


class Taking(msgspec.Struct, frozen=True):
    """All that a server keeps, as of one moment: what becomes an archive."""

    manifest: Manifest
    files: tuple[CopiedFile, ...]

    @property
    def size_bytes(self) -> int:
        """How much is in the files."""
        return sum(each.path.stat().st_size for each in self.files)


async def back_up(settings: Settings, archive: Path, now: datetime, password: str | None = None) -> Done:
    """Write ``archive``: all that was acknowledged before is in it, but for what lies in a bucket. The server may be
    running. With a ``password`` the archive is sealed.

    :raises StoreError: there is no store, or it cannot be read.
    :raises ArchiveError: there is such a file already, or it cannot be written.
    """
    with being_made(archive) as folder:
        async with taking(settings, folder, now) as taken:
            size = await asyncio.to_thread(
                write_archive, archive, folder, taken.manifest, taken.files, password=password
            )
    return Done(taken.manifest, size)


@asynccontextmanager
async def taking(
    settings: Settings, folder: Path, now: datetime, parts: Collection[str] = PARTS, job: str | None = None
) -> AsyncIterator[Taking]:
    """What is kept now, of the ``parts``; ``folder`` is empty and takes what has to be copied.

    :raises StoreError: there is no store, or it cannot be read.
    """
    async with copying(settings.store_url, folder, EXTENT) as copy:
        storage = await storage_in(copy)
        if SEAT not in parts:
            await copy.forget_journal()
        manifest = Manifest(
            made_by=f"resphere {__version__}",
            created_time=now,
            store=StoreManifest(
                engine=engine_of(settings.store_url),
                schema=copy.schema,
                form=await form_in(copy),
                epoch=copy.epoch,
                sequence=copy.sequence,
            ),
            library_storage=None if storage is None else words(storage),
            parts=tuple(part for part in PARTS if part in parts),
            provider=await provider_in(copy),
            job=job,
        )
        copied = [each for each in copy.files if storage is None or not each.name.startswith(f"{LIBRARY_FILES}/")]
        files = [CopiedFile(f"{STORE}/{each.name}", each.path) for each in copied]
        files += [CopiedFile(f"{DATA}/{name}", path) for name, path in data_files(settings.data_dir)]
        yield Taking(manifest, tuple(files))


async def provider_in(copy: Copy) -> str | None:
    """The name of the provider whose inventory is in a copy."""
    document = await copy.document(Installation.kind, ONLY)
    return None if document is None else msgspec.json.decode(document.body, type=Installation).provider


async def restore(
    settings: Settings,
    archive: Path,
    now: datetime,
    *,
    replace: bool,
    password: str | None = None,
    parts: Collection[str] = PARTS,
) -> Done:
    """Make the data directory, and the store, what they were when ``archive`` was made; ``replace`` what is there. Of
    the archive no more than the ``parts`` is restored.

    Until all of the archive has been found to be whole, nothing is changed. Whoever is killed within leaves a directory
    that no server starts on.

    :raises StoreError: the store is in use, or there and not to be replaced; or that of the archive cannot be used.
    :raises ArchiveError: the archive is none, damaged, or of another kind; or a file cannot be written.
    """
    with Archive(archive, password) as source:
        require_usable(archive, source.manifest, engine_of(settings.store_url))
        filled = is_filled(settings.data_dir)
        if filled and not replace:
            raise ArchiveError(
                f"{settings.data_dir} is not empty; --replace deletes the server's data in it, and restores {archive}"
            )
        async with placing(settings.store_url, EXTENT, replace=replace) as store:
            if filled and not store.replaces:
                raise ArchiveError(
                    f"{settings.data_dir} is not empty and no server's: --replace deletes nothing where there is no "
                    "store"
                )
            with gathered(settings.data_dir) as folder:
                folders = {STORE: store.folder, DATA: folder}
                size = await asyncio.to_thread(source.unpack, folders)
                await store.begin()
                await asyncio.to_thread(put_in_place, folder, settings.data_dir)
                # Microseconds since 1970 count faster than any store, so that no number is given twice.
                await store.finish(int(now.timestamp() * 1_000_000), ENDED, journal=SEAT in parts)
    return Done(source.manifest, size)


def require_usable(archive: Path, manifest: Manifest, engine: str) -> None:
    """Refuse what this release cannot read, or the engine not keep.

    :raises ArchiveError: says why.
    """
    if manifest.store.engine != engine:
        raise ArchiveError(f"{archive} is of a store of {manifest.store.engine}, and --store is one of {engine}")
    if manifest.store.form > FORM:
        raise ArchiveError(
            f"{archive} was made by a newer release, {manifest.made_by}: its documents are of form "
            f"{manifest.store.form}, this release knows up to {FORM}"
        )


def is_filled(data_dir: Path) -> bool:
    """Whether there is anything in the directory but locks."""
    return data_dir.exists() and any(not path.match(LOCKS) for path in data_dir.iterdir())


def data_files(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """What belongs in a backup besides the store: names and paths."""
    for pattern in DATA_FILES:
        for path in sorted(data_dir.glob(pattern)):
            if path.is_file() and not path.match(LOCKS):
                yield path.relative_to(data_dir).as_posix(), path


@contextmanager
def gathered(data_dir: Path) -> Iterator[Path]:
    """An empty folder in the data directory, which goes in the end."""
    folder = data_dir / RESTORING
    with ExitStack() as stack:
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            if folder.exists():
                shutil.rmtree(folder)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise ArchiveError(f"cannot write {folder}: {error.strerror}") from error
        yield folder


def put_in_place(folder: Path, data_dir: Path) -> None:
    """Have what was gathered take the place of what is there.

    :raises ArchiveError: it cannot. The store is not restored then, so that nobody starts on it.
    """
    try:
        sync_tree(folder)
        for _, path in data_files(data_dir):
            path.unlink()
        for name, path in list(data_files(folder)):
            place = data_dir / name
            # A mode counts for the last of new folders only.
            for above in reversed(place.relative_to(data_dir).parents[:-1]):
                (data_dir / above).mkdir(exist_ok=True, mode=0o700)
            path.rename(place)
        for changed in (*(path for path in data_dir.rglob("*") if path.is_dir()), data_dir):
            sync_folder(changed)
    except OSError as error:
        raise ArchiveError(f"cannot write {data_dir}: {error.strerror}") from error
