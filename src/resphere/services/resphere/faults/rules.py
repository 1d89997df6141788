"""``resphere.faults``: which calls are late, fail, or get no answer, for people who test clients."""

from __future__ import annotations

import asyncio

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.extensions.faults import Faults
from resphere.faults.language import require_rule
from resphere.faults.record import FaultRule, add_rule, begun
from resphere.faults.record import delete_all as delete_every_rule
from resphere.faults.rules import Standing, standing
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.turns import in_turns


@implements(Faults.create)
async def create(call: Call, spec: Faults.Rule) -> Faults.CreateInfo:
    """Have calls fail from now on.

    :raises InvalidArgument: it is no rule, would do nothing, or there is no operation that it could be for.
    :raises UnableToAllocateResource: there are too many.
    """
    require(spec)
    id = call.new_uuid()
    await standing_now(call)  # so that what takes time is known when it is asked for within the change

    def plan(edit: Edit) -> Faults.CreateInfo:
        environment = call.environment
        made = add_rule(edit, call.unfiltered, id, spec, call.session.user, environment.now(), environment.random_bytes)
        then = standing([*call.unfiltered.all(FaultRule).values(), made])
        return Faults.CreateInfo(fault=id, warnings=warned(call, then, made))

    return await call.settle(plan)


@implements(Faults.list)
async def list_rules(call: Call) -> tuple[Faults.Info, ...]:
    """All rules, in the order in which they are asked."""
    now = await standing_now(call)
    found = []
    async for piece in in_turns(now.rules, 1):
        found += [info(call, now, rule) for rule in piece]
    return tuple(found)


@implements(Faults.get)
async def get(call: Call, fault: str) -> Faults.Info:
    """One rule, and how often it has acted.

    :raises NotFound: there is none of that id.
    """
    now = await standing_now(call)
    return info(call, now, require_now(call.unfiltered, fault))


@implements(Faults.set)
async def set_rule(call: Call, fault: str, spec: Faults.Rule) -> None:
    """Have it be another one in the same place, whose calls and time count from now.

    :raises InvalidArgument: it is no rule, would do nothing, or there is no operation that it could be for.
    :raises NotFound: there is none of that id.
    """
    require(spec)

    def plan(edit: Edit) -> None:
        before = require_now(edit, fault)
        after = fresh(call, fault, spec, before.order if spec.order is None else spec.order)
        edit.put(msgspec.structs.replace(after, created_time=before.created_time, from_file=before.from_file))

    await call.settle(plan)


@implements(Faults.delete)
async def delete(call: Call, fault: str) -> None:
    """Have no more calls fail by it.

    :raises NotFound: there is none of that id.
    """
    await call.settle(lambda edit: edit.delete(FaultRule, require_now(edit, fault).id))


@implements(Faults.delete_all)
async def delete_all(call: Call) -> None:
    """Have no more calls fail by any rule, also those of the file that the server was started with."""

    await call.settle(lambda edit: delete_every_rule(edit, call.unfiltered))


def require(spec: Faults.Rule) -> None:
    """:raises InvalidArgument: it is no rule."""
    try:
        require_rule(spec)
    except ValueError as error:
        raise InvalidArgument(message("resphere.faults.rule", "{0}", sentence(str(error)))) from None


def sentence(words: str) -> str:
    """With its end."""
    return words if words.endswith("?") else f"{words}."


def require_now(among: Lookup, fault: str) -> FaultRule:
    """The rule as it is now.

    :raises NotFound: there is none of that id.
    """
    found = among.get(FaultRule, fault)
    if found is None:
        raise NotFound(message("resphere.faults.not_found", "There is no rule {0} for faults.", fault))
    return found


async def standing_now(call: Call) -> Standing:
    """The rules as they stand to each other: beside the loop, as each new pattern is compared with all operations."""
    return await asyncio.to_thread(standing, tuple(call.unfiltered.all(FaultRule).values()))


def fresh(call: Call, id: str, spec: Faults.Rule, order: int) -> FaultRule:
    """A rule that begins now."""
    environment = call.environment
    return begun(id, spec, order, call.session.user, environment.now(), environment.random_bytes)


def info(call: Call, now: Standing, rule: FaultRule) -> Faults.Info:
    """What is told of a rule."""
    faults = call.environment.faults
    count = faults.count_of(rule)
    return Faults.Info(
        fault=rule.id,
        rule=rule.rule,
        order=rule.order,
        matched=count.matched,
        acted=count.acted,
        active=faults.is_active(rule, count),
        warnings=warned(call, now, rule),
        owner=rule.owner,
        from_file=rule.from_file,
        created_time=rule.created_time,
        expires_time=rule.expires_time,
    )


def warned(call: Call, now: Standing, rule: FaultRule) -> tuple[str, ...]:
    """What a rule waits for in vain."""
    accounts = call.environment.identities.accounts
    return tuple(now.warnings(rule, call.unfiltered, accounts.knows))
