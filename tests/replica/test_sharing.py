"""Equal values of different objects, kept once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.inventory.model import VirtualMachine
from resphere.inventory.tables import VIRTUAL_MACHINES
from resphere.replica import sharing
from resphere.replica.rows import Rows
from resphere.replica.sharing import Sharing
from tests.inventory import samples


class Leaf(msgspec.Struct, frozen=True):
    text: str
    extra: dict[str, int] | None = None


class Tree(msgspec.Struct, frozen=True):
    name: str | None
    leaf: Leaf
    leaves: dict[str, Leaf] = {}


def tree(name: str | None, text: str, extra: dict[str, int] | None = None) -> Tree:
    return msgspec.json.decode(msgspec.json.encode(Tree(name, Leaf(text, extra), {"a": Leaf(text)})), type=Tree)


def test_equal_values_become_one() -> None:
    share = Sharing(("name", "leaf", "leaves")).share
    one, other = tree("tree name", "x"), tree("tree name", "x")
    share(one)
    share(other)
    assert one == other == tree("tree name", "x")
    assert one.name is other.name
    assert one.leaf is other.leaf
    assert one.leaves is other.leaves
    assert one.leaves["a"] is other.leaves["a"]


def test_dictionaries_share_values_where_they_differ() -> None:
    share = Sharing(("leaves",)).share
    one, other = tree(None, "x"), tree(None, "x")
    other.leaves["b"] = Leaf("only here")
    share(one)
    share(other)
    assert one.leaves is not other.leaves
    assert one.leaves["a"] is other.leaves["a"]
    assert list(one.leaves) == ["a"]


def test_values_deep_within() -> None:
    share = Sharing(("leaf.text", "leaves.text")).share
    one, other = tree(None, "long text"), tree(None, "long text")
    share(one)
    share(other)
    assert one.leaf is not other.leaf
    assert one.leaf.text is other.leaf.text
    assert one.leaves["a"].text is other.leaves["a"].text


def test_what_cannot_be_shared_stays() -> None:
    share = Sharing(("name", "leaf")).share
    one, other = tree(None, "x", {"n": 1}), tree(None, "x", {"n": 1})
    share(one)
    share(other)
    assert one == other
    assert one.leaf is not other.leaf


def test_pools_are_bounded() -> None:
    kept = Sharing(("name",))
    for n in range(2 * sharing.POOL_LIMIT + 10):
        kept.share(Tree(str(n), Leaf("x")))
    assert len(kept._pools["name"]) <= sharing.POOL_LIMIT


def test_a_full_pool_still_shares() -> None:
    share = Sharing(("name",)).share
    first = tree("long name 0", "x")
    share(first)
    for n in range(1, sharing.POOL_LIMIT):
        share(Tree(f"long name {n}", Leaf("x")))
    again = tree("long name 0", "x")
    share(again)
    assert again.name is first.name


def test_a_vm_shares_what_many_have() -> None:
    rows: Rows[VirtualMachine] = Rows(VIRTUAL_MACHINES)
    originals = list(samples.virtual_machines(4))
    one, _, other, _ = (rows.decode(vm.id, rows.encode(vm)) for vm in originals)
    assert one == originals[0]
    assert other == originals[2]
    pairs: list[tuple[Any, Any]] = [
        (one.hardware, other.hardware),
        (one.boot, other.boot),
        (one.tools, other.tools),
        (one.datastore, other.datastore),
        (one.nics["4000"].backing, other.nics["4000"].backing),  # type: ignore[index]
        (one.cdroms, other.cdroms),
        (one.disks["2000"].label, other.disks["2000"].label),  # type: ignore[index]
    ]
    assert all(a is b for a, b in pairs)


def test_what_follows_another_holds_all_that_stays() -> None:
    share = Sharing(("leaf", "leaves"))
    before, after = tree("same name", "x", {"n": 1}), tree("same name", "y")
    share.share(before)
    share.follow(after, before)
    assert after == tree("same name", "y")
    assert after.name is before.name
    assert after.leaf is not before.leaf
    again = tree("same name", "y")
    share.follow(again, after)
    assert all(getattr(again, field) is getattr(after, field) for field in ("name", "leaf", "leaves"))


@pytest.mark.parametrize("pair", [({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({"a": 1}, {"a": 2})])
def test_the_order_of_dictionaries_is_not_lost(pair: tuple[dict[str, int], dict[str, int]]) -> None:
    one, other = (Tree("x", Leaf("x", extra), {"a": Leaf("x", extra)}) for extra in pair)
    kept = Sharing(())
    kept.follow(other, one)
    assert msgspec.json.encode(other.leaf) == msgspec.json.encode(Leaf("x", pair[1]))
    assert other.leaves["a"].extra is pair[1]
    leaf, last = Leaf("x", pair[0]), Leaf("x", pair[1])
    kept.follow(last, leaf)
    assert last.extra is pair[1]


INDEXED = {
    *[field for fields in VIRTUAL_MACHINES.made_of.values() for field in fields],
    *[field for reference in VIRTUAL_MACHINES.refers_to for field in reference.fields],
}
"""What indexes follow from: where it stays the same value, they are not looked at."""


@given(st.data())
def test_a_machine_read_again_is_as_it_was_written(data: st.DataObject) -> None:
    """Whatever of it has changed, down to the order of its devices."""
    first, *others = samples.virtual_machines(8)
    rows: Rows[VirtualMachine] = Rows(VIRTUAL_MACHINES)
    rows.set(first.id, 1, rows.decode(first.id, rows.encode(first)))
    for revision in range(2, 6):
        fields = data.draw(st.sets(st.sampled_from(sorted({*VirtualMachine.__struct_fields__} - {"id"}))))
        other = data.draw(st.sampled_from(others))
        values = {field: turned(getattr(other, field), data) for field in sorted(fields)}
        written = msgspec.structs.replace(rows.objects[first.id], **values)
        body = rows.encode(written)
        read = rows.decode(first.id, body)
        assert rows.encode(read) == body
        for field in INDEXED - fields:
            assert getattr(read, field) is getattr(rows.objects[first.id], field)
        rows.set(first.id, revision, read)
        for name, keys in VIRTUAL_MACHINES.indexes.items():
            assert {key for key, _ in rows.indexes[name].contents()} == {*keys(read)}


def turned(value: Any, data: st.DataObject) -> Any:
    """The same, where it is a dictionary in any order."""
    return dict(data.draw(st.permutations(list(value.items())))) if isinstance(value, dict) else value
