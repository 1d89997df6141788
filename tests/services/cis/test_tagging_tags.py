"""Tags: each operation, and each way in which one is refused."""

from __future__ import annotations

from pathlib import Path

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound
from resphere.contract.generated import cis_tagging, ids
from resphere.inventory.tagging import Attachment, Tag
from resphere.services.cis.tagging import tag
from tests.services.cis.tagging_world import NO_CATEGORY, NO_TAG, NOT_FOUND, World, refused, run, vm

Spec = cis_tagging.Tag.UpdateSpec


def test_a_tag_is_shown_as_it_was_given(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        category = await world.category()
        spec = cis_tagging.Tag.CreateSpec(name="prod/eu", description="production", category_id=category)
        id = await tag.create(world.call, spec)
        assert id.startswith("urn:vmomi:InventoryServiceTag:")
        assert id.endswith(":GLOBAL")
        assert await tag.get(world.call, id) == cis_tagging.TagModel(
            id=id, category_id=category, name="prod/eu", description="production", used_by=frozenset()
        )
        assert await tag.list_tags(world.call) == (id,)

    run(tmp_path, test)


def test_tags_of_a_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        one, two = await world.category("one"), await world.category("two")
        of_one, of_two = await world.tags(one, "a", "b"), await world.tags(two, "a")
        assert set(await tag.list_tags_for_category(world.call, one)) == set(of_one)
        assert set(await tag.list_tags(world.call)) == {*of_one, *of_two}

    run(tmp_path, test)


def test_an_id_may_be_given(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        category = await world.category()
        given = ids.CisTaggingTagId("urn:vmomi:InventoryServiceTag:5db2c0fa-fe61-42fa-a1fa-90a5f72b8648:GLOBAL")
        assert await world.tag(category, "a", tag_id=given) == given
        await refused(world.tag(category, "b", tag_id=given), AlreadyExists, 400, "resphere.tagging.id_taken")
        await refused(
            world.tag(category, "b", tag_id=f"{given}\n"), InvalidArgument, 400, "resphere.tagging.invalid_id"
        )

    run(tmp_path, test)


def test_a_name_belongs_to_one_tag_of_a_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        taken = "resphere.tagging.tag.name_taken"
        one, two = await world.category("one"), await world.category("two")
        first, second = await world.tags(one, "a", "b")
        await world.tag(two, "a")
        await refused(world.tag(one, "a"), AlreadyExists, 400, taken)
        await refused(tag.update(world.call, second, Spec(name="a")), AlreadyExists, 400, taken)
        await tag.delete(world.call, first)
        await tag.update(world.call, second, Spec(name="a"))
        await world.tag(one, "b")

    run(tmp_path, test)


def test_a_name_is_not_blank(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        category = await world.category()
        id = await world.tag(category, "a")
        invalid = "resphere.tagging.invalid_name"
        await refused(world.tag(category, " "), InvalidArgument, 400, invalid)
        await refused(tag.update(world.call, id, Spec(name="")), InvalidArgument, 400, invalid)

    run(tmp_path, test)


def test_an_update_changes_what_it_names(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        id = await world.tag(await world.category(), "a")
        await tag.update(world.call, id, Spec(description="new"))
        await tag.update(world.call, id, Spec(name="b"))
        found = await tag.get(world.call, id)
        assert (found.name, found.description) == ("b", "new")

    run(tmp_path, test)


def test_a_tag_goes_with_its_attachments(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        doomed, kept = await world.tags(await world.category(), "doomed", "kept")
        await world.attach(doomed, vm(0), vm(1))
        await world.attach(kept, vm(0))
        await tag.delete(world.call, doomed)
        assert list(world.inventory.all(Tag)) == [kept]
        assert [(a.tag, a.object) for a in world.inventory.all(Attachment).values()] == [(kept, vm(0).id)]

    run(tmp_path, test)


def test_users_of_a_tag(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        one, two = await world.tags(await world.category(), "one", "two")
        for id in (one, one, two):
            await tag.add_to_used_by(world.call, id, "com.example.backup")
        assert (await tag.get(world.call, one)).used_by == {"com.example.backup"}
        assert set(await tag.list_used_tags(world.call, "com.example.backup")) == {one, two}
        for _ in range(2):
            await tag.remove_from_used_by(world.call, one, "com.example.backup")
        assert await tag.list_used_tags(world.call, "com.example.backup") == (two,)
        assert await tag.list_used_tags(world.call, "nobody") == ()

    run(tmp_path, test)


def test_revoking_is_noted(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        id = await world.tag(await world.category(), "a")
        await tag.revoke_propagating_permissions(world.call, id)
        found = world.inventory.get(Tag, id)
        assert found is not None
        assert not found.propagating

    run(tmp_path, test)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        for refusal in (
            tag.get(world.call, NO_TAG),
            tag.update(world.call, NO_TAG, Spec(name="a")),
            tag.delete(world.call, NO_TAG),
            tag.add_to_used_by(world.call, NO_TAG, "user"),
            tag.remove_from_used_by(world.call, NO_TAG, "user"),
            tag.revoke_propagating_permissions(world.call, NO_TAG),
        ):
            error = await refused(refusal, NotFound, 404, NOT_FOUND)
            assert error.messages[0].args == (NO_TAG,)
        await refused(world.tag(NO_CATEGORY, "a"), NotFound, 404, NOT_FOUND)
        await refused(tag.list_tags_for_category(world.call, NO_CATEGORY), NotFound, 404, NOT_FOUND)

    run(tmp_path, test)
