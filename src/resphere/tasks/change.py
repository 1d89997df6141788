"""One change, one way through: decide, act, settle.

What is over at once decides and settles in one transaction. What takes time has its decision committed before a
provider acts: the task says what is under way, and names, room and ids are claimed for it. What the provider observed
is settled in a second transaction, together with the task's success; after a crash any worker asks the provider what is
true.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Generic, TypeVar

import msgspec

from resphere.contract.errors import VapiError, message
from resphere.contract.model import LocalizableMessage
from resphere.inventory.effects import AnyEffect
from resphere.inventory.facts import NOTHING, Facts
from resphere.inventory.model import ManagedObject
from resphere.providers.base import ChangedObject, NotCapable, NotReady, Outdated, Provider
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.admission import SPACE
from resphere.rules.settlement.effects import rebased, require_alive, settle
from resphere.rules.settlement.settlement import Settlement, note
from resphere.tasks.acts import act
from resphere.tasks.job import Done, Held, TaskJob
from resphere.tasks.origin import Origin
from resphere.tasks.outcomes import unforeseen

log = logging.getLogger(__name__)

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object
R = TypeVar("R")

More = Callable[[Edit, AnyEffect], AnyEffect]
"""Adds to a decided effect what has come for it since, in the transaction in which that is written."""


class Decision(msgspec.Struct, Generic[R], frozen=True):
    """What shall be done, and what the change results in unless the provider tells; ``reports``: others may read that
    in the task."""

    effect: AnyEffect
    result: R
    reports: bool = False


class Change(Generic[O, R]):
    """A change of one object on its way. ``decide`` reads the inventory, refuses, or says what shall be done; it writes
    nothing, and may be asked again.

    ``gather`` fetches what the effect needs from elsewhere, once that is decided and what it takes is claimed, and
    before anybody acts.
    """

    def __init__(
        self,
        provider: Provider,
        inventory: Replica,
        job: TaskJob[O],
        decide: Callable[[Edit, O], Decision[R]],
        gather: Callable[[], Awaitable[More]] | None = None,
    ) -> None:
        self._provider = provider
        self._inventory = inventory
        self._job = job
        self._decide = decide
        self._gather = gather

    async def carry_out(self) -> R:
        """Decide, act and settle; returns the result.

        :raises VapiError: the decision was a refusal, the provider lacks something, or the work failed or was canceled.
        """
        try:
            decided = await when_ready(lambda: self._job.decide(self._decided))
        except NotCapable as error:
            raise lacking(self._job.origin, error) from None
        if isinstance(decided, Done):
            return decided.result
        return await self._act(decided)

    def _decided(self, edit: Edit, current: O) -> Done[R] | Held:
        decision = self._decide(edit, current)
        effect, provider = decision.effect, self._provider
        act_now = act(provider.capabilities, self._job, effect)
        if not provider.capabilities.at_once:
            act_now.close()
            settle(self._settlement(edit), effect, Facts())
            return self._held(edit, decision)
        result = settle(self._settlement(edit), effect, at_once(act_now))
        if self._gather is not None or any(step.seconds > 0 for step in provider.steps(effect)):
            return self._held(edit, decision)
        return Done(decision.result if result is None else result, decision.reports)

    def _held(self, edit: Edit, decision: Decision[R]) -> Held:
        return Held(decision.effect, edit.withhold(), edit.takings(SPACE), decision.result, decision.reports)

    async def _act(self, held: Held) -> R:
        effect, provider = held.effect, self._provider
        facts: Facts | None = None
        more = await self._gather() if self._gather is not None else None
        if provider.capabilities.at_once:
            for step in provider.steps(effect):
                await self._job.spend(step.seconds)
                if step.progress is not None:
                    await self._job.progress(step.progress)
        else:
            if more is not None:
                effect = await self._job.amend(more)
            facts = await self._acted(effect)

        def plan(edit: Edit, _: O) -> R:
            present = rebased(self._inventory, edit, effect, undone=facts is None)
            if facts is None:
                require_alive(edit, present)
            if more is not None and facts is None:
                present = more(edit, present)
            seen = at_once(act(provider.capabilities, self._job, present)) if facts is None else facts
            result: R | None = settle(self._settlement(edit), present, seen, decided=effect)
            return held.result if result is None else result

        return await when_ready(lambda: self._job.complete(plan, reports=held.reports, is_done=facts is not None))

    async def _acted(self, effect: AnyEffect) -> Facts:
        """The facts of a provider that acts outside.

        :raises VapiError: nothing was done.
        """
        self._job.is_uncertain = True
        try:
            return await act(self._provider.capabilities, self._job, effect)
        except VapiError:
            raise
        except NotCapable as error:
            raise lacking(self._job.origin, error) from None
        except Exception:
            log.exception("%s failed in the provider, which is asked what has become of it", type(effect).__name__)
        facts = await self._provider.observe(self._job.id, effect)
        if facts is None:
            raise unforeseen()
        return facts

    def _settlement(self, edit: Edit) -> Settlement:
        return Settlement(self._inventory, edit, self._job.now())


class Together(msgspec.Struct, Generic[R], frozen=True):
    """What shall be done as one, and what that results in."""

    effects: tuple[AnyEffect, ...]
    result: R


async def carry_out_together(
    provider: Provider, inventory: Replica, job: TaskJob[O], decide: Callable[[Edit, O], Together[R]], lacks: str
) -> R:
    """Have several effects come true in one transaction, or none; what ``decide`` writes besides goes with them.

    ``lacks`` is the sentence by which it is refused where a provider acts outside: nobody could take back a half.

    :raises VapiError: the decision was a refusal, the provider cannot do that, or the work was canceled.
    """
    if not provider.capabilities.at_once:
        raise lacking(job.origin, NotCapable(lacks))

    def plan(edit: Edit, current: O) -> Together[R]:
        decided = decide(edit, current)
        for effect in decided.effects:
            seen = at_once(act(provider.capabilities, job, effect))
            settle(Settlement(inventory, edit, job.now()), effect, seen)
        return decided

    considered = await when_ready(lambda: job.consider(plan))
    for effect in considered.effects:
        for step in provider.steps(effect):
            await job.spend(step.seconds)
    return await when_ready(lambda: job.complete(lambda edit, current: plan(edit, current).result, reports=True))


async def when_ready(attempt: Callable[[], Awaitable[R]]) -> R:
    """What ``attempt`` comes to once all is at hand that the provider asks for, or was outdated no more than once."""
    hindrance: NotReady | Outdated
    try:
        return await attempt()
    except (NotReady, Outdated) as first:
        hindrance = first
    outdated = False
    async with AsyncExitStack() as at_hand:
        while True:
            if isinstance(hindrance, NotReady):
                await at_hand.enter_async_context(hindrance.ready)
            elif outdated:
                raise hindrance
            else:
                outdated = True
            try:
                return await attempt()
            except (NotReady, Outdated) as again:
                hindrance = again


async def change_inventory(provider: Provider, job: TaskJob[O], plan: Callable[[Edit, O], R]) -> R:
    """Change what stands in the inventory and needs no machine's doing: ``plan`` decides and writes.

    A provider that wants to hear of it gets what changes as pairs before that is committed, and may refuse; where it
    has become something else meanwhile, the provider hears that too. What is refused anyway it never hears.
    """
    wants = provider.capabilities.inventory_changes
    if wants is None:
        return await job.complete(plan)
    numbers: list[int] = []

    def propose(edit: Edit, current: O) -> tuple[ChangedObject, ...]:
        edit.repeat(numbers)
        return proposed(edit, plan(edit, current))

    heard = await job.consider(propose)
    # From here on the object is busy, and the task is there to be seen.
    await job.begin()
    while True:
        facts = await wants.change(job, heard) if heard else NOTHING

        def commit(edit: Edit, current: O, heard: tuple[ChangedObject, ...] = heard, facts: Facts = facts) -> R:
            edit.repeat(numbers)
            result = plan(edit, current)
            if proposed(edit, result) != heard:
                raise Outdated
            note(edit, facts)
            return result

        try:
            return await job.complete(commit)
        except Outdated:
            heard = await job.consider(propose)


def proposed(edit: Edit, _result: object) -> tuple[ChangedObject, ...]:
    """The objects of the inventory that ``edit`` changes."""
    return tuple(
        [
            ChangedObject(before=before, after=after)
            for before, after in edit.changes()
            if isinstance(before, ManagedObject | None) and isinstance(after, ManagedObject | None)
        ]
    )


def at_once(act_now: Coroutine[Any, Any, Facts]) -> Facts:
    """The facts of a provider that never waits."""
    try:
        act_now.send(None)
    except StopIteration as over:
        facts: Facts = over.value
        return facts
    act_now.close()
    raise RuntimeError("a provider that answers at once has waited")


def lacking(origin: Origin, error: NotCapable) -> VapiError:
    """The refusal of what the provider cannot do, as the operation declares it."""
    return origin.lacking(lacking_message(error))


def lacking_message(error: NotCapable) -> LocalizableMessage:
    """The provider's own sentence."""
    return message("resphere.provider.lacking", "{0}", error.why)
