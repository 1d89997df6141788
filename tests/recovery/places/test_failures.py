"""Places that cannot be used, and what is said of each: unknown, silent, broken off, full, not allowed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncssh
import pytest

from resphere.fetching.allowed import read_rules
from resphere.recovery.places.base import Patience, require_all
from resphere.recovery.places.errors import (
    BadLocation,
    Denied,
    Failed,
    NoRoom,
    NotAllowed,
    PlaceError,
    Unreachable,
    Untrusted,
)
from resphere.recovery.places.location import Login, read_location
from resphere.recovery.places.opening import opened
from tests.support.places import PASSWORD, USER, Certificates, DavServer, FtpServer, SftpServer, means, silent_server
from tests.support.server import free_port

LOGIN = Login(USER, PASSWORD)
SCHEMES = ("sftp", "ftp", "ftps", "http", "https", "smb")
GREETINGS = {"sftp": b"", "ftp": b"220 here\r\n", "ftps": b"220 here\r\n", "http": b"", "https": b"", "smb": b""}
SHORT = Patience(connect_seconds=0.5, silent_seconds=0.5)


@pytest.fixture
def some_known_hosts(tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    path.write_text(f"* {key}")
    return path


def use(url: str, **given: object) -> None:
    """Make a folder at a place, and write into it."""
    login = given.pop("login", LOGIN)
    assert isinstance(login, Login)
    with opened(read_location(url), login, means(**given)) as place:
        place.make_folder("some")
        with place.writing("some/file") as sink:
            sink.write(bytes(3 * 1024 * 1024))
        require_all(place, "some/file", 3 * 1024 * 1024, "there")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nobody_listens(scheme: str, some_known_hosts: Path) -> None:
    with pytest.raises(Unreachable, match="nobody listens there"):
        use(f"{scheme}://127.0.0.1:{free_port()}/share/a", known_hosts=some_known_hosts)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_such_host(scheme: str, some_known_hosts: Path) -> None:
    with pytest.raises(Unreachable, match="no such host"):
        use(
            f"{scheme}://nowhere.invalid/share/a",
            known_hosts=some_known_hosts,
            allowed=read_rules(("nowhere.invalid",)),
        )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_hosts_that_the_operator_does_not_allow(scheme: str, some_known_hosts: Path) -> None:
    """Neither by name nor by what the name leads to."""
    with pytest.raises(NotAllowed, match="--backup-to"):
        use(f"{scheme}://10.1.2.3/share/a", known_hosts=some_known_hosts)
    with pytest.raises(NotAllowed, match="--backup-to"):
        use(f"{scheme}://127.0.0.1/share/a", known_hosts=some_known_hosts, allowed=read_rules(("10.0.0.0/8",)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_that_says_nothing(scheme: str, some_known_hosts: Path) -> None:
    with silent_server(GREETINGS[scheme]) as port, pytest.raises(Unreachable):
        use(f"{scheme}://127.0.0.1:{port}/share/a", known_hosts=some_known_hosts, patience=SHORT)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_server_that_closes_at_once(scheme: str, some_known_hosts: Path) -> None:
    with silent_server(GREETINGS[scheme], closes=True) as port, pytest.raises((Failed, Unreachable)) as found:
        use(f"{scheme}://127.0.0.1:{port}/share/a", known_hosts=some_known_hosts)
    assert "127.0.0.1" in str(found.value)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_logins_with_commands_in_them(scheme: str, some_known_hosts: Path) -> None:
    with pytest.raises(BadLocation, match="visible"):
        use(
            f"{scheme}://127.0.0.1:{free_port()}/share/a",
            known_hosts=some_known_hosts,
            login=Login("me", "secret\r\nDELE all"),
        )


def test_exports_that_are_not_mounted() -> None:
    with pytest.raises(NotAllowed, match=r"--backup-folder nfs://nas/a=/FOLDER"):
        use("nfs://nas/a")


class TestKeysOfSsh:
    """Only servers whose keys are known."""

    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[SftpServer]:
        server = SftpServer(tmp_path)
        yield server
        server.stop()

    def test_none_are_known(self, server: SftpServer) -> None:
        with pytest.raises(Untrusted, match="--backup-known-hosts"):
            use(server.url)

    def test_the_file_is_none(self, server: SftpServer, tmp_path: Path) -> None:
        with pytest.raises(Untrusted, match="cannot be read"):
            use(server.url, known_hosts=tmp_path / "not-there")

    def test_another_one_is_known(self, server: SftpServer, some_known_hosts: Path) -> None:
        with pytest.raises(Untrusted, match="its key is not the one"):
            use(server.url, known_hosts=some_known_hosts)

    def test_that_of_another_host_is_known(self, server: SftpServer) -> None:
        text = server.known_hosts.read_text().replace("127.0.0.1", "10.0.0.1")
        server.known_hosts.write_text(text)
        with pytest.raises(Untrusted):
            use(server.url, known_hosts=server.known_hosts)

    def test_a_folder_that_may_not_be_written(self, server: SftpServer) -> None:
        if os.getuid() == 0:
            # Root may write anywhere but into a file that is in the way.
            (server.root / "backups").write_text("no folder")
        else:
            (server.root / "backups").mkdir(mode=0o500)
        with pytest.raises(PlaceError):
            use(server.url, known_hosts=server.known_hosts)


class TestCertificates:
    """Only servers for which somebody vouches that is trusted."""

    def test_ftps(self, tmp_path: Path) -> None:
        server = FtpServer(tmp_path, Certificates(tmp_path / "tls"))
        try:
            with pytest.raises(Untrusted):
                use(server.url)
        finally:
            server.stop()

    def test_https(self, tmp_path: Path) -> None:
        server = DavServer(tmp_path, Certificates(tmp_path / "tls"))
        try:
            with pytest.raises(Untrusted):
                use(server.url)
        finally:
            server.stop()


def test_ftps_from_the_beginning(tmp_path: Path) -> None:
    """As at port 990."""
    certificates = Certificates(tmp_path / "tls")
    try:
        server = FtpServer(tmp_path, certificates, implicit=True, port=990)
    except ValueError:
        pytest.skip("somebody has the port 990, or it needs root")
    try:
        use("ftps://127.0.0.1/backups", tls=certificates.client_context)
        assert (server.root / "backups" / "some" / "file").stat().st_size == 3 * 1024 * 1024
    finally:
        server.stop()


def test_ftp_without_the_right_to_write(tmp_path: Path) -> None:
    server = FtpServer(tmp_path, permissions="elr")
    try:
        with pytest.raises(Denied):
            use(server.url)
    finally:
        server.stop()


@contextmanager
def small_file_system(folder: Path, size: str = "2m") -> Iterator[None]:
    """So much memory as a file system."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("kind", [SftpServer, FtpServer, DavServer])
def test_a_disk_that_is_full(tmp_path: Path, kind: type[SftpServer] | type[FtpServer] | type[DavServer]) -> None:
    with ExitStack() as stack:
        server = kind(tmp_path)
        stack.callback(server.stop)
        stack.enter_context(small_file_system(server.root / "backups"))
        known_hosts = server.known_hosts if isinstance(server, SftpServer) else None
        with pytest.raises((NoRoom, Failed)):
            use(server.url, known_hosts=known_hosts)
