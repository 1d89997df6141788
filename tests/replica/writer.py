"""A process that changes a store at random until it is killed: ``python -m tests.replica.writer <path> <seed>``.

It prints a line for each change, after the change was acknowledged: ``<pair> <value>`` for one of a pair, else ``-``.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange
from resphere.replica.replica import Replica
from tests.replica.worlds import Item, opened, put

PAIRS = 3
PLACES = 3
MOVED = 9
AT_ONCE = 4


def twins(pair: int) -> tuple[str, str]:
    return f"left-{pair}", f"right-{pair}"


def first_state() -> list[Item]:
    """Twins with equal values; places that count what stands in them; things that move between places."""
    pairs = [Item(id=id, name=id) for pair in range(PAIRS) for id in twins(pair)]
    places = [Item(id=f"place-{n}", name=f"place-{n}", value=MOVED if n == 0 else 0) for n in range(PLACES)]
    return [*pairs, *places, *(Item(id=f"thing-{n}", name=f"name-{n}", parent="place-0") for n in range(MOVED))]


def check(replica: Replica) -> None:
    """No change is visible by half.

    :raises AssertionError: one is.
    """
    for pair in range(PAIRS):
        left, right = (_need(replica, id) for id in twins(pair))
        assert left.value == right.value, (left, right)
        assert left.name.endswith(f"/{left.value}") or left.value == 0, left
    things = 0
    for n in range(PLACES):
        place = _need(replica, f"place-{n}")
        inside = replica.by(Item, "parent", place.id)
        assert place.value == len(inside), (place, dict(inside))
        assert len({item.name for item in inside.values()}) == len(inside), dict(inside)
        things += len(inside)
    assert things == MOVED
    notes = {id: item for id, item in replica.all(Item).items() if id.startswith("note-")}
    assert all(_need(replica, item.parent) for item in notes.values())


def _need(replica: Replica, id: str) -> Item:
    item = replica.get(Item, id)
    assert item is not None, id
    return item


def _read(edit: Edit, id: str) -> Item:
    item = edit.get(Item, id)
    assert item is not None, id
    return item


def count(pair: int) -> Callable[[Edit], str]:
    """Twins change together."""

    def plan(edit: Edit) -> str:
        value = _read(edit, twins(pair)[0]).value + 1
        for id in twins(pair):
            edit.put(msgspec.structs.replace(_read(edit, id), name=f"{id}/{value}", value=value))
        return f"{pair} {value}"

    return plan


def move(thing: str, place: str, name: str, replica: Replica) -> Callable[[Edit], str]:
    """A thing moves, or gets a name that is free where it goes; the places count."""

    def plan(edit: Edit) -> str:
        item = _read(edit, thing)
        if any(other.name == name and other.id != thing for other in replica.by(Item, "parent", place).values()):
            return "-"
        edit.put(msgspec.structs.replace(item, parent=place, name=name))
        for id, step in ((item.parent, -1), (place, 1)):
            counted = _read(edit, id)
            edit.put(msgspec.structs.replace(counted, value=counted.value + step))
        return "-"

    return plan


def note(thing: str, id: str, replica: Replica) -> Callable[[Edit], str]:
    """A note comes to a thing, and the oldest goes."""

    def plan(edit: Edit) -> str:
        edit.rely_on(_read(edit, thing))
        edit.put(Item(id=edit.new_id("note-"), name=id, parent=thing))
        for old in list(replica.by(Item, "parent", thing))[:-2]:
            edit.delete(Item, old)
        return "-"

    return plan


async def _one(replica: Replica, rng: random.Random) -> None:
    thing = f"thing-{rng.randrange(MOVED)}"
    plans = [
        count(rng.randrange(PAIRS)),
        move(thing, f"place-{rng.randrange(PLACES)}", f"name-{rng.randrange(MOVED + 3)}", replica),
        note(thing, f"{rng.random()}", replica),
    ]
    try:
        line = await replica.change(rng.choice(plans))
    except ConcurrentChange:
        line = "-"
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def main(path: Path, seed: int) -> None:
    """Change the store until killed."""
    rng = random.Random(seed)
    async with opened(path, seed=seed) as replica:

        def begin(edit: Edit) -> None:
            if edit.get(Item, "left-0") is None:
                put(*first_state())(edit)

        await replica.change(begin)
        while True:
            await asyncio.gather(*(_one(replica, rng) for _ in range(AT_ONCE)))
            check(replica)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
