"""What tables say of references is enforced, whoever changes what at the same time."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference, ConcurrentChange
from resphere.replica.replica import Replica, Rule
from resphere.replica.table import PARENT, Lookup, OnDelete, Reference, Table, own_id
from resphere.store.base import Transaction, Write
from tests.replica.worlds import Scripted, opened, put, run, store_in

Plan = Callable[[Edit], Any]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Stands in another, or in none."""

    kind: ClassVar[str] = "room"
    id: str
    parent: str | None = None


class Lamp(msgspec.Struct, frozen=True, kw_only=True):
    """Has a name by which others may know it."""

    kind: ClassVar[str] = "lamp"
    id: str
    name: str = ""
    claim: str = ""


class Wall(msgspec.Struct, frozen=True, kw_only=True):
    """Has sockets, and loses those that are gone."""

    kind: ClassVar[str] = "wall"
    id: str
    sockets: tuple[str, ...] = ()
    color: str = ""


class Socket(msgspec.Struct, frozen=True, kw_only=True):
    """Is in walls."""

    kind: ClassVar[str] = "socket"
    id: str
    color: str = ""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Stands in a room at a wall, plugged into a socket of that; a lamp lights it."""

    kind: ClassVar[str] = "desk"
    id: str
    parent: str = "hall"
    wall: str | None = None
    socket: str | None = None
    lamp: str | None = None
    note: str = ""


class Sticker(msgspec.Struct, frozen=True, kw_only=True):
    """On a desk or in a room."""

    kind: ClassVar[str] = "sticker"
    id: str
    on: str
    text: str = ""


def some(*ids: str | None) -> tuple[str, ...]:
    return tuple(id for id in ids if id is not None)


def lamp_of_name(among: Lookup, _: Desk, name: str) -> Lamp | None:
    """The lamp of that name, whose id begins with the same in lower case."""
    lamps = (among.get(Lamp, f"{name.lower()}{number}") for number in ("", "2"))
    return next((lamp for lamp in lamps if lamp is not None and lamp.name == name), None)


def without(wall: Wall, socket: str) -> Wall:
    return msgspec.structs.replace(wall, sockets=tuple(each for each in wall.sockets if each != socket))


ROOMS = Table(
    cls=Room,
    holds_children=lambda room: (f"in/{room.id}/",),
    indexes={PARENT: lambda room: some(room.parent)},
    refers_to=(Reference(index=PARENT, fields=("parent",), to=(Room,)),),
)
LAMPS = Table(cls=Lamp, claims=lambda lamp: (lamp.claim,) if lamp.claim else ())
SOCKETS = Table(cls=Socket)
WALLS = Table(
    cls=Wall,
    indexes={"socket": lambda wall: wall.sockets},
    refers_to=(
        Reference(index="socket", fields=("sockets",), to=(Socket,), on_delete=OnDelete.CLEAR, cleared=without),
    ),
)
DESKS = Table(
    cls=Desk,
    claims=lambda desk: (f"in/{desk.parent}/{desk.id}",),
    known_as=lambda desk: (desk.id, f"old-{desk.id}"),
    indexes={
        PARENT: lambda desk: (desk.parent,),
        "wall": lambda desk: some(desk.wall),
        "socket": lambda desk: some(desk.socket),
        "lamp": lambda desk: some(desk.lamp),
    },
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(Room,)),
        Reference(index="wall", fields=("wall",), to=(Wall,)),
        Reference(index="socket", fields=("socket",), to=(Socket,), through="wall"),
        Reference(index="lamp", fields=("lamp",), to=(Lamp,), resolve=lamp_of_name, names=lambda lamp: (lamp.name,)),
    ),
)
STICKERS = Table(
    cls=Sticker,
    indexes={"on": lambda sticker: (sticker.on,)},
    refers_to=(Reference(index="on", fields=("on",), to=(Desk, Room), on_delete=OnDelete.CASCADE),),
)
HOUSE: tuple[Table[Any], ...] = (ROOMS, LAMPS, SOCKETS, WALLS, DESKS, STICKERS)
FURNITURE = (
    Room(id="hall"),
    Room(id="left", parent="hall"),
    Room(id="left1", parent="left"),
    Room(id="left2", parent="left1"),
    Room(id="right", parent="hall"),
    Room(id="right1", parent="right"),
    Room(id="right2", parent="right1"),
    Lamp(id="red", name="RED"),
    Socket(id="s1"),
    Socket(id="s2"),
    Wall(id="north", sockets=("s1", "s2")),
    Wall(id="south", sockets=("s1",)),
    Desk(id="t1", parent="left", wall="north", socket="s1", lamp="RED"),
    Desk(id="t2", parent="right"),
    Sticker(id="k1", on="t1"),
)


def delete(cls: type[Any], id: str) -> Plan:
    return lambda edit: edit.delete(cls, id)


def change(obj: Any, **fields: Any) -> Plan:
    """A plan that gives the object, as it is then, other fields."""

    def plan(edit: Edit) -> None:
        current = edit.get(type(obj), obj.id)
        if current is not None:
            edit.put(msgspec.structs.replace(current, **fields))

    return plan


def everything(replica: Replica) -> set[Any]:
    return {obj for table in HOUSE for obj in replica.all(table.cls).values()}


def after(path: Path, *plans: Plan, furniture: tuple[Any, ...] = FURNITURE) -> set[Any]:
    """All objects when the plans have been followed one after the other."""

    async def test(replica: Replica) -> set[Any]:
        await replica.change(put(*furniture))
        for plan in plans:
            await replica.change(plan)
        return everything(replica)

    return run(test, path / "store", tables=HOUSE)


class Meeting(msgspec.Struct, frozen=True):
    """What came of two changes, one of which was committed between the other's plan and its commit."""

    objects: set[Any]
    error: Exception | None
    commits: int
    """How often the slower one tried."""


def meet(path: Path, slow: Plan, quick: Plan, furniture: tuple[Any, ...] = FURNITURE) -> Meeting:
    async def test() -> Meeting:
        async with opened(path / "store", tables=HOUSE) as other:
            await other.change(put(*furniture))
            met = False

            async def meanwhile(transaction: Transaction) -> None:
                nonlocal met
                if not met:
                    met = True
                    await other.change(quick)

            store = Scripted(await store_in(path / "store"), meanwhile)
            replica = Replica(store, HOUSE, random.Random(1))
            await replica.load()
            error: Exception | None = None
            try:
                await replica.change(slow)
            except (BrokenReference, ConcurrentChange) as raised:
                error = raised
            await other.refresh()
            assert everything(other) == everything(replica)
            await store.close()
            return Meeting(everything(other), error, store.commits)

    return asyncio.run(test())


NEW = (
    (Desk(id="new", parent="right2"), Room, "right2"),
    (Desk(id="new", wall="south"), Wall, "south"),
    (Desk(id="new", wall="north", socket="s2"), Socket, "s2"),
    (Desk(id="new", lamp="RED"), Lamp, "red"),
    (Room(id="new", parent="right2"), Room, "right2"),
    (Wall(id="new", sockets=("s2",)), Socket, "s2"),
    (Sticker(id="new", on="t2"), Desk, "t2"),
    (Sticker(id="new", on="right2"), Room, "right2"),
)
"""What comes to refer to something that nothing else needs, and that."""
BARE = tuple(obj for obj in FURNITURE if not isinstance(obj, Desk | Sticker) or obj.id == "t2")


@pytest.mark.parametrize(("new", "cls", "id"), NEW)
def test_what_is_referred_to_anew_is_deleted_meanwhile(tmp_path: Path, new: Any, cls: type[Any], id: str) -> None:
    met = meet(tmp_path, put(new), delete(cls, id), BARE)
    if cls is Lamp:  # a name may mean nothing
        assert (met.commits, met.error) == (2, None)
    else:
        assert met.commits == 1
        assert isinstance(met.error, BrokenReference)
        assert (met.error.referrer, met.error.target) == (f"{new.kind}/new", id)
        assert new not in met.objects


@pytest.mark.parametrize(("new", "cls", "id"), NEW)
def test_what_is_deleted_is_referred_to_anew_meanwhile(tmp_path: Path, new: Any, cls: type[Any], id: str) -> None:
    """The deletion's plan runs again: it takes along or clears what came, or is refused."""
    met = meet(tmp_path, delete(cls, id), put(new), BARE)
    if isinstance(new, Sticker | Wall):
        assert (met.commits, met.error) == (2, None)
        assert {obj for obj in met.objects if obj.id == "new"} == ({Wall(id="new")} if isinstance(new, Wall) else set())
    else:
        assert met.commits == 1
        assert isinstance(met.error, BrokenReference)
        assert (met.error.referrer, met.error.target) == (f"{new.kind}/new", f"{cls.kind}/{id}")
        assert new in met.objects


def test_those_who_refer_to_an_object_are_in_nobodys_way(tmp_path: Path) -> None:
    desk = Desk(id="new", parent="left", wall="north", socket="s1", lamp="RED")
    met = meet(tmp_path, put(desk), put(msgspec.structs.replace(desk, id="other")))
    assert (met.commits, met.error) == (1, None)


def test_what_is_referred_to_already_may_change(tmp_path: Path) -> None:
    met = meet(tmp_path, change(Desk(id="t1"), note="x"), change(Wall(id="north"), color="blue"))
    assert (met.commits, met.error) == (1, None)


def test_what_is_referred_to_anew_may_not_change_meanwhile(tmp_path: Path) -> None:
    """What the plan has seen of it may be why it refers to it."""
    met = meet(tmp_path, change(Desk(id="t2"), wall="north"), change(Wall(id="north"), color="blue"))
    assert (met.commits, met.error) == (2, None)


def test_what_is_written_as_it_was_is_relied_upon(tmp_path: Path) -> None:
    def plan(edit: Edit) -> None:
        change(Socket(id="s1"), color="")(edit)
        edit.put(Lamp(id="white"))

    assert meet(tmp_path, plan, change(Socket(id="s1"), color="blue")).commits == 2
    (tmp_path / "other").mkdir()
    assert meet(tmp_path / "other", plan, change(Socket(id="s2"), color="blue")).commits == 1


def test_what_is_referred_to_besides_may_change(tmp_path: Path) -> None:
    met = meet(tmp_path, change(Wall(id="south"), sockets=("s1", "s2")), change(Socket(id="s1"), color="blue"))
    assert (met.commits, met.error) == (1, None)


def test_what_a_withheld_change_would_refer_to_is_relied_upon(tmp_path: Path) -> None:
    """It is decided, and written later."""

    def decide(edit: Edit) -> None:
        edit.put(Room(id="new", parent="right"))
        edit.put(Desk(id="new", parent="new", wall="south"))
        change(Desk(id="t1"), parent="right2")(edit)
        edit.put(Lamp(id="white"))
        edit.delete(Desk, "t2")
        edit.withhold()
        edit.put(Lamp(id="blue"))

    assert meet(tmp_path, decide, change(Wall(id="south"), color="blue")).commits == 2
    for path, other in ("one", moved("right2", "left")), ("two", change(Wall(id="north"), color="blue")):
        (tmp_path / path).mkdir()
        assert meet(tmp_path / path, decide, other).commits == (2 if path == "one" else 1)


def test_an_end_of_referring_is_no_matter_of_the_object(tmp_path: Path) -> None:
    met = meet(tmp_path, change(Desk(id="t1"), wall=None, socket=None), change(Wall(id="north"), color="blue"))
    assert (met.commits, met.error) == (1, None)


def test_a_new_socket_is_reached_through_the_wall(tmp_path: Path) -> None:
    """Whoever takes the socket out of the wall meanwhile changes that."""
    met = meet(tmp_path, change(Desk(id="t1"), socket="s2"), change(Wall(id="north"), sockets=("s1",)))
    assert met.commits == 2


def test_another_wall_makes_the_same_socket_a_new_one(tmp_path: Path) -> None:
    """Whoever keeps the socket from the desks at a wall sees those that come there."""

    def keep(edit: Edit) -> None:
        edit.put(Sticker(id="kept", on="hall"))
        edit.rely_on_referrers("s1")

    assert meet(tmp_path, keep, change(Desk(id="t1"), wall="south")).commits == 2


def test_the_same_socket_at_the_same_wall_is_no_new_one(tmp_path: Path) -> None:
    def keep(edit: Edit) -> None:
        edit.put(Sticker(id="kept", on="hall"))
        edit.rely_on_referrers("s1")

    assert meet(tmp_path, keep, change(Desk(id="t1"), note="x")).commits == 1


def test_what_is_gone_takes_along_and_clears_what_it_may(tmp_path: Path) -> None:
    def plan(edit: Edit) -> None:
        edit.delete(Desk, "t1")
        edit.delete(Socket, "s1")

    gone = {obj for obj in FURNITURE if obj.id in ("t1", "s1", "k1", "north", "south")}
    assert after(tmp_path, plan) == {*FURNITURE} - gone | {Wall(id="north", sockets=("s2",)), Wall(id="south")}


def test_what_a_plan_says_of_what_is_left_behind_comes_first(tmp_path: Path) -> None:
    def plan(edit: Edit) -> None:
        edit.put(Sticker(id="k1", on="t2"))
        edit.put(Wall(id="north"))
        edit.delete(Desk, "t1")
        edit.delete(Socket, "s1")

    left = {Sticker(id="k1", on="t2"), Wall(id="north"), Wall(id="south")}
    gone = {obj for obj in FURNITURE if obj.id in ("t1", "s1", "k1", "north", "south")}
    assert after(tmp_path, plan) == {*FURNITURE} - gone | left


def test_what_is_left_with_a_reason_is_not_looked_for(tmp_path: Path) -> None:
    assert after(tmp_path, lambda edit: edit.delete(Desk, "t1", leaving=(Sticker,))) == {*FURNITURE} - {FURNITURE[-3]}


def test_all_keys_of_a_deleted_object_are_looked_for(tmp_path: Path) -> None:
    kept = Sticker(id="k2", on="t1")

    def rename(edit: Edit) -> None:
        edit.delete(Desk, "t1", leaving=(Sticker,))
        edit.put(Desk(id="t3"))

    assert kept in after(tmp_path, put(kept), rename)


@pytest.mark.parametrize(
    ("plan", "referrer", "target"),
    [
        (put(Desk(id="new", wall="gone")), "desk/new", "gone"),
        (put(Sticker(id="new", on="gone")), "sticker/new", "gone"),
        (change(Desk(id="t1"), wall="gone"), "desk/t1", "gone"),
        (delete(Wall, "north"), "desk/t1", "wall/north"),
        (delete(Lamp, "red"), "desk/t1", "lamp/red"),
        (delete(Room, "left"), "room/left1", "room/left"),
    ],
)
def test_nothing_is_left_that_refers_to_what_is_not_there(
    tmp_path: Path, plan: Plan, referrer: str, target: str
) -> None:
    with pytest.raises(BrokenReference) as raised:
        after(tmp_path, plan)
    assert (raised.value.referrer, raised.value.target) == (referrer, target)


def test_an_object_that_its_name_does_not_mean_may_go(tmp_path: Path) -> None:
    other = Lamp(id="blue", name="RED")
    assert after(tmp_path, put(other), delete(Lamp, "blue")) == {*FURNITURE}


def test_an_object_may_go_whose_name_means_another_then(tmp_path: Path) -> None:
    other = Lamp(id="red2", name="RED")

    def plan(edit: Edit) -> None:
        edit.put(other)
        edit.delete(Lamp, "red")

    assert other in after(tmp_path, plan)


def test_no_claim_is_left_of_what_stood_in_a_deleted_object(tmp_path: Path) -> None:
    """Be it that it is claimed for what is only decided yet."""
    for claim, done in (("in/right2/x", False), ("in/right22/x", True)):
        folder = tmp_path / claim.replace("/", "-")
        folder.mkdir()
        claimed = put(Lamp(id="decided", claim=claim))
        if done:
            assert Room(id="right2", parent="right1") not in after(folder, claimed, delete(Room, "right2"))
        else:
            with pytest.raises(ConcurrentChange, match="in/right2/"):
                after(folder, claimed, delete(Room, "right2"))


def moved(id: str, parent: str) -> Plan:
    return change(Room(id=id), parent=parent)


@pytest.mark.parametrize("depth", ["", "1", "2"])
def test_two_rooms_moved_at_once_are_never_below_each_other(tmp_path: Path, depth: str) -> None:
    met = meet(tmp_path, moved("left", f"right{depth}"), moved("right", f"left{depth}"))
    assert isinstance(met.error, BrokenReference)
    assert (met.error.referrer, met.error.reference) == ("room/left", PARENT)
    rooms = {obj.id: obj for obj in met.objects if isinstance(obj, Room)}
    assert (rooms["left"].parent, rooms["right"].parent) == ("hall", f"left{depth}")


def test_no_plan_puts_a_room_below_itself(tmp_path: Path) -> None:
    def plan(edit: Edit) -> None:
        moved("left", "right1")(edit)
        moved("right1", "left1")(edit)

    new = put(Room(id="new", parent="newer"), Room(id="newer", parent="new"))
    for each in (moved("left", "left2"), moved("left", "left"), plan, new):
        with pytest.raises(BrokenReference):
            after(tmp_path, each)
        shutil.rmtree(tmp_path / "store")


def test_moves_at_once_that_do_not_meet_stand(tmp_path: Path) -> None:
    met = meet(tmp_path, moved("left2", "right"), moved("right2", "left"))
    assert (met.commits, met.error) == (1, None)


def test_what_holds_no_rooms_relies_on_its_own_alone(tmp_path: Path) -> None:
    met = meet(tmp_path, change(Desk(id="t1"), parent="left2"), moved("left1", "right"))
    assert (met.commits, met.error) == (1, None)


def test_nothing_is_put_below_a_ring_that_is_stored(tmp_path: Path) -> None:
    """However it came to be."""

    async def test(replica: Replica) -> None:
        await replica.change(put(*FURNITURE))
        ring = (Room(id="a", parent="b"), Room(id="b", parent="a"))
        writes = tuple(Write("room", room.id, msgspec.json.encode(room)) for room in ring)
        await replica._store.commit(Transaction(writes))
        with pytest.raises(BrokenReference):
            await replica.change(moved("left", "a"))

    run(test, tmp_path / "store", tables=HOUSE)


def test_a_new_room_relies_on_its_parent_alone(tmp_path: Path) -> None:
    met = meet(tmp_path, put(Room(id="new", parent="left2")), moved("left1", "right"))
    assert (met.commits, met.error) == (1, None)


def with_rules(path: Path, *rules: Rule[Any], plan: Plan, more: tuple[Any, ...] = ()) -> set[Any]:
    async def test() -> set[Any]:
        store = await store_in(path / "store")
        try:
            replica = Replica(store, HOUSE, random.Random(1), rules=rules)
            await replica.load()
            await replica.change(put(*FURNITURE, *more))
            await replica.change(plan)
            return everything(replica)
        finally:
            await store.close()

    return asyncio.run(test())


def test_each_change_of_a_kind_follows_its_rules_in_their_order(tmp_path: Path) -> None:
    seen: list[tuple[Desk | None, Desk | None]] = []

    def noted(_: Replica, edit: Edit, before: Desk | None, after: Desk | None) -> None:
        if before is not None and after is not None:
            edit.put(msgspec.structs.replace(after, note="changed"))

    def watched(_: Replica, _edit: Edit, before: Desk | None, after: Desk | None) -> None:
        seen.append((before, after))

    t1, t2 = FURNITURE[-3], FURNITURE[-2]

    def plan(edit: Edit) -> None:
        edit.put(Desk(id="t1", wall="south"))
        edit.delete(Desk, "t2")
        edit.put(Desk(id="t3"))

    with_rules(tmp_path, Rule(Desk, noted), Rule(Desk, watched), plan=plan)
    assert seen == [
        (None, t1),
        (None, t2),
        (t1, Desk(id="t1", wall="south", note="changed")),
        (t2, None),
        (None, Desk(id="t3")),
    ]


def test_what_a_rule_writes_and_what_goes_along_follows_rules_too(tmp_path: Path) -> None:
    """The rule of walls, which the desk's writes, deletes a sticker that was written before; that has a rule too."""
    gone: list[str] = []

    def paint(_: Replica, edit: Edit, before: Desk | None, _after: Desk | None) -> None:
        if before is not None:
            edit.put(Wall(id="north", color="blue"))

    def clean(_: Replica, edit: Edit, before: Wall | None, _after: Wall | None) -> None:
        if before is not None:
            edit.delete(Desk, "t2")

    def note(_: Replica, _edit: Edit, before: Sticker | None, after: Sticker | None) -> None:
        if after is None:
            gone.append("nothing" if before is None else before.id)

    def plan(edit: Edit) -> None:
        edit.put(Sticker(id="k2", on="t2", text="new"))
        edit.put(Desk(id="t1"))

    left = with_rules(
        tmp_path,
        Rule(Desk, paint),
        Rule(Wall, clean),
        Rule(Sticker, note),
        plan=plan,
        more=(Sticker(id="k2", on="t2"),),
    )
    assert gone == ["k2"]
    assert {obj.id for obj in left if isinstance(obj, Desk | Sticker)} == {"t1", "k1"}


def test_what_a_rule_refuses_does_not_happen(tmp_path: Path) -> None:
    def refuse(_: Replica, _edit: Edit, before: Lamp | None, after: Lamp | None) -> None:
        if after is None:
            raise ValueError("it is dark")

    with pytest.raises(ValueError, match="dark"):
        with_rules(tmp_path, Rule(Lamp, refuse), plan=delete(Lamp, "red"))


def ref(**fields: Any) -> Reference[Any]:
    return Reference(**({"index": "on", "fields": ("on",), "to": (Lamp,)} | fields))


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (ref(index="lamp"), "needs an index"),
        (ref(on_delete=OnDelete.CLEAR), "say how"),
        (ref(cleared=lambda sticker, _: sticker), "say how"),
        (ref(resolve=lambda among, _, key: among.get(Lamp, key)), "which keys"),
        (ref(names=own_id), "which keys"),
        (ref(through="wall"), "is none"),
        (ref(fields=()), "needs the fields"),
        (ref(fields=("on", "colour")), "has the fields colour, which"),
    ],
)
def test_declarations_that_make_no_sense_are_refused(tmp_path: Path, reference: Reference[Any], told: str) -> None:
    stickers: Table[Any] = Table(
        cls=Sticker, indexes={name: lambda sticker: (sticker.on,) for name in ("on",)}, refers_to=(reference,)
    )

    async def test(_: Replica) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(ValueError, match=told):
        run(test, tmp_path / "store", tables=(LAMPS, stickers))


@pytest.mark.parametrize("reference", [ref(), ref(index="text", on_delete=OnDelete.CASCADE)])
def test_what_belongs_to_another_goes_with_it(tmp_path: Path, reference: Reference[Any]) -> None:
    """Of objects that would stay, or belong to what they do not refer to, there is no table."""
    stickers: Table[Any] = Table(
        cls=Sticker,
        indexes={name: lambda sticker: (sticker.on,) for name in ("on", "text")},
        belongs_to="on",
        refers_to=(reference,),
    )

    async def test(_: Replica) -> None:
        raise AssertionError("it was opened")

    with pytest.raises(ValueError, match="must go with it"):
        run(test, tmp_path / "store", tables=(LAMPS, stickers))


def test_references_to_kinds_without_a_table_are_not_looked_at(tmp_path: Path) -> None:
    async def test(replica: Replica) -> None:
        await replica.change(put(Sticker(id="new", on="nowhere")))
        assert replica.count(Sticker) == 1

    run(test, tmp_path / "store", tables=(STICKERS, LAMPS))
