"""What the record of a call tells: when it came, how long it took, and the privilege that it was about."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from resphere.audit.reading import Entry
from resphere.audit.record import AuditRecord, Decision
from resphere.auth.credentials import Credentials
from resphere.dialects.base import Reply, Request
from resphere.inventory.model import VirtualMachine
from resphere.server.exchange import Exchange
from resphere.server.record import audit_record, tried
from resphere.services.resphere.audit import info
from tests.support.served import GivenBody, Served
from tests.support.server import PASSWORD
from tests.support.world import NOW

READER = "reader@vsphere.local"


class Recorded:
    """A server whose clock goes on by a second whenever it is read."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._records: list[AuditRecord] = []
        self._pipeline = msgspec.structs.replace(
            served.pipeline,
            recorder=self,
            clock=itertools.count(100.0).__next__,
        )
        served.world.run(served.accounts.put(READER, PASSWORD, "ReadOnly"))
        reader = served.accounts.principal(READER)
        assert reader is not None
        self.vm = next(iter(served.world.inventory.all(VirtualMachine)))
        self.reader = served.world.run(self._pipeline.sessions.open(reader, "password"))

    def require(self) -> None:
        pass

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        self._records.append(audit_record(exchange, duration_seconds))

    async def released(self, exchange: Exchange, reply: Reply) -> Reply:
        return reply

    def call(self, method: str, path: str, session: str = "", query: bytes = b"") -> AuditRecord:
        """The record of one call."""
        self.over(method, path, session, query)
        [record] = self._records
        self._records.clear()
        return record

    def over(self, method: str, path: str, session: str = "", query: bytes = b"") -> Exchange:
        """One call that is over."""
        headers = {b"vmware-api-session-id": session.encode(), b"user-agent": b"curl"}
        request = Request(method, path, query, headers, "192.0.2.1")
        exchange = Exchange(request, "test", self._served.api, GivenBody(b""))
        self._served.world.run(self._pipeline.handle(exchange))
        return exchange


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Recorded]:
    with Served(tmp_path) as served:
        yield Recorded(served)


def test_when_a_call_came_and_how_long_it_took(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/vcenter/vm", recorded.reader)
    assert (record.status, record.start_time, record.duration_seconds) == (200, NOW, 1.0)


def test_the_first_privilege_that_is_needed(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/vcenter/vm", recorded.reader)
    assert (record.user, record.privilege) == (READER, "System.Read")


def test_the_privilege_that_is_missing(recorded: Recorded) -> None:
    record = recorded.call("POST", f"/api/vcenter/vm/{recorded.vm}/power", recorded.reader, b"action=start")
    assert (record.status, record.error_type, record.target) == (403, "UNAUTHORIZED", recorded.vm)
    assert record.decision is Decision.UNAUTHORIZED
    assert record.privilege == "VirtualMachine.Interact.PowerOn"


def test_no_privilege_where_none_is_needed(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/session", recorded.reader)
    assert (record.operation, record.status) == ("com.vmware.cis.session.get", 200)
    assert record.privilege is None


def test_no_privilege_of_a_caller_whom_nobody_knows(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/vcenter/vm", "made-up")
    assert (record.status, record.operation, record.user) == (401, "com.vmware.vcenter.VM.list", None)
    assert record.privilege is None


def test_no_privilege_of_what_is_no_operation(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/vcenter/nothing", recorded.reader)
    assert (record.status, record.operation, record.user) == (404, None, None)
    assert record.privilege is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_no_ticket_whatever_became_of_it(recorded: Recorded, method: str) -> None:
    for path in ("/ticket/cst-VCT-1", "/ticket/cst-VCT-1/more", "/%74icket/cst-VCT-1"):
        record = recorded.call(method, path)
        assert "cst-VCT-1" not in repr(record), path
        assert record.path.startswith(path.partition("icket")[0])


def test_what_was_shown_in_vain(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/vcenter/vm", "made-up")
    assert (record.authentication, record.tried_user, record.decision) == ("session", None, Decision.UNAUTHENTICATED)


@pytest.mark.parametrize(
    ("credentials", "found"),
    [
        (Credentials(), (None, None)),
        (Credentials(client="192.0.2.1"), (None, None)),
        (Credentials("x"), (None, "session")),
        (Credentials(user="bob", password="x"), ("bob", "password")),
        (Credentials("x", user="bob", password="x", client="192.0.2.1"), ("bob", "session+password")),
        (Credentials(bearer="x"), (None, "bearer")),
    ],
)
def test_credentials(credentials: Credentials, found: tuple[str | None, str | None]) -> None:
    assert tried(credentials) == found


class Traced:
    """A span of a trace."""

    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    def end(self, exchange: Exchange) -> None:
        pass


def test_each_field_tells_its_own(recorded: Recorded) -> None:
    exchange = recorded.over("DELETE", f"/api/vcenter/vm/{recorded.vm}", recorded.reader)
    assert exchange.caller is not None
    assert exchange.reply is not None
    exchange.caller = msgspec.structs.replace(exchange.caller, token="a token")
    exchange.span = Traced()
    record = audit_record(exchange, 0.25)
    assert msgspec.structs.asdict(record) == {
        "start_time": NOW,
        "duration_seconds": 0.25,
        "request_id": "test",
        "client": "192.0.2.1",
        "method": "DELETE",
        "path": f"/api/vcenter/vm/{recorded.vm}",
        "status": 403,
        "bytes_out": len(exchange.reply.body),
        "session": exchange.caller.session_tag,
        "user": READER,
        "tried_user": None,
        "authentication": "session",
        "token": "a token",
        "dialect": "api",
        "operation": "com.vmware.vcenter.VM.delete",
        "target": recorded.vm,
        "decision": Decision.UNAUTHORIZED,
        "privilege": "VirtualMachine.Inventory.Delete",
        "error_type": "UNAUTHORIZED",
        "message_id": "vapi.authz.error.no.privs",
        "reason": None,
        "user_agent": "curl",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }


def test_the_api_shows_all_that_is_recorded(recorded: Recorded) -> None:
    record = recorded.call("GET", "/api/vcenter/vm", recorded.reader)
    shown = info(Entry(1, 2, NOW, record))
    assert set(AuditRecord.__struct_fields__) | {"chain", "sequence"} == set(shown.__struct_fields__)
    assert all(getattr(shown, name) == getattr(record, name) for name in AuditRecord.__struct_fields__)
