"""Orders of lists: found by every worker, kept for a while, bounded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resphere.queries.ordering import Column
from resphere.server import list_orders
from resphere.server.list_orders import KEPT_SECONDS, MOST_REMEMBERED, WRITES_BETWEEN_TIDYING, KeptOrders

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def keep(orders: KeptOrders, *identifiers: str) -> str:
    return asyncio.run(orders.keep(identifiers, ()))


def find(orders: KeptOrders, name: str) -> list[str] | None:
    return asyncio.run(orders.find(name))


def test_every_worker_finds_them(tmp_path: Path) -> None:
    clock = Clock()
    one, other = KeptOrders(tmp_path / "orders", clock), KeptOrders(tmp_path / "orders", clock)
    name = keep(one, "vm-2", "vm-1", "ä\n")
    assert find(one, name) == find(other, name) == ["vm-2", "vm-1", "ä\n"]
    assert keep(other, "vm-2", "vm-1", "ä\n") == name != keep(other, "vm-1", "vm-2", "ä\n")
    assert len(list((tmp_path / "orders").iterdir())) == 2
    columns = (Column([True, True, False, None], True), Column([None, NOW, None, None], False))
    assert find(other, asyncio.run(one.keep(["a", "b", "c", "d"], columns))) == ["a", "b", "c", "d"]
    later = Column([NOW + timedelta(milliseconds=1), NOW, NOW - timedelta(days=1), None], False)
    assert find(other, asyncio.run(one.keep(["a", "b", "c", "d"], (later,)))) == ["d", "c", "b", "a"]


@pytest.mark.parametrize("name", ["", "../secret", "0" * 32, "x" * 32, "0" * 31 + "\n"])
def test_what_is_not_there_is_not_found(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("{}")
    assert find(KeptOrders(tmp_path / "orders", Clock()), name) is None


def test_they_go_after_a_while_and_the_oldest_where_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    orders = KeptOrders(tmp_path / "orders", clock)
    first = keep(orders, "a")
    used = keep(orders, "b")
    clock.now += KEPT_SECONDS / 2
    assert find(KeptOrders(tmp_path / "orders", clock), used) == ["b"]
    clock.now += KEPT_SECONDS / 2 + 1
    for number in range(WRITES_BETWEEN_TIDYING):
        clock.now += 1
        keep(orders, f"c{number}")
    fresh = KeptOrders(tmp_path / "orders", clock)
    assert find(fresh, first) is None
    assert find(fresh, used) == ["b"]
    monkeypatch.setattr(list_orders, "MOST_BYTES", 60)
    names = []
    for number in range(WRITES_BETWEEN_TIDYING):
        clock.now += 1
        names.append(keep(orders, f"d{number}"))
    assert len(list((tmp_path / "orders").iterdir())) <= WRITES_BETWEEN_TIDYING + 2
    fresh = KeptOrders(tmp_path / "orders", clock)
    assert find(fresh, used) is None
    assert find(fresh, names[-1]) is not None
    for name in names:
        find(orders, name)
    assert len(orders._remembered) <= MOST_REMEMBERED
