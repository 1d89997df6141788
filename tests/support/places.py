"""Servers for backups, on this machine: SFTP, FTP, WebDAV, SMB, each with a folder, a user and a password."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from resphere.certificates.files import ensure_certificates
from resphere.fetching.allowed import read_rules
from resphere.recovery.places.base import Means, Patience
from tests.support.server import free_port, wait_until

USER, PASSWORD = "keeper", "keeps-1-Thing"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
APACHE, SMBD, SMBPASSWD = (shutil.which(name, path=PATH) for name in ("apache2", "smbd", "smbpasswd"))
APACHE_MODULES = Path("/usr/lib/apache2/modules")
SYSTEM_USER = "backup"
"""A user that Debian has: Samba's users are users of the system."""
PATIENCE = Patience(connect_seconds=10, silent_seconds=20)


class Certificates:
    """A certificate for this machine, and the CA that vouches for it."""

    def __init__(self, folder: Path) -> None:
        self._files = ensure_certificates(folder, ("127.0.0.1", "localhost"), lambda: datetime.now(UTC))
        self.certificate, self.key = self._files.certificate, self._files.key
        assert self._files.ca_certificate is not None
        self.ca = self._files.ca_certificate

    def client_context(self) -> ssl.SSLContext:
        """What a client checks by."""
        return ssl.create_default_context(cafile=str(self.ca))


def means(**given: Any) -> Means:
    """All of this machine is allowed, where nothing else is ``given``."""
    usual: dict[str, Any] = {"allowed": read_rules(("127.0.0.1", "localhost")), "patience": PATIENCE}
    return Means(**(usual | given))


class SftpServer:
    """OpenSSH's protocol by asyncssh, on an event loop in a thread; ``root`` is all that it shows."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "sftp"
        self.root.mkdir(parents=True)
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(self._serve())
        self.port = self._server.get_port()
        self.known_hosts = folder / "known_hosts"
        public = self._key.export_public_key().decode()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")

    @property
    def url(self) -> str:
        """Its folder."""
        return f"sftp://127.0.0.1:{self.port}/backups"

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self) -> asyncssh.SSHAcceptor:
        root = str(self.root)

        class Keeper(asyncssh.SSHServer):
            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == (USER, PASSWORD)

        def sftp(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
            return asyncssh.SFTPServer(channel, chroot=root.encode())

        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Keeper, server_host_keys=[self._key], sftp_factory=sftp
        )

    def stop(self) -> None:
        """End."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class FtpServer:
    """pyftpdlib's server; with ``certificates`` over TLS, and with ``implicit`` from the beginning."""

    def __init__(
        self,
        folder: Path,
        certificates: Certificates | None = None,
        *,
        implicit: bool = False,
        port: int = 0,
        permissions: str = "elradfmwMT",
    ) -> None:
        self.root = folder / "ftp"
        self.root.mkdir(parents=True)
        both = None
        if certificates is not None:
            both = folder / "ftp.pem"
            both.write_text(certificates.key.read_text() + certificates.certificate.read_text())
        options = {
            "user": USER,
            "password": PASSWORD,
            "root": str(self.root),
            "certificate": None if both is None else str(both),
            "implicit": implicit,
            "address": "127.0.0.1",
            "port": port,
            "permissions": permissions,
        }
        command = [sys.executable, "-W", "ignore", "-m", "tests.support.ftp_process", json.dumps(options)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        scheme = "ftp" if certificates is None else "ftps"
        self.url = f"{scheme}://127.0.0.1:{self.port}/backups"

    def stop(self) -> None:
        """End."""
        self._process.kill()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


APACHE_CONFIGURATION = """
ServerName localhost
ServerRoot {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
Listen 127.0.0.1:{port}
{modules}
User www-data
Group www-data
DavLockDB {folder}/locks/db
DocumentRoot {root}
{tls}
<Directory {root}>
  Dav On
  AuthType Basic
  AuthName backups
  AuthBasicProvider file
  AuthUserFile {folder}/users
  Require valid-user
  AllowOverride None
</Directory>
"""
MODULES = (
    "mpm_event",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_basic",
    "dav",
    "dav_fs",
)


class DavServer:
    """Apache with WebDAV, in the foreground of a process."""

    def __init__(self, _folder: Path, certificates: Certificates | None = None) -> None:
        if APACHE is None or os.getuid() != 0:
            pytest.skip("needs Apache (apt install apache2), and root, who may give it a user")
        # Those who serve are another user, who may not enter folders of tests.
        self._own = tempfile.TemporaryDirectory(prefix="dav-")
        self.folder = Path(self._own.name)
        self.folder.chmod(0o755)
        self.root = self.folder / "root"
        (self.root / "backups").mkdir(parents=True)
        (self.folder / "locks").mkdir()
        for each in (self.root, self.root / "backups", self.folder / "locks"):
            shutil.chown(each, "www-data", "www-data")
        self.port = free_port()
        digest = subprocess.run(
            ["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True
        ).stdout.strip()
        (self.folder / "users").write_text(f"{USER}:{digest}\n")
        (self.folder / "users").chmod(0o644)
        modules = (*MODULES, *(("ssl", "socache_shmcb") if certificates else ()))
        tls = (
            ""
            if certificates is None
            else (
                f"SSLEngine On\nSSLCertificateFile {certificates.certificate}\nSSLCertificateKeyFile {certificates.key}"
            )
        )
        configuration = self.folder / "apache.conf"
        configuration.write_text(
            APACHE_CONFIGURATION.format(
                folder=self.folder,
                root=self.root,
                port=self.port,
                tls=tls,
                modules="\n".join(f"LoadModule {each}_module {APACHE_MODULES}/mod_{each}.so" for each in modules),
            )
        )
        self.url = f"{'http' if certificates is None else 'https'}://127.0.0.1:{self.port}/backups"
        self._process = subprocess.Popen([APACHE, "-f", str(configuration), "-DFOREGROUND"])
        wait_until(lambda: listens(self.port), "Apache's start")

    def stop(self) -> None:
        """End."""
        self._process.terminate()
        self._process.wait(20)
        self._own.cleanup()


SAMBA_CONFIGURATION = """
[global]
server role = standalone server
workgroup = TEST
interfaces = 127.0.0.1
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
load printers = no
printing = bsd
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}/lock
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log.%m
passdb backend = tdbsam:{folder}/private/passdb.tdb
[share]
path = {folder}/share
read only = no
force user = root
"""


class SmbServer:
    """Samba's file server in a process of the test's."""

    def __init__(self, folder: Path) -> None:
        if SMBD is None or SMBPASSWD is None or os.getuid() != 0:
            pytest.skip("needs Samba (apt install samba), and root, whose its database is")
        self.folder = folder / "samba"
        for name in ("private", "state", "cache", "lock", "ncalrpc", "share"):
            (self.folder / name).mkdir(parents=True)
        self.root = self.folder / "share"
        self.port = free_port()
        self.user = SYSTEM_USER
        configuration = self.folder / "smb.conf"
        configuration.write_text(SAMBA_CONFIGURATION.format(folder=self.folder, port=self.port))
        subprocess.run(
            [SMBPASSWD, "-c", str(configuration), "-a", "-s", self.user],
            input=f"{PASSWORD}\n{PASSWORD}\n",
            text=True,
            check=True,
            stdout=subprocess.PIPE,
        )
        self.url = f"smb://127.0.0.1:{self.port}/share/backups"
        command = [SMBD, "--foreground", "--no-process-group", "--configfile", str(configuration)]
        # In a session of its own: at its end it ends all of its process group.
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(lambda: listens(self.port), "Samba's start")

    def stop(self) -> None:
        """End."""
        self._process.terminate()
        self._process.wait(20)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def silent_server(greeting: bytes = b"", *, closes: bool = False) -> Iterator[int]:
    """A port at which somebody says no more than the ``greeting``, and then waits, or ``closes``."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        taken: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                if greeting:
                    connection.sendall(greeting)
                if closes:
                    connection.close()
                else:
                    taken.append(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            # Closed alone, it would be waited at for ever.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            for connection in taken:
                connection.close()
