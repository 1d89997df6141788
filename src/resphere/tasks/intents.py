"""What is decided and under way: whom it keeps away, and what is left of it where it comes to nothing."""

from __future__ import annotations

from datetime import datetime

from resphere.contract.errors import VapiError
from resphere.contract.mentions import nothing
from resphere.inventory.effects import AnyEffect, CustomizeGuest, Intent
from resphere.inventory.model import VirtualMachine
from resphere.inventory.outcomes import doomed, source_of
from resphere.inventory.tables import going_claim
from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference
from resphere.replica.replica import Replica
from resphere.rules.guests.customization import finished
from resphere.rules.under_way import needing
from resphere.tasks.origin import Origin
from resphere.tasks.outcomes import busy_messages, needed_messages
from resphere.tasks.record import Task


def release(edit: Edit, task_id: str, error: VapiError, now: datetime) -> None:
    """Give up what was claimed for the task, which ``error`` has ended; a customization is kept as failed,
    with a text that is everybody's who sees the VM."""
    intent = edit.get(Intent, task_id)
    if intent is None:
        return
    edit.delete(Intent, task_id)
    effect = intent.effect
    if isinstance(effect, CustomizeGuest) and edit.get(VirtualMachine, effect.vm.id) is not None:
        edit.put(finished(effect.vm.id, now, started=effect.began, error=str(error.addressed(nothing)), live=True))


def require_undisturbed(inventory: Replica, edit: Edit, origin: Origin, effect: AnyEffect) -> None:
    """Refuse work that takes time where it would take away a machine that other such work needs, or need one that
    other such work takes away; have it fail where that comes to be meanwhile.

    :raises VapiError: ``origin.in_use`` or ``origin.busy``.
    """
    vm = doomed(effect)
    if vm is not None:
        for intent in inventory.by(Intent, "machine", vm).values():
            require_unneeded_by(inventory, edit, origin, intent, f"{VirtualMachine.kind}/{vm}")
        edit.rely_on_referrers(vm)
    source = source_of(effect)
    if source is not None:
        for identity in inventory.by(Intent, "claim", going_claim(source.id)):
            task = edit.get(Task, identity)
            if task is not None:
                raise origin.busy(*busy_messages(task))
        edit.vacant(going_claim(source.id))


def require_kept(inventory: Replica, edit: Edit, origin: Origin) -> None:
    """Refuse a change that is not written yet where it deletes what work under way needs.

    :raises VapiError: ``origin.in_use``.
    """
    for before, after in edit.changes():
        if before is not None and after is None:
            for intent in needing(inventory, before):
                require_unneeded_by(inventory, edit, origin, intent, f"{before.kind}/{before.id}")


def require_unneeded_by(inventory: Replica, edit: Edit, origin: Origin, intent: Intent, target: str) -> None:
    """Refuse to take away ``target`` (kind and id) because of an intent, if that is one still.

    :raises VapiError: ``origin.in_use``.
    """
    task = inventory.get(Task, intent.id)
    if task is not None and edit.get(Intent, intent.id) is not None:
        raise origin.in_use(*needed_messages(task, target))


def in_use(inventory: Replica, origin: Origin, error: BrokenReference) -> VapiError | None:
    """The refusal to delete what work under way needs; ``None`` where the error is about anything else."""
    kind, _, identity = error.referrer.partition("/")
    task = inventory.get(Task, identity) if kind == Intent.kind else None
    return None if task is None else origin.in_use(*needed_messages(task, error.target))
