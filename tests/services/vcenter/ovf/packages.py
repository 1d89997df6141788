"""Packages in a library, and where they are deployed."""

from __future__ import annotations

from typing import Any

from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import TransferStatus, UpdateSession
from resphere.contract.generated.content_library_item_updatesession import File as PushedFile
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.model import Cluster
from tests.ovf import packages
from tests.services.content.libraries import add_item, add_library, announce, begin, send, where
from tests.support.world import World

ItemId = ids.ContentLibraryItemId
VCENTER = packages.content("vcenter.ovf")
"""A machine as vCenter describes it, with everything that there is to choose."""
MINIMAL = packages.content("minimal.ovf")


def add_package(world: World, descriptor: bytes = VCENTER, **fields: Any) -> ItemId:
    """An item with that descriptor and small files as it names them, in a library of its own."""
    library = add_library(world)
    item = add_item(world, library, **{"type": "ovf", **fields})
    session = begin(world, item)
    send(world, announce(world, session, "machine.ovf"), descriptor)
    for file in world.call(PushedFile.list, session):
        if file.status is TransferStatus.WAITING_FOR_TRANSFER:
            send(world, where(file.upload_endpoint), b"content of " + file.name.encode())
    world.call(UpdateSession.complete, session)
    return item


def target(world: World, **fields: Any) -> Ovf.DeploymentTarget:
    """The first cluster."""
    cluster = next(iter(world.inventory.all(Cluster).values()))
    pool = ids.ResourcePoolId(cluster.resource_pool)
    return Ovf.DeploymentTarget(**{"resource_pool_id": pool, **fields})
