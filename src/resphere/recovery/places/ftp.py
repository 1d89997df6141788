"""A folder of an FTP server, in plain or over TLS: from the beginning at port 990, else after ``AUTH TLS``."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from resphere.recovery.places.base import Means, connected
from resphere.recovery.places.errors import PlaceError, broken_off, denied, failed, no_room, nothing_there, of_system
from resphere.recovery.places.location import PORTS, Location, Login, Protocol
from resphere.recovery.sealed import Sink, Source

NOT_LOGGED_IN, UNAVAILABLE = "530", "550"
FULL = ("452", "552")
READ_BYTES = 65_536
MOST_PIECES = 1024
"""So many of a list are taken: an endless one is no list of backups."""
REFUSING = ("permission", "denied", "not enough privileges", "not allowed")
FILLED = ("no space", "disk full", "quota")


class FtpPlace:
    """Below a folder that is found from where the login leads, as in URLs of FTP."""

    def __init__(self, location: Location, login: Login, means: Means, stack: ExitStack) -> None:
        """``stack`` ends it.

        :raises PlaceError: the server cannot be used.
        """
        self._where = location.where
        self._seconds = means.patience.silent_seconds
        self._root = location.path.lstrip("/")
        with self._told(""):
            self._ftp = client(location, means)
            stack.callback(self._ftp.close)
            self._ftp.login(login.user or "anonymous", login.password or "")
            if isinstance(self._ftp, Secured):
                self._ftp.prot_p()
            self._home = self._ftp.pwd().rstrip("/")

    def make_folder(self, path: str) -> None:
        parts = [part for part in self._at(path).removeprefix(self._home).split("/") if part]
        with self._told(path):
            for count in range(1, len(parts) + 1):
                folder = "/".join((self._home, *parts[:count]))
                try:
                    self._ftp.mkd(folder)
                except ftplib.error_perm as refusal:
                    # It may be there, or not; to go there tells.
                    try:
                        self._ftp.cwd(folder)
                    except ftplib.error_perm:
                        raise refusal from None

    @contextmanager
    def writing(self, path: str) -> Iterator[Sink]:
        with self._told(path):
            self._ftp.voidcmd("TYPE I")
            connection = self._ftp.transfercmd(f"STOR {self._at(path)}")
        try:
            yield SocketSink(self, connection, path)
        except BaseException:
            connection.close()
            # What has come is no file of anybody's.
            with suppress(OSError, EOFError, ftplib.Error):
                self._ftp.voidresp()
            raise
        with self._told(path):
            end(connection)
            self._ftp.voidresp()

    @contextmanager
    def reading(self, path: str) -> Iterator[Source]:
        with self._told(path):
            self._ftp.voidcmd("TYPE I")
            connection = self._ftp.transfercmd(f"RETR {self._at(path)}")
        source = SocketSource(self, connection, path)
        try:
            yield source
        finally:
            connection.close()
            with suppress(OSError, EOFError, ftplib.Error):
                self._ftp.voidresp()

    def size_bytes(self, path: str) -> int | None:
        with self._told(path):
            self._ftp.voidcmd("TYPE I")
            try:
                return self._ftp.size(self._at(path))
            except ftplib.error_perm as error:
                if str(error).startswith(UNAVAILABLE):
                    raise
                return None  # it is no command of the oldest servers

    def names(self, path: str) -> tuple[str, ...]:
        with self._told(path):
            self._ftp.cwd(self._at(path) or "/")
            try:
                found = self._listed()
            except ftplib.error_perm as error:
                if not str(error).startswith(UNAVAILABLE):
                    raise
                found = []  # some servers say so of an empty folder
            return tuple(sorted(name.rpartition("/")[2] for name in found))

    def _listed(self) -> list[str]:
        """The names in the folder that the server is in. The library's own way fails where a server ends TLS before it
        has said a word, as some do of an empty folder."""
        self._ftp.voidcmd("TYPE A")
        pieces: list[bytes] = []
        with self._ftp.transfercmd("NLST") as connection:
            while (piece := connection.recv(READ_BYTES)) and len(pieces) < MOST_PIECES:
                pieces.append(piece)
        self._ftp.voidresp()
        return b"".join(pieces).decode(self._ftp.encoding, "replace").splitlines()

    def remove(self, folder: str, files: Iterable[str]) -> None:
        with self._told(folder):
            try:
                self._ftp.cwd(self._at(folder))
            except ftplib.error_perm:
                return  # it is gone already
            present = set(self.names(folder))
            for name in files:
                if name in present:
                    self._ftp.delete(f"{self._at(folder)}/{name}")
            self._ftp.cwd(self._home or "/")
            self._ftp.rmd(self._at(folder))

    def _at(self, path: str) -> str:
        return "/".join((self._home, *filter(None, (self._root, path))))

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        with self.told(path):
            yield

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Tell of failures as places do."""
        try:
            yield
        except EOFError:
            raise broken_off(self._where) from None
        except ftplib.Error as error:
            raise self._meant(str(error), path) from error
        except OSError as error:
            raise of_system(error, self._where, path, self._seconds) from error

    def _meant(self, answer: str, path: str) -> PlaceError:
        if answer.startswith(NOT_LOGGED_IN):
            return denied(self._where)
        if answer.startswith(FULL):
            return no_room(self._where)
        if answer.startswith(UNAVAILABLE):
            # One status for all of it; the words differ from server to server.
            low = answer.lower()
            if any(word in low for word in REFUSING):
                return denied(self._where, f"{path or 'the folder'} may not be read or written")
            if any(word in low for word in FILLED):
                return no_room(self._where)
            return nothing_there(self._where, path)
        return failed(self._where, answer)


def client(location: Location, means: Means) -> ftplib.FTP:
    """A client that is connected to an address that is allowed.

    :raises PlaceError: there is none.
    """
    plain = location.protocol is Protocol.FTP
    found = ftplib.FTP() if plain else Secured(context=means.tls())  # noqa: S321 - where it is asked for
    sock = connected(location, means)
    try:
        if isinstance(found, Secured) and location.port == PORTS[Protocol.FTPS]:
            sock = found.context.wrap_socket(sock, server_hostname=location.host)
        attached(found, sock, location)
        if isinstance(found, Secured) and not isinstance(sock, ssl.SSLSocket):
            found.auth()
    except BaseException:
        found.close()
        sock.close()
        raise
    return found


def attached(ftp: ftplib.FTP, sock: socket.socket, location: Location) -> None:
    """The client on a connection that is there: the library would look the name up once more."""
    ftp.host, ftp.port = location.host, location.port
    ftp.sock, ftp.af = sock, sock.family
    ftp.timeout = sock.gettimeout() or 0
    ftp.file = sock.makefile("r", encoding=ftp.encoding)
    ftp.welcome = ftp.getresp()


class Secured(ftplib.FTP_TLS):
    """FTP over TLS, whose connections for data go on in the session of the one for commands, as servers may ask."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """As of the library."""
        connection, size = super(ftplib.FTP_TLS, self).ntransfercmd(cmd, rest)
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        secured = self.context.wrap_socket(connection, server_hostname=self.host, session=session)
        return secured, size


def end(connection: socket.socket) -> None:
    """End what was sent, so that the other side knows it to be whole."""
    if isinstance(connection, ssl.SSLSocket):
        with suppress(ssl.SSLError):  # some servers close without a word
            connection.unwrap()
    connection.close()


class SocketSink:
    """Sends."""

    def __init__(self, place: FtpPlace, connection: socket.socket, path: str) -> None:
        self._place = place
        self._connection = connection
        self._path = path

    def write(self, piece: bytes) -> None:
        """Take a piece."""
        with self._place.told(self._path):
            self._connection.sendall(piece)


class SocketSource:
    """Receives."""

    def __init__(self, place: FtpPlace, connection: socket.socket, path: str) -> None:
        self._place = place
        self._connection = connection
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        with self._place.told(self._path):
            return self._connection.recv(size if size > 0 else READ_BYTES)
