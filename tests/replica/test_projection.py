"""Values kept with their objects."""

from __future__ import annotations

from pathlib import Path

from resphere.replica.projection import Projection
from resphere.replica.replica import Replica
from tests.replica.worlds import Item, add, put, run


def test_a_value_is_made_once_for_each_object(tmp_path: Path) -> None:
    made: list[str] = []

    def make(item: Item) -> str:
        made.append(item.id)
        return f"{item.name}={item.value}"

    async def test(one: Replica, other: Replica) -> None:
        values = Projection(make)
        one.subscribe(Item, values.forget)
        await other.change(put(*(Item(id=f"item-{n}", name=str(n)) for n in range(3))))
        one.refresh()
        for _ in range(2):
            assert values.of(one.all(Item).values()) == ("0=0", "1=0", "2=0")
        assert made == ["item-0", "item-1", "item-2"]
        await other.change(add("item-1"))
        one.refresh()
        assert values.of(one.all(Item).values()) == ("0=0", "1=1", "2=0")
        assert made[3:] == ["item-1"]
        await other.change(lambda edit: edit.delete(Item, "item-0"))
        assert len(values) == 3
        one.refresh()
        assert len(values) == 2
        assert values.of(one.all(Item).values()) == ("1=1", "2=0")
        found = one.get(Item, "item-2")
        assert found is not None
        assert values.one(found) == "2=0"
        assert len(made) == 4

    run(test, tmp_path / "store", 2)


def test_it_never_gives_another_objects_value() -> None:
    values: Projection[Item, str] = Projection(lambda item: item.name)
    assert values.of([Item(id="item-1", name="a")]) == ("a",)
    assert values.of([Item(id="item-1", name="b")]) == ("b",)
    assert values.of([]) == ()
