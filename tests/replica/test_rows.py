"""Indexes against a computation of what they must hold, and the order of ids."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.replica.errors import UnreadableDocument
from resphere.replica.rows import Index, Rows, numeric_order
from resphere.replica.sealing import KEY_BYTES, Sealing
from tests.replica.worlds import ITEMS, Item

KEYS = st.lists(st.sampled_from("abc"), max_size=4).map(tuple)
CHANGES = st.lists(st.tuples(st.integers(0, 5), st.none() | KEYS))


@given(CHANGES)
def test_an_index_has_what_its_objects_say(changes: list[tuple[int, tuple[str, ...] | None]]) -> None:
    objects: dict[str, Item] = {}
    index: Index[Item] = Index(lambda item: item.tags, objects)
    for version, (number, tags) in enumerate(changes):
        id = f"item-{number}"
        new = None if tags is None else Item(id=id, name="x", tags=tags, value=version)
        index.replace(objects.pop(id, None), new)
        if new is not None:
            objects[id] = new
        expected = {
            key: {id: item for id, item in objects.items() if key in item.tags}
            for key in {tag for item in objects.values() for tag in item.tags}
        }
        assert {key: dict(found) for key, found in index.contents()} == expected
        assert all(dict(index.find(key)) == expected.get(key, {}) for key in "abc")


def test_a_changed_object_keeps_its_place() -> None:
    rows: Rows[Item] = Rows(ITEMS)
    items = [Item(id=f"item-{n}", name=str(n)) for n in range(4)]
    for item in items:
        rows.set(item.id, 1, item)
    rows.set("item-1", 2, msgspec.structs.replace(items[1], value=7))
    assert list(rows.objects) == list(rows.indexes["parent"].find("top")) == [item.id for item in items]


def test_what_stands_under_a_key_is_a_mapping_that_follows() -> None:
    rows: Rows[Item] = Rows(ITEMS)
    items = {f"item-{n}": Item(id=f"item-{n}", name=str(n)) for n in range(3)}
    for item in items.values():
        rows.set(item.id, 1, item)
    found = rows.indexes["parent"].find("top")
    assert (found, list(found.values()), list(found.items()), list(found.keys())) == (
        items,
        [*items.values()],
        [*items.items()],
        [*items],
    )
    assert found.get("item-9") is None
    assert "item-9" not in found
    changed = msgspec.structs.replace(items["item-1"], value=7)
    rows.set("item-1", 2, changed)
    assert found["item-1"] is changed
    rows.set("item-0", 3, None)
    assert (list(found), len(found), "item-0" in found) == (["item-1", "item-2"], 2, False)
    with pytest.raises(KeyError):
        found["item-0"]


def test_an_index_is_looked_at_where_its_fields_have_changed() -> None:
    asked: list[str] = []

    def by(name: str) -> Callable[[Item], tuple[str, ...]]:
        def keys(item: Item) -> tuple[str, ...]:
            asked.append(name)
            return (getattr(item, name),)

        return keys

    table = msgspec.structs.replace(
        ITEMS,
        refers_to=(),
        indexes={"name": by("name"), "parent": by("parent"), "anything": lambda item: (str(item.value),)},
        made_of={"name": ("name",), "parent": ("parent", "tags")},
    )
    rows: Rows[Item] = Rows(table)
    first = Item(id="item-1", name="x")
    rows.set("item-1", 1, first)
    asked.clear()
    rows.set("item-1", 2, msgspec.structs.replace(first, value=7))
    assert asked == []
    assert list(rows.indexes["anything"].find("7")) == ["item-1"]
    rows.set("item-1", 3, msgspec.structs.replace(first, name="y"))
    assert asked == ["name", "name"]
    assert list(rows.indexes["name"].find("y")) == ["item-1"]


def test_the_numeric_order() -> None:
    assert sorted(["vm-1049", "vm-99", "vm-100"], key=numeric_order) == ["vm-99", "vm-100", "vm-1049"]
    assert sorted(["network-20", "dvportgroup-19"], key=numeric_order) == ["dvportgroup-19", "network-20"]
    assert sorted(["x-1", "x"], key=numeric_order) == ["x", "x-1"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": "item-1"}', b'{"id": "item-2", "name": "x"}'])
@pytest.mark.parametrize("sealed", [(), ("tags",)])
def test_what_is_no_document_of_an_object_is_told(sealed: tuple[str, ...], body: bytes) -> None:
    rows: Rows[Any] = Rows(msgspec.structs.replace(ITEMS, sealed=sealed))
    for read in (rows.check, rows.decode):
        with pytest.raises(UnreadableDocument, match="item-1"):
            read("item-1", body)
    rows.check("item-1", b'{"id": "item-1", "name": "x"}')


def test_what_has_been_sealed_since_is_plain_no_more() -> None:
    rows: Rows[Any] = Rows(msgspec.structs.replace(ITEMS, sealed=("tags",)), Sealing(bytes(KEY_BYTES), os.urandom))
    plain = rows.decode("item-1", b'{"id": "item-1", "name": "x", "tags": ["t"]}')
    assert rows.unsealed == {"item-1"}
    assert rows.decode("item-1", rows.encode(plain)) == plain
    assert rows.unsealed == set()
