"""``resphere.webhooks``: to whom events are sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from resphere.access.principal import Scope
from resphere.contract.errors import InvalidArgument, NotFound, ServiceUnavailable, Unsupported, message
from resphere.contract.extensions.events import Events
from resphere.contract.extensions.webhooks import Webhooks
from resphere.contract.model import Secret
from resphere.events.cloud import key_of, new_secret
from resphere.events.filters import ALL
from resphere.events.webhooks import (
    MOST_ATTEMPTS,
    MOST_WEBHOOKS,
    USUAL_ATTEMPTS,
    DeadLetter,
    Mode,
    Webhook,
    letters_of,
    progress_of,
)
from resphere.fetching.addresses import read_address
from resphere.fetching.errors import FetchError
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.checks.event_filters import wanted_of
from resphere.services.registry import implements

SECRET_BYTES = 32
LONGEST_NAME = 80


@implements(Webhooks.create)
async def create(call: Call, spec: Webhooks.CreateSpec) -> Webhooks.CreateInfo:
    """Send events from the next one on, or from an earlier one, to an address that the operator allows.

    :raises InvalidArgument: name, address, secret or number of attempts is none.
    :raises NotFound: the caller sees no such branch.
    :raises ServiceUnavailable: there are too many.
    :raises Unsupported: the caller has no local account, or is narrowed: what a webhook may see would not be known.
    """
    require_owner(call)
    latest = await call.environment.feed.latest()
    secret = new_secret(call.environment.random_bytes(SECRET_BYTES)) if spec.secret is None else spec.secret
    hook = Webhook(
        id=call.new_uuid(),
        name=good_name(spec.name),
        url=good_url(call, spec.url),
        secret=good_secret(secret),
        owner=call.session.user,
        mode=Mode(spec.mode or Webhooks.Mode.STRUCTURED),
        wanted=wanted_of(call, spec.filter),
        attempts=good_attempts(spec.attempts),
        created_time=call.environment.now(),
        begin=latest if spec.after is None else good_begin(spec.after, latest),
    )

    def plan(edit: Edit) -> None:
        if call.unfiltered.count(Webhook) >= MOST_WEBHOOKS:
            raise ServiceUnavailable(message("resphere.webhooks.too_many", "There are {0} webhooks.", MOST_WEBHOOKS))
        edit.put(hook)

    await call.unfiltered.change(plan)
    return Webhooks.CreateInfo(webhook=hook.id, secret=Secret(secret))


@implements(Webhooks.list)
async def list_webhooks(call: Call) -> tuple[Webhooks.Info, ...]:
    """All of them."""
    return tuple(info(call, hook) for hook in call.unfiltered.all(Webhook).values())


@implements(Webhooks.get)
async def get(call: Call, webhook: str) -> Webhooks.Info:
    """One.

    :raises NotFound: there is none of that id.
    """
    return info(call, require(call, webhook))


@implements(Webhooks.update)
async def update(call: Call, webhook: str, spec: Webhooks.UpdateSpec) -> None:
    """Change it, from the next attempt on. It goes on where it was, and sends what the caller sees from then on: nobody
    has what somebody else sees sent elsewhere.

    :raises InvalidArgument: name, address, secret or number of attempts is none.
    :raises NotFound: there is none of that id, or no such branch.
    :raises Unsupported: the caller has no local account, or is narrowed.
    """
    require_owner(call)
    checked: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "name": (spec.name, good_name),
        "url": (spec.url, partial(good_url, call)),
        "secret": (spec.secret, good_secret),
        "mode": (spec.mode, Mode),
        "wanted": (spec.filter, partial(wanted_of, call)),
        "attempts": (spec.attempts, good_attempts),
        "enabled": (spec.enabled, bool),
    }
    fields = {name: check(value) for name, (value, check) in checked.items() if value is not None}

    def plan(edit: Edit) -> None:
        edit.put(msgspec.structs.replace(require_now(edit, webhook), owner=call.session.user, **fields))

    await call.settle(plan)


@implements(Webhooks.delete)
async def delete(call: Call, webhook: str) -> None:
    """Send nothing more, and forget what could not be sent.

    :raises NotFound: there is none of that id.
    """
    await call.settle(lambda edit: edit.delete(Webhook, require_now(edit, webhook).id))


@implements(Webhooks.replay)
async def replay(call: Call, webhook: str, spec: Webhooks.ReplaySpec) -> None:
    """Send all again after an event.

    :raises InvalidArgument: there is no event of that number.
    :raises NotFound: there is none of that id.
    """
    begin = good_begin(spec.after, await call.environment.feed.latest())

    def plan(edit: Edit) -> None:
        hook = require_now(edit, webhook)
        edit.put(msgspec.structs.replace(hook, begin=begin, runs=hook.runs + 1))

    await call.unfiltered.change(plan)


@implements(Webhooks.list_dead_letters)
async def list_dead_letters(call: Call, webhook: str) -> tuple[Webhooks.DeadLetter, ...]:
    """The events that could not be sent, by their numbers.

    :raises NotFound: there is none of that id.
    """
    return tuple(
        Webhooks.DeadLetter(
            sequence=each.number, time=each.time, attempts=each.attempts, error=each.error, waiting=each.waiting
        )
        for each in letters_of(call.unfiltered, require(call, webhook).id)
    )


@implements(Webhooks.redeliver)
async def redeliver(call: Call, webhook: str) -> None:
    """Try each of these once more, before anything else is sent.

    :raises NotFound: there is none of that id.
    """

    def plan(edit: Edit) -> None:
        for each in letters_of(call.unfiltered, require_now(edit, webhook).id):
            edit.put(msgspec.structs.replace(each, waiting=True))

    await call.settle(plan)


def require(call: Call, webhook: str) -> Webhook:
    """The webhook.

    :raises NotFound: there is none of that id.
    """
    return require_now(call.unfiltered, webhook)


def require_now(among: Lookup, webhook: str) -> Webhook:
    """The webhook as it is now.

    :raises NotFound: there is none of that id.
    """
    found = among.get(Webhook, webhook)
    if found is None:
        raise absent(webhook)
    return found


def absent(webhook: str) -> NotFound:
    """Of what is not there."""
    return NotFound(message("resphere.webhooks.not_found", "There is no webhook {0}.", webhook))


def require_owner(call: Call) -> None:
    """Refuse callers of whom it will not be known later what they see.

    :raises Unsupported: saying so.
    """
    principal = call.session.principal
    if principal.source is not None or principal.scope not in (None, Scope()):
        raise Unsupported(
            message(
                "resphere.webhooks.owner",
                "A webhook sends what its owner sees: it takes a local account, and no narrowed token.",
            )
        )


def good_name(name: str) -> str:
    """:raises InvalidArgument: it is none."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise refused("name", f"must have 1 to {LONGEST_NAME} characters")
    return name


def good_url(call: Call, url: str) -> str:
    """:raises InvalidArgument: it is none, or events may not be sent there."""
    try:
        address = read_address(url)
    except FetchError as error:
        raise refused("url", str(error)) from None
    if not call.environment.webhooks_allowed.knows(address.host, address.port):
        raise refused("url", f"the operator has to allow {address.where}, by the setting --webhook-to")
    return url


def good_secret(secret: str) -> Secret:
    """:raises InvalidArgument: it is none."""
    try:
        key_of(secret)
    except ValueError as error:
        raise refused("secret", f"must be 24 to 64 bytes in Base64, after whsec_ or without: {error}") from None
    return Secret(secret)


def good_attempts(attempts: int | None) -> int:
    """:raises InvalidArgument: out of range."""
    if attempts is None:
        return USUAL_ATTEMPTS
    if not 1 <= attempts <= MOST_ATTEMPTS:
        raise refused("attempts", f"must be from 1 to {MOST_ATTEMPTS}")
    return attempts


def good_begin(after: int, latest: int) -> int:
    """:raises InvalidArgument: there is no such event."""
    if not 0 <= after <= latest:
        raise refused("after", f"must be from 0 to {latest}, which is the latest event")
    return after


def refused(field: str, why: str) -> InvalidArgument:
    """Of what is wrong with a field."""
    return InvalidArgument(message("resphere.webhooks.field", "{0}: {1}.", field, why))


def info(call: Call, hook: Webhook) -> Webhooks.Info:
    """What is told of a webhook."""
    progress = progress_of(call.unfiltered, hook)
    wanted = hook.wanted
    kinds = None if wanted.kinds is None else frozenset(Events.Kind(each) for each in wanted.kinds)
    filter = Webhooks.FilterSpec(kinds=kinds, types=wanted.types, objects=wanted.objects, branch=wanted.branch)
    return Webhooks.Info(
        webhook=hook.id,
        name=hook.name,
        url=hook.url,
        owner=hook.owner,
        mode=Webhooks.Mode(hook.mode),
        enabled=hook.enabled,
        attempts=hook.attempts,
        created_time=hook.created_time,
        position=progress.position,
        failures=progress.failures,
        dead_letters=len(call.unfiltered.by(DeadLetter, "webhook", hook.id)),
        last_error=progress.error,
        filter=None if wanted == ALL else filter,
    )
