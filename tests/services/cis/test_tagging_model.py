"""Any history of tagging, by two workers, against a model of dictionaries."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, Unauthorized, VapiError
from resphere.contract.generated import cis_tagging, ids, vapi_std
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.services.call import Call
from resphere.services.cis.tagging import category, tag, tag_association
from tests.services.cis.tagging_world import MULTIPLE, SINGLE, VMS, World, dynamic, vm, worlds
from tests.support.examples import examples

R = TypeVar("R")

NAMES = st.sampled_from(["a", "b", "c"])
TYPES = st.frozensets(st.sampled_from(["VirtualMachine", "urn:vim25:HostSystem", "HostSystem"]))


def plain(types: frozenset[str]) -> set[str]:
    """The types without their namespace, as they are kept."""
    return {each.removeprefix("urn:vim25:") for each in types}


OBJECTS = st.sampled_from([*(vm(n) for n in range(VMS)), dynamic("HostSystem", "host-11")])
WORKER = st.integers(0, 1)


class OneCategory(msgspec.Struct):
    """What the model knows of a category."""

    name: str
    single: bool
    types: set[str]
    users: set[str] = msgspec.field(default_factory=set)

    def allows(self, type: str) -> bool:
        return not self.types or type in self.types


class Tagging(RuleBasedStateMachine):
    """Two workers, and what they should show."""

    categories = Bundle("categories")
    tags = Bundle("tags")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = AsyncExitStack()
        self.directory = Path(tempfile.mkdtemp())
        self.known: dict[str, OneCategory] = {}
        self.of: dict[str, tuple[str, str]] = {}
        """Tag -> category and name."""
        self.attached: set[tuple[str, str]] = set()
        """Tag and object."""
        self.objects: set[str] = {"host-11", *(vm(n).id for n in range(VMS))}
        self.workers: list[World] = []

    @initialize()
    def open(self) -> None:
        self.workers = self.run(self.stack.enter_async_context(worlds(self.directory / "store", 2)))

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()
        shutil.rmtree(self.directory)

    def run(self, pending: Awaitable[R]) -> R:
        async def whole() -> R:
            return await pending

        return self.loop.run_until_complete(whole())

    def expect(self, pending: Awaitable[Any], error: type[VapiError] | None) -> Any:
        """Run it and see it refused as the model says; the result where it is not."""
        if error is None:
            return self.run(pending)
        with pytest.raises(error) as caught:
            self.run(pending)
        assert type(caught.value) is error
        return None

    def refusal(self, tag_id: str, object: vapi_std.DynamicID) -> type[VapiError] | None:
        """How the model refuses an attachment."""
        if tag_id not in self.of:
            return NotFound
        if object.id not in self.objects:
            return InvalidArgument
        if (tag_id, object.id) in self.attached:
            return None
        of = self.of[tag_id][0]
        found = self.known[of]
        taken = any(o == object.id and self.of[t][0] == of for t, o in self.attached)
        return None if found.allows(object.type) and not (found.single and taken) else InvalidArgument

    @rule(target=categories, worker=WORKER, name=NAMES, single=st.booleans(), types=TYPES)
    def create_category(self, worker: int, name: str, single: bool, types: frozenset[str]) -> str:
        taken = any(each.name == name for each in self.known.values())
        cardinality = SINGLE if single else MULTIPLE
        pending = self.workers[worker].category(name, cardinality=cardinality, associable_types=types)
        id = self.expect(pending, AlreadyExists if taken else None)
        if id is None:
            return "urn:none"
        self.known[id] = OneCategory(name, single, plain(types))
        return str(id)

    @rule(
        worker=WORKER, id=categories, name=st.none() | NAMES, single=st.none() | st.booleans(), types=st.none() | TYPES
    )
    def update_category(
        self, worker: int, id: str, name: str | None, single: bool | None, types: frozenset[str] | None
    ) -> None:
        found = self.known.get(id)
        error: type[VapiError] | None = None
        if found is None:
            error = NotFound
        else:
            old = found.types
            new = old if types is None else plain(types)
            narrowed = bool(new) and (not old or not old <= new)
            if (single and not found.single) or narrowed:
                error = InvalidArgument
            elif name and any(each.name == name for other, each in self.known.items() if other != id):
                error = AlreadyExists
        spec = cis_tagging.Category.UpdateSpec(
            name=name, cardinality=None if single is None else SINGLE if single else MULTIPLE, associable_types=types
        )
        self.expect(category.update(self.call(worker), ids.CisTaggingCategoryId(id), spec), error)
        if found is not None and error is None:
            found.name = name or found.name
            found.single = found.single if single is None else single
            found.types = found.types if types is None else plain(types)

    @rule(worker=WORKER, id=consumes(categories))
    def delete_category(self, worker: int, id: str) -> None:
        self.expect(
            category.delete(self.call(worker), ids.CisTaggingCategoryId(id)), None if id in self.known else NotFound
        )
        self.known.pop(id, None)
        self.of = {t: of for t, of in self.of.items() if of[0] != id}
        self.attached = {(t, o) for t, o in self.attached if t in self.of}

    @rule(worker=WORKER, id=categories, user=NAMES, add=st.booleans())
    def use_category(self, worker: int, id: str, user: str, add: bool) -> None:
        do = category.add_to_used_by if add else category.remove_from_used_by
        known = self.known.get(id)
        self.expect(do(self.call(worker), ids.CisTaggingCategoryId(id), user), None if known else NotFound)
        if known:
            (known.users.add if add else known.users.discard)(user)

    @rule(target=tags, worker=WORKER, of=categories, name=NAMES)
    def create_tag(self, worker: int, of: str, name: str) -> str:
        error: type[VapiError] | None = None
        if of not in self.known:
            error = NotFound
        elif (of, name) in self.of.values():
            error = AlreadyExists
        id = self.expect(self.workers[worker].tag(ids.CisTaggingCategoryId(of), name), error)
        if id is None:
            return "urn:none"
        self.of[id] = (of, name)
        return str(id)

    @rule(worker=WORKER, id=tags, name=NAMES)
    def rename_tag(self, worker: int, id: str, name: str) -> None:
        error: type[VapiError] | None = None
        if id not in self.of:
            error = NotFound
        elif (self.of[id][0], name) in [of for other, of in self.of.items() if other != id]:
            error = AlreadyExists
        spec = cis_tagging.Tag.UpdateSpec(name=name)
        self.expect(tag.update(self.call(worker), ids.CisTaggingTagId(id), spec), error)
        if error is None:
            self.of[id] = (self.of[id][0], name)

    @rule(worker=WORKER, id=consumes(tags))
    def delete_tag(self, worker: int, id: str) -> None:
        self.expect(tag.delete(self.call(worker), ids.CisTaggingTagId(id)), None if id in self.of else NotFound)
        self.of.pop(id, None)
        self.attached = {(t, o) for t, o in self.attached if t in self.of}

    @rule(worker=WORKER, id=tags, object=OBJECTS)
    def attach(self, worker: int, id: str, object: vapi_std.DynamicID) -> None:
        error = self.refusal(id, object)
        self.expect(tag_association.attach(self.call(worker), ids.CisTaggingTagId(id), object), error)
        if error is None:
            self.attached.add((id, object.id))

    @rule(worker=WORKER, id=tags, object=OBJECTS)
    def detach(self, worker: int, id: str, object: vapi_std.DynamicID) -> None:
        error = NotFound if id not in self.of else Unauthorized if object.id not in self.objects else None
        self.expect(tag_association.detach(self.call(worker), ids.CisTaggingTagId(id), object), error)
        self.attached.discard((id, object.id))

    @rule(worker=WORKER, many=st.lists(tags, max_size=5), object=OBJECTS)
    def attach_many(self, worker: int, many: list[str], object: vapi_std.DynamicID) -> None:
        pending = tag_association.attach_multiple_tags_to_object(
            self.call(worker), object, tuple(map(ids.CisTaggingTagId, many))
        )
        result = self.expect(pending, None if object.id in self.objects else Unauthorized)
        if result is not None:
            refused = 0
            for id in many:
                if self.refusal(id, object) is None:
                    self.attached.add((id, object.id))
                else:
                    refused += 1
            assert len(result.error_messages) == refused
            assert result.success == (refused == 0)

    @rule(worker=WORKER, id=tags, many=st.lists(OBJECTS, max_size=5), attach=st.booleans())
    def change_many_objects(self, worker: int, id: str, many: list[vapi_std.DynamicID], attach: bool) -> None:
        do = (
            tag_association.attach_tag_to_multiple_objects
            if attach
            else tag_association.detach_tag_from_multiple_objects
        )
        result = self.expect(
            do(self.call(worker), ids.CisTaggingTagId(id), tuple(many)), None if id in self.of else NotFound
        )
        if result is not None:
            refused = 0
            for object in many:
                if self.refusal(id, object) is not None if attach else object.id not in self.objects:
                    refused += 1
                elif attach:
                    self.attached.add((id, object.id))
                else:
                    self.attached.discard((id, object.id))
            assert len(result.error_messages) == refused

    @rule(worker=WORKER, number=st.integers(0, VMS - 1))
    def delete_object(self, worker: int, number: int) -> None:
        id, inventory = vm(number).id, self.workers[worker].inventory
        if id not in self.objects:
            return
        self.run(inventory.change(lambda edit: edit.delete(VirtualMachine, id)))
        self.objects.discard(id)
        self.attached = {(t, o) for t, o in self.attached if o != id}

    @invariant()
    def everybody_shows_what_the_model_knows(self) -> None:
        for number, world in enumerate(self.workers):
            self.run(world.inventory.refresh())
            world.check()
            self.compare(world, self.call(number))

    def compare(self, world: World, call: Call) -> None:
        shown = {
            id: (c.name, c.is_single, set(c.associable_types), set(c.used_by)) for id, c in all_of(world, Category)
        }
        assert shown == {id: (c.name, c.single, c.types, c.users) for id, c in self.known.items()}
        assert {id: (t.category, t.name) for id, t in all_of(world, Tag)} == self.of
        many = tuple(vm(n) for n in range(VMS))
        of_objects = self.run(tag_association.list_attached_tags_on_objects(call, many))
        assert [each.object_id.id for each in of_objects] == [o.id for o in many if o.id in self.objects]
        host = dynamic("HostSystem", "host-11")
        of_host = self.run(tag_association.list_attached_tags(call, host))
        by_object = {(t, each.object_id.id) for each in of_objects for t in each.tag_ids}
        assert by_object | {(t, "host-11") for t in of_host} == self.attached
        of_tags = self.run(tag_association.list_attached_objects_on_tags(call, tuple(all_ids(world))))
        assert {(each.tag_id, o.id) for each in of_tags for o in each.object_ids} == self.attached
        for object in (host, *many):
            if object.id in self.objects:
                able = self.run(tag_association.list_attachable_tags(call, object))
                assert len(able) == len(set(able))
                assert set(able) == {
                    t for t in self.of if (t, object.id) not in self.attached and self.refusal(t, object) is None
                }
        for attachment in world.inventory.all(Attachment).values():
            hidden = attachment.object not in self.objects
            assert hidden or (attachment.tag, attachment.object) in self.attached

    def call(self, worker: int) -> Call:
        self.run(self.workers[worker].inventory.refresh())
        return self.workers[worker].call


def all_of(world: World, cls: Any) -> Any:
    return world.inventory.all(cls).items()


def all_ids(world: World) -> list[ids.CisTaggingTagId]:
    return list(map(ids.CisTaggingTagId, world.inventory.all(Tag)))


TestTagging = Tagging.TestCase
TestTagging.settings = settings(max_examples=examples(40), stateful_step_count=40)
