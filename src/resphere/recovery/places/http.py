"""A folder of an HTTP server that takes files by ``PUT``, as WebDAV has it. No redirect is followed."""

from __future__ import annotations

import base64
import http.client
import posixpath
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from urllib.parse import quote, unquote, urlsplit

import defusedxml.ElementTree

from resphere.recovery.places.base import Means, connected
from resphere.recovery.places.errors import PlaceError, broken_off, denied, failed, no_room, nothing_there, of_system
from resphere.recovery.places.location import Location, Login, Protocol
from resphere.recovery.sealed import Sink, Source

MOST_LIST_BYTES = 8 * 1024 * 1024
PROPERTIES = b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
GOOD = range(200, 300)


class HttpPlace:
    """Below a folder of the server; a connection for each question, as servers close those that wait."""

    def __init__(self, location: Location, login: Login, means: Means, _stack: ExitStack) -> None:
        self._location = location
        self._where = location.where
        self._means = means
        self._headers = {"User-Agent": "resphere", "Host": location.where}
        if login.user is not None:
            pair = f"{login.user}:{login.password or ''}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    def make_folder(self, path: str) -> None:
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            folder = "/".join(parts[:count])
            answer = self._ask("MKCOL", f"{folder}/")
            # It is there; or the server makes folders by itself when files come.
            usual = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
            if answer.status not in GOOD and answer.status not in usual:
                raise self._meant(answer.status, folder)

    @contextmanager
    def writing(self, path: str) -> Iterator[Sink]:
        connection = self._connection()
        try:
            with self.told(path):
                connection.putrequest("PUT", self._target(path), skip_host=True, skip_accept_encoding=True)
                sent = {"Content-Type": "application/octet-stream", "Transfer-Encoding": "chunked"}
                for name, value in (self._headers | sent).items():
                    connection.putheader(name, value)
                connection.endheaders()
            yield ChunkSink(self, connection, path)
            with self.told(path):
                connection.send(b"0\r\n\r\n")
                answer = connection.getresponse()
            if answer.status not in GOOD:
                raise self._meant(answer.status, path)
        finally:
            connection.close()

    @contextmanager
    def reading(self, path: str) -> Iterator[Source]:
        connection = self._connection()
        try:
            with self.told(path):
                connection.request("GET", self._target(path), headers=self._headers)
                answer = connection.getresponse()
            if answer.status not in GOOD:
                raise self._meant(answer.status, path)
            yield AnswerSource(self, answer, path)
        finally:
            connection.close()

    def size_bytes(self, path: str) -> int | None:
        answer = self._ask("HEAD", path)
        if answer.status not in GOOD:
            raise self._meant(answer.status, path)
        length = answer.getheader("Content-Length")
        return int(length) if length is not None and length.isdecimal() else None

    def names(self, path: str) -> tuple[str, ...]:
        folder = f"{path}/" if path else ""
        connection = self._connection()
        try:
            with self.told(path):
                asked = {"Depth": "1", "Content-Type": "application/xml"}
                connection.request("PROPFIND", self._target(folder), PROPERTIES, self._headers | asked)
                answer = connection.getresponse()
                content = answer.read(MOST_LIST_BYTES + 1)
        finally:
            connection.close()
        if answer.status in (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED):
            raise failed(self._where, "it does not tell what is in a folder (WebDAV's PROPFIND)")
        if answer.status not in GOOD:
            raise self._meant(answer.status, path)
        return self._listed(content, self._target(folder))

    def _listed(self, content: bytes, target: str) -> tuple[str, ...]:
        own = unquote(target).rstrip("/")
        try:
            if len(content) > MOST_LIST_BYTES:
                raise ValueError("the list is too long")
            tree = defusedxml.ElementTree.fromstring(content)
            paths = [unquote(urlsplit(each.text or "").path).rstrip("/") for each in tree.iter("{DAV:}href")]
        except (ValueError, SyntaxError, defusedxml.DefusedXmlException) as error:
            raise failed(self._where, f"its list of files is none: {error}") from error
        return tuple(sorted({posixpath.basename(each) for each in paths if posixpath.dirname(each) == own}))

    def remove(self, folder: str, files: Iterable[str]) -> None:
        for path in (*(f"{folder}/{name}" for name in files), f"{folder}/"):
            answer = self._ask("DELETE", path)
            if answer.status not in GOOD and answer.status != HTTPStatus.NOT_FOUND:
                raise self._meant(answer.status, path)

    def _ask(self, method: str, path: str) -> http.client.HTTPResponse:
        connection = self._connection()
        try:
            with self.told(path):
                connection.request(method, self._target(path), headers=self._headers)
                return connection.getresponse()
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        location = self._location
        with self.told(""):
            sock = connected(location, self._means)
            if location.protocol is Protocol.HTTPS:
                try:
                    sock = self._means.tls().wrap_socket(sock, server_hostname=location.host)
                except BaseException:
                    sock.close()
                    raise
        return attached(location, sock)

    def _target(self, path: str) -> str:
        return quote(f"{self._location.path}/{path}")

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Tell of failures as places do."""
        try:
            yield
        except (http.client.IncompleteRead, http.client.RemoteDisconnected):
            raise broken_off(self._where) from None
        except http.client.HTTPException as error:
            raise failed(self._where, f"its answer is no HTTP ({type(error).__name__})") from error
        except OSError as error:
            raise of_system(error, self._where, path, self._means.patience.silent_seconds) from error

    def _meant(self, status: int, path: str) -> PlaceError:
        if status == HTTPStatus.UNAUTHORIZED:
            return denied(self._where)
        if status == HTTPStatus.FORBIDDEN:
            return denied(self._where, f"{path or 'the folder'} may not be read or written")
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return nothing_there(self._where, path.rstrip("/"))
        if status == HTTPStatus.CONFLICT:
            return nothing_there(self._where, posixpath.dirname(path.rstrip("/")))
        if status == HTTPStatus.INSUFFICIENT_STORAGE:
            return no_room(self._where)
        return failed(self._where, f"it answers with status {status}")


def attached(location: Location, sock: socket.socket) -> http.client.HTTPConnection:
    """A client on a connection that is there: the library would look the name up once more."""
    connection = http.client.HTTPConnection(location.host, location.port)
    connection.sock = sock
    connection.auto_open = 0
    return connection


class ChunkSink:
    """Sends what is written in chunks, as nobody knows how much it will be."""

    def __init__(self, place: HttpPlace, connection: http.client.HTTPConnection, path: str) -> None:
        self._place = place
        self._connection = connection
        self._path = path

    def write(self, piece: bytes) -> None:
        """Take a piece."""
        if piece:  # none would be the end
            with self._place.told(self._path):
                self._connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))


class AnswerSource:
    """Reads an answer."""

    def __init__(self, place: HttpPlace, answer: http.client.HTTPResponse, path: str) -> None:
        self._place = place
        self._answer = answer
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        with self._place.told(self._path):
            return self._answer.read(size if size >= 0 else None)
