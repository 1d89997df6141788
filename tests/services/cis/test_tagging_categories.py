"""Categories: each operation, and each way in which one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound
from resphere.contract.generated import cis_tagging, ids
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.services.cis.tagging import category, tag_association
from tests.services.cis.tagging_world import MULTIPLE, NO_CATEGORY, NOT_FOUND, SINGLE, World, refused, run, vm

Spec = cis_tagging.Category.UpdateSpec


def test_a_category_is_shown_with_plain_types(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        given = frozenset({"urn:vim25:Datastore", "VirtualMachine"})
        id = await world.category("os", description="what runs", cardinality=SINGLE, associable_types=given)
        assert id.startswith("urn:vmomi:InventoryServiceCategory:")
        assert id.endswith(":GLOBAL")
        assert await category.get(world.call, id) == cis_tagging.CategoryModel(
            id=id,
            name="os",
            description="what runs",
            cardinality=SINGLE,
            associable_types=frozenset({"Datastore", "VirtualMachine"}),
            used_by=frozenset(),
        )
        assert await category.list_categories(world.call) == (id,)

    run(tmp_path, test)


def test_ids_come_from_the_injected_randomness(tmp_path: Path) -> None:
    async def test(world: World) -> str:
        return await world.category()

    assert run(tmp_path / "a", test) == run(tmp_path / "b", test)


def test_an_id_may_be_given(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        given = ids.CisTaggingCategoryId(
            "urn:vmomi:InventoryServiceCategory:3c8d271f-0f6d-4af0-b4c2-a612aa6b390a:GLOBAL"
        )
        assert await world.category("a", category_id=given) == given
        await refused(world.category("b", category_id=given), AlreadyExists, 400, "resphere.tagging.id_taken")
        await refused(world.category("b", category_id="b"), InvalidArgument, 400, "resphere.tagging.invalid_id")

    run(tmp_path, test)


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    async def test(world: World) -> None:
        id = await world.category("a")
        await refused(world.category(name), InvalidArgument, 400, "resphere.tagging.invalid_name")
        await refused(
            category.update(world.call, id, Spec(name=name)), InvalidArgument, 400, "resphere.tagging.invalid_name"
        )

    run(tmp_path, test)


def test_a_name_belongs_to_one_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        taken = "resphere.tagging.category.name_taken"
        first, second = await world.category("a"), await world.category("b")
        await refused(world.category("a"), AlreadyExists, 400, taken)
        await refused(category.update(world.call, second, Spec(name="a")), AlreadyExists, 400, taken)
        await category.update(world.call, first, Spec(name="a"))
        await category.delete(world.call, first)
        await category.update(world.call, second, Spec(name="a"))
        await world.category("b")

    run(tmp_path, test)


def test_a_category_is_for_so_many_types(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        types = [f"Type{number}" for number in range(1001)]
        pending = world.category(associable_types=frozenset(types))
        await refused(pending, InvalidArgument, 400, "resphere.tagging.too_many_types")
        await world.category(associable_types=frozenset(types[1:]))

    run(tmp_path, test)


def test_a_type_is_not_blank(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        for blank in ("", " ", "urn:vim25:"):
            pending = world.category(associable_types=frozenset({blank}))
            await refused(pending, InvalidArgument, 400, "resphere.tagging.invalid_type")

    run(tmp_path, test)


def test_an_update_changes_what_it_names(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        id = await world.category("a", description="old", cardinality=SINGLE, associable_types=frozenset({"Folder"}))
        before = await category.get(world.call, id)
        await category.update(world.call, id, Spec())
        assert await category.get(world.call, id) == before
        wider, shown = frozenset({"urn:vim25:Folder", "Datastore"}), frozenset({"Folder", "Datastore"})
        await category.update(
            world.call, id, Spec(name="b", description="", cardinality=MULTIPLE, associable_types=wider)
        )
        assert await category.get(world.call, id) == cis_tagging.CategoryModel(
            id=id, name="b", description="", cardinality=MULTIPLE, associable_types=shown, used_by=frozenset()
        )

    run(tmp_path, test)


def test_types_can_be_extended_only(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        narrowed = "resphere.tagging.category.types_narrowed"
        id = await world.category("a", associable_types=frozenset({"Folder", "Datastore"}))
        for types in ({"Folder"}, {"Folder", "Network"}):
            spec = Spec(associable_types=frozenset(types))
            await refused(category.update(world.call, id, spec), InvalidArgument, 400, narrowed)
        await category.update(world.call, id, Spec(associable_types=frozenset()))
        spec = Spec(associable_types=frozenset({"Folder", "Datastore"}))
        await refused(category.update(world.call, id, spec), InvalidArgument, 400, narrowed)

    run(tmp_path, test)


def test_cardinality_can_be_widened_only(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        id = await world.category("a", cardinality=SINGLE)
        one, two, three = await world.tags(id, "one", "two", "three")
        await world.attach(one, vm())
        await category.update(world.call, id, Spec(cardinality=MULTIPLE))
        await world.attach(two, vm())
        await world.attach(three, vm())
        assert await world.attached(vm()) == {one, two, three}
        await refused(
            category.update(world.call, id, Spec(cardinality=SINGLE)),
            InvalidArgument,
            400,
            "resphere.tagging.category.cardinality_narrowed",
        )

    run(tmp_path, test)


def test_a_category_goes_with_its_tags_and_their_attachments(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        doomed, kept = await world.category("doomed"), await world.category("kept")
        one, two = await world.tags(doomed, "one", "two")
        other = await world.tag(kept, "one")
        for tag in (one, two, other):
            await world.attach(tag, vm(0), vm(1))
        await category.delete(world.call, doomed)
        assert await category.list_categories(world.call) == (kept,)
        assert list(world.inventory.all(Tag)) == [other]
        assert {a.tag for a in world.inventory.all(Attachment).values()} == {other}
        assert await tag_association.list_attached_tags(world.call, vm()) == (other,)

    run(tmp_path, test)


def test_users_of_a_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        one, two = await world.category("one"), await world.category("two")
        for _ in range(2):
            await category.add_to_used_by(world.call, one, "com.example.backup")
        await category.add_to_used_by(world.call, two, "com.example.backup")
        await category.add_to_used_by(world.call, two, "com.example.other")
        assert (await category.get(world.call, two)).used_by == {"com.example.backup", "com.example.other"}
        assert set(await category.list_used_categories(world.call, "com.example.backup")) == {one, two}
        for _ in range(2):
            await category.remove_from_used_by(world.call, one, "com.example.backup")
        assert await category.list_used_categories(world.call, "com.example.backup") == (two,)
        assert await category.list_used_categories(world.call, "nobody") == ()
        await category.update(world.call, two, Spec(description="new"))
        assert (await category.get(world.call, two)).used_by == {"com.example.backup", "com.example.other"}

    run(tmp_path, test)


def test_revoking_is_noted(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        id = await world.category()
        await category.revoke_propagating_permissions(world.call, id)
        await category.update(world.call, id, Spec(description="new"))
        found = world.inventory.get(Category, id)
        assert found is not None
        assert not found.propagating

    run(tmp_path, test)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        for refusal in (
            category.get(world.call, NO_CATEGORY),
            category.update(world.call, NO_CATEGORY, Spec(name="a")),
            category.delete(world.call, NO_CATEGORY),
            category.add_to_used_by(world.call, NO_CATEGORY, "user"),
            category.remove_from_used_by(world.call, NO_CATEGORY, "user"),
            category.revoke_propagating_permissions(world.call, NO_CATEGORY),
        ):
            error = await refused(refusal, NotFound, 404, NOT_FOUND)
            assert error.messages[0].args == (NO_CATEGORY,)

    run(tmp_path, test)
