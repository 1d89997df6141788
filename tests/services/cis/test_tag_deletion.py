"""What goes by a tag when it goes: compute policies go too, storage policies ask for what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.errors import VapiError
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.generated import cis_tagging, ids, vapi_std
from resphere.contract.generated.vcenter_compute import Policies
from resphere.inventory.compute_policies import Capability, ComputePolicy
from resphere.inventory.model import Datastore
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Category, Tag
from resphere.rules.storage_policies import Fit, fit
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import World

MULTIPLE = cis_tagging.CategoryModel.Cardinality.MULTIPLE


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    with two_worlds(tmp_path) as both:
        yield both


def make_tags(world: World, *names: str) -> list[ids.CisTaggingTagId]:
    """Tags of one category."""
    spec = cis_tagging.Category.CreateSpec(
        name="speed", description="", cardinality=MULTIPLE, associable_types=frozenset()
    )
    category = world.call(cis_tagging.Category.create, spec)
    return [
        world.call(cis_tagging.Tag.create, cis_tagging.Tag.CreateSpec(name=name, description="", category_id=category))
        for name in names
    ]


def attach(world: World, tag: ids.CisTaggingTagId, datastore: Datastore) -> None:
    world.call(cis_tagging.TagAssociation.attach, tag, vapi_std.DynamicID(type="Datastore", id=datastore.id))


def storage_policy(world: World, *tags: ids.CisTaggingTagId) -> Any:
    return world.begin(StoragePolicies.create, StoragePolicies.CreateSpec(name="Gold", tags=frozenset(tags)))


def compute_policy(world: World, vm_tag: str, host_tag: str | None = None) -> Any:
    capability = Capability.VM_VM_AFFINITY if host_tag is None else Capability.VM_HOST_AFFINITY
    spec = {"capability": str(capability), "name": "near", "description": "", "vm_tag": vm_tag}
    return world.begin(Policies.create, spec if host_tag is None else {**spec, "host_tag": host_tag})


def the_tag(world: World) -> ids.CisTaggingTagId:
    """The first there is."""
    return next(iter(world.inventory.all(Tag).values())).id


def delete_tag(world: World) -> Any:
    return world.begin(cis_tagging.Tag.delete, the_tag(world))


def delete_category(world: World) -> Any:
    return world.begin(cis_tagging.Category.delete, next(iter(world.inventory.all(Category).values())).id)


@pytest.mark.parametrize("goes", [0, 1])
def test_a_compute_policy_goes_with_either_of_its_tags(world: World, goes: int) -> None:
    tags = make_tags(world, "database", "fast")
    world.run(compute_policy(world, *tags))
    world.call(cis_tagging.Tag.delete, tags[goes])
    assert not world.inventory.all(ComputePolicy)
    assert list(world.inventory.all(Tag)) == [tags[1 - goes]]


def test_a_storage_policy_is_satisfied_by_what_is_left(world: World) -> None:
    fast, near = make_tags(world, "fast", "near")
    datastore, other = list(world.inventory.all(Datastore).values())[:2]
    attach(world, fast, datastore)
    attach(world, near, other)
    policy = world.run(storage_policy(world, fast, near))

    def suits(datastore: Datastore) -> bool:
        return fit(world.inventory, world.inventory.all(StoragePolicy)[policy], datastore) is Fit.GOOD

    assert suits(datastore)
    world.call(cis_tagging.Tag.delete, fast)
    assert (suits(datastore), suits(other)) == (False, True)
    world.call(cis_tagging.Tag.delete, near)
    assert (suits(datastore), suits(other)) == (False, False)
    assert world.inventory.all(StoragePolicy)[policy].tags == ()


def test_a_category_takes_what_goes_by_its_tags_along(world: World) -> None:
    tags = make_tags(world, "database", "fast")
    world.run(compute_policy(world, *tags))
    policy = world.run(storage_policy(world, *tags))
    world.run(delete_category(world))
    assert not world.inventory.all(ComputePolicy)
    assert not world.inventory.all(Tag)
    left = world.inventory.all(StoragePolicy)[policy]
    assert (left.tags, left.lost_tags) == ((), True)


USES: dict[str, Work] = {
    "storage policy": lambda world: storage_policy(world, the_tag(world)),
    "compute policy": lambda world: compute_policy(world, the_tag(world)),
}
DELETIONS: dict[str, Work] = {"tag": delete_tag, "category": delete_category}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("deletion", DELETIONS)
def test_a_policy_is_made_while_its_tag_is_being_deleted(worlds: tuple[World, World], use: str, deletion: str) -> None:
    make_tags(worlds[0], "fast")
    check(worlds, race(*worlds, DELETIONS[deletion], USES[use]))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("deletion", DELETIONS)
def test_a_tag_is_deleted_while_a_policy_is_being_made(worlds: tuple[World, World], use: str, deletion: str) -> None:
    make_tags(worlds[0], "fast")
    outcomes = race(*worlds, USES[use], DELETIONS[deletion])
    check(worlds, outcomes)
    assert isinstance(outcomes[1], VapiError)
