"""Archives of backups: what is in them, and that nothing but a whole one is taken for one."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.server.archive import (
    MADE_IN,
    MANIFEST,
    SUMS,
    Archive,
    ArchiveError,
    Manifest,
    Size,
    StoreManifest,
    being_made,
    write_archive,
)
from resphere.store.copies import CopiedFile
from tests.support.examples import examples
from tests.support.full_disk import file_size_limit

CREATED = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
STORED = Manifest(
    made_by="resphere 0.1.0",
    created_time=CREATED,
    store=StoreManifest(engine="any", schema=2, form=2, epoch="0a6d", sequence=7),
)
FILES = {"store/database.db": b"a database" * 300, "store/files/1-a.1": b"", "data/password": b"secret\n"}


def make(folder: Path, files: dict[str, bytes]) -> Path:
    """An archive of these files."""
    source = folder / "source"
    source.mkdir(parents=True)
    copied = []
    for number, (name, data) in enumerate(files.items()):
        (source / str(number)).write_bytes(data)
        copied.append(CopiedFile(name, source / str(number)))
    archive = folder / "backup.tar"
    with being_made(archive) as made:
        assert write_archive(archive, made, STORED, copied) == Size(len(files), sum(map(len, files.values())))
    return archive


def unpack(archive: Path, to: Path) -> dict[str, bytes]:
    """What an archive has, file by file."""
    folders = {name: to / name for name in ("store", "data")}
    with Archive(archive) as opened:
        opened.unpack(folders)
        assert opened.manifest == STORED
    return {file.relative_to(to).as_posix(): file.read_bytes() for file in to.rglob("*") if file.is_file()}


def test_what_was_put_in_comes_out(tmp_path: Path) -> None:
    archive = make(tmp_path, FILES)
    assert unpack(archive, tmp_path / "out") == FILES
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").rglob("*") if file.is_file()} == {0o600}


def test_anybody_can_look_into_it(tmp_path: Path) -> None:
    archive = make(tmp_path, FILES)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        assert names == [MANIFEST, *FILES, SUMS]
        assert {entry.mode for entry in tar} == {0o600}
        content = {name: file.read() for name in names if (file := tar.extractfile(name)) is not None}
    assert msgspec.json.decode(content[MANIFEST], type=Manifest) == STORED
    lines = content.pop(SUMS).decode().splitlines()
    assert lines == [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in content.items()]
    assert [file.name for file in tmp_path.iterdir() if file.name != "source"] == ["backup.tar"]


@given(data=st.data())
@settings(max_examples=examples(100), deadline=None)
def test_no_damaged_archive_is_taken_for_a_whole_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    try:
        archive = make(folder, FILES)
        whole = archive.read_bytes()
        if data.draw(st.booleans()):
            archive.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
        else:
            at = data.draw(st.integers(0, len(whole) - 1))
            byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
            archive.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        found = FILES
        with suppress(ArchiveError):
            found = unpack(archive, folder / "out")
        # It is not refused where what was hit says nothing: the filling between files, or who owns them.
        assert found == FILES
    finally:
        shutil.rmtree(folder)


def rewritten(archive: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]) -> None:
    """Write an archive anew, each entry as ``change`` makes it."""
    with tarfile.open(archive) as tar:
        entries = [(entry, file.read()) for entry in tar if (file := tar.extractfile(entry)) is not None]
    with tarfile.open(archive, "w") as tar:
        for entry, data in (change(*each) for each in entries):
            entry.size = len(data)
            tar.addfile(entry, BytesIO(data))


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "store/../../out", "other/file", "store", "data/password"])
def test_a_file_that_has_no_place(tmp_path: Path, name: str) -> None:
    archive = make(tmp_path, FILES)

    def change(entry: tarfile.TarInfo, data: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if entry.name == "store/files/1-a.1":
            entry.name = name
        return entry, data

    rewritten(archive, change)
    with pytest.raises(ArchiveError, match="is damaged"):
        unpack(archive, tmp_path / "there" / "out")
    assert not (tmp_path / "there" / "out" / "out").exists()
    assert not (tmp_path / "out").exists()


def test_a_link_is_no_file(tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar"
    text = msgspec.json.encode(STORED)
    with tarfile.open(archive, "w") as tar:
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(text)
        tar.addfile(entry, BytesIO(text))
        link = tarfile.TarInfo("store/database.db")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(ArchiveError, match=r"'store/database.db' is no file"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"format": 2, "made_by": "resphere 9"}, "made by a newer release: resphere 9"),
        ({"format": 1}, "is no backup of resphere"),
        ([], "is no backup of resphere"),
    ],
)
def test_another_manifest(tmp_path: Path, manifest: object, message: str) -> None:
    archive = make(tmp_path, FILES)
    text = msgspec.json.encode(manifest)
    rewritten(archive, lambda entry, data: (entry, text if entry.name == MANIFEST else data))
    with pytest.raises(ArchiveError, match=message):
        Archive(archive)


@pytest.mark.parametrize("data", [b"", b"no archive at all", b"\0" * 20_000])
def test_no_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(ArchiveError, match="is no backup of resphere"):
        Archive(tmp_path / "file")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"cannot read .*: No such file"):
        Archive(tmp_path / "file")


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar"
    archive.write_text("mine")
    with pytest.raises(ArchiveError, match="exists already"), being_made(archive):
        pass
    assert archive.read_text() == "mine"


def test_two_who_make_the_same(tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar"
    with being_made(archive), pytest.raises(ArchiveError, match="by another backup"), being_made(archive):
        pass


def test_what_somebody_who_was_killed_has_left(tmp_path: Path) -> None:
    left = tmp_path / f"backup.tar{MADE_IN}"
    left.mkdir()
    (left / "archive").write_text("half")
    assert unpack(make(tmp_path, FILES), tmp_path / "out") == FILES
    assert not left.exists()


def test_no_room_for_an_archive(tmp_path: Path) -> None:
    large = {"store/database.db": os.urandom(100_000)}
    with file_size_limit(100_000), pytest.raises(ArchiveError, match=r"cannot write .*backup.tar: File too large"):
        make(tmp_path, large)
    assert [file.name for file in tmp_path.iterdir()] == ["source"]


def test_no_room_for_what_is_in_it(tmp_path: Path) -> None:
    archive = make(tmp_path, {"store/database.db": os.urandom(100_000)})
    with file_size_limit(50_000), pytest.raises(ArchiveError, match=r"cannot write .*database.db: File too large"):
        unpack(archive, tmp_path / "out")
