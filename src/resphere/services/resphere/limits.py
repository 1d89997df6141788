"""``resphere.limits``: what the caller may do, and how much is left of it."""

from __future__ import annotations

from resphere.contract.extensions.limits import Limits
from resphere.limits.limits import Standing
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Limits.get)
async def get(call: Call) -> Limits.Info:
    """The rules, and what they have room for, as it was after this call."""
    allowance = call.allowance()
    at_once = allowance.concurrency
    return Limits.Info(
        rates=tuple(map(rate, allowance.rates)),
        concurrency=Limits.Concurrency(
            per_user=at_once.per_user,
            total=at_once.total,
            waiting_per_user=at_once.waiting_per_user,
            waiting=at_once.waiting,
        ),
    )


def rate(standing: Standing) -> Limits.Rate:
    """One rule."""
    rule = standing.rule
    return Limits.Rate(
        name=rule.title,
        per=rule.per.value,
        operation_class=rule.class_,
        operation=rule.operation,
        per_second=rule.per_second,
        burst=rule.burst,
        remaining=standing.left,
    )
