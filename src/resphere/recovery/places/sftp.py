"""A folder of an SSH server, by SFTP. Only servers whose keys the operator has named are talked to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar, cast

import asyncssh

from resphere.recovery.places.base import Means, connected, require_allowed
from resphere.recovery.places.errors import (
    KNOWN_HOSTS_SETTING,
    PlaceError,
    broken_off,
    denied,
    failed,
    no_room,
    nothing_there,
    of_system,
    silent,
    untrusted,
)
from resphere.recovery.places.location import Location, Login
from resphere.recovery.sealed import Sink, Source

log = logging.getLogger(__name__)

T = TypeVar("T")

# What it tells of each connection is nothing for the log of this server.
asyncssh.set_log_level(logging.WARNING)

FULL = (asyncssh.FX_NO_SPACE_ON_FILESYSTEM, asyncssh.FX_QUOTA_EXCEEDED)
MISSING = (asyncssh.FX_NO_SUCH_FILE, asyncssh.FX_NO_SUCH_PATH)


class SftpPlace:
    """Below a folder of the server, on an event loop of its own, which turns while something is asked for."""

    def __init__(self, location: Location, login: Login, means: Means, stack: ExitStack) -> None:
        """``stack`` ends it.

        :raises PlaceError: the server cannot be used.
        """
        self._where = location.where
        self._seconds = means.patience.silent_seconds
        self._root = location.path or "/"
        require_allowed(location, means.allowed)
        if means.known_hosts is None:
            text = f"its key is not known; the setting {KNOWN_HOSTS_SETTING} names a file with it"
            raise untrusted(self._where, text)
        try:
            self._known_hosts = asyncssh.read_known_hosts(str(means.known_hosts))
        except (OSError, ValueError) as error:
            log.warning("%s %s cannot be used: %s", KNOWN_HOSTS_SETTING, means.known_hosts, error)
            text = f"the file of {KNOWN_HOSTS_SETTING} cannot be read"
            raise untrusted(self._where, text) from error
        self._runner = stack.enter_context(asyncio.Runner())
        connection = self._do(self._connect(location, login, means))
        stack.callback(self._end, connection)
        self._client: asyncssh.SFTPClient = self._do(connection.start_sftp_client())

    async def _connect(self, location: Location, login: Login, means: Means) -> asyncssh.SSHClientConnection:
        sock = await asyncio.to_thread(connected, location, means)
        try:
            # Nothing of the account that this server runs as is used: neither its configuration nor its keys.
            return await asyncssh.connect(
                location.host,
                location.port,
                sock=sock,
                config=None,
                known_hosts=self._known_hosts,
                username=login.user or "anonymous",
                password=login.password or "",
                client_keys=None,
                agent_path=None,
                preferred_auth=("password", "keyboard-interactive"),
            )
        except BaseException:
            sock.close()
            raise

    def _end(self, connection: asyncssh.SSHClientConnection) -> None:
        connection.abort()
        self._runner.run(asyncio.sleep(0))

    def make_folder(self, path: str) -> None:
        self._do(self._client.makedirs(self._at(path), exist_ok=True), path)

    @contextmanager
    def writing(self, path: str) -> Iterator[Sink]:
        opened: asyncssh.SFTPClientFile = self._do(self._client.open(self._at(path), "wb"), path)
        try:
            yield RemoteSink(self, opened, path)
        except BaseException:
            self._give_up(opened)
            raise
        self._do(opened.close(), path)

    def _give_up(self, opened: asyncssh.SFTPClientFile) -> None:
        try:
            self._do(opened.close())
        except PlaceError:
            return  # what has gone wrong is told already

    @contextmanager
    def reading(self, path: str) -> Iterator[Source]:
        opened: asyncssh.SFTPClientFile = self._do(self._client.open(self._at(path), "rb"), path)
        try:
            yield RemoteSource(self, opened, path)
        finally:
            self._give_up(opened)

    def size_bytes(self, path: str) -> int | None:
        return self._do(self._client.stat(self._at(path)), path).size

    def names(self, path: str) -> tuple[str, ...]:
        found = self._do(self._client.listdir(self._at(path)), path)
        return tuple(sorted(str(name) for name in found if name not in (".", "..")))

    def remove(self, folder: str, files: Iterable[str]) -> None:
        for name in files:
            if self._do(self._client.exists(self._at(f"{folder}/{name}")), folder):
                self._do(self._client.remove(self._at(f"{folder}/{name}")), folder)
        if self._do(self._client.exists(self._at(folder)), folder):
            self._do(self._client.rmdir(self._at(folder)), folder)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root

    def do(self, work: Awaitable[T], path: str = "") -> T:
        """Have it done, in time.

        :raises PlaceError: it was not.
        """
        return self._do(work, path)

    async def _in_time(self, work: Awaitable[T]) -> T:
        return await asyncio.wait_for(work, self._seconds)

    def _do(self, work: Awaitable[T], path: str = "") -> T:
        try:
            return self._runner.run(self._in_time(work))
        except TimeoutError:
            raise silent(self._where, self._seconds) from None
        except asyncssh.HostKeyNotVerifiable:
            why = f"its key is not the one that the file of {KNOWN_HOSTS_SETTING} has for it"
            raise untrusted(self._where, why) from None
        except asyncssh.PermissionDenied:
            raise denied(self._where) from None
        except asyncssh.SFTPError as error:
            raise self._told(error, path) from error
        except asyncssh.ConnectionLost:
            raise broken_off(self._where) from None
        except asyncssh.Error as error:
            raise failed(self._where, error.reason) from error
        except OSError as error:
            raise of_system(error, self._where, path, self._seconds) from error

    def _told(self, error: asyncssh.SFTPError, path: str) -> PlaceError:
        if error.code in MISSING:
            return nothing_there(self._where, path)
        if error.code == asyncssh.FX_PERMISSION_DENIED:
            return denied(self._where, f"{path or 'the folder'} may not be read or written")
        if error.code in FULL:
            return no_room(self._where)
        if error.code in (asyncssh.FX_CONNECTION_LOST, asyncssh.FX_NO_CONNECTION):
            return broken_off(self._where)
        return failed(self._where, error.reason)


class RemoteSink:
    """Writes into a file of the server."""

    def __init__(self, place: SftpPlace, file: asyncssh.SFTPClientFile, path: str) -> None:
        self._place = place
        self._file = file
        self._path = path

    def write(self, piece: bytes) -> None:
        """Take a piece."""
        self._place.do(self._file.write(piece), self._path)


class RemoteSource:
    """Reads a file of the server."""

    def __init__(self, place: SftpPlace, file: asyncssh.SFTPClientFile, path: str) -> None:
        self._place = place
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        return cast(bytes, self._place.do(self._file.read(size), self._path))
