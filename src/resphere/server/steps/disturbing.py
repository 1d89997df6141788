"""The step that has a call fail, or its answer not come, where somebody asked for that to test clients."""

from __future__ import annotations

from resphere.access.defaults import LOGINS
from resphere.contract.extensions.faults import MANAGE
from resphere.dialects.base import Resolved
from resphere.faults.rules import Target
from resphere.server.exchange import ANYBODY, Caller, Exchange
from resphere.server.steps.equipment import Equipment
from resphere.server.steps.inputs import Input


async def disturb(pipeline: Equipment, exchange: Exchange, caller: Caller, resolved: Resolved, input: Input) -> None:
    """Delay the call, have it fail, or note what becomes of its answer. Costs a look where there are no rules."""
    if pipeline.faults.active:
        await pipeline.faults.disturb(exchange, target_of(caller, resolved, input))


def target_of(caller: Caller, resolved: Resolved, input: Input) -> Target:
    """The call as rules look at it."""
    about = [*resolved.parameters.values()]
    about += [each.target for each in input.references if each.target is not None]
    user = "" if caller is ANYBODY else caller.session.user
    manages = all(caller.view.holds(privilege, None) for each in MANAGE for privilege in each.privileges)
    return Target(resolved.operation.id, user, about, resolved.operation.id in LOGINS, manages)
