"""Every kind of place alike: files and folders are made, read, listed and deleted, on real servers of each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.recovery.means import read_folders
from resphere.recovery.places.base import Means, Place
from resphere.recovery.places.errors import Denied, NothingThere
from resphere.recovery.places.location import Login, read_location
from resphere.recovery.places.opening import opened
from resphere.recovery.sealed import exactly
from tests.support.places import PASSWORD, USER, Certificates, DavServer, FtpServer, SftpServer, SmbServer, means

LARGE = random.Random(1).randbytes(5 * 1024 * 1024 + 17)
MIB = 1024 * 1024


class Reached(msgspec.Struct, frozen=True):
    """A place that a test reaches: its URL, who logs in, by what means, and the folder that it is on this machine."""

    url: str
    login: Login
    means: Means
    folder: Path


LOGIN = Login(USER, PASSWORD)


def nfs(tmp_path: Path, _: ExitStack) -> Reached:
    """A folder that is mounted."""
    (tmp_path / "nas").mkdir()
    folders = read_folders((f"nfs://nas.example.com/exports={tmp_path}/nas",))
    url = "nfs://nas.example.com/exports/backups"
    return Reached(url, Login(), means(folders=folders), tmp_path / "nas" / "backups")


def sftp(tmp_path: Path, stack: ExitStack) -> Reached:
    """An SSH server."""
    server = SftpServer(tmp_path)
    stack.callback(server.stop)
    return Reached(server.url, LOGIN, means(known_hosts=server.known_hosts), server.root / "backups")


def scp(tmp_path: Path, stack: ExitStack) -> Reached:
    """The same, called otherwise."""
    found = sftp(tmp_path, stack)
    return msgspec.structs.replace(found, url=found.url.replace("sftp://", "scp://"))


def ftp(tmp_path: Path, stack: ExitStack) -> Reached:
    """Without TLS."""
    server = FtpServer(tmp_path)
    stack.callback(server.stop)
    return Reached(server.url, LOGIN, means(), server.root / "backups")


def ftps(tmp_path: Path, stack: ExitStack) -> Reached:
    """With TLS, asked for."""
    certificates = Certificates(tmp_path / "tls")
    server = FtpServer(tmp_path, certificates)
    stack.callback(server.stop)
    return Reached(server.url, LOGIN, means(tls=certificates.client_context), server.root / "backups")


def http(tmp_path: Path, stack: ExitStack) -> Reached:
    """WebDAV."""
    server = DavServer(tmp_path)
    stack.callback(server.stop)
    return Reached(server.url, LOGIN, means(), server.root / "backups")


def https(tmp_path: Path, stack: ExitStack) -> Reached:
    """WebDAV over TLS."""
    certificates = Certificates(tmp_path / "tls")
    server = DavServer(tmp_path, certificates)
    stack.callback(server.stop)
    return Reached(server.url, LOGIN, means(tls=certificates.client_context), server.root / "backups")


def smb(tmp_path: Path, stack: ExitStack) -> Reached:
    """A share."""
    server = SmbServer(tmp_path)
    stack.callback(server.stop)
    return Reached(server.url, Login(server.user, PASSWORD), means(), server.root / "backups")


KINDS: tuple[Callable[[Path, ExitStack], Reached], ...] = (nfs, sftp, scp, ftp, ftps, http, https, smb)


@pytest.fixture(params=KINDS, ids=lambda kind: str(kind.__name__))
def reached(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reached]:
    kind: Callable[[Path, ExitStack], Reached] = request.param
    with ExitStack() as stack:
        yield kind(tmp_path, stack)


def at(reached: Reached, **given: Any) -> Any:
    """The place, opened."""
    login = given.get("login", reached.login)
    return opened(read_location(reached.url), login, reached.means)


def put(place: Place, path: str, content: bytes) -> None:
    """Write a file, in pieces."""
    with place.writing(path) as sink:
        for begin in range(0, len(content), MIB):
            sink.write(content[begin : begin + MIB])


def read(place: Place, path: str) -> bytes:
    """All of a file."""
    with place.reading(path) as source:
        return b"".join(iter(lambda: source.read(MIB), b""))


def test_files_and_folders(reached: Reached) -> None:
    folder = "vCenter/sn_vc.example.com/M_8.0_20261130-194843_a-b"
    with at(reached) as place:
        place.make_folder(folder)
        place.make_folder(folder)
        put(place, f"{folder}/large", LARGE)
        put(place, f"{folder}/empty", b"")
        assert read(place, f"{folder}/large") == LARGE
        assert read(place, f"{folder}/empty") == b""
        assert place.size_bytes(f"{folder}/large") == len(LARGE)
        assert place.names(folder) == ("empty", "large")
        assert place.names("vCenter/sn_vc.example.com") == ("M_8.0_20261130-194843_a-b",)
        assert place.names("vCenter") == ("sn_vc.example.com",)
    assert (reached.folder / folder / "large").read_bytes() == LARGE
    # As somebody else sees it, who comes later.
    with at(reached) as place:
        place.remove(folder, ("large", "not-there", "empty"))
        place.remove(folder, ("large",))
        assert place.names("vCenter/sn_vc.example.com") == ()
    assert not (reached.folder / folder).exists()


def test_what_is_not_there(reached: Reached) -> None:
    with at(reached) as place:
        place.make_folder("some")
        with pytest.raises(NothingThere), place.reading("some/file"):
            pass
        with pytest.raises(NothingThere):
            place.names("other")
        with pytest.raises(NothingThere):
            place.size_bytes("some/file")


def test_part_of_a_file_is_read(reached: Reached) -> None:
    """As whoever sees that a password is wrong: nothing hangs, and the place can be used still."""
    with at(reached) as place:
        place.make_folder("some")
        put(place, "some/file", LARGE)
        with place.reading("some/file") as source:
            assert exactly(source, 100) == LARGE[:100]
        assert read(place, "some/file") == LARGE


def test_who_fails_within_leaves_no_connection_that_hangs(reached: Reached) -> None:
    with at(reached) as place:
        place.make_folder("some")
        with pytest.raises(RuntimeError, match="within"):
            fail_within(place, "some/file")
        place.remove("some", ("file",))


def fail_within(place: Place, path: str) -> None:
    """Begin to write, and fail."""
    with place.writing(path) as sink:
        sink.write(LARGE)
        raise RuntimeError("within")


def test_a_wrong_password(reached: Reached) -> None:
    if reached.login.user is None:
        pytest.skip("nobody logs in there")
    wrong = Login(reached.login.user, "Wrong-1234")
    with pytest.raises(Denied, match="user or password are wrong"), at(reached, login=wrong) as place:
        place.make_folder("some")
