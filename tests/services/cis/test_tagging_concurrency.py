"""Several workers on one store: nobody's change is lost, and no rule is broken between two of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound
from resphere.contract.generated import cis_tagging
from resphere.inventory.model import VirtualMachine
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.services.cis.tagging import category, tag, tag_association
from tests.services.cis.tagging_world import MULTIPLE, NOT_FOUND, SINGLE, World, refused, run, vm

ROUNDS = 10


def test_one_of_many_makes_a_category_of_a_name(tmp_path: Path) -> None:
    async def test(*workers: World) -> None:
        for n in range(ROUNDS):
            made = await asyncio.gather(
                *(world.category(f"name-{n}") for world in workers for _ in range(3)), return_exceptions=True
            )
            assert sum(isinstance(each, str) for each in made) == 1
            assert sum(type(each) is AlreadyExists for each in made) == len(made) - 1

    run(tmp_path, test, workers=2)


def test_one_of_many_makes_a_tag_of_a_name(tmp_path: Path) -> None:
    async def test(*workers: World) -> None:
        of = await workers[0].category()
        for n in range(ROUNDS):
            made = await asyncio.gather(
                *(world.tag(of, f"name-{n}") for world in workers for _ in range(3)), return_exceptions=True
            )
            assert sum(isinstance(each, str) for each in made) == 1
            assert sum(type(each) is AlreadyExists for each in made) == len(made) - 1

    run(tmp_path, test, workers=2)


def test_nothing_attached_at_once_to_one_object_is_lost(tmp_path: Path) -> None:
    async def test(*workers: World) -> None:
        tags = await workers[0].tags(await workers[0].category(), *(f"tag-{n}" for n in range(40)))
        await asyncio.gather(
            *(tag_association.attach(workers[n % 2].call, id, vm()) for n, id in enumerate(tags)),
            *(tag_association.attach(workers[n // 2 % 2].call, id, vm()) for n, id in enumerate(tags)),
        )
        for world in workers:
            await world.inventory.refresh()
            assert await world.attached(vm()) == set(tags)

    run(tmp_path, test, workers=2)


def test_an_object_gets_one_tag_of_a_single_category(tmp_path: Path) -> None:
    async def test(*workers: World) -> None:
        tags = await workers[0].tags(await workers[0].category(cardinality=SINGLE), *(f"tag-{n}" for n in range(8)))
        results = await asyncio.gather(
            *(tag_association.attach(workers[n % 2].call, id, vm()) for n, id in enumerate(tags)),
            return_exceptions=True,
        )
        assert sum(each is None for each in results) == 1
        assert sum(type(each) is InvalidArgument for each in results) == len(tags) - 1
        for world in workers:
            await world.inventory.refresh()
            assert len(await world.attached(vm())) == 1

    run(tmp_path, test, workers=2)


def test_many_attach_while_a_category_is_widened(tmp_path: Path) -> None:
    async def test(*workers: World) -> None:
        of = await workers[0].category(cardinality=SINGLE)
        tags = await workers[0].tags(of, *(f"tag-{n}" for n in range(8)))
        await workers[0].attach(tags[0], vm())
        wider = cis_tagging.Category.UpdateSpec(cardinality=MULTIPLE)
        results = await asyncio.gather(
            category.update(workers[0].call, of, wider),
            *(tag_association.attach(workers[n % 2].call, id, vm()) for n, id in enumerate(tags)),
            return_exceptions=True,
        )
        assert results[0] is None
        assert all(each is None or type(each) is InvalidArgument for each in results)
        attached = {id for id, each in zip(tags, results[1:], strict=True) if each is None}
        for world in workers:
            await world.inventory.refresh()
            assert await world.attached(vm()) == attached
        await workers[1].attach(tags[1], vm())
        assert await workers[1].attached(vm()) == {*attached, tags[1]}

    run(tmp_path, test, workers=2)


def test_nothing_is_attached_to_what_is_being_deleted(tmp_path: Path) -> None:
    """``run`` checks that nothing dangles, in either worker."""

    async def test(*workers: World) -> None:
        one, other = workers
        for n in range(ROUNDS):
            of = await one.category(f"category-{n}")
            tags = await one.tags(of, "a", "b", "c")
            results = await asyncio.gather(
                *(tag_association.attach(other.call, tags[0], vm(number)) for number in range(4)),
                *(tag_association.attach(one.call, tags[1], vm(number)) for number in range(4)),
                other.tag(of, "d"),
                tag.delete(one.call, tags[0]),
                category.delete((one if n % 2 else other).call, of),
                *(tag_association.attach(other.call, tags[2], vm(number)) for number in range(4)),
                other.tag(of, "e"),
                return_exceptions=True,
            )
            assert all(not isinstance(each, BaseException) or type(each) is NotFound for each in results)
        for world in workers:
            await world.inventory.refresh()
            assert world.inventory.count(Category) == 0
            assert world.inventory.count(Tag) == 0
            assert world.inventory.count(Attachment) == 0

    run(tmp_path, test, workers=2)


def test_a_tag_is_deleted_while_it_is_being_attached(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        id = await world.tag(await world.category(), "a")
        world.commits.next = lambda: tag.delete(other.call, id)
        await refused(tag_association.attach(world.call, id, vm()), NotFound, 404, NOT_FOUND)

    run(tmp_path, test, workers=2)


def test_a_tag_is_attached_while_it_is_being_deleted(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        id = await world.tag(await world.category(), "a")
        world.commits.next = lambda: tag_association.attach(other.call, id, vm())
        await tag.delete(world.call, id)
        assert world.inventory.count(Attachment) == 0

    run(tmp_path, test, workers=2)


def test_a_tag_is_attached_while_its_category_is_being_deleted(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        of = await world.category()
        id = await world.tag(of, "a")
        world.commits.next = lambda: tag_association.attach(other.call, id, vm())
        await category.delete(world.call, of)
        assert world.inventory.count(Attachment) == 0

    run(tmp_path, test, workers=2)


def test_a_tag_is_made_while_its_category_is_being_deleted(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        of = await world.category()
        world.commits.next = lambda: other.tag(of, "a")
        await category.delete(world.call, of)
        assert world.inventory.count(Tag) == 0

    run(tmp_path, test, workers=2)


def test_a_category_is_deleted_while_a_tag_of_it_is_being_made(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        of = await world.category()
        world.commits.next = lambda: category.delete(other.call, of)
        await refused(world.tag(of, "a"), NotFound, 404, NOT_FOUND)

    run(tmp_path, test, workers=2)


def test_an_object_is_deleted_while_it_is_being_tagged(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        id = await world.tag(await world.category(), "a")
        world.commits.next = lambda: other.inventory.change(lambda edit: edit.delete(VirtualMachine, vm().id))
        refusal = tag_association.attach(world.call, id, vm())
        await refused(refusal, InvalidArgument, 400, "resphere.tagging.invalid_object")
        assert world.inventory.count(Attachment) == 0

    run(tmp_path, test, workers=2)


def test_a_category_is_widened_while_a_tag_of_it_is_being_attached(tmp_path: Path) -> None:
    async def test(world: World, other: World) -> None:
        of = await world.category(cardinality=SINGLE)
        one, two = await world.tags(of, "one", "two")
        wider = cis_tagging.Category.UpdateSpec(cardinality=MULTIPLE)
        world.commits.next = lambda: category.update(other.call, of, wider)
        await world.attach(one, vm())
        await world.attach(two, vm())
        assert await world.attached(vm()) == {one, two}

    run(tmp_path, test, workers=2)
