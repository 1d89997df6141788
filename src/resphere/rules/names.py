"""Names of things to be made: which are allowed, and which are taken."""

from __future__ import annotations

from resphere.contract.errors import AlreadyExists, InvalidArgument, message, vim_message
from resphere.inventory.effects import Intent
from resphere.inventory.model import ManagedObject
from resphere.inventory.relations import CHILD_CLASSES
from resphere.inventory.tables import name_claim
from resphere.replica.replica import Replica

LONGEST_NAME = 80


def require_name(name: str, what: str) -> None:
    """Refuse a name that no object may have.

    :raises InvalidArgument: it is empty or too long, or has a NUL character.
    """
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        raise InvalidArgument(
            message(
                "resphere.inventory.name",
                "The name of a {0} must have 1 to {1} characters, none of them NUL, and {2} were given.",
                what,
                LONGEST_NAME,
                len(name),
            )
        )


def require_free(inventory: Replica, parent: ManagedObject, name: str, but: str | None = None) -> None:
    """Refuse a name that another child of ``parent`` has, of whatever kind; ``but`` is the id of the one that may.

    :raises AlreadyExists: the name is taken. vSphere's own message, as for every duplicate name.
    """
    if not is_free(inventory, parent, name, but):
        raise AlreadyExists(vim_message("vmsg.DuplicateName.summary", "The name '{0}' already exists.", name))


def is_free(inventory: Replica, parent: ManagedObject, name: str, but: str | None = None) -> bool:
    """Whether no child of ``parent`` has the name, of whatever kind, except the one with the id ``but``.

    One that is decided and under way has its name already.
    """
    if inventory.by(Intent, "claim", name_claim(parent.id, name)):
        return False
    return not any(
        other.parent == parent.id and other.id != but
        for cls in CHILD_CLASSES
        for other in inventory.by(cls, "name", name).values()
    )
