"""What places show of themselves, and what their lists and gets refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import NotFound, UnableToAllocateResource
from resphere.contract.generated import vcenter as api
from resphere.contract.model import Operation
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
)
from tests.support.world import World

GETS: list[tuple[Operation[[Any], Any], type[ManagedObject]]] = [
    (api.Cluster.get, Cluster),
    (api.Datacenter.get, Datacenter),
    (api.Datastore.get, Datastore),
    (api.ResourcePool.get, ResourcePool),
]
# The most that vCenter 8.0 lists at once of each kind.
LISTS: list[tuple[Operation[[Any], tuple[Any, ...]], type[ManagedObject], Any, str, int]] = [
    (api.Cluster.list, Cluster, api.Cluster.FilterSpec, "cluster", 1000),
    (api.Datacenter.list, Datacenter, api.Datacenter.FilterSpec, "datacenter", 1000),
    (api.Datastore.list, Datastore, api.Datastore.FilterSpec, "datastore", 2500),
    (api.Folder.list, Folder, api.Folder.FilterSpec, "folder", 1000),
    (api.Host.list, Host, api.Host.FilterSpec, "host", 2500),
    (api.Network.list, Network, api.Network.FilterSpec, "network", 1000),
    (api.ResourcePool.list, ResourcePool, api.ResourcePool.FilterSpec, "resource_pool", 1000),
]
KIND_NAMES = [row[3] for row in LISTS]


def fill(world: World, kind: type[ManagedObject], total: int) -> None:
    """Copies of one object of ``kind``, under other ids and names, until there are ``total``."""
    objects = world.inventory.all(kind)
    first, missing = list(objects.values())[-1], total - len(objects)
    world.put(
        *(msgspec.structs.replace(first, id=f"{first.id}{n:05}", name=f"{first.name}-{n}") for n in range(missing))
    )


@pytest.mark.parametrize(("get", "kind"), GETS, ids=[kind.__name__ for _, kind in GETS])
def test_each_is_shown_by_its_name(world: World, get: Operation[[Any], Any], kind: type[ManagedObject]) -> None:
    objects = world.inventory.all(kind)
    assert objects
    assert {i: world.call(get, i).name for i in objects} == {i: o.name for i, o in objects.items()}


@pytest.mark.parametrize(("get", "kind"), GETS, ids=[kind.__name__ for _, kind in GETS])
def test_what_is_not_there(world: World, get: Operation[[Any], Any], kind: type[ManagedObject]) -> None:
    unknown = f"{next(iter(world.inventory.all(kind)))}00000"
    with pytest.raises(NotFound) as refused:
        world.call(get, unknown)
    assert refused.value.api_status == 404
    assert refused.value.messages[0].args == (f"{unknown}:{world.environment.product.instance_uuid}",)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[World]:
    """One for copies of objects, which no operation would have made."""
    with World(tmp_path) as world:
        yield world


@pytest.mark.parametrize(("read", "kind", "spec", "name", "most"), LISTS, ids=KIND_NAMES)
def test_as_many_as_one_list_may_return_and_one_more(
    crowded: World,
    read: Operation[[Any], tuple[Any, ...]],
    kind: type[ManagedObject],
    spec: Any,
    name: str,
    most: int,
) -> None:
    fill(crowded, kind, most)
    assert len(crowded.call(read, None)) == most
    fill(crowded, kind, most + 1)
    with pytest.raises(UnableToAllocateResource) as refused:
        crowded.call(read, None)
    said = refused.value.messages[0]
    assert said.id == f"com.vmware.api.vcenter.{name}.too_many_matches"
    assert said.args == ()
    assert [int(word) for word in said.default_message.split() if word.isdigit()] == [most + 1, most]
    one = next(iter(crowded.inventory.all(kind).values()))
    assert one.name in {row.name for row in crowded.call(read, spec(names=frozenset([one.name])))}
