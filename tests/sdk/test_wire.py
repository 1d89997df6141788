"""JSON-RPC over real connections: beside ``/api``, in parallel, and when it goes wrong."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.jsonrpc import SESSION, USER_PASS, JsonRpcClient, error_of, invocation
from tests.support.server import Client, Server

VM = "com.vmware.vcenter.VM"
UNSET_FILTER = {"filter": {"OPTIONAL": None}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("jsonrpc") / "data", "--max-body-bytes", "1000000") as server:
        yield server


@pytest.fixture
def rpc(server: Server) -> Iterator[JsonRpcClient]:
    with JsonRpcClient(server) as client:
        yield client


class TestSessions:
    def test_one_store_for_both(self, server: Server, rpc: JsonRpcClient) -> None:
        with Client(server, None) as plain:
            plain.http.headers["vmware-api-session-id"] = rpc.session_id
            mine = rpc.call(SESSION, "get")["result"]["output"]["STRUCTURE"]["com.vmware.cis.session.info"]
            assert plain.read("/api/session")["user"] == mine["user"]
            assert rpc.call(SESSION, "delete")["result"] == {"output": None}
            assert plain.get("/api/session").status_code == 401

    def test_a_session_of_api_in_the_header(self, server: Server) -> None:
        with server.session() as plain, JsonRpcClient(server, log_in=False) as rpc:
            header = {"vmware-api-session-id": plain.token}
            assert "output" in rpc.call(VM, "list", UNSET_FILTER, headers=header)["result"]

    def test_the_cookie_lets_nobody_in(self, server: Server) -> None:
        with server.session() as plain, JsonRpcClient(server, log_in=False) as rpc:
            reply = rpc.call(VM, "list", UNSET_FILTER, cookies={"vmware-api-session-id": plain.token})
            assert error_of(reply)[0] == "unauthenticated"

    def test_name_and_password_are_for_logging_in_only(self, server: Server) -> None:
        with JsonRpcClient(server, log_in=False) as rpc:
            assert error_of(rpc.call(VM, "list", UNSET_FILTER, security=USER_PASS))[0] == "unauthenticated"
            assert error_of(rpc.call(SESSION, "create"))[0] == "unauthenticated"
            assert error_of(rpc.call("com.vmware.no", "list"))[0] == "unauthenticated"

    def test_a_session_cannot_open_another(self, rpc: JsonRpcClient) -> None:
        assert error_of(rpc.call(SESSION, "create"))[0] == "unauthenticated"


class TestKeptReplies:
    @pytest.mark.parametrize("encoding", ["gzip", "identity"])
    def test_each_call_gets_its_own_id(self, rpc: JsonRpcClient, encoding: str) -> None:
        replies = []
        for identity in ("a", "b", 3, None):
            sent = invocation(VM, "list", UNSET_FILTER, rpc.security, identity)
            reply = rpc.send(json=sent, headers={"Accept-Encoding": encoding})
            assert reply.headers.get("Content-Encoding", "identity") == encoding
            assert reply.json()["id"] == identity
            replies.append(reply.json()["result"])
        assert replies[1:] == replies[:-1]
        assert len(replies[0]["output"]) > 10

    def test_the_etag_is_the_other_dialects(self, server: Server, rpc: JsonRpcClient) -> None:
        with server.session() as plain:
            etag = plain.get("/api/vcenter/vm").headers["ETag"]
        sent = invocation(VM, "list", UNSET_FILTER, rpc.security)
        reply = rpc.send(json=sent, headers={"If-None-Match": etag})
        # A POST is answered whole, and its tag is of what is written here.
        assert reply.status_code == 200
        assert reply.headers["ETag"] != etag

    def test_a_change_is_seen(self, rpc: JsonRpcClient) -> None:
        def states() -> dict[str, str]:
            summaries = rpc.call(VM, "list", UNSET_FILTER)["result"]["output"]
            found = [summary["STRUCTURE"]["com.vmware.vcenter.VM.summary"] for summary in summaries]
            return {vm["vm"]: vm["power_state"] for vm in found}

        off = next(vm for vm, state in states().items() if state == "POWERED_OFF")
        rpc.call("com.vmware.vcenter.vm.power", "start", {"vm": off})
        assert states()[off] == "POWERED_ON"
        rpc.call("com.vmware.vcenter.vm.power", "stop", {"vm": off})
        assert states()[off] == "POWERED_OFF"

    def test_clients_that_read_one_gzip_member_only(self, server: Server, rpc: JsonRpcClient) -> None:
        sent = invocation(VM, "list", UNSET_FILTER, rpc.security, "x")
        with httpx.Client(verify=ssl.create_default_context(cafile=str(server.ca)), trust_env=False) as client:
            for _ in range(2):
                reply = client.post(rpc.url, json=sent)
                assert reply.headers["Content-Encoding"] == "gzip"
                assert reply.json()["id"] == "x"


class TestPath:
    def test_slashes_count_once(self, server: Server, rpc: JsonRpcClient) -> None:
        for path in ("//api", "/api/"):
            reply = rpc.http.post(server.url + path, json=invocation(SESSION, "get", None, rpc.security), timeout=60)
            assert "output" in reply.json()["result"]

    def test_reading_the_path_is_the_other_dialects(self, server: Server) -> None:
        with server.session() as plain:
            assert plain.read("/api")["product"]
            assert plain.request("OPTIONS", "/api").headers["Allow"] == "GET, HEAD, OPTIONS, POST"
            assert plain.put("/api").status_code == 405


class TestBadInput:
    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"null", b"\x00", b"[" * 100_000, b'{"id":[]}'])
    def test_the_connection_lives_on(self, rpc: JsonRpcClient, body: bytes) -> None:
        reply = rpc.send(data=body)
        assert reply.status_code == 200
        assert reply.json()["error"]["code"] in (-32700, -32600)
        assert "output" in rpc.call(SESSION, "get")["result"]

    @pytest.mark.parametrize("announced", [True, False])
    def test_a_body_of_100_megabytes(self, server: Server, rpc: JsonRpcClient, announced: bool) -> None:
        piece = b"x" * 1_000_000
        reply = rpc.send(data=piece * 100 if announced else iter([piece] * 100))
        assert (reply.status_code, reply.json()["error"]["code"]) == (200, -32600)
        assert "1000000 bytes" in reply.json()["error"]["message"]
        assert "Connection" not in reply.headers
        assert "output" in rpc.call(SESSION, "get")["result"]


def test_calls_on_one_connection_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """The slow one is asked first, and the others are answered while it waits, for longer than any test takes."""
    faults = tmp_path / "faults.yaml"
    faults.write_text("rules: [{operation: com.vmware.vcenter.VM.get, latency_seconds: 600, error: null}]")
    with Server(tmp_path / "data", "--faults", str(faults)) as server, JsonRpcClient(server) as rpc:
        asyncio.run(answer_the_fast_ones(server, rpc))


async def answer_the_fast_ones(server: Server, rpc: JsonRpcClient) -> None:
    """Ask over one HTTP/2 connection: one call that waits, then many that do not, until all these are answered."""
    context = ssl.create_default_context(cafile=str(server.ca))
    limits = httpx.Limits(max_connections=1)

    async def ask(client: httpx.AsyncClient, sent: dict[str, Any]) -> None:
        reply = await client.post(rpc.url, content=json.dumps(sent))
        assert reply.http_version == "HTTP/2"
        assert "result" in reply.json()

    async with httpx.AsyncClient(http2=True, verify=context, trust_env=False, limits=limits, timeout=60) as client:
        slow = asyncio.create_task(ask(client, invocation(VM, "get", {"vm": "vm-1"}, rpc.security)))
        fast = invocation(VM, "list", UNSET_FILTER, rpc.security)
        await asyncio.gather(*(ask(client, fast) for _ in range(20)))
        assert not slow.done()
        slow.cancel()
