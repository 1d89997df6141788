"""Limits of a real server, whose workers keep count together."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.support.audit import records
from tests.support.cli import resphere
from tests.support.server import ADMINISTRATOR, PASSWORD, WITHOUT_TLS, Server, wait_until

LIMITS = """
rates:
  - {per: user, class: read, per_second: 0.01, burst: 40}
  - {per: token, class: write, per_second: 0.01, burst: 3}
  - {per: address, operation: com.vmware.vcenter.system.hello, per_second: 0.01, burst: 30, name: hello}
logins: {free: 4, longest_seconds: 3600, forget_seconds: 3600, first_seconds: 3600, longest_known_seconds: 3600}
"""
HELLO = "/api/vcenter/system?action=hello"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("limits")
    file = folder / "limits.yaml"
    file.write_text(LIMITS)
    with Server(folder / "data", "--workers", "2", "--limits", str(file), WITHOUT_TLS) as server:
        yield server


def fresh(server: Server, path: str, headers: dict[str, str | bytes]) -> requests.Response:
    """A request over a connection of its own, which any worker may get."""
    return requests.get(server.url + path, headers=headers, timeout=60)


def answers(server: Server) -> bool:
    """Whether anybody answers."""
    try:
        return fresh(server, "/api/session", {}).status_code == 401
    except requests.ConnectionError:
        return False


def test_workers_share_one_bucket(server: Server) -> None:
    with server.session() as client:
        headers = dict(client.http.headers)
        with ThreadPoolExecutor(8) as threads:
            replies = list(threads.map(lambda _: fresh(server, "/api/vcenter/cluster", headers), range(80)))
        assert Counter(reply.status_code for reply in replies) == {200: 40, 429: 40}
        refusal = next(reply for reply in replies if reply.status_code == 429)
        assert refusal.headers["RateLimit-Policy"] == '"user-read";q=40;w=4000'
        assert 1 <= int(refusal.headers["Retry-After"]) <= 100
        # Writes are not counted by that rule.
        assert client.delete("/api/vcenter/datacenter/datacenter-404").status_code == 404
        refused = [each for each in records(server.data_dir) if each["message_id"] == "resphere.limits.rate"]
        assert len(refused) == 40
        assert {(each["status"], each["user"], each["operation"]) for each in refused} == {
            (429, ADMINISTRATOR, "com.vmware.vcenter.cluster.list")
        }


def test_each_token_has_a_bucket_of_its_own(server: Server) -> None:
    def tried(secret: str) -> list[int]:
        headers = {"Authorization": f"Bearer {secret}"}
        missing = f"{server.url}/api/vcenter/datacenter/datacenter-404"
        return [requests.delete(missing, headers=headers, timeout=60).status_code for _ in range(5)]

    with server.session() as client:
        made = [client.post("/api/resphere/tokens", json={"name": name}).json() for name in ("one", "other")]
        assert [tried(each["secret"]) for each in made] == [[404, 404, 404, 429, 429]] * 2
        assert client.delete("/api/vcenter/datacenter/datacenter-404").status_code == 404


def test_a_worker_that_is_killed_takes_no_count_with_it(server: Server) -> None:
    def hello() -> int:
        reply = requests.post(server.url + HELLO, timeout=60)
        return reply.status_code

    first = [hello() for _ in range(20)]
    assert 429 not in first
    wait_until(lambda: len(server.workers) == 2, "both workers")
    for victim in server.workers:
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda victim=victim: victim not in server.workers and len(server.workers) == 2, "another worker")  # type: ignore[misc]
    wait_until(lambda: answers(server), "an answer")
    later = [hello() for _ in range(20)]
    assert later.count(429) == 10


def test_a_file_that_makes_no_sense_is_refused_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text("rates: [{per: user, class: write, per_second: 1, burst: 0}]")
    run = resphere("serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--limits", str(file))
    assert run.returncode == 1
    assert f"file of limits {file}: burst must be from 1 to" in run.stderr


def test_guessing_is_slowed_down_by_all_workers_together(server: Server) -> None:
    def login(name: str, password: str) -> int:
        reply = requests.post(f"{server.url}/api/session", auth=(name, password), timeout=60)
        return reply.status_code

    statuses = Counter(login("nobody@vsphere.local", "guess") for _ in range(12))
    assert statuses == {401: 4, 429: 8}
    # Who has logged in from here keeps the way in.
    assert login(ADMINISTRATOR, PASSWORD) == 201


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL], ids=lambda stop: stop.name)
def test_a_restart_forgets_no_guesses(tmp_path: Path, stop: signal.Signals) -> None:
    file = tmp_path / "limits.yaml"
    file.write_text(LIMITS)
    server = Server(tmp_path / "data", "--limits", str(file), WITHOUT_TLS)

    def guess() -> int:
        return requests.post(f"{server.url}/api/session", auth=("mallory@vsphere.local", "x"), timeout=60).status_code

    with server:
        assert [guess() for _ in range(5)] == [401, 401, 401, 401, 429]
        server.kill() if stop == signal.SIGKILL else server.stop()
    with server:
        assert guess() == 429
        assert requests.post(f"{server.url}/api/session", auth=(ADMINISTRATOR, PASSWORD), timeout=60).status_code == 201
