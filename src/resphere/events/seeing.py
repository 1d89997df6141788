"""Who sees an event: judged when it is told, by the permissions of that moment."""

from __future__ import annotations

import msgspec

from resphere.access.defaults import READ
from resphere.access.principal import Principal, Scope, canonical_name
from resphere.access.view import View
from resphere.events.event import Event
from resphere.events.places import find
from resphere.replica.table import Lookup


class Eyes(msgspec.Struct, frozen=True):
    """Somebody who reads events: what they may see now. ``user`` is the canonical name of who reads without a narrowed
    scope, and so sees what is their own."""

    inventory: Lookup
    view: View
    user: str | None

    @property
    def key(self) -> tuple[str, str | None]:
        """Whose eyes have equal keys see the same."""
        return self.view.key, self.user

    def see(self, event: Event) -> bool:
        """Whether they may be told of it.

        Of an object that is no more, those are told who see what it stood in, unless it had permissions of its own or
        what it stood in is no more either: then who sees everything, and who did it.
        """
        if event.owner is not None and self.user is not None and canonical_name(event.owner) == self.user:
            return True
        if event.private:
            return False
        if event.privilege is not None:
            return self.view.holds(event.privilege, None)
        if self.view.sees_all:
            return True
        if not event.about:
            return self.view.holds(READ, None)
        found = find(self.inventory, event.about)
        if found is not None:
            return self.view.sees(found)
        if self._did(event):
            return True
        return not event.guarded and any(
            find(self.inventory, above) is not None and self.view.holds(READ, above)
            for above in event.path[: event.near]
        )

    def _did(self, event: Event) -> bool:
        user = None if event.cause is None else event.cause.user
        return user is not None and self.user is not None and canonical_name(user) == self.user


def eyes_of(inventory: Lookup, view: View, principal: Principal) -> Eyes:
    """Those of somebody who calls."""
    is_whole = principal.scope in (None, Scope())
    return Eyes(inventory, view, canonical_name(principal.name) if is_whole else None)
