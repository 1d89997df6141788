"""Packages in a library, and where they are deployed."""

from __future__ import annotations

import re
from typing import Any

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.model import Cluster
from tests.ovf import packages
from tests.services.content.libraries import add_item, add_library, put_named_files
from tests.support.world import World

ItemId = ids.ContentLibraryItemId
VCENTER = packages.content("vcenter.ovf")
"""A machine as vCenter describes it, with everything that there is to choose."""
MINIMAL = packages.content("minimal.ovf")


def add_package(world: World, descriptor: bytes = VCENTER, **fields: Any) -> ItemId:
    """An item with that descriptor and small files of the names that it refers to, in a library of its own."""
    library = add_library(world)
    item = add_item(world, library, **{"type": "ovf", **fields})
    names = [each.decode() for each in re.findall(rb'<(?:\w+:)?File [^>]*?href="([^"]+)"', descriptor)]
    put_named_files(
        world, item, {"machine.ovf": descriptor, **{name: b"content of " + name.encode() for name in names}}
    )
    return item


def target(world: World, **fields: Any) -> Ovf.DeploymentTarget:
    """The first cluster."""
    cluster = next(iter(world.inventory.all(Cluster).values()))
    pool = ids.ResourcePoolId(cluster.resource_pool)
    return Ovf.DeploymentTarget(**{"resource_pool_id": pool, **fields})
