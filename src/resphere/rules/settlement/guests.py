"""What was done inside guests: it is a provider's own matter, and results in what that says."""

from __future__ import annotations

from typing import Any

from resphere.inventory.effects import (
    AgreeOnTransfer,
    ChangeGuestFile,
    EndDownload,
    EndProcess,
    EndUpload,
    StartProcess,
)
from resphere.inventory.facts import Facts
from resphere.rules.settlement.settlement import Settlement

Inside = ChangeGuestFile | StartProcess | EndProcess | AgreeOnTransfer | EndDownload | EndUpload


def done(s: Settlement, effect: Inside, facts: Facts, decided: Inside) -> Any:
    """The provider's documents are stored; the machine is where and what it was."""
    s.edit.rely_on(effect.vm)  # the documents refer to it, but its state is what allows it
    s.note(facts)
    return facts.result
