"""The one way through: every request takes these steps, in this order, and is recorded at the end."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from resphere.access.check import authorize as check_privileges
from resphere.access.check import authorize_references as check_references
from resphere.access.defaults import CHANGE_PASSWORD, LOGINS, PUBLIC, PUBLISHED
from resphere.access.knowing import told_to
from resphere.access.view import NOBODY
from resphere.auth.accounts import canonical_name
from resphere.contract.errors import (
    ConcurrentChange,
    InternalServerError,
    ServiceUnavailable,
    Unauthenticated,
    VapiError,
    message,
)
from resphere.contract.extensions.probes import Probes
from resphere.contract.model import AnyOperation
from resphere.dialects.base import Outcome, Refused, Reply, Resolved
from resphere.dialects.http import exceeds
from resphere.events.failed_logins import FailedLogin
from resphere.inventory.appliance.power import Absence
from resphere.limits.addresses import counted_address
from resphere.limits.classes import OperationClass, class_of
from resphere.limits.limits import Parties
from resphere.replica.errors import ConcurrentChange as ChangedConcurrently
from resphere.server.appliance_port import of_root, require_served, shows_password
from resphere.server.body import too_large
from resphere.server.exchange import ANYBODY, Caller, Exchange, Spoiled
from resphere.server.intake import most_bytes, read_early, too_much
from resphere.server.metrics.access import require_offered, tells_anybody
from resphere.server.steps.callers import identified, shown
from resphere.server.steps.disturbing import disturb
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.inputs import Input, decode
from resphere.server.steps.invoking import invoke, riders
from resphere.server.steps.keys import recollect, remember
from resphere.server.steps.lists import arrange
from resphere.server.steps.preferring import applied, prefer, wait
from resphere.server.steps.replies import encode, recall
from resphere.server.steps.tags import match, revalidate
from resphere.services.checks.presence import away
from resphere.store.base import StoreError
from resphere.turns import PIECE, in_turns

log = logging.getLogger(__name__)

PROBED = frozenset([operation.api.path for operation in (Probes.live, Probes.ready) if operation.api is not None])


class Pipeline(Equipment, frozen=True):
    """The way through, with what its steps work with: one per worker."""

    async def handle(self, exchange: Exchange) -> Reply:
        """Answer ``exchange``; never raises but for cancelation."""
        exchange.started, began = self.environment.present(), self.clock()
        self.metrics.begin()
        exchange.span = self.tracing.begin(exchange)
        try:
            self.recorder.require()
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
            seconds = self.clock() - began
            self.metrics.end(exchange, seconds)
            self.recorder.record(exchange, seconds)
            if exchange.span is not None:
                exchange.span.end(exchange)
        return await self.recorder.released(exchange, reply)


async def answer(pipeline: Pipeline, exchange: Exchange) -> Reply:
    """The steps, in their order: each is handed what those before it have found out, and calls none of them."""
    admit(exchange)
    await catch_up(pipeline, exchange)
    if exchange.request.method == "OPTIONS":
        attend(pipeline, exchange, None)
        return options(pipeline, exchange)
    outcome = await resolve(pipeline, exchange)
    attend(pipeline, exchange, outcome)
    attempt = await throttle(pipeline, exchange, outcome)
    caller = await authenticate(pipeline, exchange, outcome, attempt)
    resolved = accept(pipeline, exchange, outcome)
    resolved = prefer(pipeline, exchange, resolved)
    parties = limit(pipeline, exchange, caller, resolved)
    authorize(pipeline, exchange, caller, resolved)
    caller = await wait(pipeline, exchange, caller, resolved)
    kept = recall(pipeline, exchange, caller, resolved)
    if isinstance(kept, Reply):
        return applied(exchange, kept)
    input = await decode(pipeline, exchange, resolved)
    await authorize_references(pipeline, caller, input)
    claim = await recollect(pipeline, exchange, caller, resolved, input)
    if isinstance(claim, Reply):
        return applied(exchange, claim)
    unchanged = match(pipeline, exchange, resolved)
    await disturb(pipeline, exchange, caller, resolved, input)
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


async def catch_up(pipeline: Pipeline, exchange: Exchange) -> None:
    """What has anybody committed until now? Those who ask how this process is do not wait for that: the store may be
    away."""
    if exchange.request.path not in PROBED:
        await pipeline.environment.inventory.refresh()


FAULTS = "resphere.faults"
"""What the services begin with by which people who test clients have the appliance be there again."""


def attend(pipeline: Pipeline, exchange: Exchange, outcome: Outcome | None) -> None:
    """Is the appliance there? It is away for a while after a reboot, and gone once it was powered off. That this
    process lives is told all the same, and whether it is ready tells that, too.

    :raises ServiceUnavailable: it is away; when it is there again stands in ``Retry-After``, if that is known.
    """
    found = away(pipeline.environment.inventory, exchange.started)
    if found is None or (isinstance(outcome, Resolved) and is_there(outcome.operation)):
        return
    if found.absence is Absence.PAGE:
        exchange.spoiled = Spoiled(page_status=503, retry_after_seconds=found.seconds)
    elif found.absence is Absence.DROP:
        exchange.spoiled = Spoiled(dropped=True)
    raise found.refusal


def is_there(operation: AnyOperation) -> bool:
    """Whether an operation is answered while the appliance is away."""
    return operation.service == Probes.live.service or operation.service.startswith(FAULTS)


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
    if operation is None or shown.user is None or shown.password is None:
        return UNCOUNTED
    if operation.id not in LOGINS and not (exchange.request.appliance and shows_password(shown)):
        return UNCOUNTED
    # What another proof is good for says nothing of the password.
    return await pipeline.limits.logins.attempt(canonical_name(shown.user), address, alone=shown.password_alone)


async def authenticate(pipeline: Pipeline, exchange: Exchange, outcome: Outcome, attempt: Attempt) -> Caller:
    """Who calls: by session, or by what opens one; of a published library a subscriber who has its password."""
    operation_id = outcome.operation.id if isinstance(outcome, Resolved) else None
    if operation_id in PUBLIC or tells_anybody(pipeline.metrics_access, operation_id, exchange.request):
        if isinstance(outcome, Resolved) and operation_id in PUBLISHED:
            with attempt:
                await pipeline.library_passwords.require(outcome.parameters[LIBRARY], outcome.credentials)
        caller = ANYBODY
    else:
        credentials, login = shown(exchange, outcome), operation_id in LOGINS
        if exchange.request.appliance:
            credentials = of_root(pipeline.environment.inventory, credentials)
            # What means no operation is not counted, and lets nobody try passwords.
            login = login or (operation_id is not None and shows_password(credentials))
        again = None if login else pipeline.known_callers.again(credentials, exchange.started)
        if again is None:
            try:
                with attempt:
                    identity = await pipeline.authentication.identify(
                        credentials,
                        exchange.started,
                        login=login,
                        changes_password=operation_id == CHANGE_PASSWORD,
                    )
            except Unauthenticated as error:
                if login and operation_id is not None and credentials.user and not error.proven:
                    failed = FailedLogin(credentials.user, exchange.request.client, exchange.request_id, operation_id)
                    pipeline.failed_logins.note(failed)
                raise
            caller = identified(pipeline, identity, exchange)
            if not login:
                pipeline.known_callers.remember(credentials, identity, caller, exchange.started)
        else:
            caller = again
        exchange.body.vouched = True
    exchange.caller = caller
    return caller


def accept(pipeline: Pipeline, exchange: Exchange, outcome: Outcome) -> Resolved:
    """The operation that is meant. What means none is told only now, to those who are let in; what is not served at the
    port that it came to, or not at all, too."""
    if isinstance(outcome, Refused):
        raise outcome.error
    if exchange.request.appliance:
        require_served(outcome.operation)
    require_offered(pipeline.metrics_access, outcome.operation)
    return outcome


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
    """May they, on what the path names. What answers anybody asks for no privilege."""
    if caller is not ANYBODY:
        vcenter = pipeline.environment.product.instance_uuid
        check_privileges(caller.view, vcenter, resolved.operation, resolved.parameters)
    exchange.authorized = True


async def authorize_references(pipeline: Pipeline, caller: Caller, input: Input) -> None:
    """May they, on what the input refers to."""
    vcenter = pipeline.environment.product.instance_uuid
    if len(input.references) <= PIECE:
        check_references(caller.view, vcenter, input.references)
        return
    async for piece in in_turns(input.references):
        check_references(caller.view, vcenter, piece)


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
