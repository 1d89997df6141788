"""Which events somebody wants to hear of."""

from __future__ import annotations

import msgspec

from resphere.events.event import Event, Kind


class Wanted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Events that meet all that is set: of one of the ``kinds`` and of the ``types``, about one of the ``objects``, of
    what is the object ``branch`` or stands in it (or did, when it happened)."""

    kinds: frozenset[Kind] | None = None
    types: frozenset[str] | None = None
    objects: frozenset[str] | None = None
    branch: str | None = None

    def has(self, event: Event) -> bool:
        """Whether the event is one of them."""
        return (
            (self.kinds is None or event.kind in self.kinds)
            and (self.types is None or event.type in self.types)
            and (self.objects is None or is_about(event, self.objects))
            and (self.branch is None or event.about == self.branch or self.branch in event.path)
        )


ALL = Wanted()


def is_about(event: Event, objects: frozenset[str]) -> bool:
    """Whether what changed, or what that is about, is one of the objects."""
    return (
        event.object.id in objects
        or event.about in objects
        or (event.target is not None and event.target.id in objects)
    )
