"""A server of the test's own: a real process with TLS on a free port, and what a client needs to talk to it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import requests

PASSWORD = "correct horse battery"
ADMINISTRATOR = "administrator@vsphere.local"
START_SECONDS = 60
STOP_SECONDS = 60


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change how a server or a client behaves.

    A CA bundle in the environment overrides what a client is told in code.
    """
    dropped = ("RESPHERE_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


class Server:
    """``resphere serve`` in a process of its own, from ``start`` to ``stop``.

    ``arguments`` are further flags. The data directory outlives the process, so that a server can be started again.
    """

    def __init__(self, data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self._arguments = arguments
        self._environment = {**clean_environment(), "RESPHERE_ADMIN_PASSWORD": PASSWORD, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self.banner = ""

    @property
    def url(self) -> str:
        """``https://127.0.0.1:<port>``."""
        scheme = "http" if "--no-tls" in self._arguments else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The certificate of the server's own CA."""
        return self.data_dir / "tls" / "ca.crt"

    @property
    def process(self) -> subprocess.Popen[str]:
        """The running process."""
        assert self._process is not None
        return self._process

    def start(self) -> Server:
        """Start and wait until the server has said where it is and answers there."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "resphere", "serve", "--port", str(self.port)),
                *("--data-dir", str(self.data_dir), *self._arguments),
            ],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=(self.data_dir.parent / f"{self.data_dir.name}.stderr").open("ab"),
            text=True,
        )
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if "/api/vcenter/vm" in line:
                break
        self.banner = "".join(lines)
        if not re.search(r"/api/vcenter/vm", self.banner):
            raise RuntimeError(f"the server did not start:\n{self.banner}\n{self.errors()}")
        # The socket listens before workers accept: this request waits for the first of them.
        requests.options(f"{self.url}/api", timeout=START_SECONDS, verify=self.verify)
        return self

    @property
    def verify(self) -> bool | str:
        """What ``requests`` should verify the server's certificate with."""
        return str(self.ca) if self.ca.exists() else True

    def errors(self) -> str:
        """What the process wrote to standard error."""
        return (self.data_dir.parent / f"{self.data_dir.name}.stderr").read_text()

    def stop(self) -> int:
        """Stop in an orderly manner; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=STOP_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._process = None
        return status

    def kill(self) -> None:
        """Kill every process of the server at once, as a power failure would."""
        workers = children(self.process.pid)
        self.process.kill()
        for worker in workers:
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(timeout=STOP_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._process = None

    def session(self, user: str = ADMINISTRATOR, password: str = PASSWORD) -> Client:
        """A logged-in client."""
        return Client(self, user, password)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()


class Client(requests.Session):
    """A ``requests`` session with a base address, a trusted CA and, unless told otherwise, a session of the API."""

    def __init__(self, server: Server, user: str | None = ADMINISTRATOR, password: str = PASSWORD) -> None:
        super().__init__()
        self._url = server.url
        self.trust_env = False
        self.verify = server.verify
        self.token = ""
        if user is not None:
            reply = self.post("/api/session", auth=(user, password))
            reply.raise_for_status()
            self.token = reply.json()
            self.headers["vmware-api-session-id"] = self.token

    def request(self, method: str | bytes, url: str | bytes, *args: object, **kwargs: object) -> requests.Response:  # type: ignore[override]
        """As in ``requests``, with a path instead of an address."""
        assert isinstance(url, str)
        kwargs.setdefault("timeout", 60)
        return super().request(method, self._url + url, *args, **kwargs)


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]
