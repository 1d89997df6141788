"""An HTTP server for files that stalls: at the archive of a backup it takes, or gives, some bytes and waits."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SOME_BYTES = 1000


class StallingServer:
    """Takes files by ``PUT`` into memory, gives them by ``GET``. Before the end of a file whose name begins with
    ``backup.tar`` it waits, in the directions that ``stalls`` has, until told to :meth:`go_on` or to ``hang_up``."""

    def __init__(self, *stalls: str) -> None:
        self.stalls = set(stalls)
        self.passed_over = 0
        """So many files, of those that come next, are not waited with."""
        self.files: dict[str, bytes] = {}
        self.stalled = threading.Event()
        self._released = threading.Event()
        self._hangs_up = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/backups"

    def waits(self, direction: str, path: str) -> bool:
        """Wait, where it is time to; whether to hang up then."""
        if direction not in self.stalls or not path.rpartition("/")[2].startswith("backup.tar"):
            return False
        if self.passed_over > 0:
            self.passed_over -= 1
            return False
        self.stalled.set()
        self._released.wait(60)
        return self._hangs_up

    def go_on(self) -> None:
        """Wait no more, from now on."""
        self.stalls.clear()
        self._released.set()

    def hang_up(self) -> None:
        """Close the connection that waits, and others at the same place."""
        self._hangs_up = True
        self._released.set()

    def stop(self) -> None:
        """End."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class Handler(BaseHTTPRequestHandler):
    """One connection to ``files``."""

    protocol_version = "HTTP/1.1"
    files: StallingServer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_MKCOL(self) -> None:
        self._answer(201)

    def do_PUT(self) -> None:
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
            if self.files.waits("PUT", self.path):
                self.close_connection = True
                return
        self.rfile.readline()
        self.files.files[self.path] = content
        self._answer(201)

    def do_DELETE(self) -> None:
        found = self.files.files.pop(self.path, None)
        self._answer(404 if found is None and not self.path.endswith("/") else 204)

    def do_HEAD(self) -> None:
        self._give(wanted=False)

    def do_GET(self) -> None:
        self._give(wanted=True)

    def _give(self, *, wanted: bool) -> None:
        found = self.files.files.get(self.path)
        if found is None:
            self._answer(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(found)))
        self.end_headers()
        if not wanted:
            return
        self.wfile.write(found[:SOME_BYTES])
        self.wfile.flush()
        if len(found) > SOME_BYTES and self.files.waits("GET", self.path):
            self.close_connection = True
            return
        self.wfile.write(found[SOME_BYTES:])

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def handler_of(server: StallingServer) -> type[Handler]:
    """The handler for the connections of a server."""
    return type("OwnHandler", (Handler,), {"files": server})
