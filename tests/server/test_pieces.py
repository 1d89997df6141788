"""Long lists in pieces: the same document as a whole one, whatever has changed, at the cost of what has changed."""

from __future__ import annotations

import gzip
import random
from functools import partial
from typing import Any

import pytest

from resphere.auth.credentials import NO_CREDENTIALS
from resphere.contract.catalogue import Catalogue
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.lookup import api_routes, rest_routes
from resphere.contract.model import Parted
from resphere.dialects.api import ApiDialect
from resphere.dialects.base import Dialect, Reply, Resolved
from resphere.dialects.gzip_member import gzip_extended
from resphere.dialects.jsonrpc import JsonRpcDialect
from resphere.dialects.rest import RestDialect
from resphere.server.kept import Kept
from resphere.server.pieces import Pieces

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


Parts = tuple[tuple[vcenter.VM.Summary, ...], ...]


def parts_of(numbers: range, size: int = 100) -> Parts:
    begins = range(0, len(numbers), size)
    return tuple(tuple(vm(number) for number in numbers[begin : begin + size]) for begin in begins)


def changed(parts: Parts, chance: random.Random) -> Parts:
    """Some parts replaced, added or taken away; one is left."""
    at, to = sorted(chance.choices(range(len(parts) + 1), k=2))
    new = parts_of(range(chance.randrange(10**6, 10**7))[: chance.randrange(300)], chance.randrange(1, 100))
    return (*parts[:at], *new, *parts[to:]) or parts


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_after_any_changes_it_is_the_whole_document(dialect: Dialect) -> None:
    chance = random.Random(1)
    encode = partial(dialect.encode, LISTED)
    parts = parts_of(range(1000))
    pieces = Pieces()
    for _ in range(100):
        pieces.take(parts, encode(()).body, lambda some: encode(some).body)
        whole = encode(Parted(parts).whole()).body
        assert pieces.plain() == whole
        assert gzip.decompress(pieces.gzipped()) == whole
        assert gzip.decompress(gzip_extended(pieces.gzipped(), b"tail")) == whole + b"tail"
        parts = changed(parts, chance)


EMPTY = DIALECTS[0].encode(LISTED, ()).body


class Writer:
    """Writes lists, and counts their items."""

    def __init__(self) -> None:
        self.written = 0

    def __call__(self, items: tuple[Any, ...]) -> bytes:
        self.written += len(items)
        return DIALECTS[0].encode(LISTED, items).body


def test_what_has_not_changed_is_not_written_again() -> None:
    parts = parts_of(range(1000))
    other = parts_of(range(5000, 5100))
    pieces, write = Pieces(), Writer()
    pieces.take(parts, EMPTY, write)
    assert write.written == 1000
    for now, written in (
        (parts, 0),
        ((*parts[:3], *other, *parts[4:]), 100),
        (parts, 100),
        ((*parts[:5], *parts[6:]), 0),
        ((*parts[:5], *parts[6:], *other), 100),
        # The first has no comma before it.
        (parts[1:5], 100),
        ((*other, *parts[1:5]), 200),
    ):
        write.written = 0
        pieces.take(now, EMPTY, write)
        assert write.written == written


def test_the_pieces_of_few_lists_are_kept() -> None:
    parts = parts_of(range(1000))
    body = DIALECTS[0].encode(LISTED, Parted(parts).whole()).body
    kept = Kept(pieces_limit_bytes=4 * len(body))
    writer = Writer()

    def listed(name: str) -> Reply:
        return kept.listed((name,), lambda some: Reply(200, writer(some)), parts, gzip=False)

    for number in range(10):
        assert listed(str(number)).body == body
        listed("0")
    for name, anew in (("0", False), ("9", False), ("1", True)):
        writer.written = 0
        listed(name)
        assert (writer.written > 0) is anew, name
