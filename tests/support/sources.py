"""Real servers from which something is fetched, that behave as they should, or not."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from resphere.certificates.files import TlsFiles, ensure_certificates

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(answer: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return behave


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not reader.at_eof():
        writer.write(b"X")
        await writer.drain()
        await asyncio.sleep(0.01)


async def goes_on_and_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0)


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while not reader.at_eof():
        writer.write(bytes(65536))
        await writer.drain()


@asynccontextmanager
async def serving(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that behaves so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behaviour(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def hangs_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
    await writer.drain()
    await reader.read()


def secured(files: TlsFiles) -> ssl.SSLContext:
    """TLS of a server with that certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    return context


def certificate_files(folder: Path) -> TlsFiles:
    """A certificate of ``127.0.0.1``, by an authority of its own."""
    return ensure_certificates(folder, ("127.0.0.1",), lambda: datetime.now(UTC))


Serving = Callable[[BaseHTTPRequestHandler], None]
"""Answers a request."""


class Site:
    """A web server of this computer, in threads: of files by their paths, or of what answers there.

    ``asked`` are the paths that were asked for, by which method.
    """

    def __init__(self, files: Mapping[str, bytes | Serving], context: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append((self.command, self.path))
                found = files.get(self.path)
                with suppress(OSError):
                    if found is None:
                        self.send_error(404)
                    elif isinstance(found, bytes):
                        sends(found)(self)
                    else:
                        found(self)

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._scheme = "http" if context is None else "https"
        if context is not None:
            # In the thread of the connection: whoever does not shake hands holds up nobody.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        """The address of a file."""
        return f"{self._scheme}://127.0.0.1:{self.port}{path}"


def sends(content: bytes, announced: int | None = None) -> Serving:
    """Sends bytes, and says that they are so many."""

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content) if announced is None else announced))
        request.send_header("Connection", "close")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
        request.close_connection = True

    return serve


def answers(status: int, **headers: str) -> Serving:
    """Says no, or that it is elsewhere."""

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return serve


class Gate:
    """A file whose second half is sent when somebody opens the gate; ``begun``: the first half is on its way."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.begun = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        """Let the rest through."""
        self._open.set()

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        half = len(self.content) // 2
        request.send_response(200)
        request.send_header("Content-Length", str(len(self.content)))
        request.end_headers()
        request.wfile.write(self.content[:half])
        request.wfile.flush()
        self.begun.set()
        self._open.wait(60)
        request.wfile.write(self.content[half:])
