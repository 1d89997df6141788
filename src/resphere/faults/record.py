"""Rules as documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from resphere.contract.errors import UnableToAllocateResource, message
from resphere.contract.extensions.faults import Faults
from resphere.faults.language import MOST_ORDER
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading, Table

MOST_RULES = 500


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule. ``mark`` is what its calls are counted by, and ``seed`` what they are drawn by; ``owner`` made it.

    ``from_file``: it is of the file that the server was started with.
    """

    kind: ClassVar[str] = "fault_rule"

    id: str
    rule: Faults.Rule
    order: int
    mark: int
    seed: int
    owner: str
    created_time: datetime
    expires_time: datetime | None = None
    from_file: bool = False

    def is_over(self, moment: datetime) -> bool:
        """Whether its time has passed."""
        return self.expires_time is not None and moment >= self.expires_time


FAULT_RULES = Table(cls=FaultRule, revises=False)


def place_of(rule: FaultRule) -> tuple[int, datetime, str]:
    """Its place among all: the least decides first."""
    return rule.order, rule.created_time, rule.id


def in_order(among: Reading) -> list[FaultRule]:
    """All rules, in the order in which they are asked."""
    return sorted(among.all(FaultRule).values(), key=place_of)


def last_order(among: Reading) -> int:
    """The order of a rule that comes after all that are there."""
    orders = [each.order for each in among.all(FaultRule).values()]
    return min(max(orders, default=-1) + 1, MOST_ORDER)


def end_of(rule: Faults.Rule, begin: datetime) -> datetime | None:
    """When a rule that begins then is over, ``None`` where it is not."""
    return None if rule.lasts_seconds is None else begin + timedelta(seconds=rule.lasts_seconds)


def begun(
    id: str,
    rule: Faults.Rule,
    order: int,
    owner: str,
    moment: datetime,
    random_bytes: Callable[[int], bytes],
    *,
    from_file: bool = False,
) -> FaultRule:
    """A rule that begins at that moment, and whose calls count from then on."""
    return FaultRule(
        id=id,
        rule=rule,
        order=order,
        mark=number_of(random_bytes) + 1,
        seed=number_of(random_bytes) if rule.seed is None else rule.seed,
        owner=owner,
        created_time=moment,
        expires_time=end_of(rule, moment),
        from_file=from_file,
    )


def number_of(random_bytes: Callable[[int], bytes]) -> int:
    """A number that nobody guesses, below 2**56."""
    return int.from_bytes(random_bytes(7), "little")


def add_rule(
    edit: Edit, among: Replica, id: str, rule: Faults.Rule, owner: str, moment: datetime, random: Callable[[int], bytes]
) -> FaultRule:
    """A new rule, after all that are there unless it says another place.

    :raises UnableToAllocateResource: there are too many.
    """
    if among.count(FaultRule) >= MOST_RULES:
        raise UnableToAllocateResource(
            message("resphere.faults.too_many", "There are {0} rules for faults, no more are kept.", MOST_RULES)
        )
    order = last_order(among) if rule.order is None else rule.order
    made = begun(id, rule, order, owner, moment, random)
    edit.put(made)
    return made


def delete_all(edit: Edit, among: Reading) -> None:
    """Have no rules."""
    for id in list(among.all(FaultRule)):
        if edit.get(FaultRule, id) is not None:
            edit.delete(FaultRule, id)


def replace_file_rules(edit: Edit, among: Reading, rules: tuple[FaultRule, ...]) -> None:
    """Have these be the rules of the file, in place of those that were."""
    for each in list(among.all(FaultRule).values()):
        if each.from_file and edit.get(FaultRule, each.id) is not None:
            edit.delete(FaultRule, each.id)
    for rule in rules:
        edit.put(rule)
