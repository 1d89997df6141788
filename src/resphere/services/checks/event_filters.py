"""What filters of events let through, those of readers, of webhooks and of schedules."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.events import Events
from resphere.contract.extensions.schedules import Schedules
from resphere.contract.extensions.webhooks import Webhooks
from resphere.events.event import Kind
from resphere.events.filters import ALL, Wanted
from resphere.events.places import find
from resphere.services.call import Call


def wanted_of(call: Call, filter: Events.FilterSpec | Webhooks.FilterSpec | Schedules.EventFilter | None) -> Wanted:
    """What the filter lets through.

    :raises NotFound: the caller sees no such branch.
    """
    if filter is None:
        return ALL
    if filter.branch is not None:
        branch = find(call.unfiltered, filter.branch)
        if branch is None or not call.view.sees(branch):
            raise NotFound(message("resphere.events.branch", "There is no object {0} to look below.", filter.branch))
    kinds = None if filter.kinds is None else frozenset(Kind(each) for each in filter.kinds)
    return Wanted(kinds=kinds, types=filter.types, objects=filter.objects, branch=filter.branch)
