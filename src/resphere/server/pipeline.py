"""The one way through: every request takes these steps, in this order, and is recorded at the end."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Awaitable, Callable

import msgspec

from resphere.access.check import authorize as check_privileges
from resphere.access.check import authorize_references as check_references
from resphere.access.defaults import LOGIN, PUBLIC
from resphere.access.roles import NO_ACCESS
from resphere.access.view import RootView
from resphere.auth.accounts import LocalAccounts, canonical_name
from resphere.auth.own import Anonymous, LoginSession, OpenSession
from resphere.auth.sessions import Sessions
from resphere.contract.errors import (
    ConcurrentChange,
    InternalServerError,
    ServiceUnavailable,
    Unauthenticated,
    Unsupported,
    VapiError,
    message,
)
from resphere.contract.model import ByteStream
from resphere.dialects.base import Credentials, Outcome, Refused, Reply, Resolved
from resphere.replica.errors import ConcurrentChange as ChangedConcurrently
from resphere.server.body import too_large
from resphere.server.exchange import Exchange
from resphere.server.faults import Faults
from resphere.server.kept import Kept, accepts_gzip, compressed, compressible
from resphere.services.call import Call, Environment
from resphere.services.registry import Implementation
from resphere.store.base import StoreError

log = logging.getLogger(__name__)

AUTHENTICATION_REQUIRED = "com.vmware.vapi.endpoint.method.authentication.required"


class Pipeline(msgspec.Struct, frozen=True):
    """What the steps work with: one per worker."""

    environment: Environment
    accounts: LocalAccounts
    sessions: Sessions
    implementations: dict[str, Implementation]
    faults: Faults
    kept: Kept
    record: Callable[[Exchange, float], None]
    """The finalizer: writes the call into the audit trail. Gets the duration in seconds."""
    clock: Callable[[], float]
    """Rising seconds, for durations."""
    body_limit_bytes: int
    stream_limit_bytes: int
    """Of bodies that are handed on as they come, and never held whole."""

    async def handle(self, exchange: Exchange) -> Reply:
        """Answer ``exchange``; never raises but for cancelation."""
        exchange.started, began = self.environment.now(), self.clock()
        try:
            self.environment.inventory.refresh()
            for step in STEPS:
                pending = step(self, exchange)
                if pending is not None:
                    await pending
                if exchange.reply is not None:
                    break
        except Exception as error:
            exchange.error = foreseen(error, exchange.request_id)
            exchange.reply = exchange.dialect.error(exchange.error, exchange.outcome)
        finally:
            self.record(exchange, self.clock() - began)
        assert exchange.reply is not None
        return exchange.reply


Step = Callable[[Pipeline, Exchange], Awaitable[None] | None]


def resolve(pipeline: Pipeline, exchange: Exchange) -> Awaitable[None] | None:
    """Which operation is meant, on what, and what the caller shows of itself."""
    if exchange.request.method == "OPTIONS":
        exchange.reply = exchange.dialect.options(exchange.request)
        return None
    outcome = exchange.dialect.resolve(exchange.request, exchange.body.read)
    if isinstance(outcome, (Resolved, Refused)):
        settle(pipeline, exchange, outcome)
        return None
    return settle_later(pipeline, exchange, outcome)


async def settle_later(pipeline: Pipeline, exchange: Exchange, outcome: Awaitable[Outcome]) -> None:
    """The operation of a dialect that has to read the body to know it."""
    settle(pipeline, exchange, await outcome)


def settle(pipeline: Pipeline, exchange: Exchange, outcome: Outcome) -> None:
    """Note what the dialect made of the request."""
    exchange.outcome = outcome
    if isinstance(outcome, Resolved):
        exchange.resolved = outcome
        exchange.implementation = pipeline.implementations.get(outcome.operation.id)


def authenticate(pipeline: Pipeline, exchange: Exchange) -> Awaitable[None] | None:
    """Who calls: by session, or by name and password where a session is asked for.

    What means no operation is told only now, to those who are let in.
    """
    outcome = exchange.outcome
    assert outcome is not None
    if isinstance(outcome, Refused):
        if not outcome.public:
            use_session(pipeline, exchange, outcome.credentials)
        raise outcome.error
    if outcome.operation.id in PUBLIC:
        exchange.session, exchange.view = Anonymous(), RootView(NO_ACCESS)
        return None
    if outcome.operation.id == LOGIN:
        return log_in(pipeline, exchange, outcome.credentials)
    use_session(pipeline, exchange, outcome.credentials)
    return None


def use_session(pipeline: Pipeline, exchange: Exchange, credentials: Credentials) -> None:
    """The caller's open session."""
    refuse_unaccepted(credentials)
    session = pipeline.sessions.find(credentials.session_id, exchange.started) if credentials.session_id else None
    principal = pipeline.accounts.principal(canonical_name(session.user)) if session else None
    if session is None or principal is None:
        raise Unauthenticated(message(AUTHENTICATION_REQUIRED, "Authentication required."))
    exchange.session = OpenSession(pipeline.sessions, session)
    exchange.session_tag = session.tag
    exchange.view = RootView(principal.role)


async def log_in(pipeline: Pipeline, exchange: Exchange, credentials: Credentials) -> None:
    """Check name and password."""
    refuse_unaccepted(credentials)
    if credentials.user is None or credentials.password is None:
        raise Unauthenticated(message(AUTHENTICATION_REQUIRED, "Authentication required."))
    principal = await pipeline.accounts.verify(credentials.user, credentials.password)
    if principal is None:
        raise Unauthenticated(
            message(
                "com.vmware.vapi.endpoint.method.authentication.failed", "The user name or password is not correct."
            )
        )
    exchange.session, exchange.view = LoginSession(pipeline.sessions, principal), RootView(principal.role)


def refuse_unaccepted(credentials: Credentials) -> None:
    """Say so where the caller shows something that cannot let it in, good or not."""
    if credentials.unaccepted is not None:
        raise Unauthenticated(
            message(
                "resphere.authentication.kind_not_accepted",
                "This server does not accept credentials of the kind {0} yet: log in with a user name and a password.",
                credentials.unaccepted,
            )
        )


def limit(pipeline: Pipeline, exchange: Exchange) -> None:
    """How much: bodies that announce too many bytes are not read."""
    assert exchange.resolved is not None
    announced = exchange.request.headers.get(b"content-length")
    most = pipeline.stream_limit_bytes if exchange.resolved.operation.takes_stream else pipeline.body_limit_bytes
    if announced is not None and announced.isdigit() and int(announced) > most:
        raise too_large(most)


def authorize(pipeline: Pipeline, exchange: Exchange) -> None:
    """May they, on what the path names."""
    assert exchange.resolved is not None
    assert exchange.view is not None
    check_privileges(exchange.view, exchange.resolved.operation, exchange.resolved.parameters)


def recall(pipeline: Pipeline, exchange: Exchange) -> None:
    """Answer from what is kept, or say that the client has it already."""
    implementation, resolved, view = exchange.implementation, exchange.resolved, exchange.view
    if implementation is None or not implementation.kept or pipeline.faults.active:
        return
    assert resolved is not None
    assert view is not None
    if resolved.kept_key is None:
        return
    headers = exchange.request.headers
    exchange.revision = pipeline.environment.inventory.revision
    known = headers.get(b"if-none-match")
    if known is not None and resolved.revalidates:
        etag = entity_tag(pipeline, exchange)
        if known == etag.encode():
            exchange.reply = Reply(304, headers=kept_headers(etag))
            return
    gzip = accepts_gzip(headers.get(b"accept-encoding"))
    exchange.kept_key = (exchange.dialect.name, resolved.operation.id, resolved.kept_key, view.key, gzip)
    kept = pipeline.kept.get(exchange.kept_key, exchange.revision)
    if kept is not None:
        exchange.reply = exchange.dialect.frame(resolved, kept)


async def decode(pipeline: Pipeline, exchange: Exchange) -> None:
    """The input, validated against the contract. What an operation takes as a stream is not read here."""
    assert exchange.resolved is not None
    body: bytes | ByteStream = b""
    if exchange.resolved.operation.takes_stream:
        body = exchange.body.stream(pipeline.stream_limit_bytes)
    elif exchange.request.method not in ("GET", "HEAD"):
        body = await exchange.body.read(pipeline.body_limit_bytes)
        if len(body) > pipeline.body_limit_bytes:
            raise too_large(pipeline.body_limit_bytes)
    exchange.input = exchange.dialect.decode(exchange.resolved, exchange.request, body)


def authorize_references(pipeline: Pipeline, exchange: Exchange) -> None:
    """May they, on what the input refers to."""
    assert exchange.resolved is not None
    assert exchange.view is not None
    assert exchange.input is not None
    check_references(exchange.view, exchange.resolved.operation, exchange.input)


def disturb(pipeline: Pipeline, exchange: Exchange) -> Awaitable[None] | None:
    """Delay or fail, where the operator asked for that to test clients."""
    assert exchange.resolved is not None
    return pipeline.faults.disturb(exchange.resolved.operation.id) if pipeline.faults.active else None


async def invoke(pipeline: Pipeline, exchange: Exchange) -> None:
    """What the operation does."""
    resolved, implementation = exchange.resolved, exchange.implementation
    assert resolved is not None
    if implementation is None:
        raise Unsupported(
            message(
                "resphere.operation.not_implemented",
                "The operation {0} is part of the API, but this server does not implement it.",
                resolved.operation.id,
            )
        )
    assert exchange.view is not None
    assert exchange.session is not None
    assert exchange.input is not None
    call = Call(
        pipeline.environment,
        resolved.operation,
        exchange.view,
        exchange.session,
        exchange.request_id,
        exchange.request.origin,
    )
    exchange.result = await implementation.handler(call, *msgspec.structs.astuple(exchange.input))


def encode(pipeline: Pipeline, exchange: Exchange) -> None:
    """The result as the dialect writes it, compressed where the client likes, and kept where it may be."""
    assert exchange.resolved is not None
    reply = exchange.dialect.encode(exchange.resolved, exchange.result)
    gzip = accepts_gzip(exchange.request.headers.get(b"accept-encoding"))
    if gzip and compressible(reply.media_type):
        reply = compressed(reply)
    if exchange.kept_key is not None:
        if exchange.resolved.revalidates:
            headers = (*reply.headers, *kept_headers(entity_tag(pipeline, exchange)))
            reply = msgspec.structs.replace(reply, headers=headers)
        # Of the revision that the question was asked at: what changed while it was answered may be missing.
        pipeline.kept.put(exchange.kept_key, exchange.revision, reply)
    exchange.reply = exchange.dialect.frame(exchange.resolved, reply)


STEPS: tuple[Step, ...] = (
    resolve,
    authenticate,
    limit,
    authorize,
    recall,
    decode,
    authorize_references,
    disturb,
    invoke,
    encode,
)


def foreseen(error: Exception, request_id: str) -> VapiError:
    """``error`` as a standard error. The unforeseen becomes a reference to the log, and says nothing else."""
    if isinstance(error, VapiError):
        return error
    if isinstance(error, ChangedConcurrently):
        return ConcurrentChange(
            message("resphere.concurrent_change", "Others changed the same object meanwhile, again and again.")
        )
    log.error("request failed", exc_info=error, extra={"request_id": request_id, "reference": request_id})
    if isinstance(error, StoreError):
        return ServiceUnavailable(
            message(
                "resphere.store.unavailable", "The server cannot read or write its data. Reference: {0}", request_id
            )
        )
    return InternalServerError(
        message("resphere.internal_error", "An unexpected error occurred. Reference: {0}", request_id)
    )


def entity_tag(pipeline: Pipeline, exchange: Exchange) -> str:
    """The ETag of whatever is asked for at a revision: of one address, in one dialect, by callers who see the same."""
    assert exchange.view is not None
    of = f"{pipeline.environment.product.server_version}{exchange.dialect.name}{exchange.view.key}"
    return f'"{pipeline.environment.inventory.epoch[:8]}-{exchange.revision}-{zlib.crc32(of.encode()):08x}"'


def kept_headers(etag: str) -> tuple[tuple[str, str], ...]:
    """A kept reply may be reused after asking."""
    return (("ETag", etag), ("Cache-Control", "private, no-cache"), ("Vary", "Accept-Encoding"))
