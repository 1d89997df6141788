"""Worlds to build in: a small vCenter whose invariants are checked when the test is over."""

from __future__ import annotations

from typing import TypeVar

import pytest

from resphere.contract.errors import VapiError
from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.moves import HostMoves
from resphere.contract.generated import ids, vcenter
from resphere.contract.model import Secret
from resphere.inventory.model import Datacenter, ManagedObject
from tests.support.world import World

T = TypeVar("T", bound=ManagedObject)


def first(world: World, cls: type[T]) -> T:
    """The first object of a class."""
    return next(iter(world.inventory.all(cls).values()))


def found(world: World, cls: type[T], id: str) -> T:
    """The object as it is now."""
    return world.inventory.all(cls)[id]


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    """Status and id of the first message."""
    return error.value.api_status, error.value.messages[0].id


def add_host(world: World, name: str = "esx-new.example.com") -> ids.HostSystemId:
    """A standalone host in the first datacenter."""
    spec = vcenter.Host.CreateSpec(
        hostname=name,
        user_name="root",
        password=Secret("VMware1!"),
        thumbprint_verification=vcenter.Host.CreateSpec.ThumbprintVerification.NONE,
        folder=first(world, Datacenter).host_folder,
    )
    return world.call(vcenter.Host.create, spec)


def add_cluster(world: World, name: str = "New", **more: bool) -> ids.ClusterComputeResourceId:
    """An empty cluster in the first datacenter."""
    folder = first(world, Datacenter).host_folder
    return world.call(Clusters.create, Clusters.CreateSpec(name=name, folder=folder, **more))


def move_host(world: World, host: str, cluster: str | None = None, folder: str | None = None) -> None:
    """Into a cluster or folder."""
    spec = HostMoves.MoveSpec(
        cluster=ids.ClusterComputeResourceId(cluster) if cluster else None,
        folder=ids.FolderId(folder) if folder else None,
    )
    world.call(HostMoves.move, ids.HostSystemId(host), spec)
