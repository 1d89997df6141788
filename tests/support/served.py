"""A pipeline with all three dialects over a world in the test's own process, and its replies as typed results."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from resphere.access.scoped import ScopedViews
from resphere.access.tree import TreeViews
from resphere.auth.by_directory import ByDirectory
from resphere.auth.by_library import LibraryPasswords
from resphere.auth.saml.trust import TrustedIssuer
from resphere.certificates.tls import no_roots
from resphere.contract.catalogue import Catalogue
from resphere.contract.errors import ERRORS
from resphere.contract.lookup import all_operations, api_routes, rest_routes
from resphere.contract.model import AnyOperation, Struct, WholeBytes
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Reply, Request
from resphere.dialects.jsonrpc import JsonRpcDialect
from resphere.dialects.rest import RestDialect
from resphere.dialects.rest_values import READING
from resphere.dialects.sts import StsDialect
from resphere.events.failed_logins import FailedLogins
from resphere.idempotency.replies import Bounds, KeptReplies
from resphere.inventory.model import ManagedObject
from resphere.limits.known import KnownAddresses
from resphere.limits.limits import Limits
from resphere.limits.policy import DEFAULT, Policy
from resphere.limits.shared import SharedMemory, SharedState
from resphere.queries.standing import StandingLists
from resphere.server.assembly import authentication
from resphere.server.exchange import Exchange
from resphere.server.faults import Faults
from resphere.server.federating import known_sources, open_federation
from resphere.server.kept import Kept
from resphere.server.known_callers import KnownCallers
from resphere.server.list_orders import KeptOrders
from resphere.server.metrics.access import MetricsAccess
from resphere.server.metrics.requests import RequestMetrics
from resphere.server.pipeline import Pipeline
from resphere.server.repeats import Repeats
from resphere.server.saml import make_saml
from resphere.server.saml_trust import SamlTrust
from resphere.server.settings import Settings
from resphere.server.tracing.spans import NoTracing
from resphere.server.waiting import Waiting
from resphere.wire.vapi_values import decoder, encoder
from tests.support.calls import ApiCall, api_call
from tests.support.jsonrpc import invocation, session_context
from tests.support.rest_calls import rest_call
from tests.support.server import ADMINISTRATOR, PASSWORD
from tests.support.world import IMPLEMENTATIONS, NOW, World

LIMIT_BYTES = 1_000_000
SESSION = "com.vmware.cis.session"

STREAMS = frozenset(operation.service for operation in all_operations() if operation.takes_stream)


class Failure(msgspec.Struct, frozen=True):
    """An error as any dialect tells it."""

    error_type: str
    message_ids: tuple[str, ...]
    texts: tuple[str, ...]


class Unrecorded:
    """Records nothing."""

    def require(self) -> None:
        pass

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        pass

    async def released(self, exchange: Exchange, reply: Reply) -> Reply:
        return reply


class Served:
    """Asks one operation through one dialect; worlds made alike stay alike as long as they are asked alike."""

    def __init__(
        self,
        folder: Path,
        objects: Iterable[ManagedObject] | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        limit_bytes: int = LIMIT_BYTES,
        policy: Policy = DEFAULT,
        issuers: tuple[TrustedIssuer, ...] = (),
        single_use: bool = False,
        metrics_access: MetricsAccess = MetricsAccess.TOKEN,
    ) -> None:
        self.world = World(folder, objects, loop)
        parts = self.world.environment.identities
        self.accounts, sessions = parts.accounts, parts.sessions
        self.moment_ns = 0
        """By the clock of the limits."""
        memory = SharedMemory(random.Random(1).randbytes, groups=64)
        self.known = known = KnownAddresses(self.world.inventory, policy.logins.known_days, lambda: NOW)
        trust, knows = SamlTrust(issuers), known_sources(self.world.inventory, SamlTrust(issuers))
        product = msgspec.structs.replace(self.world.environment.product, host_name="vcenter.example")
        self.saml = make_saml(
            self.world.inventory,
            self.accounts,
            product,
            trust,
            knows,
            lambda: self.now,
            random.Random(4).randbytes,
        )
        opening = open_federation(
            self.world.store,
            self.world.inventory,
            self.accounts,
            product,
            trust,
            self.saml,
            knows,
            no_roots,
            self.saml.replays if single_use else None,
            random.Random(3).randbytes,
        )
        federation = self.world.run(opening)
        by_directory = ByDirectory(self.world.inventory, federation.directories)
        self.pipeline = Pipeline(
            environment=msgspec.structs.replace(
                self.world.environment, security_tokens=self.saml.tokens, federation=federation
            ),
            authentication=authentication(
                Settings(), parts.accounts, sessions, parts.tokens, federation, by_directory, self.saml
            ),
            library_passwords=LibraryPasswords(self.world.inventory, random.Random(6).randbytes),
            sessions=sessions,
            known_callers=KnownCallers(self.world.inventory, sessions),
            views=ScopedViews(self.world.inventory, TreeViews(self.world.inventory)),
            limits=Limits(policy, SharedState(memory), known, lambda: self.moment_ns),
            implementations=IMPLEMENTATIONS,
            faults=Faults(self.world.environment.faults, sessions),
            waiting=Waiting(self.world.inventory, 60),
            failed_logins=FailedLogins(self.world.store, lambda: self.now),
            kept=Kept(),
            repeats=Repeats(
                KeptReplies(self.world.inventory, Bounds(), "test", lambda _: True, lambda: self.now),
                self.world.environment.tasks,
            ),
            recorder=Unrecorded(),
            metrics=RequestMetrics(self.world.tally),
            metrics_access=metrics_access,
            tracing=NoTracing(),
            orders=KeptOrders(folder / "list-orders", lambda: self.now.timestamp()),
            standing_lists=StandingLists(),
            list_turn=asyncio.Lock(),
            clock=lambda: 0.0,
            body_limit_bytes=limit_bytes,
            stream_limits=dict.fromkeys(STREAMS, limit_bytes),
        )
        self.api: Dialect = ApiDialect(api_routes())
        self.rest: Dialect = RestDialect(rest_routes())
        self.jsonrpc: Dialect = JsonRpcDialect(limit_bytes, Catalogue())
        self.sts: Dialect = StsDialect(lambda: self.now)
        self.world.run(self.accounts.put(ADMINISTRATOR, PASSWORD, "Admin"))
        principal = self.accounts.principal(ADMINISTRATOR)
        assert principal is not None
        self.token = self.world.run(sessions.open(principal, "password"))

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.world.run(self.pipeline.failed_logins.close())
        self.world.__exit__()

    @property
    def now(self) -> datetime:
        """The moment at which all of this happens."""
        return self.world.environment.now()

    def issue_tokens(self) -> None:
        """Make the key by which SAML tokens are signed."""
        self.world.run(
            self.saml.signing.ensure("https://vcenter.example/websso/SAML2/Metadata/vsphere.local", lambda: self.now)
        )

    def by_api(self, operation: AnyOperation, value: Struct) -> Any:
        """The result, or the failure, on ``/api``."""
        reply = self.ask_api(api_call(operation, value))
        return told_by_api(operation, reply.status, reply.body)

    def ask_api(self, call: ApiCall) -> Reply:
        """The reply to any request on ``/api``."""
        return self.ask(self.api, call)

    def by_rest(self, operation: AnyOperation, value: Struct) -> Any:
        """The result, or the failure, on ``/rest``."""
        reply = self.ask(self.rest, rest_call(operation, value))
        return told_by_rest(operation, reply.status, reply.body)

    def by_jsonrpc(self, operation: AnyOperation, value: Struct) -> Any:
        """The result, or the failure, by JSON-RPC."""
        reply = self.ask(self.jsonrpc, self.jsonrpc_call(operation, value))
        return told_by_jsonrpc(operation, json.loads(reply.body))

    def jsonrpc_call(self, operation: AnyOperation, value: Struct) -> ApiCall:
        """The request of JSON-RPC that means ``operation`` with the input ``value``."""
        body = invocation(operation.service, operation.name, fields_of(operation, value), session_context(self.token))
        return ApiCall("POST", "/api", json.dumps(body).encode())

    def ask(self, dialect: Dialect, call: ApiCall) -> Reply:
        """The reply to any request in a dialect."""
        return self.send(
            dialect, call, {b"vmware-api-session-id": self.token.encode(), b"content-type": b"application/json"}
        )

    def send(self, dialect: Dialect, call: ApiCall, headers: dict[bytes, bytes], client: str = "192.0.2.1") -> Reply:
        """The reply to any request in a dialect with nothing but these headers."""
        path, _, query = call.target.partition("?")

        async def handle() -> Reply:
            request = Request(call.method, path, query.encode(), headers, client)
            return await self.pipeline.handle(Exchange(request, "test", dialect, GivenBody(call.body or b"")))

        return self.world.run(handle())


class GivenBody(msgspec.Struct):
    """A request's body that has come already."""

    content: bytes
    vouched: bool = False

    @property
    def announced_bytes(self) -> int | None:
        return len(self.content)

    async def read(self, limit_bytes: int) -> bytes:
        return self.content

    async def gone(self) -> None:
        await asyncio.Event().wait()

    def stream(self, limit_bytes: int) -> WholeBytes:
        return WholeBytes(self.content)


def told_by_api(operation: AnyOperation, status: int, content: bytes) -> Any:
    """The result, or the failure, in a reply of ``/api``."""
    if status >= 400:
        return failure(json.loads(content))
    if operation.output is None or operation.media_type is not None:
        return content
    return msgspec.json.decode(content, type=operation.output)


def told_by_rest(operation: AnyOperation, status: int, content: bytes) -> Any:
    """The result, or the failure, in a reply of ``/rest``."""
    if status >= 400:
        return failure(json.loads(content)["value"])
    if operation.output is None:
        return content
    plain = json.loads(content)["value"]
    change = READING.of(operation.output)
    return msgspec.convert(change(plain, "") if change else plain, operation.output)


def told_by_jsonrpc(operation: AnyOperation, reply: dict[str, Any]) -> Any:
    """The result, or the failure, in a reply of JSON-RPC."""
    result = reply["result"]
    if "error" in result:
        [fields] = result["error"]["ERROR"].values()
        messages = [m["STRUCTURE"]["com.vmware.vapi.std.localizable_message"] for m in fields["messages"]]
        return failure({"error_type": fields["error_type"]["OPTIONAL"], "messages": messages})
    if operation.output is None:
        assert result["output"] is None
        return b""
    return msgspec.convert(decoder(operation.output)(result["output"], ""), operation.output)


def fields_of(operation: AnyOperation, value: Struct) -> Any:
    """The input as the structure that JSON-RPC carries."""
    return json.loads(msgspec.json.encode(encoder(operation.input)(value)))["STRUCTURE"]["operation-input"]


def failure(body: dict[str, Any]) -> Failure:
    """An error's kind and messages."""
    assert body["error_type"] in ERRORS
    messages = body["messages"]
    return Failure(body["error_type"], tuple(m["id"] for m in messages), tuple(m["default_message"] for m in messages))
