"""A server of several workers, as Prometheus sees it: any of them tells of all, whoever is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.server import Client, Server, wait_until

WORKERS = 3
CLIENTS = 12
CALLS = 5
LISTED = (("dialect", "api"), ("operation", "com.vmware.vcenter.VM.list"), ("status", "200"))
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    arguments = ("--workers", str(WORKERS), "--metrics", "local", "--no-tls")
    with Server(tmp_path_factory.mktemp("metrics") / "data", *arguments) as server:
        yield server


def scraped(server: Server) -> Samples:
    """By name and labels; each time by another connection, and so by any worker."""
    reply = requests.get(f"{server.url}/metrics", timeout=60)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def test_any_worker_tells_of_all_and_nothing_is_lost_by_those_that_are_killed(server: Server) -> None:
    clients = [Client(server) for _ in range(CLIENTS)]
    for _ in range(CALLS):
        for client in clients:
            client.read("/api/vcenter/vm")
    for _ in range(6):
        found = scraped(server)
        assert found["resphere_http_requests_total", LISTED] == CLIENTS * CALLS
        assert found["resphere_logins_total", (("method", "password"), ("outcome", "accepted"))] == CLIENTS
        assert found["resphere_workers", ()] == WORKERS
        assert found["resphere_audit_records_total", (("outcome", "written"),)] >= CLIENTS * (CALLS + 1)
        assert found["resphere_store_commits_total", (("outcome", "committed"),)] >= CLIENTS

    workers = server.workers
    for worker in workers[1:]:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(server.workers) - set(workers)) == WORKERS - 1, "workers are replaced")
    wait_until(lambda: scraped(server)["resphere_workers", ()] == WORKERS, "they serve")
    assert scraped(server)["resphere_http_requests_total", LISTED] == CLIENTS * CALLS
    for client in clients:
        client.close()


def test_what_is_told_of_processes_is_theirs(server: Server) -> None:
    found = scraped(server)
    names = {dict(labels)["process"] for name, labels in found if name == "resphere_process_resident_memory_bytes"}
    assert names == {"supervisor", *(f"worker-{number}" for number in range(1, WORKERS + 1))}
    for name in names:
        assert found["resphere_process_resident_memory_bytes", (("process", name),)] > 10_000_000
        assert found["resphere_process_open_fds", (("process", name),)] > 3


def test_an_api_token_reads_what_it_may_and_no_secret_is_told(server: Server, tmp_path: Path) -> None:
    with server.session() as client:
        given = {"name": "prometheus", "privileges": ["Global.Diagnostics"]}
        secret = client.post("/api/resphere/tokens", json=given).json()["secret"]
        reader = {"authorization": f"Bearer {secret}", "x-forwarded-for": "192.0.2.7"}
        text = requests.get(f"{server.url}/metrics", headers=reader, timeout=60).text
        assert "resphere_build_info" in text
        narrow = client.post("/api/resphere/tokens", json={"name": "narrow", "privileges": []}).json()["secret"]
        reader["authorization"] = f"Bearer {narrow}"
        refused = requests.get(f"{server.url}/metrics", headers=reader, timeout=60)
        assert refused.status_code == 403
        assert "Global.Diagnostics" in refused.text
        for each in (secret, narrow, client.token, "192.0.2.7", "administrator"):
            assert each not in text
