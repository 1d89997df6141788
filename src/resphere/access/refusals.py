"""The refusal of what a caller may not do."""

from __future__ import annotations

from resphere.contract.errors import Unauthorized, message
from resphere.inventory.model import ROOT_FOLDER


def no_privileges(privilege: str, target: str | None, vcenter: str) -> Unauthorized:
    """The caller lacks ``privilege`` on the object ``target``; ``None``: on the root folder.

    Id and argument as two real vCenter servers wrote them, with the instance UUID ``vcenter`` of the server after the
    object's id: ``object: vm-111:d6e608b5-3ba4-45a1-a7a9-76bc0879e33c privileges: System.Read``. The text
    around the argument was altered in both records; a parenthesis after the privilege was left of it.
    """
    return Unauthorized(
        message(
            "vapi.authz.error.no.privs",
            "The user does not have sufficient privileges ({0})",
            f"object: {target or ROOT_FOLDER}:{vcenter} privileges: {privilege}",
        ),
        privilege=privilege,
    )
