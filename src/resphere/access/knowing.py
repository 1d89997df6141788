"""Of which objects a caller may know."""

from __future__ import annotations

from resphere.access.defaults import VIEW
from resphere.access.view import View
from resphere.contract.mentions import Knows, everything


def viewed_by(view: View) -> Knows:
    """The objects whose names the caller may read, which needs ``System.View``: what is seen, and all that it stands
    in."""
    return everything if view.sees_all else lambda id: view.holds(VIEW, id)


def told_to(view: View) -> Knows:
    """The objects that refusals of the caller's own requests name: those, and what the caller wanted to be there, and
    what is no more, which nobody can look up."""
    return everything if view.sees_all else lambda id: view.holds(VIEW, id) or view.lacks(id)
