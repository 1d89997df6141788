"""The refusal of what a caller may not do."""

from __future__ import annotations

from resphere.contract.errors import Unauthorized, message
from resphere.contract.mentions import Mention
from resphere.inventory.model import ROOT_FOLDER, ManagedObject

NO_PRIVILEGES = "vapi.authz.error.no.privs"
TEXT = "The user does not have sufficient privileges ({0})"


def may_not_use(privilege: str, obj: ManagedObject, vcenter: str) -> Unauthorized:
    """The caller lacks ``privilege`` on the object ``obj``, which it did not name and may not even know of."""
    mention = Mention(obj.id, lacked(obj.id, vcenter, privilege))
    return Unauthorized(message(NO_PRIVILEGES, TEXT, mention), privilege=privilege)


def lacked(object: str, vcenter: str, privilege: str) -> str:
    """The argument of the refusal."""
    return f"object: {object}:{vcenter} privileges: {privilege}"


def no_privileges(privilege: str, target: str | None, vcenter: str) -> Unauthorized:
    """The caller lacks ``privilege`` on the object ``target``; ``None``: on the root folder.

    Id and argument as two real vCenter servers wrote them, with the instance UUID ``vcenter`` of the server after the
    object's id: ``object: vm-111:d6e608b5-3ba4-45a1-a7a9-76bc0879e33c privileges: System.Read``. The text
    around the argument was altered in both records; a parenthesis after the privilege was left of it.
    """
    return Unauthorized(
        message(
            NO_PRIVILEGES,
            TEXT,
            lacked(target or ROOT_FOLDER, vcenter, privilege),
        ),
        privilege=privilege,
    )
