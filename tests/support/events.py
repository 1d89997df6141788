"""What the journal of a test's world tells."""

from __future__ import annotations

from resphere.events.heard import Heard
from tests.support.world import World


def told(world: World, after: int = 0) -> tuple[Heard, ...]:
    """The events after that number."""
    return world.run(world.environment.feed.since(after, 10_000)).events


def latest(world: World) -> int:
    """The number of the latest event."""
    return world.run(world.environment.feed.latest())


def types(events: tuple[Heard, ...]) -> list[str]:
    """What happened, by the names of the events."""
    return [each.event.type for each in events]
