"""The servers that answer the same requests side by side: resphere, constant bytes, and FastAPI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.client import Answer, ask, request
from bench.servers import FASTAPI, Inventory, Server, beside, fresh, log_in, resphere


class Site(msgspec.Struct, frozen=True):
    """A running resphere with a session, what it answered at first, and a folder for the other servers' data."""

    server: Server
    session: dict[str, str]
    vms: tuple[dict[str, Any], ...]

    @property
    def data(self) -> Path:
        """Where the other servers find what they serve."""
        return self.server.data

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to one request with the session.

        :raises RuntimeError: the status is not 200.
        """
        answer = ask(self.server.address, self.request(path, headers))
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def request(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> bytes:
        """A request with the session."""
        return request(method, path, {**self.session, **(headers or {})})


@contextmanager
def site(name: str, inventory: Inventory, workers: int = 1, flags: Sequence[str] = ()) -> Iterator[Site]:
    """A resphere with what it serves written down for the others."""
    data = fresh(name)
    with resphere(data, inventory, workers, flags) as server:
        session = log_in(server)
        listed = ask(server.address, request("GET", "/api/vcenter/vm", session)).body
        vms = msgspec.json.decode(listed, type=tuple[dict[str, Any], ...])
        running = Site(server, session, vms)
        (data / "vms.json").write_bytes(listed)
        (data / "vm.json").write_bytes(running.get(f"/api/vcenter/vm/{vms[0]['vm']}").body)
        yield running


@contextmanager
def constant(found: Site, answers: Mapping[str, bytes]) -> Iterator[Server]:
    """Constant bytes: name -> body."""
    folder = found.data / "constant"
    folder.mkdir()
    for name, body in answers.items():
        (folder / name).write_bytes(body)
    with beside("constant", found.data) as server:
        yield server


@contextmanager
def fastapi(found: Site, workers: int = 1) -> Iterator[Server]:
    """FastAPI with the same VMs.

    :raises RuntimeError: it is not installed.
    """
    if not FASTAPI.is_dir():
        raise RuntimeError("FastAPI is not installed: start with `make bench`")
    with beside("fastapi_app", found.data, workers) as server:
        yield server
