"""What was decided and has come to nothing, or to something that nobody has settled."""

from __future__ import annotations

from datetime import datetime

from resphere.contract.errors import VapiError
from resphere.inventory.effects import CustomizeGuest, Intent
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.guests.customization import finished


def release(edit: Edit, task_id: str, error: VapiError, now: datetime) -> None:
    """Give up what was claimed for the task, which ``error`` has ended; a customization is kept as failed."""
    intent = edit.get(Intent, task_id)
    if intent is None:
        return
    edit.delete(Intent, task_id)
    effect = intent.effect
    if isinstance(effect, CustomizeGuest) and edit.get(VirtualMachine, effect.vm.id) is not None:
        edit.put(finished(effect.vm.id, now, started=effect.began, error=str(error), live=True))
