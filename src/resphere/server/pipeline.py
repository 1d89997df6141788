"""The one way through: every request takes these steps, in this order, and is recorded at the end."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from typing import Any, Protocol

import msgspec

from resphere.access.check import Reference, references_of
from resphere.access.check import authorize as check_privileges
from resphere.access.check import authorize_references as check_references
from resphere.access.defaults import CHANGE_PASSWORD, LOGINS, PUBLIC, PUBLISHED
from resphere.access.knowing import told_to
from resphere.access.seen import seen
from resphere.access.view import NOBODY, View, Views
from resphere.auth.accounts import canonical_name
from resphere.auth.authentication import Authentication, Identity, required
from resphere.auth.by_library import LibraryPasswords
from resphere.auth.credentials import Credentials
from resphere.auth.own import Anonymous, LoginSession, OpenSession
from resphere.auth.sessions import Sessions
from resphere.contract.errors import (
    ConcurrentChange,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
    Unauthorized,
    Unsupported,
    VapiError,
    message,
)
from resphere.contract.model import AnyOperation, ByteStream, Parted, Struct
from resphere.dialects.base import Outcome, Refused, Reply, Resolved
from resphere.dialects.http import BYTE_ORDER_MARK, exceeds, has_too_many_values
from resphere.events.cause import CAUSE, Cause
from resphere.idempotency.replies import Claim
from resphere.limits.addresses import counted_address
from resphere.limits.classes import OperationClass, class_of
from resphere.limits.limits import Limits, Parties
from resphere.queries.cursors import Orders
from resphere.queries.describing import LINES
from resphere.queries.lists import Listing
from resphere.queries.options import Query, understood
from resphere.queries.pages import Means
from resphere.replica.errors import ConcurrentChange as ChangedConcurrently
from resphere.replica.replica import Replica
from resphere.replica.riders import Rider, riding
from resphere.server.body import too_large, too_many_values
from resphere.server.entity_tags import (
    Unchanged,
    answer_part,
    condition,
    is_known,
    knows_object,
    named_by_path,
    object_part,
    subjects,
)
from resphere.server.exchange import Caller, Exchange, Keeping
from resphere.server.extent import holds_at_least
from resphere.server.faults import Faults
from resphere.server.intake import most_bytes, read_early, too_much
from resphere.server.kept import Kept, accepts_gzip, compressed, compressible
from resphere.server.known_callers import KnownCallers
from resphere.server.lists import Arranged, arranged
from resphere.server.pieces import FEWEST_ITEMS
from resphere.server.preferences import preferences_in, task_form
from resphere.server.repeats import KEY_HEADER, Repeats
from resphere.server.waiting import Waiting
from resphere.services.call import Call, Environment, Product
from resphere.services.item_tags import tags_of
from resphere.services.registry import Implementation
from resphere.store.base import StoreError
from resphere.tasks.record import Task
from resphere.turns import PIECE, in_turns

log = logging.getLogger(__name__)

LARGE_BODY_BYTES = 128 * 1024
"""Bodies from here on are decoded beside the loop: a list of a million ids takes seconds."""

LARGE_RESULT_ITEMS = 1000
"""Results of so many items are written beside the loop."""

LONG_OPTIONS = 512
"""Characters of options from which on they are read beside the loop."""

WHITE = b" \t\r\n"
ETAG = "ETag"


class Recorder(Protocol):
    """The finalizer, which writes each call into the audit trail."""

    def require(self) -> None:
        """Refuse a call that could not be recorded, before anything is done.

        :raises VapiError: it could not.
        """

    def record(self, exchange: Exchange, duration_seconds: float) -> None:
        """Record a call that is over, whatever became of it. Never raises."""

    async def released(self, exchange: Exchange, reply: Reply) -> Reply:
        """What is sent: ``reply``, once its call is on record."""


class Pipeline(msgspec.Struct, frozen=True):
    """What the steps work with: one per worker."""

    environment: Environment
    authentication: Authentication
    library_passwords: LibraryPasswords
    sessions: Sessions
    known_callers: KnownCallers
    views: Views
    limits: Limits
    implementations: dict[str, Implementation]
    faults: Faults
    kept: Kept
    repeats: Repeats
    waiting: Waiting
    recorder: Recorder
    orders: Orders
    list_turn: asyncio.Lock
    """Of lists that read all of each item: one at a time reads a piece."""
    clock: Callable[[], float]
    """Rising seconds, for durations."""
    body_limit_bytes: int
    stream_limits: Mapping[str, int]
    """By service, of bodies that are handed on as they come, and never held whole: so many bytes."""

    async def handle(self, exchange: Exchange) -> Reply:
        """Answer ``exchange``; never raises but for cancelation."""
        exchange.started, began = self.environment.now(), self.clock()
        try:
            self.recorder.require()
            await self.environment.inventory.refresh()
            reply = exchange.reply = await answer(self, exchange)
        except Exception as error:
            view = NOBODY if exchange.caller is None else exchange.caller.view
            exchange.error = foreseen(error, exchange.request_id).addressed(told_to(view))
            reply = exchange.reply = exchange.dialect.error(exchange.error, exchange.outcome)
            if exchange.claim is not None:
                await self.repeats.fail(exchange.claim, exchange.error)
        finally:
            if exchange.claim is not None:
                self.repeats.replies.release(exchange.claim)
            if exchange.turn is not None:
                self.limits.leave(exchange.turn)
            self.recorder.record(exchange, self.clock() - began)
        return await self.recorder.released(exchange, reply)


async def answer(pipeline: Pipeline, exchange: Exchange) -> Reply:
    """The steps, in their order: each is handed what those before it have found out, and calls none of them."""
    admit(exchange)
    if exchange.request.method == "OPTIONS":
        return options(pipeline, exchange)
    outcome = await resolve(pipeline, exchange)
    attempt = await throttle(pipeline, exchange, outcome)
    caller = await authenticate(pipeline, exchange, outcome, attempt)
    resolved = accept(outcome)
    resolved = prefer(pipeline, exchange, resolved)
    parties = limit(pipeline, exchange, caller, resolved)
    authorize(pipeline, exchange, caller, resolved)
    caller = await wait(pipeline, exchange, caller, resolved)
    kept = recall(pipeline, exchange, caller, resolved)
    if isinstance(kept, Reply):
        return applied(exchange, kept)
    input = await decode(pipeline, exchange, resolved)
    await authorize_references(pipeline, caller, input)
    claim = await recollect(pipeline, exchange, caller, resolved, input.value)
    if isinstance(claim, Reply):
        return applied(exchange, claim)
    unchanged = match(pipeline, exchange, resolved)
    await disturb(pipeline, resolved)
    await take_turn(pipeline, exchange, parties, resolved)
    result = await invoke(pipeline, exchange, caller, parties, resolved, input, riders(claim, unchanged))
    wanted = await arrange(pipeline, exchange, caller, parties, resolved, input, result)
    reply = await encode(pipeline, exchange, wanted, caller, kept or claim)
    reply = revalidate(exchange, wanted.resolved, reply)
    reply = await remember(pipeline, exchange, wanted.resolved, claim, reply)
    return applied(exchange, reply)


def admit(exchange: Exchange) -> None:
    """Whether the request can be acted upon at all, whatever it means."""
    if exchange.unsound is not None:
        raise exchange.unsound


def options(pipeline: Pipeline, exchange: Exchange) -> Reply:
    """What the path allows: told to everybody, as often as an address may ask."""
    pipeline.limits.arrive(None, counted_address(exchange.request.client))
    return exchange.dialect.options(exchange.request)


async def resolve(pipeline: Pipeline, exchange: Exchange) -> Outcome:
    """Which operation is meant, on what, and what the caller shows of itself."""
    outcome = exchange.dialect.resolve(exchange.request, partial(read_early, pipeline.authentication, exchange))
    if not isinstance(outcome, (Resolved, Refused)):
        # A dialect that has to read the body to know it.
        outcome = await outcome
    exchange.outcome = outcome
    return outcome


Attempt = AbstractContextManager[object]
"""What authentication is done within, so that its failures are counted."""
UNCOUNTED: Attempt = nullcontext()
LIBRARY = "library"
"""The parameter of operations on published libraries that names the library."""


async def throttle(pipeline: Pipeline, exchange: Exchange, outcome: Outcome) -> Attempt:
    """Not too much from there? And have not too many logins failed? Asked before anything is done for somebody unknown.

    What means no operation is told now where that is public.
    """
    operation = outcome.operation if isinstance(outcome, Resolved) else None
    address = counted_address(exchange.request.client)
    pipeline.limits.arrive(operation, address)
    if isinstance(outcome, Refused) and outcome.public:
        raise outcome.error
    shown = outcome.credentials
    if isinstance(outcome, Resolved) and outcome.operation.id in PUBLISHED:
        name = pipeline.library_passwords.to_check(outcome.parameters[LIBRARY], shown)
        return UNCOUNTED if name is None else await pipeline.limits.logins.attempt(name, address, alone=False)
    if operation is None or operation.id not in LOGINS or shown.user is None or shown.password is None:
        return UNCOUNTED
    # What another proof is good for says nothing of the password.
    return await pipeline.limits.logins.attempt(canonical_name(shown.user), address, alone=shown.password_alone)


async def authenticate(pipeline: Pipeline, exchange: Exchange, outcome: Outcome, attempt: Attempt) -> Caller:
    """Who calls: by session, or by what opens one; of a published library a subscriber who has its password."""
    operation_id = outcome.operation.id if isinstance(outcome, Resolved) else None
    if operation_id in PUBLIC:
        if isinstance(outcome, Resolved) and operation_id in PUBLISHED:
            with attempt:
                await pipeline.library_passwords.require(outcome.parameters[LIBRARY], outcome.credentials)
        caller = ANYBODY
    else:
        credentials, login = shown(exchange, outcome), operation_id in LOGINS
        again = None if login else pipeline.known_callers.again(credentials, exchange.started)
        if again is None:
            with attempt:
                identity = await pipeline.authentication.identify(
                    credentials,
                    exchange.started,
                    login=login,
                    changes_password=operation_id == CHANGE_PASSWORD,
                )
            caller = identified(pipeline, identity, exchange)
            if not login:
                pipeline.known_callers.remember(credentials, identity, caller, exchange.started)
        else:
            caller = again
        exchange.body.vouched = True
    exchange.caller = caller
    return caller


def shown(exchange: Exchange, outcome: Outcome) -> Credentials:
    """What the request shows of its caller: what the dialect found in it, and the certificate that a proxy has seen."""
    certificate = exchange.request.certificate
    found = outcome.credentials
    return found if certificate is None else msgspec.structs.replace(found, certificate=certificate)


def identified(pipeline: Pipeline, identity: Identity, exchange: Exchange) -> Caller:
    """The caller who was let in, and what it sees."""
    principal, session, token = identity.principal, identity.session, identity.token
    tag = None if session is None else session.tag
    view = pipeline.views.of(principal)
    view = pipeline.environment.checks.watched(view, principal.name, tag, exchange.request_id)
    name = None if token is None else token.name
    if session is None:
        opener, client = None if token is None else token.id, exchange.request.client
        own = LoginSession(pipeline.sessions, principal, identity.method, client, opener)
        return Caller(own, view, method=identity.method, token=name)
    return Caller(OpenSession(pipeline.sessions, session, principal), view, tag, identity.method, name)


ANYBODY = Caller(Anonymous(), NOBODY)
"""The caller of a public operation, whoever that is."""


def accept(outcome: Outcome) -> Resolved:
    """The operation that is meant. What means none is told only now, to those who are let in."""
    if isinstance(outcome, Refused):
        raise outcome.error
    return outcome


def prefer(pipeline: Pipeline, exchange: Exchange, resolved: Resolved) -> Resolved:
    """Would the client rather have the work done in the background? Then its other form is meant, where it has one."""
    if b"prefer" not in exchange.request.headers or not preferences_in(exchange.request.headers).respond_async:
        return resolved
    other = task_form(resolved.operation)
    if other is None or other.id not in pipeline.implementations or exchange.dialect.name != "api":
        return resolved
    exchange.applied += (("Preference-Applied", "respond-async"),)
    return msgspec.structs.replace(resolved, operation=other)


async def wait(pipeline: Pipeline, exchange: Exchange, caller: Caller, resolved: Resolved) -> Caller:
    """Would the client rather wait until there is something new? A task is waited for to its end, anything else until
    it is not what ``If-None-Match`` knows; the caller as it is by then."""
    headers = exchange.request.headers
    if b"prefer" not in headers or caller is ANYBODY or not reads(exchange, resolved):
        return caller
    wanted, user = preferences_in(headers).wait_seconds, caller.session.user
    is_new = awaited(pipeline, exchange, caller, resolved)
    if not wanted or is_new is None or not pipeline.waiting.has_room(user):
        return caller
    seconds = pipeline.waiting.seconds(wanted)
    exchange.applied += (("Preference-Applied", f"wait={seconds}"),)
    if is_new():
        return caller
    await pipeline.waiting.until(is_new, user, seconds, exchange.body.gone)
    # Whoever could look before may not any more.
    caller = msgspec.structs.replace(caller, view=await look_again(pipeline, exchange))
    vcenter = pipeline.environment.product.instance_uuid
    check_privileges(caller.view, vcenter, resolved.operation, resolved.parameters)
    return caller


def awaited(pipeline: Pipeline, exchange: Exchange, caller: Caller, resolved: Resolved) -> Callable[[], bool] | None:
    """What tells whether there is something new; ``None`` where nothing does."""
    inventory = pipeline.environment.inventory
    about = subjects(resolved.operation, resolved.parameters)
    if about and about[0].cls is Task:
        return partial(is_over, inventory, about[0].id)
    known = exchange.request.headers.get(b"if-none-match")
    if known is None or not resolved.revalidates:
        return None
    if about:
        return lambda: not knows_object(known, object_part(inventory, about[0]))
    implementation = pipeline.implementations.get(resolved.operation.id)
    if implementation is None or not implementation.kept:
        return None
    return lambda: not is_known(known, entity_tag(pipeline, exchange, resolved, caller.view.key, inventory.revision))


def is_over(inventory: Replica, task: str) -> bool:
    """Whether nothing more happens to the task, if there is one."""
    found = inventory.get(Task, task)
    return found is None or found.is_finished


def applied(exchange: Exchange, reply: Reply) -> Reply:
    """The reply, which says what of the client's preferences was heeded, and where a task is that was begun for it."""
    if not exchange.applied:
        return reply
    headers = exchange.applied
    if reply.status == 202 and reply.body[:1] == b'"':
        headers += (("Location", f"/api/cis/tasks/{msgspec.json.decode(reply.body, type=str)}"),)
    return with_headers(reply, headers)


def limit(pipeline: Pipeline, exchange: Exchange, caller: Caller, resolved: Resolved) -> Parties:
    """Not too much of the caller? For whom the call counts.

    Bodies that announce too many bytes are not read.
    """
    if resolved.operation.takes_stream:
        most_streamed = pipeline.stream_limits[resolved.operation.service]
        if exceeds(exchange.request, most_streamed):
            raise too_large(most_streamed)
    elif exceeds(exchange.request, most_bytes(exchange, pipeline.body_limit_bytes)):
        raise too_much(exchange, pipeline.body_limit_bytes)
    address = counted_address(exchange.request.client)
    user = None if caller is ANYBODY else caller.session.user
    # Each user gives tokens names of his own.
    token = None if caller.token is None else f"{user}\n{caller.token}"
    parties = Parties(address, user, caller.session_tag, token)
    pipeline.limits.call(resolved.operation, parties)
    return parties


def authorize(pipeline: Pipeline, exchange: Exchange, caller: Caller, resolved: Resolved) -> None:
    """May they, on what the path names."""
    vcenter = pipeline.environment.product.instance_uuid
    check_privileges(caller.view, vcenter, resolved.operation, resolved.parameters)
    exchange.authorized = True


def recall(pipeline: Pipeline, exchange: Exchange, caller: Caller, resolved: Resolved) -> Reply | Keeping | None:
    """Answer from what is kept, or say that the client has it already, or what the answer is going to be of."""
    implementation = pipeline.implementations.get(resolved.operation.id)
    if implementation is None or resolved.kept_key is None or pipeline.faults.active:
        return None
    inventory = pipeline.environment.inventory
    if not implementation.kept:
        # Calls of JSON-RPC may be anything.
        part = present_part(inventory, resolved) if resolved.revalidates else None
        return Keeping(None, inventory.revision, part) if resolved.revalidates else None
    headers = exchange.request.headers
    revision, view_key = inventory.revision, caller.view.key
    lists = not named_by_path(resolved.operation)
    if lists and resolved.revalidates and b"if-none-match" in headers:
        etag = entity_tag(pipeline, exchange, resolved, view_key, revision)
        if is_known(headers[b"if-none-match"], etag):
            return Reply(304, headers=kept_headers(etag))
    gzip = accepts_gzip(headers.get(b"accept-encoding"))
    key = (exchange.dialect.name, resolved.operation.id, resolved.kept_key, view_key, gzip)
    kept = pipeline.kept.get(key, revision)
    if kept is None:
        return Keeping(key, revision, None if lists else present_part(inventory, resolved))
    return exchange.dialect.frame(resolved, kept if lists else revalidate(exchange, resolved, kept))


def present_part(inventory: Replica, resolved: Resolved) -> str | None:
    """The revision of the object that a request is about, as ETags have it."""
    about = subjects(resolved.operation, resolved.parameters)
    return object_part(inventory, about[0]) if about else None


class Input(msgspec.Struct, frozen=True, gc=False):
    """What an operation gets, and what that refers to; of a list what is asked of it beside."""

    value: Struct
    references: tuple[Reference, ...]
    query: Query | None = None


async def decode(pipeline: Pipeline, exchange: Exchange, resolved: Resolved) -> Input:
    """The input, validated against the contract. What an operation takes as a stream is not read here."""
    body: bytes | ByteStream = b""
    if resolved.operation.takes_stream:
        body = exchange.body.stream(pipeline.stream_limits[resolved.operation.service])
    elif exchange.request.method not in ("GET", "HEAD"):
        most = most_bytes(exchange, pipeline.body_limit_bytes)
        body = await exchange.body.read(most)
        if len(body) > most:
            raise too_much(exchange, pipeline.body_limit_bytes)
        if body.removeprefix(BYTE_ORDER_MARK).lstrip(WHITE)[:1] in (b"{", b"[") and has_too_many_values(body):
            raise too_many_values()
    if (isinstance(body, bytes) and len(body) > LARGE_BODY_BYTES) or has_long_options(resolved):
        return await asyncio.to_thread(read, exchange, resolved, body)
    return read(exchange, resolved, body)


def read(exchange: Exchange, resolved: Resolved, body: bytes | ByteStream) -> Input:
    """What the request holds, in any thread."""
    value = exchange.dialect.decode(resolved, exchange.request, body)
    query = None
    if resolved.options or resolved.streamed:
        query = understood(resolved.operation, resolved.options, resolved.streamed)
    return Input(value, references_of(resolved.operation, resolved.parameters, value), query)


def has_long_options(resolved: Resolved) -> bool:
    """Whether the options of a list take some time to be understood."""
    return sum(len(value) for values in resolved.options.values() for value in values) > LONG_OPTIONS


async def authorize_references(pipeline: Pipeline, caller: Caller, input: Input) -> None:
    """May they, on what the input refers to."""
    vcenter = pipeline.environment.product.instance_uuid
    if len(input.references) <= PIECE:
        check_references(caller.view, vcenter, input.references)
        return
    async for piece in in_turns(input.references):
        check_references(caller.view, vcenter, piece)


async def recollect(
    pipeline: Pipeline, exchange: Exchange, caller: Caller, resolved: Resolved, input: Struct
) -> Reply | Claim | None:
    """Was it done already, under the key that the client gives? The answer of then, or the right to do it."""
    headers = exchange.request.headers
    if KEY_HEADER not in headers or caller is ANYBODY:
        return None
    found = await pipeline.repeats.find(headers, exchange.dialect, caller.session.user, resolved, input)
    if isinstance(found, Reply):
        return exchange.dialect.frame(resolved, found)
    exchange.claim = found
    return found


def match(pipeline: Pipeline, exchange: Exchange, resolved: Resolved) -> Unchanged | None:
    """Is the object as the client knows it? What has to hold of it until its change is durable."""
    headers = exchange.request.headers
    if b"if-match" not in headers and (b"if-none-match" not in headers or reads(exchange, resolved)):
        return None
    return condition(pipeline.environment.inventory, resolved.operation, resolved.parameters, headers)


def reads(exchange: Exchange, resolved: Resolved) -> bool:
    """Whether ``If-None-Match`` asks what the client has, and demands nothing."""
    return exchange.request.method in ("GET", "HEAD") or class_of(resolved.operation) is OperationClass.READ


def riders(*all: Rider | None) -> tuple[Rider, ...]:
    """What rides along with the call's changes."""
    return tuple([rider for rider in all if rider is not None])


async def disturb(pipeline: Pipeline, resolved: Resolved) -> None:
    """Delay or fail, where the operator asked for that to test clients."""
    if pipeline.faults.active:
        await pipeline.faults.disturb(resolved.operation.id)


async def take_turn(pipeline: Pipeline, exchange: Exchange, parties: Parties, resolved: Resolved) -> None:
    """Whose turn is it to be worked for? Waited for when all of the request has come, so that no slow sender has one.

    What goes on as slowly as a client sends, or until something happens, takes none: it waits, and does no work.
    """
    operation = resolved.operation
    if operation.takes_stream or class_of(operation) is OperationClass.LONG_POLL:
        return
    party = parties.address if parties.user is None else parties.user
    if not pipeline.limits.entered(party):
        await pipeline.limits.enter(party)
    exchange.turn = party


async def invoke(
    pipeline: Pipeline,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    resolved: Resolved,
    input: Input,
    along: tuple[Rider, ...],
) -> Any:
    """What the operation does; its result. What the client asks of its changes rides along with them."""
    environment = pipeline.environment
    if input.query is not None:
        # A page of a list that is longer than vCenter returns, or what a filter finds in it.
        environment = msgspec.structs.replace(environment, list_limits=False)
    call = call_of(pipeline, environment, exchange, caller, parties, resolved.operation)
    if not along:
        return await perform(pipeline, call, input.value)
    with riding(*along):
        return await perform(pipeline, call, input.value)


def call_of(
    pipeline: Pipeline,
    environment: Environment,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    operation: AnyOperation,
) -> Call:
    """A call of the operation by the caller of this request."""
    request_id, origin, client = exchange.request_id, exchange.request.origin, exchange.request.client
    allowance, again = partial(pipeline.limits.allowance, parties), partial(look_again, pipeline, exchange)
    return Call(environment, operation, caller.view, caller.session, request_id, origin, allowance, client, again)


async def perform(pipeline: Pipeline, call: Call, input: Struct) -> Any:
    """The result of the call.

    :raises Unsupported: nothing implements the operation.
    """
    operation = call.operation
    implementation = pipeline.implementations.get(operation.id)
    if implementation is None:
        raise Unsupported(
            message(
                "resphere.operation.not_implemented",
                "The operation {0} is part of the API, but this server does not implement it.",
                operation.id,
            )
        )
    causing = CAUSE.set(Cause(call.request_id, call.session.user, operation.id))
    try:
        return await implementation.handler(call, *msgspec.structs.astuple(input))
    finally:
        CAUSE.reset(causing)


async def look_again(pipeline: Pipeline, exchange: Exchange) -> View:
    """What the caller of a request sees by now, whose reply goes on.

    :raises Unauthenticated: what has let the caller in would not any more.
    """
    if exchange.outcome is None:
        raise required()
    moment = pipeline.environment.now()
    identity = await pipeline.authentication.identify(shown(exchange, exchange.outcome), moment, login=False)
    return pipeline.views.of(identity.principal)


async def arrange(
    pipeline: Pipeline,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    resolved: Resolved,
    input: Input,
    result: Any,
) -> Arranged:
    """What the options of a list make of its result: of what the caller sees, and of nothing else."""
    query = input.query
    if query is None:
        return Arranged(resolved, result)
    look_up = partial(find_item, pipeline, exchange, caller, parties, query.listing, input.value)
    seen_tags = partial(tags_of, seen(pipeline.environment.inventory, caller.view))
    means = Means(pipeline.environment.now(), seen_tags, pipeline.orders, pipeline.list_turn, look_up)
    write = lambda line, item: exchange.dialect.encode(line, item).body  # noqa: E731
    return await arranged(query, exchange.request, resolved, result, means, write)


async def find_item(
    pipeline: Pipeline,
    exchange: Exchange,
    caller: Caller,
    parties: Parties,
    listing: Listing,
    list_input: Struct,
    identifier: str,
) -> Struct | None:
    """All of one item of a list, as its ``get`` answers; ``None`` where the caller may not have it, or it is gone."""
    getter = listing.getter
    if getter is None:
        return None
    operation, input = getter.operation, getter.input_of(identifier, list_input)
    targets, vcenter = getter.targets(input), pipeline.environment.product.instance_uuid
    try:
        check_privileges(caller.view, vcenter, operation, targets)
        check_references(caller.view, vcenter, references_of(operation, targets, input))
        call = call_of(pipeline, pipeline.environment, exchange, caller, parties, operation)
        found: Struct = await perform(pipeline, call, input)
    except (NotFound, Unauthorized):
        return None
    return found


async def encode(
    pipeline: Pipeline,
    exchange: Exchange,
    wanted: Arranged,
    caller: Caller,
    keeping: Keeping | Claim | None,
) -> Reply:
    """The result as the dialect writes it, compressed where the client likes, tagged, and kept where it may be."""
    resolved, result = wanted.resolved, wanted.result
    if isinstance(keeping, Claim):
        # Whoever repeats a call may like other encodings.
        return await written(exchange, resolved, result, None, accepts=False)
    if wanted.lines is not None:
        return Reply(200, media_type=LINES, headers=wanted.headers, stream=wanted.lines)
    if keeping is None or not wanted.keeps:
        return with_headers(await written(exchange, resolved, result, None), wanted.headers)
    asked = f"{resolved.operation.id} {exchange.dialect.name} {resolved.kept_key} {wanted.headers}"
    tag = partial(answer_tag, asked, keeping)
    key, view_key = keeping.key, caller.view.key
    if key is None:
        return with_headers(await written(exchange, resolved, result, tag), wanted.headers)
    if keeping.object_part is not None:
        reply = await written(exchange, resolved, result, tag)
    elif isinstance(result, Parted) and len(result) >= FEWEST_ITEMS:
        gzip = accepts_gzip(exchange.request.headers.get(b"accept-encoding"))
        reply = pipeline.kept.listed(key[:-1], partial(exchange.dialect.encode, resolved), result.parts, gzip)
    else:
        reply = await written(exchange, resolved, result, None)
    reply = with_headers(reply, wanted.headers)
    if resolved.revalidates:
        etag = etag_of(reply) or entity_tag(pipeline, exchange, resolved, view_key, keeping.revision)
        others = tuple([each for each in reply.headers if each[0] != ETAG])
        reply = with_headers(msgspec.structs.replace(reply, headers=others), kept_headers(etag))
    # Of the revision that the question was asked at: what changed while it was answered may be missing.
    pipeline.kept.put(key, keeping.revision, reply)
    return reply


def revalidate(exchange: Exchange, resolved: Resolved, reply: Reply) -> Reply:
    """Has the client got it already? Then that is all that it is told."""
    known = exchange.request.headers.get(b"if-none-match")
    if known is None or not resolved.revalidates:
        return reply
    etag = etag_of(reply)
    if etag is None or reply.status != 200 or not is_known(known, etag):
        return reply
    return Reply(304, headers=tuple([each for each in reply.headers if each[0] in (ETAG, "Cache-Control", "Vary")]))


async def remember(
    pipeline: Pipeline, exchange: Exchange, resolved: Resolved, claim: Claim | None, reply: Reply
) -> Reply:
    """Keep the answer for whoever asks again under the same key; and the reply as it is sent."""
    if claim is not None:
        await pipeline.repeats.finish(claim, reply)
    return exchange.dialect.frame(resolved, reply)


def with_headers(reply: Reply, headers: tuple[tuple[str, str], ...]) -> Reply:
    """``reply`` with more of them."""
    if not headers:
        return reply
    return msgspec.structs.replace(reply, headers=(*reply.headers, *headers), sent_headers=None)


async def written(
    exchange: Exchange, resolved: Resolved, result: Any, tag: Callable[[Reply], Reply] | None, *, accepts: bool = True
) -> Reply:
    """The result as the dialect writes it, beside the loop where it is long; ``accepts``: whether the client's wishes
    count."""
    whole = result.whole() if isinstance(result, Parted) else result
    gzip = accepts and accepts_gzip(exchange.request.headers.get(b"accept-encoding"))
    if holds_at_least(whole, LARGE_RESULT_ITEMS):
        return await asyncio.to_thread(write, exchange, resolved, whole, tag, gzip=gzip)
    return write(exchange, resolved, whole, tag, gzip=gzip)


def write(
    exchange: Exchange, resolved: Resolved, result: Any, tag: Callable[[Reply], Reply] | None, *, gzip: bool
) -> Reply:
    """The result as the dialect writes it, in any thread."""
    reply = exchange.dialect.encode(resolved, result)
    if tag is not None:
        reply = tag(reply)
    return compressed(reply) if gzip and compressible(reply.media_type) else reply


def answer_tag(asked: str, keeping: Keeping, reply: Reply) -> Reply:
    """``reply`` with the ETag of what is in it, unless it is a stream or has one already."""
    if reply.stream is not None or reply.status != 200 or etag_of(reply) is not None:
        return reply
    of_answer = answer_part(asked, reply.body)
    etag = f'"{of_answer}"' if keeping.object_part is None else f'"{keeping.object_part}-{of_answer}"'
    return msgspec.structs.replace(reply, headers=(*reply.headers, (ETAG, etag)))


def etag_of(reply: Reply) -> str | None:
    """The ETag that a reply has."""
    return next((value for name, value in reply.headers if name.lower() == "etag"), None)


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


def entity_tag(pipeline: Pipeline, exchange: Exchange, resolved: Resolved, view_key: str, revision: int) -> str:
    """The ETag of what one address holds at a revision, in one dialect, for callers who see the same.

    Nobody has been given one for an address where nothing is: it is sent with good answers only.
    """
    asked = f"{exchange.dialect.name} {view_key} {resolved.kept_key}"
    of = zlib.crc32(asked.encode("utf-8", "surrogateescape"), checksum(pipeline.environment.product))
    return f'"{pipeline.environment.inventory.epoch[:8]}-{revision}-{of:08x}"'


@lru_cache
def checksum(product: Product) -> int:
    """Of all that a server says of itself: one that was started with other settings gives other answers."""
    return zlib.crc32(msgspec.json.encode(product))


def kept_headers(etag: str) -> tuple[tuple[str, str], ...]:
    """A kept reply may be reused after asking."""
    return ((ETAG, etag), ("Cache-Control", "private, no-cache"), ("Vary", "Accept-Encoding"))
