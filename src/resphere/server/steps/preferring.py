"""The steps of ``Prefer``: to have work done in the background, and to wait until there is something new."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from resphere.access.check import authorize as check_privileges
from resphere.dialects.base import Reply, Resolved
from resphere.replica.replica import Replica
from resphere.server.entity_tags import is_known, knows_object, object_part, subjects
from resphere.server.exchange import ANYBODY, Caller, Exchange
from resphere.server.preferences import preferences_in, task_form
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.invoking import look_again
from resphere.server.steps.replies import with_headers
from resphere.server.steps.tags import entity_tag, reads
from resphere.tasks.record import Task


def prefer(pipeline: Equipment, exchange: Exchange, resolved: Resolved) -> Resolved:
    """Would the client rather have the work done in the background? Then its other form is meant, where it has one."""
    if b"prefer" not in exchange.request.headers or not preferences_in(exchange.request.headers).respond_async:
        return resolved
    other = task_form(resolved.operation)
    if other is None or other.id not in pipeline.implementations or exchange.dialect.name != "api":
        return resolved
    exchange.applied += (("Preference-Applied", "respond-async"),)
    return msgspec.structs.replace(resolved, operation=other)


async def wait(pipeline: Equipment, exchange: Exchange, caller: Caller, resolved: Resolved) -> Caller:
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


def awaited(pipeline: Equipment, exchange: Exchange, caller: Caller, resolved: Resolved) -> Callable[[], bool] | None:
    """What tells whether there is something new; ``None`` where nothing does."""
    inventory = pipeline.environment.inventory
    about = subjects(resolved.operation, resolved.parameters)
    if about and about[0].cls is Task:
        return partial(is_over, inventory, about[0].id)
    known = exchange.request.headers.get(b"if-none-match")
    if known is None or resolved.kept_key is None:
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
