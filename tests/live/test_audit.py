"""The audit log of a real server: nothing that was answered is missing, and nothing silences it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.audit import findings, records
from tests.support.cli import add_user
from tests.support.full_disk import file_size_limit_of
from tests.support.jsonrpc import USER_PASS, JsonRpcClient, invocation
from tests.support.server import ADMINISTRATOR, PASSWORD, WITHOUT_TLS, Client, Server, wait_until

VALUE_BYTES = 16 * 1024 * 1024 - 1024


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--vms", "2", WITHOUT_TLS) as server:
        yield server


def lookups(client: Client, prefix: str, count: int) -> list[str]:
    """Make so many calls that say their ids, and return those."""
    ids = [f"{prefix}-{number}" for number in range(count)]
    for each in ids:
        assert client.get("/api/vcenter/vm", headers={"X-Request-Id": each}).status_code == 200
    return ids


def test_one_huge_value_neither_bloats_nor_delays_the_log(server: Server) -> None:
    (worker,) = server.workers
    with server.session() as client:
        body = invocation("com.vmware.vcenter.VM", "get", {"vm": "\x7f" * VALUE_BYTES})
        content = requests.Request("POST", "http://x", json=body).prepare().body
        assert isinstance(content, bytes)
        content = content.replace(b"\\u007f", b"\x7f")
        reply = requests.post(
            f"{server.url}/api", data=content, headers={"Content-Type": "application/json"}, timeout=60
        )
        assert reply.status_code in (200, 401, 413)
        ids = lookups(client, "after", 20)
        # Read while the server runs, at once: a record is in the file before its call is answered.
        found = records(server.data_dir)
        assert [each["request_id"] for each in found if each["request_id"].startswith("after")] == ids
        assert all(len(str(value)) < 1200 for each in found for value in each.values())
        assert (server.data_dir / "log" / "audit.log").stat().st_size < 100_000
        assert server.workers == [worker]
    assert server.stop() == 0
    assert server.log.stat().st_size < 100_000
    assert findings(server.data_dir) == []


@pytest.mark.parametrize("field", ["path", "target", "user_agent", "tried_user", "method"])
def test_each_field_is_bounded(server: Server, field: str) -> None:
    huge = "z" * 30_000
    with server.session() as client:
        match field:
            case "path":
                client.get(f"/api/{huge}")
            case "target":
                client.get(f"/api/vcenter/vm/{huge}")
            case "user_agent":
                client.get("/api/vcenter/vm", headers={"User-Agent": huge})
            case "tried_user":
                client.post("/api/session", auth=(huge, "x"))
            case "method":
                client.request("Z" * 3000, "/api/vcenter/vm")
        lookups(client, "after", 1)
    found = [each[field] for each in records(server.data_dir)]
    assert all(len(value) < 1200 for value in found if value)
    assert any("characters]" in value for value in found if value) or field == "method"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_loses_no_call_that_was_answered(tmp_path: Path, workers: int) -> None:
    with Server(tmp_path / "data", "--vms", "2", "--workers", str(workers), WITHOUT_TLS) as server:
        answered: list[str] = []
        enough = threading.Event()

        def call(prefix: str) -> None:
            with Client(server, None) as client:
                number = 0
                while True:
                    number += 1
                    identity = f"{prefix}-{number}"
                    try:
                        reply = client.get("/api/vcenter/vm", headers={"X-Request-Id": identity})
                    except requests.ConnectionError:
                        return
                    assert reply.status_code == 401
                    answered.append(identity)
                    if number == 100:
                        enough.set()

        threads = [threading.Thread(target=call, args=(name,)) for name in ("one", "two", "three")]
        for thread in threads:
            thread.start()
        assert enough.wait(timeout=60)
        server.kill()
        for thread in threads:
            thread.join()
        recorded = [each["request_id"] for each in records(server.data_dir)]
        assert set(answered) - set(recorded) == set()
        assert len(recorded) == len(set(recorded))
        assert findings(server.data_dir) == []
        server.start()
        assert findings(server.data_dir) == [], "also while it runs"
        server.stop()
        assert findings(server.data_dir) == []


def test_a_worker_that_dies_leaves_its_chain_to_the_next_one(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "2", "--workers", "2", WITHOUT_TLS) as server:
        before = server.workers
        os.kill(before[0], signal.SIGKILL)
        wait_until(lambda: len(set(server.workers) - set(before)) == 1, "another worker")
        wait_until(lambda: len(anchors(server, '"kind":"START"')) == 3, "its start")
        server.stop()
        names = sorted(path.name for path in (server.data_dir / "log").glob("audit*"))
        assert names == ["audit.2.log", "audit.log"]
        assert findings(server.data_dir) == []


def anchors(server: Server, words: str) -> list[str]:
    lines = [line for path in (server.data_dir / "log").glob("audit*") for line in path.read_text().splitlines()]
    return [line for line in lines if '"anchor":' in line and words in line]


def test_who_tried_in_vain_is_on_record(server: Server) -> None:
    with Client(server, None) as anybody:
        assert anybody.post("/api/session", auth=("mallory\n@vsphere.local", "x")).status_code == 401
        assert anybody.get("/api/vcenter/vm", headers={"vmware-api-session-id": "made up"}).status_code == 401
        assert anybody.get("/api/vcenter/vm").status_code == 401
        assert anybody.get("/api/nothing/here").status_code == 404
        assert anybody.post("/rest/com/vmware/cis/session", auth=(ADMINISTRATOR, "wrong")).status_code == 401
    with JsonRpcClient(server, log_in=False) as rpc:
        wrong = {**USER_PASS, "userName": "eve", "password": "wrong"}
        assert "error" in rpc.call("com.vmware.cis.session", "create", security=wrong)["result"]
    with server.session() as client:
        assert client.get("/api/vcenter/vm/vm-4711").status_code == 404
        assert client.get("/api/vcenter/nothing").status_code == 404
    found = [
        (each["status"], each["tried_user"], each["authentication"], each["user"], each["decision"])
        for each in records(server.data_dir)
    ]
    assert found == [
        (401, "mallory\n@vsphere.local", "password", None, "UNAUTHENTICATED"),
        (401, None, "session", None, "UNAUTHENTICATED"),
        (401, None, None, None, "UNAUTHENTICATED"),
        (404, None, None, None, None),
        (401, ADMINISTRATOR, "password", None, "UNAUTHENTICATED"),
        (200, "eve", "password", None, "UNAUTHENTICATED"),
        (201, None, "password", ADMINISTRATOR, "ALLOWED"),
        # Whoever sees all there is may ask for what there is not; the operation itself says so.
        (404, None, "session", ADMINISTRATOR, "ALLOWED"),
        (404, None, None, None, None),
    ]


def test_no_secret_is_on_record_however_it_is_sent(server: Server) -> None:
    with server.session() as client:
        token = client.token
        vm = client.read("/api/vcenter/vm")[0]["vm"]
        ticket = client.post(f"/api/vcenter/vm/{vm}/console/tickets", json={"type": "WEBMKS"}).json()["ticket"]
        secret = ticket.rpartition("/")[2]
        for method, path in (
            ("POST", f"/ticket/{secret}"),
            ("DELETE", f"//ticket//{secret}"),
            ("GET", f"/%74icket/{secret}/more"),
            ("GET", f"/api/vcenter/vm?password={PASSWORD}&session={token}"),
            ("PUT", f"/guestFile?id=1&token={secret}"),
            ("OPTIONS", f"/ticket/{secret}"),
        ):
            client.request(method, path)
        client.get("/api/vcenter/vm", headers={"Authorization": f"Bearer {secret}", "Cookie": f"a={secret}"})
        client.post("/api/session", auth=("bob", secret))
        client.get(f"/ticket/{secret}")
    server.stop()
    written = [path for folder in ("log", "audit") for path in (server.data_dir / folder).iterdir()]
    assert len(written) >= 5
    for file in written:
        content = file.read_bytes()
        for each in (secret, PASSWORD, token):
            assert each.encode() not in content, file
    assert secret not in server.errors()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process")
@pytest.mark.parametrize("policy", ["fail-closed", "drop-and-count"])
def test_a_full_disk(tmp_path: Path, policy: str) -> None:
    with Server(tmp_path / "data", "--vms", "2", "--audit-policy", policy, WITHOUT_TLS) as server:
        (worker,) = server.workers
        log = server.data_dir / "log" / "audit.log"
        with server.session() as client:
            lookups(client, "before", 3)
            with file_size_limit_of(worker, log.stat().st_size + 10):
                replies = [client.get("/api/vcenter/vm", headers={"X-Request-Id": "full"}) for _ in range(5)]
                if policy == "fail-closed":
                    assert {reply.status_code for reply in replies} == {503}
                    assert replies[0].json()["error_type"] == "SERVICE_UNAVAILABLE"
                    assert replies[0].json()["messages"][0]["id"] == "resphere.audit.not_recorded"
                else:
                    assert {reply.status_code for reply in replies} == {200}
            lookups(client, "after", 3)
        recorded = [each["request_id"] for each in records(server.data_dir)]
        assert "full" not in recorded
        assert [each for each in recorded if each.startswith("after")] == ["after-0", "after-1", "after-2"]
        [loss] = anchors(server, '"lost_records":')
        assert '"lost_records":5' in loss
        assert [finding.tampering for finding in findings(server.data_dir)] == [False]


def test_each_call_on_the_disk_before_it_is_answered(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "2", "--audit-sync", "call", WITHOUT_TLS) as server:
        with server.session() as client:
            lookups(client, "synced", 5)
        server.stop()
        assert len([each for each in records(server.data_dir) if each["request_id"].startswith("synced")]) == 5
        assert findings(server.data_dir) == []


def test_files_follow_one_another(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "2", "--audit-file-bytes", "20000", WITHOUT_TLS) as server:
        with server.session() as client:
            lookups(client, "filling", 200)
        assert len(list((server.data_dir / "log").glob("audit.0*.log"))) > 3
        assert findings(server.data_dir) == []


def test_it_is_asked_by_every_dialect(server: Server) -> None:
    add_user(server.data_dir, "auditor@vsphere.local", "secret", "ReadOnly")
    with Client(server, None) as anybody:
        anybody.post("/api/session", auth=("mallory", "x"))
    with server.session() as client:
        ids = lookups(client, "asked", 5)
        vm = client.read("/api/vcenter/vm")[0]["vm"]
        assert client.get(f"/api/vcenter/vm/{vm}").status_code == 200

        def found(**query: object) -> dict[str, Any]:
            answer: dict[str, Any] = client.read("/api/resphere/audit", params=query)
            return answer

        newest = found()["records"]
        assert [each["operation"] for each in newest[:2]] == ["com.vmware.vcenter.VM.get", "com.vmware.vcenter.VM.list"]
        of_server = [each for each in newest if each["dialect"] != "cli"]
        assert of_server == [each for each in records_shown(server)[::-1] if each["dialect"] != "cli"][1:]
        assert [each["operation"] for each in newest if each not in of_server] == ["resphere.cli.user.add"]
        assert [each["request_id"] for each in found(request_ids=ids, order="OLDEST_FIRST")["records"]] == ids
        [tried] = found(users="Mallory")["records"]
        assert (tried["status"], tried["decision"], tried["tried_user"]) == (401, "UNAUTHENTICATED", "mallory")
        [read] = found(targets=vm)["records"]
        assert read["operation"] == "com.vmware.vcenter.VM.get"
        assert len(found(operations="com.vmware.vcenter.VM", statuses=[200])["records"]) == 7
        assert found(start="2100-01-01T00:00:00Z")["records"] == []
        page = found(users=ADMINISTRATOR, size=3)
        assert len(page["records"]) == 3
        assert found(users=ADMINISTRATOR, size=3, page=page["next"])["records"][0] not in page["records"]
        for query, field in (
            ({"size": 0}, "filter.size"),
            ({"size": 1001}, "filter.size"),
            ({"page": "x"}, "filter.page"),
        ):
            reply = client.get("/api/resphere/audit", params=query)
            assert reply.status_code == 400
            assert field in reply.text
    with JsonRpcClient(server) as rpc:
        fields = {"filter": {"OPTIONAL": {"STRUCTURE": {"resphere.audit.filter_spec": {"size": {"OPTIONAL": 1}}}}}}
        output = rpc.call("resphere.audit", "list", fields)["result"]["output"]
        assert len(output["STRUCTURE"]["resphere.audit.list_result"]["records"]) == 1
    with server.session("auditor@vsphere.local", "secret") as reader:
        reply = reader.get("/api/resphere/audit")
        assert reply.status_code == 403
        assert "Global.Diagnostics" in reply.text


def records_shown(server: Server) -> list[dict[str, Any]]:
    """The records as the API shows them: without what does not apply, and with the number of the chain."""
    found = [{"chain": 1, **each} for each in records(server.data_dir)]
    for each in found:
        del each["digest"]
        each["start_time"] = each["start_time"][:23] + "Z"
    return [{name: value for name, value in each.items() if value is not None} for each in found]
