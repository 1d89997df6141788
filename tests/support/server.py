"""A server of the test's own: a real process with TLS on a free port, and what a client needs to talk to it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import requests

from tests.support.invariants import require_sound_data

T = TypeVar("T")

PASSWORD = "correct horse battery"
ADMINISTRATOR = "administrator@vsphere.local"
START_SECONDS = 60
STARTS = 3
REQUEST_SECONDS = 60
STOP_SECONDS = 60
WITHOUT_TLS = "--no-tls"
"""For tests whose clients open connections while the server is killed: Python's ``ssl`` leaves a socket open that was
reset before its handshake, and nobody else has a hold of it."""


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

    As a context it leaves an inventory that must be sound, whatever was asked of it.

    Work takes no time unless ``arguments`` say so, which are further flags; without a ``password`` the server makes
    one. The data directory outlives the process, so that a server can be started again. ``module`` is run in place of
    resphere itself, with its commands. A process of it may open as many ``open_files``, if that is said.
    """

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        password: str | None = PASSWORD,
        environment: Mapping[str, str] | None = None,
        module: str = "resphere",
        open_files: int | None = None,
    ) -> None:
        self._module = module
        self._limited = () if open_files is None else ("sh", "-c", f'ulimit -n {open_files}; exec "$@"', "sh")
        self.data_dir = data_dir
        self.port = free_port()
        self._arguments = arguments if "--durations" in arguments else (*arguments, "--durations", "none")
        given = {} if password is None else {"RESPHERE_ADMIN_PASSWORD": password}
        self._environment = {**clean_environment(), **given, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self.banner = ""

    @property
    def url(self) -> str:
        """``https://127.0.0.1:<port>``."""
        scheme = "http" if WITHOUT_TLS in self._arguments else "https"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The certificate of the server's own CA."""
        return self.data_dir / "tls" / "ca.pem"

    @property
    def process(self) -> subprocess.Popen[str]:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither stopped nor killed."""
        return self._process is not None

    def start(self) -> Server:
        """Start and wait until the server has said where it is."""
        for _ in range(STARTS):
            self.launch()
            if self.banner:
                break
            # Between the search for a free port and its use somebody else may take it.
            if not re.search("in use|must not both be", self.errors()):
                raise RuntimeError(f"the server did not start:\n{self.errors()}")
            self.port = free_port()
        return self

    def launch(self) -> None:
        """Start and wait until the server says where it is, which it does when its port listens."""
        self.banner = ""
        command = [*self._limited, sys.executable, "-m", self._module, "serve", "--port", str(self.port)]
        with self.stderr.open("ab") as errors:
            self._process = subprocess.Popen(
                [*command, "--data-dir", str(self.data_dir), *self._arguments],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if "/api/vcenter/vm" in line:
                self.banner = "".join(lines)
                return
        self._ended()

    @property
    def verify(self) -> bool | str:
        """What ``requests`` should verify the server's certificate with."""
        return str(self.ca) if self.ca.exists() else True

    @property
    def stderr(self) -> Path:
        """Where the process's standard error goes, over all its starts."""
        return self.data_dir.parent / f"{self.data_dir.name}.stderr"

    def errors(self) -> str:
        """What the process wrote to standard error."""
        return self.stderr.read_text()

    @property
    def log(self) -> Path:
        """The ``vpxd.log``."""
        return self.data_dir / "log" / "vpxd.log"

    @property
    def workers(self) -> list[int]:
        """The process ids of the workers that run now."""
        return worker_processes(self.process.pid)

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """Stop in an orderly manner, within so many seconds; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended(seconds)

    def wait(self) -> int:
        """Wait until the server has ended by itself; returns the exit status."""
        return self._ended()

    def kill(self) -> None:
        """Kill every process of the server at once, as a power failure would."""
        processes = [self.process.pid, *children(self.process.pid)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._ended()

    def kill_first(self) -> None:
        """Kill the first process alone, which runs the others."""
        self.process.kill()
        self._ended()

    def _ended(self, seconds: float = STOP_SECONDS) -> int:
        status = self.process.wait(timeout=seconds)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._process = None
        return status

    def session(self, user: str = ADMINISTRATOR, password: str = PASSWORD) -> Client:
        """A logged-in client."""
        return Client(self, user, password)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.runs:
            self.stop()
        if kind is None:
            require_sound_data(self.data_dir)


class Client:
    """What talks to a server: its base address, its CA and, unless told otherwise, a session of the API.

    ``http`` is the ``requests`` session underneath, for whatever is not a call by path.
    """

    def __init__(self, server: Server, user: str | None = ADMINISTRATOR, password: str = PASSWORD) -> None:
        self._url = server.url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = server.verify
        self.token = ""
        if user is not None:
            reply = self.post("/api/session", auth=(user, password))
            reply.raise_for_status()
            self.token = reply.json()
            self.http.headers["vmware-api-session-id"] = self.token

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """As in ``requests``, with a path instead of an address."""
        options.setdefault("timeout", REQUEST_SECONDS)
        return self.http.request(method, self._url + path, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        """PUT."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> requests.Response:
        """PATCH."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        """DELETE."""
        return self.request("DELETE", path, **options)

    def read(self, path: str, **options: Any) -> Any:
        """The decoded JSON of a GET that must succeed."""
        reply = self.get(path, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def close(self) -> None:
        """Close the connections; the session goes on."""
        self.http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def worker_processes(pid: int) -> list[int]:
    """The children of a server that serve, without multiprocessing's own helper."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "resource_tracker" not in line]


def wait_until(holds: Callable[[], T], what: str, seconds: float = 30) -> T:
    """What ``holds`` returns once that is true; asked again and again, for what tells nobody when it comes.

    :raises TimeoutError: it did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {seconds} s")
