"""Which object has which tag: each operation, and each way in which one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.access.roles import NO_ACCESS
from resphere.access.view import RootView
from resphere.contract.errors import InvalidArgument, NotFound, Unauthorized
from resphere.contract.generated import cis_tagging, vapi_std
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Attachment
from resphere.services.cis.tagging import tag_association
from resphere.turns import PIECE
from tests.services.cis.tagging_world import (
    NO_TAG,
    NOBODY,
    NOT_FOUND,
    PORT_GROUP,
    SINGLE,
    World,
    dynamic,
    refused,
    run,
    vm,
)

Association = cis_tagging.TagAssociation
INVALID_OBJECT = "resphere.tagging.invalid_object"
NOT_READABLE = "resphere.tagging.object_not_readable"

CARDINALITY = "cis.tagging.attach.invalidArgument.cardinality.error"


def test_attach_and_detach(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        tag = await world.tag(await world.category(), "a")
        for _ in range(2):
            await tag_association.attach(world.call, tag, vm())
        assert await tag_association.list_attached_tags(world.call, vm()) == (tag,)
        assert await tag_association.list_attached_objects(world.call, tag) == (vm(),)
        for _ in range(2):
            await tag_association.detach(world.call, tag, vm())
        assert await tag_association.list_attached_tags(world.call, vm()) == ()
        assert await tag_association.list_attached_objects(world.call, tag) == ()

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("type", "id", "shown"),
    [
        ("Folder", "group-v3", "Folder"),
        ("Datacenter", "datacenter-3", "Datacenter"),
        ("ClusterComputeResource", "domain-c8", "ClusterComputeResource"),
        ("HostSystem", "host-11", "HostSystem"),
        ("ResourcePool", "resgroup-9", "ResourcePool"),
        ("urn:vim25:Datastore", "datastore-15", "Datastore"),
        ("Network", "network-17", "Network"),
        ("DistributedVirtualPortgroup", PORT_GROUP, "DistributedVirtualPortgroup"),
        ("Network", PORT_GROUP, "DistributedVirtualPortgroup"),
        ("VirtualMachine", "vm-1001", "VirtualMachine"),
    ],
)
def test_every_kind_of_object_can_have_tags(tmp_path: Path, type: str, id: str, shown: str) -> None:
    async def test(world: World) -> None:
        tag = await world.tag(await world.category(associable_types=frozenset({f"urn:vim25:{shown}"})), "a")
        await tag_association.attach(world.call, tag, dynamic(type, id))
        assert await tag_association.list_attached_objects(world.call, tag) == (dynamic(shown, id),)

    run(tmp_path, test)


@pytest.mark.parametrize(
    "object",
    [
        NOBODY,
        dynamic("HostSystem", "vm-1001"),
        dynamic("DistributedVirtualPortgroup", "network-17"),
        dynamic("NoSuchType", "vm-1001"),
        dynamic("", ""),
        dynamic("VirtualMachine", "vm-\0"),
    ],
)
def test_an_object_that_is_not_there(tmp_path: Path, object: vapi_std.DynamicID) -> None:
    async def test(world: World) -> None:
        call, tag = world.call, await world.tag(await world.category(), "a")
        await refused(tag_association.attach(call, tag, object), InvalidArgument, 400, INVALID_OBJECT)
        for refusal in (
            tag_association.detach(call, tag, object),
            tag_association.attach_multiple_tags_to_object(call, object, (tag,)),
            tag_association.detach_multiple_tags_from_object(call, object, (tag,)),
            tag_association.list_attached_tags(call, object),
            tag_association.list_attachable_tags(call, object),
        ):
            await refused(refusal, Unauthorized, 403, NOT_READABLE)
        for result in (
            await tag_association.attach_tag_to_multiple_objects(call, tag, (object, vm())),
            await tag_association.detach_tag_from_multiple_objects(call, tag, (object, vm())),
        ):
            assert not result.success
            assert [m.id for m in result.error_messages] == [INVALID_OBJECT]
        assert await tag_association.list_attached_tags_on_objects(call, (object, vm())) == (
            Association.ObjectToTags(object_id=vm(), tag_ids=()),
        )

    run(tmp_path, test)


def test_a_tag_that_is_not_there(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        call = world.call
        for refusal in (
            tag_association.attach(call, NO_TAG, vm()),
            tag_association.detach(call, NO_TAG, vm()),
            tag_association.attach_tag_to_multiple_objects(call, NO_TAG, (vm(),)),
            tag_association.detach_tag_from_multiple_objects(call, NO_TAG, (vm(),)),
            tag_association.list_attached_objects(call, NO_TAG),
        ):
            await refused(refusal, NotFound, 404, NOT_FOUND)
        for result in (
            await tag_association.attach_multiple_tags_to_object(call, vm(), (NO_TAG,)),
            await tag_association.detach_multiple_tags_from_object(call, vm(), (NO_TAG,)),
        ):
            assert not result.success
            assert [(m.id, m.args) for m in result.error_messages] == [(NOT_FOUND, (NO_TAG,))]
        assert await tag_association.list_attached_objects_on_tags(call, (NO_TAG,)) == ()

    run(tmp_path, test)


def test_a_type_that_the_category_is_not_for(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        category = await world.category(associable_types=frozenset({"urn:vim25:Datastore", "HostSystem"}))
        tag = await world.tag(category, "a")
        refusal = tag_association.attach(world.call, tag, vm())
        await refused(refusal, InvalidArgument, 400, "resphere.tagging.not_associable")
        datastore = dynamic("Datastore", "datastore-15")
        result = await tag_association.attach_tag_to_multiple_objects(world.call, tag, (vm(), datastore))
        assert not result.success
        assert [m.id for m in result.error_messages] == ["resphere.tagging.not_associable"]
        assert await tag_association.list_attached_objects(world.call, tag) == (datastore,)

    run(tmp_path, test)


def test_one_tag_of_a_single_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        one, two = await world.tags(await world.category(cardinality=SINGLE), "one", "two")
        await world.attach(one, vm(0), vm(0), vm(1))
        refusal = tag_association.attach(world.call, two, vm(0))
        await refused(refusal, InvalidArgument, 400, CARDINALITY)
        await tag_association.detach(world.call, one, vm(0))
        await world.attach(two, vm(0))
        assert await world.attached(vm(0)) == {two}
        assert await world.attached(vm(1)) == {one}

    run(tmp_path, test)


def test_a_batch_of_two_tags_of_a_single_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        one, two = await world.tags(await world.category("single", cardinality=SINGLE), "one", "two")
        other = await world.tag(await world.category("multiple"), "other")
        result = await tag_association.attach_multiple_tags_to_object(world.call, vm(), (one, one, NO_TAG, two, other))
        assert not result.success
        assert [m.id for m in result.error_messages] == [
            NOT_FOUND,
            CARDINALITY,
        ]
        assert await world.attached(vm()) == {one, other}

    run(tmp_path, test)


def test_batches(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        call, tags = world.call, tuple(await world.tags(await world.category(), "a", "b", "c"))
        done = Association.BatchResult(success=True, error_messages=())
        assert await tag_association.attach_multiple_tags_to_object(call, vm(0), tags) == done
        assert await tag_association.attach_tag_to_multiple_objects(call, tags[0], (vm(0), vm(1), vm(2))) == done
        assert await world.attached(vm(0)) == set(tags)
        assert set(await tag_association.list_attached_objects(call, tags[0])) == {vm(0), vm(1), vm(2)}
        assert await tag_association.detach_multiple_tags_from_object(call, vm(0), (*tags[1:], tags[1])) == done
        assert await tag_association.detach_tag_from_multiple_objects(call, tags[0], (vm(1), vm(3))) == done
        assert await world.attached(vm(0)) == {tags[0]}
        assert set(await tag_association.list_attached_objects(call, tags[0])) == {vm(0), vm(2)}
        for result in (
            await tag_association.attach_multiple_tags_to_object(call, vm(0), ()),
            await tag_association.attach_tag_to_multiple_objects(call, tags[0], ()),
        ):
            assert result == done

    run(tmp_path, test)


def test_batches_of_several_pieces(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        call, (a, b) = world.call, await world.tags(await world.category(), "a", "b")
        many = (a, NO_TAG, *[a] * PIECE, NO_TAG, b)
        result = await tag_association.attach_multiple_tags_to_object(call, vm(0), many)
        assert [each.id for each in result.error_messages] == [NOT_FOUND] * 2
        assert await world.attached(vm(0)) == {a, b}
        objects = (vm(1), NOBODY, *[vm(0)] * PIECE, vm(2), NOBODY)
        for change, expected in (
            (tag_association.attach_tag_to_multiple_objects, {vm(0), vm(1), vm(2)}),
            (tag_association.detach_tag_from_multiple_objects, set()),
        ):
            result = await change(call, a, objects)
            assert [each.id for each in result.error_messages] == ["resphere.tagging.invalid_object"] * 2
            assert set(await tag_association.list_attached_objects(call, a)) == expected
        lists = await tag_association.list_attached_tags_on_objects(call, (*map(unlike, range(PIECE)), vm(0)))
        assert [(each.object_id, each.tag_ids) for each in lists] == [(vm(0), (b,))]

    run(tmp_path, test)


def unlike(number: int) -> vapi_std.DynamicID:
    """An object that is not there."""
    return vapi_std.DynamicID(type="VirtualMachine", id=f"vm-{100_000 + number}")


def test_lists_for_many(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        call, (a, b) = world.call, await world.tags(await world.category(), "a", "b")
        await world.attach(a, vm(0), vm(1))
        await world.attach(b, vm(1))
        shown = await tag_association.list_attached_tags_on_objects(call, (vm(2), vm(1), vm(0), vm(1)))
        assert [(each.object_id, set(each.tag_ids)) for each in shown] == [
            (vm(2), set()),
            (vm(1), {a, b}),
            (vm(0), {a}),
        ]
        of_tags = await tag_association.list_attached_objects_on_tags(call, (b, NO_TAG, a, b))
        assert [(each.tag_id, set(each.object_ids)) for each in of_tags] == [(b, {vm(1)}), (a, {vm(0), vm(1)})]

    run(tmp_path, test)


def test_attachable_tags(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        any_type = await world.category("any")
        attached, free = await world.tags(any_type, "attached", "free")
        hosts = await world.category("hosts", associable_types=frozenset({"urn:vim25:HostSystem"}))
        for_hosts = await world.tag(hosts, "for hosts")
        single = await world.category("single", cardinality=SINGLE)
        one, two = await world.tags(single, "one", "two")
        await world.attach(attached, vm())
        assert set(await tag_association.list_attachable_tags(world.call, vm())) == {free, one, two}
        await world.attach(one, vm())
        assert set(await tag_association.list_attachable_tags(world.call, vm())) == {free}
        host = dynamic("HostSystem", "host-11")
        everything = {attached, free, for_hosts, one, two}
        assert set(await tag_association.list_attachable_tags(world.call, host)) == everything

    run(tmp_path, test)


def test_who_may_not_read_an_object_hears_nothing_of_it(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        tag = await world.tag(await world.category(), "a")
        await world.attach(tag, vm())
        stranger = world.seen_by(RootView(NO_ACCESS))
        await refused(tag_association.list_attached_tags(stranger, vm()), Unauthorized, 403, NOT_READABLE)
        assert await tag_association.list_attached_objects(stranger, tag) == ()
        assert await tag_association.list_attached_tags_on_objects(stranger, (vm(),)) == ()

    run(tmp_path, test)


def test_a_deleted_object_is_shown_nowhere(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        call, tag = world.call, await world.tag(await world.category(), "a")
        await world.attach(tag, vm(0), vm(1), vm(2))
        await world.inventory.change(lambda edit: edit.delete(VirtualMachine, vm(0).id))
        assert set(await tag_association.list_attached_objects(call, tag)) == {vm(1), vm(2)}
        assert {a.object for a in world.inventory.all(Attachment).values()} == {vm(1).id, vm(2).id}
        await refused(tag_association.list_attached_tags(call, vm(0)), Unauthorized, 403, NOT_READABLE)

    run(tmp_path, test)
