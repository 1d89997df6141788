"""Every reference of every table: declared, and held while what it refers to is deleted by others.

Two workers on one store, of which one commits between the plan of the other's change and its commit. Made from the
declarations, over an inventory that has something of everything.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import msgspec
import pytest

from resphere.inventory.effects import AnyEffect, Intent
from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.inventory.tables import datastore_name
from resphere.replica.edit import Edit
from resphere.replica.errors import BrokenReference
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.replica.table import OnDelete, Reference, Stored, Table
from resphere.server.wiring import WIRING
from resphere.store.base import Transaction
from tests.inventory.furnished import furnish
from tests.replica.worlds import Scripted, put, store_in

TABLES = {table.cls: table for table in WIRING.tables}
Key = tuple[type[Any], str]


class Case(msgspec.Struct, frozen=True):
    """A reference of a table, to one of the classes that it is to."""

    table: Table[Any]
    reference: Reference[Any]
    to: type[Any]

    def __str__(self) -> str:
        return f"{self.table.cls.kind}-{self.reference.index}-{self.to.kind}"


CASES = [Case(table, reference, to) for table in WIRING.tables for reference in table.refers_to for to in reference.to]
NOBODY_COMES = (UnregisteredVm,)
"""What takes over those that refer to another object, by the id of that, and gets no others but work that needs it."""
MEETINGS = [case for case in CASES if case.to not in NOBODY_COMES or case.table.cls is Intent]
NO_REFERENCES = {
    "snapshot.state": "the machine as it was",
    "unregistered_vm.machine": "what the files hold",
    "unregistered_vm.snapshots": "what the files hold",
    "tag_attachment.category": "that of its tag",
    "guest_transfer.host": "good while the machine is there, which whoever uses it compares",
}
"""Fields with ids of others which may be gone."""


def replica_over(store: Any) -> Replica:
    sealing = Sealing(bytes(KEY_BYTES), random.Random(1).randbytes)
    return Replica(store, WIRING.tables, random.Random(1), sealing=sealing)


@cache
def everything() -> dict[Key, Any]:
    """All objects by class and id, each referred to before it refers."""

    async def all_of(folder: Path) -> dict[Key, Any]:
        store = await store_in(folder)
        try:
            replica = replica_over(store)
            await replica.load()
            await furnish(replica)
            return {(cls, id): obj for cls in TABLES for id, obj in replica.all(cls).items()}
        finally:
            await store.close()

    with TemporaryDirectory() as folder:
        return asyncio.run(all_of(Path(folder)))


class Among:
    """Some of all objects, looked up by id."""

    def __init__(self, objects: dict[Key, Any]) -> None:
        self._objects = objects

    def get(self, cls: type[Any], id: str) -> Any:
        return self._objects.get((cls, id))


def targets(reference: Reference[Any], obj: Any, objects: dict[Key, Any]) -> Iterator[Any]:
    """What ``obj`` refers to by a reference."""
    for key in TABLES[type(obj)].indexes[reference.index](obj):
        if reference.resolve is not None:
            yield reference.resolve(Among(objects), obj, key)
            continue
        for cls in reference.to:
            yield from (each for each in objects.values() if type(each) is cls and key in TABLES[cls].known_as(each))


def all_targets(obj: Any, objects: dict[Key, Any]) -> list[Any]:
    found = [
        target for reference in TABLES[type(obj)].refers_to for target in targets(reference, obj, objects) if target
    ]
    return list({(type(target), target.id): target for target in found}.values())


def needed(obj: Any) -> dict[Key, Any]:
    """What must be there for ``obj``: all that it refers to, and what that refers to."""
    found: dict[Key, Any] = {}
    pending = all_targets(obj, everything())
    while pending:
        each = pending.pop()
        if (type(each), each.id) not in found:
            found[type(each), each.id] = each
            pending += all_targets(each, everything())
    return found


def sample(case: Case) -> tuple[Any, Any, dict[Key, Any]]:
    """An object that refers so to another, that other, and what must be there for both."""
    for (cls, id), obj in everything().items():
        if cls is not case.table.cls:
            continue
        for target in targets(case.reference, obj, everything()):
            if type(target) is case.to:
                there = needed(obj)
                return (copied(obj) if (cls, id) in there else obj), target, there
    raise AssertionError("nothing refers so to such an object: furnish the inventory with it")


def copied(obj: Any) -> Any:
    """One more of what is there already, because others that it needs refer to it."""
    number = f"{obj.id.rpartition('-')[0]}-9999"
    fields = {"id": number, "name": "another"}
    if isinstance(obj, VirtualMachine):
        fields["vmx_path"] = "[store-30] another/another.vmx"
    return msgspec.structs.replace(obj, **fields)


def deletion(replica: Replica, target: Stored) -> Any:
    """A plan that deletes ``target``, and first all that was there before and needs it."""
    there = {(type(obj), obj.id): obj for cls in TABLES for obj in replica.all(cls).values()}

    def plan(edit: Edit) -> None:
        doomed: dict[Key, Any] = {}
        pending: list[Any] = [target]
        while pending:
            each = pending.pop()
            doomed[type(each), each.id] = each
            pending += [
                obj
                for key, obj in there.items()
                if key not in doomed
                and any(
                    each in targets(reference, obj, there)
                    for reference in TABLES[key[0]].refers_to
                    if reference.on_delete is not OnDelete.CLEAR
                )
            ]
        for cls, id in doomed:
            edit.delete(cls, id)

    return plan


class Meeting(msgspec.Struct, frozen=True):
    """What came of two changes: all objects, the error of the slower one, and how often that tried to commit."""

    objects: dict[Key, Any]
    error: BrokenReference | None
    commits: int


def meet(folder: Path, there: dict[Key, Any], new: Any, target: Stored, *, deletes_first: bool) -> Meeting:
    """``new`` comes while ``target`` goes; the faster one is committed when the other's plan is made."""

    async def test() -> Meeting:
        other_store = await store_in(folder)
        other = replica_over(other_store)
        await other.load()
        await other.change(put(*there.values()))
        delete, use = deletion(other, target), put(new)
        met = False

        async def meanwhile(_: Transaction) -> None:
            nonlocal met
            if not met:
                met = True
                await other.change(delete if deletes_first else use)

        store = Scripted(await store_in(folder), meanwhile)
        replica = replica_over(store)
        await replica.load()
        error: BrokenReference | None = None
        try:
            await replica.change(use if deletes_first else delete)
        except BrokenReference as raised:
            error = raised
        await other.refresh()
        objects = {(cls, id): obj for cls in TABLES for id, obj in other.all(cls).items()}
        await store.close()
        await other_store.close()
        return Meeting(objects, error, store.commits)

    return asyncio.run(test())


def dangling(objects: dict[Key, Any]) -> list[str]:
    """Every reference to nothing."""
    return [
        f"{obj.kind}/{obj.id} by {reference.index}"
        for obj in objects.values()
        for reference in TABLES[type(obj)].refers_to
        if reference.resolve is None
        and len(list(targets(reference, obj, objects))) < len(set(TABLES[type(obj)].indexes[reference.index](obj)))
    ]


@pytest.mark.parametrize("case", MEETINGS, ids=str)
def test_what_comes_while_its_target_goes(tmp_path: Path, case: Case) -> None:
    """The target is gone when that is committed: it is not, or only what a name meant."""
    new, target, there = sample(case)
    met = meet(tmp_path / "store", there, new, target, deletes_first=True)
    assert dangling(met.objects) == []
    assert (type(target), target.id) not in met.objects
    if case.reference.resolve is None or met.error is not None:
        assert met.commits == 1
        assert met.error is not None
        assert met.error.referrer == f"{new.kind}/{new.id}"
        assert (type(new), new.id) not in met.objects
    else:
        assert met.commits == 2


@pytest.mark.parametrize("case", MEETINGS, ids=str)
def test_what_goes_while_somebody_comes_to_refer_to_it(tmp_path: Path, case: Case) -> None:
    """The deletion sees that, and takes it along, clears it or is refused."""
    new, target, there = sample(case)
    met = meet(tmp_path / "store", there, new, target, deletes_first=False)
    assert dangling(met.objects) == []
    left = met.objects.get((type(new), new.id))
    if met.error is not None:
        assert met.commits == 1
        assert met.error.referrer == f"{new.kind}/{new.id}"
        assert left == new
        assert (type(target), target.id) in met.objects
    else:
        assert met.commits == 2
        assert (type(target), target.id) not in met.objects
        assert (left is not None) == (case.reference.on_delete is OnDelete.CLEAR)


class Watched:
    """An object that notes which of its fields are read."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        declared = getattr(type(self._obj), name)
        if isinstance(declared, property) and declared.fget is not None:
            return declared.fget(self)
        self.read.add(name)
        return getattr(self._obj, name)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_reference_follows_from_is_declared(case: Case) -> None:
    """An object whose declared fields stay is taken to refer to what it did before."""
    reference = case.reference
    declared = {*reference.fields}
    for each in case.table.refers_to:
        declared |= {*each.fields} if each.index == reference.through else set()
    read: set[str] = set()
    for obj in [obj for (cls, _), obj in everything().items() if cls is case.table.cls]:
        keys_of, target_of = Watched(obj), Watched(obj)
        for key in case.table.indexes[reference.index](keys_of):
            if reference.resolve is not None:
                reference.resolve(Among(everything()), target_of, key)
        assert keys_of.read <= {*reference.fields}
        assert target_of.read <= declared
        read |= keys_of.read
    assert read == {*reference.fields}


def mentions(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a document, with the field that it is in."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from mentions(each, f"{path}.{name}" if path.count(".") < 1 else path)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from mentions(each, path)


def test_whatever_names_another_object_is_declared_or_explained() -> None:
    objects = everything()
    by_id: dict[str, list[Any]] = {}
    for obj in objects.values():
        by_id.setdefault(obj.id, []).append(obj)
    names = {obj.name: obj for obj in objects.values() if obj.kind == "datastore"}
    unexplained = set()
    seen = set()
    for obj in objects.values():
        # An effect holds objects whole: what it does not need by itself, those that it needs refer to.
        declared = list(needed(obj).values()) if isinstance(obj, Intent) else all_targets(obj, objects)
        for path, text in mentions(msgspec.to_builtins(obj), obj.kind):
            of_path = [names[datastore_name(text)]] if datastore_name(text) in names else []
            others = [each for each in by_id.get(text, of_path) if type(each) in REFERRED and each is not obj]
            if path in NO_REFERENCES:
                seen.add(path)
            elif others and not any(each in declared for each in others):
                unexplained.add(f"{path}: {text}")
    assert unexplained == set()
    assert seen == {*NO_REFERENCES}


REFERRED = {cls for table in WIRING.tables for reference in table.refers_to for cls in reference.to}


def test_effects_of_all_kinds_are_among_everything() -> None:
    found = {type(obj.effect) for obj in everything().values() if isinstance(obj, Intent)}
    assert found == {*get_args(AnyEffect)}


def test_what_lies_with_files_goes_with_them(tmp_path: Path) -> None:
    """The files have taken over what referred to a machine and its snapshot."""
    taken_over = [case for case in CASES if case.to is UnregisteredVm and case not in MEETINGS]

    async def test() -> None:
        store = await store_in(tmp_path / "store")
        replica = replica_over(store)
        await replica.load()
        await furnish(replica)
        (files,) = replica.all(UnregisteredVm).values()
        machines = replica.count(VirtualMachine)
        of_files = {files.machine.id, *[snapshot.id for snapshot in files.snapshots]}

        def beside() -> list[Any]:
            return [
                obj
                for case in CASES
                if case in taken_over
                for key in of_files
                for obj in replica.by(case.table.cls, case.reference.index, key).values()
            ]

        assert {type(obj) for obj in beside()} == {case.table.cls for case in taken_over}
        with pytest.raises(BrokenReference, match="intent"):
            await replica.change(lambda edit: edit.delete(UnregisteredVm, files.id))
        (coming_back,) = replica.by(Intent, "files", files.id)
        await replica.change(lambda edit: edit.delete(Intent, coming_back))
        await replica.change(lambda edit: edit.delete(UnregisteredVm, files.id))
        assert beside() == []
        assert replica.count(VirtualMachine) == machines
        assert replica.count(Snapshot) == 2
        await store.close()

    asyncio.run(test())


@pytest.mark.parametrize(("table", "index"), [(table, index) for table in WIRING.tables for index in table.made_of])
def test_what_an_index_follows_from_is_declared(table: Table[Any], index: str) -> None:
    """An object whose declared fields stay is not looked at."""
    for obj in [obj for (cls, _), obj in everything().items() if cls is table.cls]:
        watched = Watched(obj)
        assert tuple(table.indexes[index](watched)) == tuple(table.indexes[index](obj))
        assert watched.read <= {*table.made_of[index]}
