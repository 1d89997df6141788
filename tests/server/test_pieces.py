"""Long lists in pieces: the same document as a whole one, whatever has changed, at the cost of what has changed."""

from __future__ import annotations

import gzip
import random
from functools import partial
from typing import Any

import pytest

from resphere.contract.catalogue import Catalogue
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.lookup import api_routes, rest_routes
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import NO_CREDENTIALS, Dialect, Reply, Resolved
from resphere.dialects.gzip_member import gzip_extended
from resphere.dialects.jsonrpc import JsonRpcDialect
from resphere.dialects.rest import RestDialect
from resphere.server.kept import Kept
from resphere.server.pieces import FEWEST_ITEMS, ITEMS, Pieces, is_long_list

DIALECTS: list[Dialect] = [
    ApiDialect(api_routes()),
    RestDialect(rest_routes()),
    JsonRpcDialect(1_000_000, Catalogue()),
]
LISTED = Resolved(vcenter.VM.list, NO_CREDENTIALS, {})


def vm(number: int) -> vcenter.VM.Summary:
    states = list(Power.State)
    return vcenter.VM.Summary(
        vm=ids.VirtualMachineId(f"vm-{number}"), name=f"web [] {number}", power_state=states[number % len(states)]
    )


def changed(items: list[Any], chance: random.Random) -> None:
    """Change one, add one, or take some away."""
    at = chance.randrange(len(items))
    match chance.randrange(6):
        case 0:
            items.insert(at, vm(chance.randrange(10**6)))
        case 1:
            items.append(vm(chance.randrange(10**6)))
        case 2:
            del items[at]
        case 3:
            del items[at : at + chance.randrange(2 * ITEMS)]
        case 4:
            items[at : at + 3] = [vm(chance.randrange(10**6)) for _ in range(chance.randrange(3 * ITEMS))]
        case _:
            items[at] = vm(chance.randrange(10**6))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_after_any_changes_it_is_the_whole_document(dialect: Dialect) -> None:
    chance = random.Random(1)
    encode = partial(dialect.encode, LISTED)
    items = [vm(number) for number in range(5 * ITEMS)]
    pieces = Pieces()
    for _ in range(60):
        pieces.take(tuple(items), lambda some: encode(some).body)
        whole = encode(tuple(items)).body
        assert pieces.plain() == whole
        assert gzip.decompress(pieces.gzipped()) == whole
        assert gzip.decompress(gzip_extended(pieces.gzipped(), b"tail")) == whole + b"tail"
        changed(items, chance)
        items += [vm(chance.randrange(10**6)) for _ in range(2 - len(items))]


class Writer:
    """Writes lists, and counts their items."""

    def __init__(self) -> None:
        self.written = 0

    def __call__(self, items: tuple[Any, ...]) -> bytes:
        self.written += len(items)
        return DIALECTS[0].encode(LISTED, items).body


@pytest.mark.parametrize("at", [0, 1, 2, ITEMS, ITEMS + 1, 9 * ITEMS, 10 * ITEMS - 1])
def test_what_has_not_changed_is_not_written_again(at: int) -> None:
    items = [vm(number) for number in range(10 * ITEMS)]
    pieces, write = Pieces(), Writer()
    new = vm(10**6)
    for now in ([*items[:at], new, *items[at + 1 :]], [*items[:at], new, *items[at:]], [*items[:at], *items[at + 1 :]]):
        pieces.take(tuple(items), write)
        write.written = 0
        pieces.take(tuple(now), write)
        assert write.written <= 3 * ITEMS


def test_a_list_that_grows_has_no_more_pieces_than_another_of_its_length() -> None:
    items = [vm(number) for number in range(ITEMS)]
    grown, write = Pieces(), Writer()
    for number in range(ITEMS, 4 * ITEMS):
        items.append(vm(number))
        grown.take(tuple(items), write)
    at_once = Pieces()
    at_once.take(tuple(items), write)
    assert len(grown) <= 3 * len(at_once)


def test_what_is_long() -> None:
    assert is_long_list((1,) * FEWEST_ITEMS)
    assert not is_long_list((1,) * (FEWEST_ITEMS - 1))
    assert not is_long_list("x" * FEWEST_ITEMS)
    assert not is_long_list(None)


def test_the_pieces_of_few_lists_are_kept() -> None:
    items = tuple(vm(number) for number in range(FEWEST_ITEMS))
    size_bytes = len(DIALECTS[0].encode(LISTED, items).body)
    kept = Kept(pieces_limit_bytes=4 * size_bytes)
    writer = Writer()

    def listed(name: str) -> Reply:
        return kept.listed((name,), lambda some: Reply(200, writer(some)), items, gzip=False)

    for number in range(10):
        assert listed(str(number)).body == DIALECTS[0].encode(LISTED, items).body
        listed("0")
    for name, anew in (("0", False), ("9", False), ("1", True)):
        writer.written = 0
        listed(name)
        assert (writer.written > 1) is anew, name
