"""What is a caller's own, such as sessions and API tokens: looked up among that first, and beyond it by a privilege."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from resphere.access.refusals import no_privileges
from resphere.contract.errors import NotFound
from resphere.services.call import Call

TERMINATE = "Sessions.TerminateSession"


class Handled(Protocol):
    """What people call by a handle."""

    @property
    def handle(self) -> str:
        """What it is called."""


H = TypeVar("H", bound=Handled)


def may_end(call: Call) -> bool:
    """Whether the caller may end everybody's sessions and API tokens."""
    return call.view.holds(TERMINATE, None)


def require_handled(
    call: Call, handle: str, own: Iterable[H], by_handle: Callable[[str], H | None], absent: Callable[[], NotFound]
) -> H:
    """The one of that handle: the caller's own, or of whoever may end everybody's, anyone's.

    :raises NotFound: there is none, as ``absent`` says it.
    :raises Unauthorized: there may be, and it is not the caller's.
    """
    for each in own:
        if each.handle == handle:
            return each
    if not may_end(call):
        raise no_privileges(TERMINATE, None, call.vcenter)
    found = by_handle(handle)
    if found is None:
        raise absent()
    return found
