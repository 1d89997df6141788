"""Large files of guests on a real server: what they cost in memory, and what a power failure leaves of them."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
import requests

from tests.live.test_guest import GUEST_PASSWORD, ask, fetch, linux_vm, put
from tests.live.test_http import trusting
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until
from tests.support.vms import refusal

MIB = 1024 * 1024
SIZE = 200 * MIB
MOST_GROWN_BYTES = 64 * MIB
SENDERS = 4
MOST_SENT = 40
ENVIRONMENT = {"RESPHERE_GUEST_PASSWORD": GUEST_PASSWORD}
LARGE = bytes(range(256)) * 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2", environment=ENVIRONMENT) as server:
        yield server


@pytest.fixture
def server_to_kill(tmp_path: Path) -> Iterator[Server]:
    """As ``server``, for clients that do not hear of its end."""
    with Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS, environment=ENVIRONMENT) as server:
        yield server


def pieces(size: int) -> Iterator[bytes]:
    """So many bytes, none like those before."""
    for number in range(size // MIB):
        yield hashlib.sha256(b"%d" % number).digest() * (MIB // 32)


def digest_of_sent(http: httpx.Client, address: str, size: int, headers: Mapping[str, str]) -> bytes:
    """Send so many bytes piece by piece."""
    sent = hashlib.sha256()

    def body() -> Iterator[bytes]:
        for piece in pieces(size):
            sent.update(piece)
            yield piece

    reply = http.put(address, content=body(), headers=headers)
    assert reply.status_code == 200, reply.text
    return sent.digest()


def digest_of_received(http: httpx.Client, address: str, size: int) -> bytes:
    """Fetch so many bytes piece by piece."""
    came, received = hashlib.sha256(), 0
    with http.stream("GET", address) as got:
        assert (got.status_code, got.headers["Content-Length"]) == (200, str(size))
        for piece in got.iter_bytes():
            came.update(piece)
            received += len(piece)
    assert received == size
    return came.digest()


def address_for(client: Client, vm: str, path: str, size: int | None = None) -> str:
    """The address of a new transfer."""
    spec = {"path": path, **({} if size is None else {"attributes": {"size": size, "overwrite": True}})}
    reply = ask(client, vm, "filesystem?action=create", spec=spec)
    assert reply.status_code == 201, reply.text
    address: str = reply.json()
    return address


def peak_bytes(pid: int) -> int:
    """The most memory that a process has ever had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def kept(server: Server) -> dict[str, int]:
    """Names and sizes of the files beside the store."""
    return {file.name: file.stat().st_size for file in (server.data_dir / "guest-files").iterdir()}


def opened(server: Server) -> list[str]:
    """Which of them the workers have open."""
    folder = str(server.data_dir / "guest-files")
    links = (link for pid in server.workers for link in Path(f"/proc/{pid}/fd").iterdir())
    return [target for link in links if (target := os.path.realpath(link)).startswith(folder)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("http2", [False, True])
def test_transfers_take_no_memory(server: Server, http2: bool) -> None:
    with (
        server.session() as client,
        httpx.Client(verify=trusting(server), http2=http2, trust_env=False, timeout=60) as http,
    ):
        vm = linux_vm(client)
        put(client, vm, "/srv/warm", LARGE)
        assert fetch(client, vm, "/srv/warm") == LARGE
        before = {pid: peak_bytes(pid) for pid in server.workers}
        address = address_for(client, vm, "/srv/large", SIZE)
        sent = digest_of_sent(http, address, SIZE, {"Content-Length": str(SIZE)})
        assert digest_of_received(http, address_for(client, vm, "/srv/large"), SIZE) == sent
        for pid in server.workers:
            assert peak_bytes(pid) - before[pid] < MOST_GROWN_BYTES
        assert sorted(kept(server).values()) == [len(LARGE), SIZE]
        assert ask(client, vm, "filesystem/files/%2Fsrv%2Flarge?action=delete").status_code == 204
        assert sorted(kept(server).values()) == [len(LARGE)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")
def test_a_client_that_reads_slowly_takes_no_memory(server: Server) -> None:
    with server.session() as client:
        vm = linux_vm(client)
        address = address_for(client, vm, "/srv/large", SIZE)
        sent = requests.put(address, data=pieces(SIZE), verify=server.verify, timeout=60)
        assert sent.status_code == 200, sent.text
        before = {pid: peak_bytes(pid) for pid in server.workers}
        with requests.get(address_for(client, vm, "/srv/large"), verify=server.verify, timeout=60, stream=True) as got:
            first = next(got.iter_content(MIB))
            for _ in range(20):  # the server answers others meanwhile
                client.read("/api/vcenter/vm")
            assert first == next(pieces(SIZE))
            assert opened(server)
        for pid in server.workers:
            assert peak_bytes(pid) - before[pid] < MOST_GROWN_BYTES
        wait_until(lambda: not opened(server), "the closing of a file that nobody reads any more")


def test_what_was_acknowledged_survives_and_what_was_not_leaves_nothing(server: Server) -> None:
    going_on, begun = threading.Event(), threading.Event()

    def stalls() -> Iterator[bytes]:
        yield from pieces(4 * MIB)
        begun.set()
        going_on.wait(60)

    with server.session() as client:
        vm = linux_vm(client)
        put(client, vm, "/srv/whole", LARGE)
        address = address_for(client, vm, "/srv/half", SIZE)

        def send() -> None:
            with pytest.raises(requests.exceptions.RequestException):
                requests.put(address, data=stalls(), verify=server.verify, timeout=60)

        sender = threading.Thread(target=send)
        sender.start()
        assert begun.wait(60)
        wait_until(lambda: [size for name, size in kept(server).items() if name.endswith(".part") and size], "a piece")
        server.kill()
        going_on.set()
        sender.join()
    assert len(kept(server)) == 2
    with server, server.session() as client:
        wait_until(lambda: len(kept(server)) == 1, "the cleaning up")
        assert fetch(client, vm, "/srv/whole") == LARGE
        none = ask(client, vm, "filesystem?action=create", spec={"path": "/srv/half"})
        assert none.status_code == 404
        assert client.post(f"/api/vcenter/vm/{vm}/power?action=stop").status_code == 204
        assert client.delete(f"/api/vcenter/vm/{vm}").status_code == 204
        assert kept(server) == {}


def test_nothing_acknowledged_is_lost(server_to_kill: Server) -> None:
    """Some send files as fast as they can, and the server is killed in the middle of that."""
    server = server_to_kill
    acknowledged: dict[str, bytes] = {}
    enough = threading.Event()

    def send(sender: int, client: Client, vm: str) -> None:
        for number in itertools.count():
            path, data = f"/srv/{sender}-{number}", hashlib.sha256(b"%d %d" % (sender, number)).digest() * 10_000
            with suppress(requests.exceptions.RequestException):
                address = address_for(client, vm, path, len(data))
                if requests.put(address, data=data, verify=server.verify, timeout=60).status_code == 200:
                    acknowledged[path] = data
                    if len(acknowledged) >= MOST_SENT:
                        enough.set()
                    continue
            return

    with ExitStack() as stack:
        clients = [stack.enter_context(server.session()) for _ in range(SENDERS)]
        vm = linux_vm(clients[0])
        with ThreadPoolExecutor(SENDERS) as pool:
            sending = [pool.submit(send, number, client, vm) for number, client in enumerate(clients)]
            assert enough.wait(120)
            server.kill()
            for each in sending:
                each.result()
    with server, server.session() as client:
        for path, data in acknowledged.items():
            assert fetch(client, vm, path) == data
        wait_until(lambda: not [name for name in kept(server) if name.endswith(".part")], "the cleaning up")
        listed = ask(client, vm, "filesystem/files?action=list", path="/srv", iteration={"size": 1000}).json()["files"]
        # One that was not acknowledged may have become a file all the same; what is no file is gone.
        wait_until(lambda: len(kept(server)) == len(listed), "the end of what is no file")
        assert len(acknowledged) <= len(listed) <= len(acknowledged) + SENDERS


def test_a_client_that_leaves_leaves_nothing(server: Server) -> None:
    def leaves() -> Iterator[bytes]:
        yield from pieces(4 * MIB)
        raise ConnectionError("the client has had enough")

    with server.session() as client:
        vm = linux_vm(client)
        address = address_for(client, vm, "/srv/half", SIZE)
        with pytest.raises(requests.exceptions.RequestException):
            requests.put(address, data=leaves(), verify=server.verify, timeout=60)
        wait_until(lambda: kept(server) == {}, "the end of what the client has left")
        put(client, vm, "/srv/half", LARGE)
        with requests.get(address_for(client, vm, "/srv/half"), verify=server.verify, timeout=60, stream=True) as got:
            assert next(got.iter_content(10)) == LARGE[:10]
        assert fetch(client, vm, "/srv/half") == LARGE


def test_limits(tmp_path: Path) -> None:
    most = str(len(LARGE))
    with (
        Server(tmp_path / "data", "--max-guest-file-bytes", most, environment=ENVIRONMENT) as server,
        server.session() as client,
    ):
        vm = linux_vm(client)
        spec = {"path": "/srv/x", "attributes": {"size": len(LARGE) + 1}}
        refused = ask(client, vm, "filesystem?action=create", spec=spec)
        assert refusal(refused) == (400, "INVALID_ARGUMENT", "vmsg.FileTooLarge.summary")
        address = address_for(client, vm, "/srv/x", len(LARGE))
        announced = requests.put(address, data=LARGE + b"x", verify=server.verify, timeout=60)
        assert refusal(announced) == (413, "INVALID_ARGUMENT", "resphere.body_too_large")
        chunked = requests.put(address, data=iter([LARGE, b"x"]), verify=server.verify, timeout=60)
        assert chunked.status_code in (400, 413)
        assert kept(server) == {}
        sent = requests.put(address, data=LARGE, verify=server.verify, timeout=60)
        assert sent.status_code == 200, sent.text
        assert fetch(client, vm, "/srv/x") == LARGE
        once = address_for(client, vm, "/srv/x")
        for _ in range(2):
            head = requests.head(once, verify=server.verify, timeout=60)
            assert (head.status_code, head.headers["Allow"]) == (405, "GET, OPTIONS, PUT")
        assert requests.get(once, verify=server.verify, timeout=60).content == LARGE
