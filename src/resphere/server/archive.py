"""The form of a backup: a tar that anybody can look into, and that says itself whether it is whole.

``manifest.json`` comes first and says what it is and when it was made; ``SHA256SUMS`` comes last, with the digest of
everything before it, as ``sha256sum --check`` reads them. An archive that was cut off has no end, one that was damaged
other digests. One that was made with a password is sealed as a whole (:mod:`resphere.recovery.sealed`).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, BinaryIO, cast

import msgspec

from resphere.recovery.sealed import MARK, OpenedSource, SealingSink, Sink, is_sealed
from resphere.store.copies import CopiedFile
from resphere.store.files import sync_folder
from resphere.store.locks import try_lock

FORMAT = 1
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
MADE_IN = ".resphere-part"
"""What follows an archive's name in that of the folder in which it is made."""
LONGEST_MANIFEST_BYTES = 1024 * 1024
PIECE_BYTES = 1024 * 1024


class ArchiveError(Exception):
    """An archive that cannot be made or used; the message says which and why."""


class StoreManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The store in a backup: which engine's, of which schema and form of documents, and as of what."""

    engine: str
    schema: int
    form: int
    epoch: str
    sequence: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself. ``format`` is that of the archive; ``made_by`` the release of resphere.

    ``library_storage`` is the storage on which the files of content libraries lie, where that is not in the backup.
    """

    format: int = FORMAT
    made_by: str
    created_time: datetime
    store: StoreManifest
    library_storage: str | None = None
    parts: tuple[str, ...] | None = None
    """The parts that are in it, ``None``: all."""
    provider: str | None = None
    job: str | None = None
    """The backup of the API that it was made by."""


class Size(msgspec.Struct, frozen=True):
    """How much is in an archive."""

    files: int
    bytes: int


@contextmanager
def being_made(archive: Path) -> Iterator[Path]:
    """An empty folder for making ``archive``, beside it, which only its owner may enter and which goes in the end.

    That of somebody who was killed is taken over.

    :raises ArchiveError: there is such a file already, or somebody makes it, or there can be none.
    """
    folder = archive.with_name(archive.name + MADE_IN)
    with _told(f"cannot write {archive}"):
        if archive.exists():
            raise ArchiveError(f"{archive} exists already")
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with _told(f"cannot write {archive}"):
            if not try_lock(descriptor):
                raise ArchiveError(f"{archive} is being written by another backup")
            for left in folder.iterdir():
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def write_archive(
    archive: Path, folder: Path, manifest: Manifest, files: Iterable[CopiedFile], password: str | None = None
) -> Size:
    """Write ``archive``, readable by its owner only, in ``folder`` first: under its name it is whole and durable. With
    a ``password`` it is sealed.

    :raises ArchiveError: it cannot be written, or a file not be read.
    """
    made = folder / "archive"
    with _told(f"cannot write {archive}"):
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if password is None:
                size = write_tar(file, manifest, files)
            else:
                sealing = SealingSink(file, password, secrets.token_bytes)
                size = write_tar(sealing, manifest, files)
                sealing.finish()
            file.flush()
            os.fsync(file.fileno())
        made.rename(archive)
        sync_folder(archive.parent)
    return size


def write_tar(to: Sink, manifest: Manifest, files: Iterable[CopiedFile]) -> Size:
    """Write an archive in one go.

    :raises OSError: a file cannot be read.
    """
    sums: list[str] = []
    count = size_bytes = 0
    with tarfile.open(fileobj=cast(BinaryIO, to), mode="w|", format=tarfile.PAX_FORMAT, bufsize=PIECE_BYTES) as tar:

        def add(name: str, source: IO[bytes], size: int) -> None:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = size, 0o600, int(manifest.created_time.timestamp())
            digested = Digested(source)
            tar.addfile(entry, digested)
            sums.append(f"{digested.digest.hexdigest()}  {name}\n")

        text = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        add(MANIFEST, BytesIO(text), len(text))
        for each in files:
            with each.path.open("rb") as source:
                size = os.fstat(source.fileno()).st_size
                add(each.name, source, size)
            count, size_bytes = count + 1, size_bytes + size
        end = "".join(sums).encode()
        add(SUMS, BytesIO(end), len(end))
    return Size(count, size_bytes)


class Digested:
    """Reads a file, and digests what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


class Archive:
    """An archive that is read, once, from its beginning to its end."""

    def __init__(self, path: Path, password: str | None = None) -> None:
        """:raises ArchiveError: it is none, or of a newer format, or sealed by another password."""
        self._path = path
        self._sums: dict[str, str] = {}
        with ExitStack() as stack:
            with _told(f"cannot read {path}"):
                file = stack.enter_context(path.open("rb"))
                sealed = is_sealed(file.peek(len(MARK)))
            if sealed != (password is not None):
                why = "encrypted: its password is needed" if sealed else "not encrypted, and has no password"
                raise ArchiveError(f"{path} is {why}")
            with self._damage_told(f"{path} cannot be opened"):
                opened = file if password is None else cast(IO[bytes], OpenedSource(file, password))
            with self._damage_told(f"{path} is no backup of resphere"):
                self._tar = stack.enter_context(tarfile.open(fileobj=opened, mode="r|", bufsize=PIECE_BYTES))
                self.manifest = self._read_manifest()
            self._files = stack.pop_all()

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.close()

    def unpack(self, folders: Mapping[str, Path]) -> Size:
        """Put all files of ``name/...`` below the folder of that name, and see that each is what was put in.

        :raises ArchiveError: the archive is damaged or cut off, or a file cannot be written. Some are
            there then.
        """
        count = size_bytes = 0
        with self._damage_told(f"{self._path} is damaged"):
            while (entry := self._tar.next()) is not None:
                source = self._content(entry)
                if entry.name == SUMS:
                    self._check(source.read())
                    return Size(count, size_bytes)
                self._unpack_one(entry.name, source, folders)
                count, size_bytes = count + 1, size_bytes + entry.size
        raise ArchiveError(f"{self._path} is damaged: its end is missing")

    def _unpack_one(self, name: str, source: IO[bytes], folders: Mapping[str, Path]) -> None:
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or parts[0] not in folders or ".." in parts or name in self._sums:
            raise ValueError(f"it has no place for {name!r}")
        to = folders[parts[0]].joinpath(*parts[1:])
        digested = Digested(source)
        with _told(f"cannot write {to}"):
            to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while piece := digested.read(PIECE_BYTES):
                with _told(f"cannot write {to}"):
                    file.write(piece)
        self._sums[name] = digested.digest.hexdigest()

    def _read_manifest(self) -> Manifest:
        entry = self._tar.next()
        if entry is None or entry.name != MANIFEST:
            raise ValueError(f"{MANIFEST} is not its first file")
        text = self._content(entry).read(LONGEST_MANIFEST_BYTES)
        self._sums[MANIFEST] = hashlib.sha256(text).hexdigest()
        said = msgspec.json.decode(text, type=dict[str, object])
        if isinstance(format := said.get("format"), int) and format > FORMAT:
            raise ArchiveError(f"{self._path} was made by a newer release: {said.get('made_by')}")
        return msgspec.json.decode(text, type=Manifest)

    def _content(self, entry: tarfile.TarInfo) -> IO[bytes]:
        content = self._tar.extractfile(entry) if entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE) else None
        if content is None:
            raise ValueError(f"{entry.name!r} is no file")
        return content

    def _check(self, text: bytes) -> None:
        lines = (line.partition("  ") for line in text.decode().splitlines())
        said = {name: digest for digest, _, name in lines}
        if said != self._sums:
            wrong = sorted(name for name in said.keys() | self._sums.keys() if said.get(name) != self._sums.get(name))
            raise ValueError(f"{', '.join(wrong[:3])} not as when the backup was made")

    @contextmanager
    def _damage_told(self, what: str) -> Iterator[None]:
        """What a damaged archive may bring the reader to."""
        try:
            yield
        except (tarfile.TarError, ValueError, EOFError, OverflowError, msgspec.MsgspecError, OSError) as error:
            raise ArchiveError(f"{what}: {error}") from error


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{what}: {error.strerror or error}") from error
