"""VM templates in libraries to try things on."""

from __future__ import annotations

from typing import Any

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.contract.generated.vcenter_vm_template_library_items import CheckOuts
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import VirtualMachine
from tests.services.content.libraries import add_library, on_datastore
from tests.services.content.test_images import reached
from tests.services.vcenter.building import found
from tests.services.vcenter.vm.test_hardware import State, vm_in
from tests.support.world import World

ItemId = ids.ContentLibraryItemId
Vm = ids.VirtualMachineId
UNKNOWN = ItemId("00000000-0000-4000-8000-000000000000")


def source(world: World) -> VirtualMachine:
    """A machine to make a template of."""
    return vm_in(world, State.POWERED_OFF)


def new_library(world: World) -> ids.ContentLibraryId:
    """A library where the source lies."""
    return add_library(
        world, name="templates", storage_backings=(on_datastore(world, reached(world, source(world).id)),)
    )


def create(world: World, library: ids.ContentLibraryId, name: str = "golden", **fields: Any) -> ItemId:
    """An item of the library whose content is like the source."""
    spec = {"source_vm": Vm(source(world).id), "name": name, "library": library, **fields}
    return world.call(LibraryItems.create, LibraryItems.CreateSpec(**spec))


def golden(world: World) -> ItemId:
    """An item in a library of its own."""
    return create(world, new_library(world))


def item_of(world: World, id: str) -> LibraryItem:
    """The item as it is."""
    return world.inventory.all(LibraryItem)[id]


def machine_of(world: World, id: str) -> VirtualMachine:
    """The machine that is the item's content."""
    return found(world, VirtualMachine, item_of(world, id).template or "")


def in_pool(world: World, **fields: Any) -> LibraryItems.DeployPlacementSpec:
    """A placement with nothing but a pool."""
    return LibraryItems.DeployPlacementSpec(**{"resource_pool": source(world).resource_pool, **fields})


def deploy(world: World, item: ItemId, name: str = "made", **fields: Any) -> VirtualMachine:
    """A machine made of the item's template."""
    spec = LibraryItems.DeploySpec(**{"name": name, "placement": in_pool(world), **fields})
    return found(world, VirtualMachine, world.call(LibraryItems.deploy, item, spec))


def check_out(world: World, item: ItemId, **fields: Any) -> Vm:
    """A machine that is checked out."""
    return world.call(CheckOuts.check_out, item, CheckOuts.CheckOutSpec(**fields))


def check_in(world: World, item: ItemId, vm: Vm, message: str = "better") -> str:
    """The version that the item has then."""
    return world.call(CheckOuts.check_in, item, vm, CheckOuts.CheckInSpec(message=message))
