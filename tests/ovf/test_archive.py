"""Archives taken apart while they come: any cut of the stream, any form of tar, and what is refused."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.ovf.archive import MOST_EXTENSION_BYTES, MOST_TRAILING_BYTES, Archive, ArchiveLimits
from resphere.ovf.issues import BadPackage

LONG = "x" * 200 + ".vmdk"
FILES = (("a.ovf", b"<Envelope/>"), ("a.mf", b""), ("disk ä.vmdk", b"0123456789" * 100), (LONG, bytes(512)))


def tar(files: Iterable[tuple[str, bytes]] = FILES, form: int = tarfile.GNU_FORMAT) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=form) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


def with_entry(**fields: object) -> bytes:
    """An archive whose second member is something else."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.ovf"))
        info = tarfile.TarInfo("b")
        for name, value in fields.items():
            setattr(info, name, value)
        archive.addfile(info)
    return content.getvalue()


async def stream(content: bytes, piece: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), piece):
        yield content[start : start + piece]
        yield b""


async def read_all(content: bytes, piece: int, limits: ArchiveLimits) -> tuple[list[tuple[str, bytes]], list[str]]:
    archive = Archive(stream(content, piece), "a.ova", limits)
    found = []
    async for member in archive.members():
        data = b"".join([each async for each in member.pieces()])
        assert len(data) == member.size
        found.append((member.name, data))
    return found, archive.complaints


def read(
    content: bytes, piece: int = 700, limits: ArchiveLimits | None = None
) -> tuple[list[tuple[str, bytes]], list[str]]:
    return asyncio.run(read_all(content, piece, limits or ArchiveLimits()))


def refusal(content: bytes, limits: ArchiveLimits | None = None) -> str:
    with pytest.raises(BadPackage) as caught:
        read(content, limits=limits)
    (issue,) = caught.value.issues
    assert issue.file == "a.ova"
    return issue.message.default_message


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("piece", [1, 511, 512, 513, 100_000])
def test_files_come_as_they_were_packed(form: int, piece: int) -> None:
    files = FILES[:2] if form == tarfile.USTAR_FORMAT else FILES
    assert read(tar(files, form), piece) == ([*files], [])


@given(st.lists(st.binary(max_size=2000), max_size=4), st.integers(1, 3000))
def test_any_content_in_any_pieces(contents: list[bytes], piece: int) -> None:
    files = [("a.ovf", b""), *((f"disk{number}.vmdk", data) for number, data in enumerate(contents))]
    assert read(tar(files), piece) == (files, [])


def test_what_is_not_taken_is_passed_over() -> None:
    async def names() -> list[str]:
        archive = Archive(stream(tar(), 100), "a.ova")
        found = []
        async for member in archive.members():
            async for _ in member.pieces():
                break
            found.append(member.name)
        return found

    assert asyncio.run(names()) == [name for name, _ in FILES]


def test_names_that_begin_with_the_folder_itself() -> None:
    assert read(tar([("./a.ovf", b"x")]))[0] == [("a.ovf", b"x")]


def test_what_vcenter_tolerates() -> None:
    late = [("b.vmdk", b""), ("a.ovf", b"")]
    assert read(tar(late))[1] == ["The descriptor is not the first file."]
    endless = tar([("a.ovf", b"x")])[:1024]
    assert read(endless) == ([("a.ovf", b"x")], ["It has no end."])


@pytest.mark.parametrize("end", range(1, 1024, 100))
def test_what_is_cut_off_is_refused(end: int) -> None:
    assert "ends in the middle" in refusal(tar([("a.ovf", b"x" * 100)])[:end])


def test_what_is_empty_or_no_tar_is_refused() -> None:
    assert "ends in the middle" in refusal(b"")
    assert "no tar" in refusal(b"x" * 512)
    assert "0 descriptors" in refusal(bytes(10240))
    damaged = bytearray(tar())
    damaged[3] ^= 1
    assert "damaged" in refusal(bytes(damaged))


@pytest.mark.parametrize(
    "name", ["../a.vmdk", "/etc/passwd", "folder/a.vmdk", "..", ".", "a\\b", "a\nb", "a:b", "a\udc80"]
)
def test_names_that_are_none_are_refused(name: str) -> None:
    assert "is no name of a file" in refusal(tar([("a.ovf", b""), (name, b"")]))


@pytest.mark.parametrize(
    "fields",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "a.ovf"},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.BLKTYPE},
        {"type": tarfile.FIFOTYPE},
        {"type": tarfile.DIRTYPE},
        {"type": tarfile.GNUTYPE_SPARSE},
        {"type": tarfile.GNUTYPE_LONGLINK, "name": "b"},
        {"type": b"?"},
    ],
)
def test_only_files_are_taken(fields: dict[str, object]) -> None:
    assert "b is not a file" in refusal(with_entry(**fields))


def test_a_name_twice_and_descriptors() -> None:
    assert "more than once" in refusal(tar([("a.ovf", b""), ("b", b""), ("b", b"")]))
    assert "2 descriptors" in refusal(tar([("a.ovf", b""), ("b.OVF", b"")]))
    assert "0 descriptors" in refusal(tar([("a.vmdk", b"")]))


def test_limits() -> None:
    many = [("a.ovf", b""), *((str(number), b"") for number in range(10))]
    assert "more than 10 files" in refusal(tar(many), ArchiveLimits(most_members=10))
    assert "larger than 99 bytes" in refusal(tar([("a.ovf", b"x" * 100)]), ArchiveLimits(most_bytes=99))


def header(name: str, size: int, type: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, type
    return info.tobuf(tarfile.GNU_FORMAT)


def test_a_size_that_lies_is_refused_before_anything_is_read() -> None:
    assert "larger than" in refusal(header("a.ovf", 1 << 62))
    negative = bytearray(header("a.ovf", 0))
    negative[124:136] = b"\xff" * 12
    negative[148:156] = b"%06o\0 " % (sum(negative[:148]) + sum(negative[156:]) + 8 * 32)
    assert "damaged" in refusal(bytes(negative))


@pytest.mark.parametrize("type", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_headers_are_bounded(type: bytes) -> None:
    assert "header of more than" in refusal(header("long", MOST_EXTENSION_BYTES + 1, type))
    one = header("long", 0, type)
    assert "too many headers" in refusal(one * 100)


@pytest.mark.parametrize(
    "records",
    [
        b"x",
        b"0 path=a\n",
        b"99 path=a\n",
        b"9 path=a\n ",
        b"-9 path=a\n",
        b"11 size=-1\n",
        b"13 size=\xd9\xa1\xd9\xa1\n",
        b"25 GNU.sparse.name=a.ovf\n",
    ],
)
def test_pax_records_that_cannot_be_read(records: bytes) -> None:
    padded = records + bytes(-len(records) % 512)
    refusal(header("x", len(records), tarfile.XHDTYPE) + padded + tar())


def test_what_follows_the_end_is_bounded() -> None:
    assert read(tar() + bytes(MOST_TRAILING_BYTES - 20_000))[1] == []
    assert "follow its end" in refusal(tar() + bytes(MOST_TRAILING_BYTES))


@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(BadPackage):
        read(content)


MEASURED = """
import asyncio, resource, sys, tarfile
from resphere.ovf.archive import Archive

def header(name, size):
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)

async def stream(size):
    yield header("a.ovf", 0)
    yield header("a.vmdk", size)
    piece = bytes(65536)
    for _ in range(size // len(piece)):
        yield bytes(bytearray(piece))
    yield bytes(1024)

async def read(size):
    total = 0
    async for member in Archive(stream(size), "a.ova").members():
        async for piece in member.pieces():
            total += len(piece)
    assert total == size

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

asyncio.run(read(1 << 20))
before = peak()
asyncio.run(read(300 << 20))
print(peak() - before)
"""


def test_300_megabytes_take_no_memory() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, check=True, timeout=120)
    assert int(done.stdout) < 8 << 20
