"""What all settlements work with."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.inventory.facts import Facts
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.disk_contents import with_contents
from resphere.rules.files import settle as settle_files
from resphere.rules.storage_policies import with_known_policies


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """The transaction in which an effect is settled, and the moment of that."""

    inventory: Replica
    edit: Edit
    now: datetime

    def note(self, facts: Facts) -> None:
        """As :func:`note`."""
        note(self.edit, facts)

    def put_machine(
        self, before: VirtualMachine | None, after: VirtualMachine, *, knows_contents: bool = False
    ) -> VirtualMachine:
        """Write a machine that is new or changed, whose files follow with what they hold, and whose policies are known
        ones; ``knows_contents``: ``after`` itself says what all its disks hold."""
        after = with_known_policies(self.edit, after)
        if not knows_contents:
            after = with_contents(self.inventory, before, after)
        self.edit.put(after)
        settle_files(self.inventory, self.edit, before, after)
        return after


def note(edit: Edit, facts: Facts) -> None:
    """Store the documents that a provider gives along with its facts."""
    for obj in facts.relied:
        edit.rely_on(obj)
    for obj in facts.documents:
        edit.put(obj)
    for obj in facts.dropped:
        if edit.get(type(obj), obj.id) is not None:
            edit.delete(type(obj), obj.id)


def merged(before: VirtualMachine, after: VirtualMachine, present: VirtualMachine) -> VirtualMachine:
    """``present`` with what is different in ``after``, which was made of ``before``."""
    if present is before:
        return after
    changes = {name: new for name in before.__struct_fields__ if (new := getattr(after, name)) != getattr(before, name)}
    return msgspec.structs.replace(present, **changes)
