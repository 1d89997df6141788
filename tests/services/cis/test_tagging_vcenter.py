"""``com.vmware.vcenter.tagging``: lists page by page, and many changes of one object at once."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from resphere.access.roles import NO_ACCESS
from resphere.access.view import RootView
from resphere.contract.errors import InvalidArgument, NotFound
from resphere.contract.generated import ids, vcenter_tagging
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Attachment, attachment_id
from resphere.replica.edit import Edit
from resphere.services.vcenter.tagging import associations, categories, tags
from tests.services.cis.tagging_world import NO_TAG, NOBODY, NOT_FOUND, SINGLE, World, refused, run, vm

Associations = vcenter_tagging.Associations
Categories = vcenter_tagging.Categories
Tags = vcenter_tagging.Tags
ATTACH, DETACH = Associations.Operation.ATTACH, Associations.Operation.DETACH
READY, END = Associations.LastIterationStatus.READY, Associations.LastIterationStatus.END_OF_DATA
UNKNOWN_MARKER = "resphere.tagging.unknown_marker"


async def all_pages(page: Callable[[str | None], Awaitable[Any]]) -> list[list[Any]]:
    """The items of every page."""
    found, marker = [], None
    while True:
        result = await page(marker)
        found.append(list(result.items))
        marker = result.marker
        if marker is None:
            return found


def test_tags_page_by_page(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        category = await world.category()
        made = set(await world.tags(category, *(f"tag-{n}" for n in range(45))))
        pages = await all_pages(lambda marker: tags.list_tags(world.call, None, Tags.IterationSpec(marker=marker)))
        assert [len(page) for page in pages] == [20, 20, 5]
        assert {item.tag for page in pages for item in page} == made
        assert all(item.info.category == category for page in pages for item in page)
        sizes = await all_pages(
            lambda marker: tags.list_tags(world.call, None, Tags.IterationSpec(marker=marker, page_size=15))
        )
        assert [len(page) for page in sizes] == [15, 15, 15]
        whole = await tags.list_tags(world.call, None, Tags.IterationSpec(page_size=10_000))
        assert whole.marker is None
        assert len(whole.items) == 45

    run(tmp_path, test)


def test_tags_of_a_name_page_by_page(tmp_path: Path) -> None:
    """The marker alone goes on with the filter, as the two cannot be given together."""

    async def test(world: World) -> None:
        made = set()
        for n in range(5):
            category = await world.category(f"category-{n}")
            made |= {await world.tag(category, "prod")}
            await world.tag(category, "test")
        wanted = Tags.FilterSpec(names=frozenset({"prod", "none"}))
        pages = await all_pages(
            lambda marker: tags.list_tags(
                world.call, None if marker else wanted, Tags.IterationSpec(marker=marker, page_size=2)
            )
        )
        assert [len(page) for page in pages] == [2, 2, 1]
        assert {item.tag for page in pages for item in page} == made
        assert (await tags.list_tags(world.call, Tags.FilterSpec(names=frozenset()), None)).items == ()

    run(tmp_path, test)


def test_categories_page_by_page(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        types = frozenset({"urn:vim25:Folder"})
        one = await world.category("one", description="first", cardinality=SINGLE, associable_types=types)
        two = await world.category("two")
        pages = await all_pages(
            lambda marker: categories.list_categories(
                world.call, None, Categories.IterationSpec(marker=marker, page_size=1)
            )
        )
        assert {item.category_id for page in pages for item in page} == {one, two}
        named = await categories.list_categories(
            world.call, Categories.FilterSpec(names=frozenset({"one", "three"})), None
        )
        assert named == Categories.ListResult(
            items=(
                Categories.ListItem(
                    category_id=one,
                    info=Categories.Info(
                        name="one",
                        description="first",
                        cardinality=Categories.Info.Cardinality.SINGLE,
                        associable_types=frozenset({"Folder"}),
                        used_by=frozenset(),
                    ),
                ),
            )
        )

    run(tmp_path, test)


def test_pages_that_are_refused(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        call = world.call
        junk = base64.urlsafe_b64encode(b"[1]").decode()
        for marker in ("nonsense", "é", junk):
            iterate = Tags.IterationSpec(marker=marker)
            await refused(tags.list_tags(call, None, iterate), NotFound, 404, UNKNOWN_MARKER)
            others = Categories.IterationSpec(marker=marker)
            await refused(categories.list_categories(call, None, others), NotFound, 404, UNKNOWN_MARKER)
            own = Associations.IterationSpec(marker=ids.VcenterTaggingAssociationsMarkerId(marker))
            await refused(associations.list_associations(call, own), InvalidArgument, 400, UNKNOWN_MARKER)
        both = tags.list_tags(call, Tags.FilterSpec(names=frozenset({"a"})), Tags.IterationSpec(marker="m"))
        await refused(both, InvalidArgument, 400, "resphere.tagging.marker_with_filter")
        nothing = categories.list_categories(call, None, Categories.IterationSpec(page_size=0))
        await refused(nothing, InvalidArgument, 400, "resphere.tagging.invalid_page_size")

    run(tmp_path, test)


def test_associations_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(associations, "PAGE_SIZE", 4)

    async def test(world: World) -> None:
        empty = await associations.list_associations(world.call, None)
        assert empty == Associations.ListResult(associations=(), status=END)
        made = await world.tags(await world.category(), "a", "b", "c")
        for tag in made:
            await world.attach(tag, vm(0), vm(1), vm(2))
        await world.inventory.change(lambda edit: edit.delete(VirtualMachine, vm(2).id))
        found: list[Associations.Summary] = []
        statuses = []
        marker = None
        while True:
            page = await associations.list_associations(world.call, Associations.IterationSpec(marker=marker))
            found.extend(page.associations)
            statuses.append(page.status)
            marker = page.marker
            if marker is None:
                break
            # What is attached and detached between pages moves nothing else.
            await world.inventory.change(lambda edit: drop(edit, found[-1]))
        assert statuses == [READY, END]
        expected = {(tag, object.id) for tag in made for object in (vm(0), vm(1))}
        assert len(found) == 6
        assert {(each.tag, each.object.id) for each in found} == expected
        stranger = await associations.list_associations(world.seen_by(RootView(NO_ACCESS)), None)
        assert stranger.associations == ()

    run(tmp_path, test)


def drop(edit: Edit, shown: Associations.Summary) -> None:
    edit.delete(Attachment, attachment_id(shown.tag, shown.object.id))


def by_id(operation: Associations.Operation, tag: ids.CisTaggingTagId) -> Associations.TagSpec:
    return Associations.TagSpec(operation=operation, tag_id=tag)


def by_name(
    operation: Associations.Operation, tag: str, category: str, id: ids.CisTaggingTagId | None = None
) -> Associations.TagSpec:
    names = Associations.TagCategoryNameInfo(tag_name=tag, category_name=category)
    return Associations.TagSpec(operation=operation, tag_id=id, tag_category_name_info=names)


def test_an_update_says_what_is_new(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        category = await world.category("stage")
        a, b, c = await world.tags(category, "a", "b", "c")
        await world.attach(a, vm())
        await world.attach(b, vm())
        spec = Associations.UpdateSpec(
            object=vm(),
            tag_spec_list=(by_id(ATTACH, a), by_name(DETACH, "b", "stage"), by_name(ATTACH, "c", "stage", c)),
        )
        result = await associations.update(world.call, spec)

        def item(operation: Associations.Operation, tag: ids.CisTaggingTagId, name: str) -> Associations.ResultItem:
            names = Associations.TagCategoryNameInfo(tag_name=name, category_name="stage")
            return Associations.ResultItem(operation=operation, tag=tag, tag_category_name_info=names)

        assert result == Associations.UpdateResult(success=True, results=(item(DETACH, b, "b"), item(ATTACH, c, "c")))
        assert await world.attached(vm()) == {a, c}
        assert (await associations.update(world.call, spec)).results == ()

    run(tmp_path, test)


def test_an_update_exchanges_tags_of_a_single_category(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        a, b = await world.tags(await world.category(cardinality=SINGLE), "a", "b")
        await world.attach(a, vm())
        exchange = Associations.UpdateSpec(object=vm(), tag_spec_list=(by_id(DETACH, a), by_id(ATTACH, b)))
        assert (await associations.update(world.call, exchange)).success
        assert await world.attached(vm()) == {b}

    run(tmp_path, test)


def test_an_update_does_all_or_nothing(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        a, b = await world.tags(await world.category("single", cardinality=SINGLE), "a", "b")
        other = await world.tag(await world.category("multiple"), "other")
        cases = [
            (by_id(ATTACH, NO_TAG), NOT_FOUND),
            (by_id(ATTACH, b), "cis.tagging.attach.invalidArgument.cardinality.error"),
            (by_name(ATTACH, "none", "single"), "resphere.tagging.name_not_found"),
            (by_name(ATTACH, "a", "none"), "resphere.tagging.name_not_found"),
            (by_name(ATTACH, "a", "single", b), "resphere.tagging.two_tags"),
        ]
        for wrong, id in cases:
            spec = Associations.UpdateSpec(object=vm(), tag_spec_list=(by_id(ATTACH, a), wrong, by_id(ATTACH, other)))
            result = await associations.update(world.call, spec)
            assert not result.success
            assert result.results is None
            assert [m.id for m in result.errors or ()] == [id]
            assert await world.attached(vm()) == set()

    run(tmp_path, test)


def test_updates_that_are_refused(tmp_path: Path) -> None:
    async def test(world: World) -> None:
        tag = await world.tag(await world.category(), "a")
        empty = associations.update(world.call, Associations.UpdateSpec(object=vm(), tag_spec_list=()))
        await refused(empty, InvalidArgument, 400, "resphere.tagging.no_tags")
        too_many = Associations.UpdateSpec(object=vm(), tag_spec_list=(by_id(ATTACH, tag),) * 1001)
        await refused(associations.update(world.call, too_many), InvalidArgument, 400, "resphere.tagging.too_many_tags")
        unnamed = Associations.UpdateSpec(object=vm(), tag_spec_list=(Associations.TagSpec(operation=ATTACH),))
        await refused(associations.update(world.call, unnamed), InvalidArgument, 400, "resphere.tagging.no_tag_named")
        lost = Associations.UpdateSpec(object=NOBODY, tag_spec_list=(by_id(ATTACH, tag),))
        await refused(associations.update(world.call, lost), NotFound, 404, "resphere.tagging.object_not_found")

    run(tmp_path, test)
