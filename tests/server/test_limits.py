"""Limits on the way of a request: what is refused, in each dialect, and what goes its way."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.extensions.limits import Limits
from resphere.contract.generated.vcenter import Cluster, Datacenter
from resphere.contract.model import AnyOperation
from resphere.dialects.base import Dialect, Reply, Request
from resphere.limits.classes import OperationClass
from resphere.limits.policy import Concurrency, Logins, Party, Policy, RateRule
from resphere.limits.rates import SECOND_NS
from resphere.server.exchange import Exchange
from tests.support.served import Failure, GivenBody, Served
from tests.support.server import ADMINISTRATOR, PASSWORD

READS = RateRule(per=Party.USER, class_=OperationClass.READ, per_second=0.5, burst=2)
USED_UP = Failure(
    "SERVICE_UNAVAILABLE",
    ("resphere.limits.rate",),
    ("The limit user-read is reached: 0.5 calls a second of one user, and 2 at once. Try again in 2 seconds.",),
)
JSON_HEADERS = {b"content-type": b"application/json"}
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@contextmanager
def limited(folder: Path, policy: Policy) -> Iterator[Served]:
    """A server with such limits, ended when what it does beside requests has ended."""
    with Served(folder, policy=policy) as served:
        yield served
        served.world.run(served.known.finish())
        served.world.run(served.accounts.finish())


def request(
    served: Served,
    method: str = "GET",
    path: str = "/api/vcenter/cluster",
    *,
    client: str = HERE,
    dialect: Dialect | None = None,
    headers: dict[bytes, bytes] | None = None,
    body: bytes = b"",
) -> Exchange:
    """A request, of the session that there is unless its headers say else."""
    given = {b"vmware-api-session-id": served.token.encode()} if headers is None else headers
    target, _, query = path.partition("?")
    asked = Request(method, target, query.encode(), {**JSON_HEADERS, **given}, client)
    return Exchange(asked, "test", dialect or served.api, GivenBody(body))


def ask(served: Served, exchange: Exchange) -> Reply:
    return served.world.run(served.pipeline.handle(exchange))


def login(name: str = ADMINISTRATOR, password: str = "wrong") -> dict[bytes, bytes]:
    return {b"authorization": b"Basic " + base64.b64encode(f"{name}:{password}".encode())}


def try_login(served: Served, name: str = ADMINISTRATOR, password: str = "wrong", client: str = HERE) -> int:
    exchange = request(served, "POST", "/api/session", client=client, headers=login(name, password))
    return ask(served, exchange).status


@pytest.mark.parametrize("dialect", ["api", "rest", "jsonrpc"])
def test_a_rate_is_refused_in_the_words_of_each_dialect(tmp_path: Path, dialect: str) -> None:
    with limited(tmp_path, Policy(rates=(READS,))) as served:
        ways: dict[str, Callable[[AnyOperation], object]] = {
            "api": lambda operation: served.by_api(operation, operation.input()),
            "rest": lambda operation: served.by_rest(operation, operation.input()),
            "jsonrpc": lambda operation: served.by_jsonrpc(operation, operation.input()),
        }
        asked = ways[dialect]
        assert [isinstance(asked(Cluster.list), Failure) for _ in range(2)] == [False, False]
        assert asked(Cluster.list) == USED_UP
        # All reads together, in whatever dialect they come.
        assert [ways[each](Datacenter.list) for each in ways] == [USED_UP] * 3
        served.moment_ns += 2 * SECOND_NS
        assert not isinstance(asked(Cluster.list), Failure)
        assert asked(Cluster.list) == USED_UP


def test_a_refusal_says_when_to_try_again(tmp_path: Path) -> None:
    address = RateRule(per=Party.SESSION, per_second=10, burst=1000, name="calls")
    with limited(tmp_path, Policy(rates=(READS, address))) as served:
        replies = [ask(served, request(served)) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        headers = dict(replies[2].headers)
        assert headers["Retry-After"] == "2"
        assert headers["RateLimit-Policy"] == '"user-read";q=2;w=4, "calls";q=1000;w=100'
        assert headers["RateLimit"] == '"user-read";r=0;t=2'
        assert "RateLimit" not in dict(replies[1].headers)
        error = replies[2]
        assert json.loads(error.body)["messages"][0]["args"] == ["user-read", "0.5", "user", "2", "2"]


def test_jsonrpc_keeps_its_status_and_carries_the_headers(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(rates=(READS,))) as served:
        call = served.jsonrpc_call(Cluster.list, Cluster.list.input())
        replies = [served.ask(served.jsonrpc, call) for _ in range(3)]
        assert [reply.status for reply in replies] == [200] * 3
        headers = dict(replies[2].headers)
        assert headers["vapi-error"] == "com.vmware.vapi.std.errors.service_unavailable"
        assert (headers["Retry-After"], headers["RateLimit"]) == ("2", '"user-read";r=0;t=2')


def test_a_refused_call_takes_nothing_of_other_limits(tmp_path: Path) -> None:
    session = RateRule(per=Party.SESSION, per_second=0.001, burst=3)
    with limited(tmp_path, Policy(rates=(session, READS))) as served:
        assert [ask(served, request(served)).status for _ in range(5)] == [200, 200, 429, 429, 429]
        served.moment_ns += 2 * SECOND_NS
        assert [ask(served, request(served)).status for _ in range(2)] == [200, 429]


def test_addresses_are_counted_before_anybody_is_let_in(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(rates=(RateRule(per=Party.ADDRESS, per_second=1, burst=3),))) as served:
        stranger = [
            request(served, headers={}),
            request(served, path="/api/no/such/path", headers={}),
            request(served, "POST", "/api", dialect=served.jsonrpc, headers={}, body=b"no JSON"),
        ]
        assert [ask(served, exchange).status for exchange in stranger] == [401, 404, 200]
        assert ask(served, request(served)).status == 429
        assert ask(served, request(served, path="/api/no/such/path", headers={})).status == 429
        assert ask(served, request(served, client=ELSEWHERE)).status == 200


def test_options_are_counted_too(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(rates=(RateRule(per=Party.ADDRESS, per_second=1, burst=1),))) as served:
        asked = [request(served, "OPTIONS", headers={}, client=client) for client in (HERE, HERE, ELSEWHERE)]
        assert [ask(served, each).status for each in asked] == [204, 429, 204]


def test_addresses_of_one_network_of_ipv6_count_as_one(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(rates=(RateRule(per=Party.ADDRESS, per_second=1, burst=2),))) as served:
        clients = ("2001:db8::1", "2001:db8::ffff:1", "2001:db8::2", "2001:db8:0:1::1")
        statuses = [ask(served, request(served, client=client)).status for client in clients]
        assert statuses == [200, 200, 429, 200]


def test_writes_are_counted_apart_from_reads(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(rates=(READS,))) as served:
        for _ in range(3):
            ask(served, request(served))
        missing = request(served, "DELETE", "/api/vcenter/datacenter/datacenter-404")
        assert ask(served, missing).status == 404


def test_what_is_left_is_told(tmp_path: Path) -> None:
    rules = (
        READS,
        RateRule(per=Party.ADDRESS, per_second=5, burst=10),
        RateRule(per=Party.TOKEN, per_second=5, burst=10, operation="com.vmware.vcenter.*", name="tokens"),
        RateRule(per=Party.SESSION, class_=OperationClass.WRITE, per_second=1, burst=7),
    )
    with limited(tmp_path, Policy(rates=rules, concurrency=Concurrency(per_user=3, total=9))) as served:
        info = served.by_api(Limits.get, Limits.get.input())
        assert info.concurrency.per_user == 3
        told = [(rate.name, rate.per, rate.operation_class, rate.remaining) for rate in info.rates]
        assert told == [
            ("user-read", "user", "read", 1),
            ("address-all", "address", None, 9),
            ("tokens", "token", None, None),
            ("session-write", "session", "write", 7),
        ]
        assert served.by_api(Limits.get, Limits.get.input()).rates[0].remaining == 0
        assert isinstance(served.by_api(Limits.get, Limits.get.input()), Failure)


def test_failed_logins_slow_down_whoever_guesses_and_nobody_else(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(logins=Logins(free=2))) as served:
        assert try_login(served, password=PASSWORD, client=ELSEWHERE) == 201
        assert [try_login(served) for _ in range(3)] == [401, 401, 429]
        # Not even the right password is looked at; from elsewhere it is, and so are other names.
        assert try_login(served, password=PASSWORD) == 429
        assert try_login(served, password=PASSWORD, client=ELSEWHERE) == 201
        assert try_login(served, "nobody@vsphere.local") == 401
        served.moment_ns += SECOND_NS
        assert try_login(served, password=PASSWORD) == 201
        assert [try_login(served) for _ in range(3)] == [401, 401, 429]


def test_the_same_name_in_other_letters_is_the_same(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(logins=Logins(free=2))) as served:
        names = (ADMINISTRATOR, ADMINISTRATOR.upper(), "VSPHERE.LOCAL\\Administrator")
        assert [try_login(served, name) for name in names] == [401, 401, 429]


@pytest.mark.parametrize("name", [ADMINISTRATOR, "nobody@vsphere.local", "", "a\nb", "\ud800"])
def test_a_name_that_nobody_has_is_slowed_down_alike(tmp_path: Path, name: str) -> None:
    with limited(tmp_path, Policy(logins=Logins(free=2))) as served:
        headers = {b"authorization": b"Basic " + base64.b64encode(f"{name}:wrong".encode("utf-8", "replace"))}
        replies = [ask(served, request(served, "POST", "/api/session", headers=headers)) for _ in range(3)]
        assert [reply.status for reply in replies] == [401, 401, 429]
        body = json.loads(replies[2].body)
        assert body["error_type"] == "SERVICE_UNAVAILABLE"
        assert body["messages"][0]["id"] == "resphere.limits.logins"
        assert body["messages"][0]["args"] == ["1"]
        assert dict(replies[2].headers)["Retry-After"] == "1"


def test_calls_without_a_login_are_not_slowed_down(tmp_path: Path) -> None:
    with limited(tmp_path, Policy(logins=Logins(free=1))) as served:
        assert [try_login(served) for _ in range(2)] == [401, 429]
        assert ask(served, request(served)).status == 200
        assert ask(served, request(served, headers=login())).status == 401


def test_who_floods_waits_behind_himself(tmp_path: Path) -> None:
    """Turns are given back, whatever becomes of calls; those that came in too great a number are told."""
    at_once = Concurrency(per_user=1, total=1, waiting_per_user=2, waiting=2)
    with limited(tmp_path, Policy(rates=(), concurrency=at_once)) as served:
        limits = served.pipeline.limits

        async def run() -> list[int]:
            await limits.enter(ADMINISTRATOR)
            calls = [asyncio.ensure_future(served.pipeline.handle(request(served))) for _ in range(3)]
            other = asyncio.ensure_future(served.pipeline.handle(request(served, path="/certs/download.zip")))
            refused = await calls[2]
            overflow = await other
            calls[1].cancel()
            await asyncio.gather(calls[1], return_exceptions=True)
            limits.leave(ADMINISTRATOR)
            after = await served.pipeline.handle(request(served, path="/api/vcenter/cluster/none"))
            return [refused.status, overflow.status, (await calls[0]).status, after.status]

        assert served.world.run(run()) == [429, 503, 200, 404]
        assert ask(served, request(served)).status == 200


def test_what_is_known_and_what_is_sent_slowly_takes_no_turn(tmp_path: Path) -> None:
    at_once = Concurrency(per_user=1, total=1, waiting_per_user=0, waiting=0)
    with limited(tmp_path, Policy(rates=(), concurrency=at_once)) as served:
        assert ask(served, request(served)).status == 200
        served.world.run(served.pipeline.limits.enter("somebody"))
        assert ask(served, request(served)).status == 200  # a kept reply
        assert ask(served, request(served, path="/api/vcenter/network")).status == 429
        route = GuestTransfers.upload.api
        assert route is not None
        assert ask(served, request(served, "PUT", f"{route.path}?id=none&token=none", headers={})).status == 404
        served.pipeline.limits.leave("somebody")
        assert ask(served, request(served, path="/api/vcenter/network")).status == 200
