"""A folder of a share of Windows or Samba, by SMB 2 and 3, signed; users log in by NTLM.

The library has no types, waits without bounds, and would follow a server to others by DFS: a watch ends connections
that say nothing, and DFS is off.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import smbclient
import smbclient.path
from smbprotocol.exceptions import SMBAuthenticationError, SMBException, SMBOSError, SMBResponseException
from smbprotocol.header import NtStatus

from resphere.recovery.places.base import MOST_TRIED, Means, addresses
from resphere.recovery.places.errors import (
    Failed,
    PlaceError,
    bad_location,
    broken_off,
    denied,
    failed,
    no_room,
    nothing_there,
    of_system,
    silent,
    unreachable,
)
from resphere.recovery.places.location import Location, Login
from resphere.recovery.sealed import Sink, Source

for each in ("smbprotocol", "smbclient", "spnego"):
    # What they tell of each connection is nothing for the log of this server.
    logging.getLogger(each).setLevel(logging.WARNING)

MISSING = (
    NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
    NtStatus.STATUS_OBJECT_PATH_NOT_FOUND,
    NtStatus.STATUS_NO_SUCH_FILE,
    NtStatus.STATUS_BAD_NETWORK_NAME,
)
REFUSED = (NtStatus.STATUS_LOGON_FAILURE, NtStatus.STATUS_ACCESS_DENIED)
FULL = (NtStatus.STATUS_DISK_FULL,)
GUEST = "guest"


class SmbPlace:
    """Below a folder of a share: the first part of the location's path is the share's name."""

    def __init__(self, location: Location, login: Login, means: Means, stack: ExitStack) -> None:
        """``stack`` ends it.

        :raises PlaceError: the share cannot be used.
        """
        self._where = location.where
        self._seconds = means.patience.silent_seconds
        self._cache: dict[str, Any] = {}
        share, _, folder = location.path.strip("/").partition("/")
        if not share:
            raise bad_location("its path has to begin with the name of a share")
        # One for the process; nobody else in it uses the library.
        smbclient.ClientConfig(skip_dfs=True)
        stack.callback(self._end)
        server = self._log_in(location, login, means)
        self._port = location.port
        self._root = "\\".join(("\\", server, share, *filter(None, folder.split("/"))))

    def _log_in(self, location: Location, login: Login, means: Means) -> str:
        """Log in at the first address that takes a connection, and return it."""
        for address in addresses(location, means.allowed)[:MOST_TRIED]:
            try:
                with self._told("", means.patience.connect_seconds):
                    smbclient.register_session(
                        address,
                        username=login.user or GUEST,
                        password=login.password or "",
                        port=location.port,
                        connection_timeout=means.patience.connect_seconds,
                        connection_cache=self._cache,
                        auth_protocol="ntlm",
                    )
            except Failed as failure:
                if not isinstance(failure.__cause__, ValueError):
                    raise
                continue  # so the library says that nobody has taken the connection
            return address
        raise unreachable(self._where, "nobody listens there")

    def _end(self) -> None:
        with suppress(SMBException, OSError, ValueError):
            smbclient.reset_connection_cache(fail_on_error=False, connection_cache=self._cache)

    def make_folder(self, path: str) -> None:
        with self._told(path):
            smbclient.makedirs(self._at(path), exist_ok=True, **self._options)

    @contextmanager
    def writing(self, path: str) -> Iterator[Sink]:
        with self._told(path):
            opened = smbclient.open_file(self._at(path), mode="wb", buffering=0, **self._options)
        try:
            yield FileSink(self, opened, path)
        except BaseException:
            self._give_up(opened)
            raise
        with self._told(path):
            opened.close()

    @contextmanager
    def reading(self, path: str) -> Iterator[Source]:
        with self._told(path):
            opened = smbclient.open_file(self._at(path), mode="rb", buffering=0, **self._options)
        try:
            yield FileSource(self, opened, path)
        finally:
            self._give_up(opened)

    def _give_up(self, opened: Any) -> None:
        with suppress(PlaceError), self._told(""):
            opened.close()

    def size_bytes(self, path: str) -> int | None:
        with self._told(path):
            return int(smbclient.stat(self._at(path), **self._options).st_size)

    def names(self, path: str) -> tuple[str, ...]:
        with self._told(path):
            return tuple(sorted(smbclient.listdir(self._at(path), **self._options)))

    def remove(self, folder: str, files: Iterable[str]) -> None:
        with self._told(folder):
            for name in files:
                if smbclient.path.exists(self._at(f"{folder}/{name}"), **self._options):
                    smbclient.remove(self._at(f"{folder}/{name}"), **self._options)
            if smbclient.path.exists(self._at(folder), **self._options):
                smbclient.rmdir(self._at(folder), **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        return {"port": self._port, "connection_cache": self._cache}

    def _at(self, path: str) -> str:
        return "\\".join((self._root, *filter(None, path.split("/"))))

    @contextmanager
    def _told(self, path: str, seconds: float | None = None) -> Iterator[None]:
        with self.told(path, seconds):
            yield

    @contextmanager
    def told(self, path: str, seconds: float | None = None) -> Iterator[None]:
        """Tell of failures as places do, and break off what takes too long."""
        watch = Watch(self._cache, seconds or self._seconds)
        try:
            with watch.watching():
                yield
        except SMBOSError as error:
            raise self._meant(error.ntstatus, error, path) from error
        except SMBAuthenticationError as error:
            raise denied(self._where) from error
        except SMBResponseException as error:
            raise self._meant(error.status, error, path) from error
        except SMBException as error:
            raise (silent(self._where, watch.seconds) if watch.barked else broken_off(self._where)) from error
        except ValueError as error:
            raise failed(self._where, str(error)) from error
        except OSError as error:
            raise of_system(error, self._where, path, watch.seconds) from error

    def _meant(self, status: int, error: Exception, path: str) -> PlaceError:
        if status in MISSING:
            return nothing_there(self._where, path)
        if status in REFUSED:
            logon = status == NtStatus.STATUS_LOGON_FAILURE
            return denied(self._where) if logon else denied(self._where, f"{path or 'it'} may not be read or written")
        if status in FULL:
            return no_room(self._where)
        return failed(self._where, str(error))


class Watch:
    """Ends all connections of a place when something takes longer than so many seconds."""

    def __init__(self, cache: dict[str, Any], seconds: float) -> None:
        self.seconds = seconds
        self.barked = False
        self._cache = cache

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While within."""
        timer = threading.Timer(self.seconds, self._bark)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _bark(self) -> None:
        self.barked = True
        for connection in list(self._cache.values()):
            connection.transport.close()


class FileSink:
    """Writes into a file of the share."""

    def __init__(self, place: SmbPlace, file: Any, path: str) -> None:
        self._place = place
        self._file = file
        self._path = path

    def write(self, piece: bytes) -> None:
        """Take a piece: a server may take less at a time."""
        left = memoryview(piece)
        with self._place.told(self._path):
            while left:
                left = left[self._file.write(left) :]


class FileSource:
    """Reads a file of the share."""

    def __init__(self, place: SmbPlace, file: Any, path: str) -> None:
        self._place = place
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        with self._place.told(self._path):
            return bytes(self._file.read(size))
