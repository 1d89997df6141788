"""A change in the making, alone: what it asks of the store."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
import pytest

from resphere.replica.edit import Edit
from resphere.replica.errors import ConcurrentChange
from resphere.replica.notes import Notes
from resphere.replica.rows import Rows
from resphere.store.base import Check, Taking, Transaction
from tests.replica.worlds import ITEMS, NOTES, Item, Note

ONE, TWO = Item(id="item-1", name="one"), Item(id="item-2", name="two")


def edit() -> Edit:
    """One that begins at the sequence 7, where there are two items."""
    items: Rows[Item] = Rows(ITEMS)
    items.set(ONE.id, 3, ONE)
    items.set(TWO.id, 5, TWO)
    rows: dict[type[Any], Rows[Any]] = {Item: items, Note: Rows(NOTES)}
    return Edit(rows, Notes(None), count(1).__next__, 7)


def transaction(edit: Edit) -> Transaction:
    return edit.transaction(edit.drafts())


def renamed(item: Item) -> Item:
    return msgspec.structs.replace(item, name="renamed")


def test_a_question_about_all_of_it_is_asked_anew_after_each_write() -> None:
    made = edit()
    assert made.is_asked_anew("a")
    assert not made.is_asked_anew("a")
    assert made.is_asked_anew("b")
    made.put(renamed(ONE))
    assert made.is_asked_anew("a")
    made.put(ONE)
    assert made.is_asked_anew("a")
    made.delete(Item, TWO.id)
    assert made.is_asked_anew("a")
    assert not made.is_asked_anew("a")


class TestRelying:
    def test_on_what_is_as_it_was(self) -> None:
        made = edit()
        made.rely_on(ONE)
        made.rely_on(msgspec.structs.replace(TWO))
        made.put(Note(id="note-1"))
        assert transaction(made).checks == (Check("item", "item-1", 3), Check("item", "item-2", 5))

    def test_on_what_is_not(self) -> None:
        made = edit()
        for other in (renamed(ONE), Item(id="item-3", name="three")):
            with pytest.raises(ConcurrentChange, match=f"item/{other.id}"):
                made.rely_on(other)

    def test_what_is_written_is_not_checked_besides(self) -> None:
        made = edit()
        made.rely_on(ONE)
        made.put(renamed(ONE))
        made.rely_on(ONE)
        assert transaction(made).checks == ()
        assert [(write.id, write.expected) for write in transaction(made).writes] == [("item-1", 3)]

    def test_what_is_written_as_it_was_is_checked(self) -> None:
        made = edit()
        made.put(renamed(ONE))
        made.put(ONE)
        assert made.touched == set()
        made.put(Note(id="note-1"))
        assert transaction(made).checks == (Check("item", "item-1", 3),)
        assert made.touched == {("item", "item-1"), ("note", "note-1")}


class TestTaking:
    def test_what_there_is(self) -> None:
        made = edit()
        assert made.take("room", 3, 10)
        assert made.take("room", 7, 10)
        assert not made.take("room", 1, 10)
        assert not made.take("other", 2, 1)
        assert transaction(made).takings == (Taking("room", 10, 7, 0),)
        assert made.take("other", 1, 5)
        assert transaction(made).takings == (Taking("room", 10, 7, 0), Taking("other", 1, 7, 4))

    def test_what_was_taken_by_the_beginning_of_its_name(self) -> None:
        made = edit()
        for name in ("space/1", "space/2", "use/1"):
            made.take(name, 2, 9)
        assert made.takings("space/") == {"1": 2, "2": 2}

    def test_referring_takes_one_and_leaves_the_rest_to_others(self) -> None:
        made = edit()
        made.refer_to(ONE)
        made.refer_to(ONE)
        (taking,) = transaction(made).takings
        assert (taking.name, taking.amount, taking.since) == ("use/item-1", 1, 7)
        assert taking.spare > 1_000_000

    def test_relying_on_those_who_refer_leaves_them_nothing(self) -> None:
        first, last = edit(), edit()
        first.rely_on_referrers("item-1")
        first.refer_to(ONE)
        last.refer_to(ONE)
        last.rely_on_referrers("item-1")
        assert transaction(first).takings == transaction(last).takings == (Taking("use/item-1", 1, 7, 0),)
        made = edit()
        made.rely_on_referrers("item-1")
        assert transaction(made).takings == (Taking("use/item-1", 0, 7, 0),)

    def test_who_writes_an_object_takes_nothing_of_it(self) -> None:
        made = edit()
        made.put(renamed(ONE))
        made.refer_to(renamed(ONE))
        assert transaction(made).takings == ()


def test_a_plan_that_is_repeated_draws_the_same_ids_and_more() -> None:
    numbers: list[int] = []
    draw = count(1).__next__
    rows: dict[type[Any], Rows[Any]] = {Item: Rows(ITEMS)}
    drawn = []
    for many in (2, 1, 3):
        made = Edit(rows, Notes(None), draw, 7)
        made.repeat(numbers)
        drawn.append([made.new_id("item-") for _ in range(many)])
    assert drawn == [["item-1", "item-2"], ["item-1"], ["item-1", "item-2", "item-3"]]


class TestWithholding:
    def test_nothing_is_written_and_all_is_as_it_was(self) -> None:
        made = edit()
        made.take("room", 3, 10)
        made.put(renamed(ONE))
        made.delete(Item, TWO.id, leaving=(Note,))
        made.put(Item(id="item-3", name="three"))
        assert made.withhold() == ("name/top/renamed", "name/top/three")
        assert made.touched == set()
        assert made.changes() == ()
        assert made.withheld == ((ONE, renamed(ONE)), (TWO, None), (None, Item(id="item-3", name="three")))
        assert (made.get(Item, "item-1"), made.get(Item, "item-2"), made.get(Item, "item-3")) == (ONE, TWO, None)
        assert not made.leaves(Item, TWO.id, Note)
        made.put(Note(id="note-1"))
        written = transaction(made)
        assert [write.id for write in written.writes] == ["note-1"]
        assert set(written.checks) == {Check("item", "item-1", 3), Check("item", "item-2", 5)}
        assert written.takings == (Taking("room", 3, 7, 7),)

    def test_claims_that_are_had_already_are_not_gained(self) -> None:
        made = edit()
        made.put(msgspec.structs.replace(ONE, value=9))
        assert made.withhold() == ()
        made.put(Item(id="item-3", name="three"))
        assert made.withhold() == ("name/top/three",)
        assert [after for _, after in made.withheld] == [
            msgspec.structs.replace(ONE, value=9),
            Item(id="item-3", name="three"),
        ]

    def test_claims_that_pass_to_another_are_not_gained(self) -> None:
        """Their holder has them until then."""
        made = edit()
        made.put(Item(id="item-3", name="one"))
        made.delete(Item, ONE.id)
        assert made.withhold() == ()


def test_what_is_written_comes_once_and_again_when_it_is_deleted() -> None:
    made = edit()
    made.put(renamed(ONE))
    made.put(Note(id="note-1"))
    seen = []
    for cls, id in made.written():
        seen.append((cls, id))
        if id == "note-1" and len(seen) == 2:
            made.delete(Item, "item-1")
            made.put(renamed(TWO))
            made.delete(Note, "note-1")
    assert seen == [(Item, "item-1"), (Note, "note-1"), (Item, "item-1"), (Item, "item-2")]


def test_what_is_written_after_it_was_withheld_comes_in_its_new_order() -> None:
    made = edit()
    made.put(renamed(ONE))
    made.put(renamed(TWO))
    made.withhold()
    made.put(renamed(TWO))
    made.put(renamed(ONE))
    assert list(made.written()) == [(Item, "item-2"), (Item, "item-1")]


def test_ids_are_numbered() -> None:
    made = edit()
    assert (made.new_id("item-"), made.new_id("note-")) == ("item-1", "note-2")


def test_claims_are_written_where_they_are_others() -> None:
    made = edit()
    made.put(renamed(ONE))
    made.put(msgspec.structs.replace(TWO, value=9))
    made.put(Item(id="item-3", name="three"))
    assert {write.id: (write.expected, write.claims) for write in transaction(made).writes} == {
        "item-1": (3, ("name/top/renamed",)),
        "item-2": (5, None),
        "item-3": (0, ("name/top/three",)),
    }
    made = edit()
    made.delete(Item, "item-1")
    (write,) = transaction(made).writes
    assert (write.body, write.expected, write.claims) == (None, 3, None)


def test_deleting_what_is_not_there() -> None:
    made = edit()
    made.delete(Item, "item-1")
    for id in ("item-1", "item-3"):
        with pytest.raises(KeyError):
            made.delete(Item, id)
    made.put(Item(id="item-3", name="three"))
    made.delete(Item, "item-3")
    assert [write.id for write in transaction(made).writes] == ["item-1"]
