"""vApps made of packages: a resource pool and a folder of their name, and their machines in these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from resphere.contract.errors import AlreadyExists, message
from resphere.contract.generated import ids, vcenter
from resphere.inventory.contents import DiskContent
from resphere.inventory.effects import CreateVm
from resphere.inventory.model import Folder, ManagedObject, ResourcePool, VirtualMachine
from resphere.inventory.vapp import VirtualApp
from resphere.ovf.machine import Machine, Vapp
from resphere.replica.edit import Edit
from resphere.rules.machines.creation import Spec
from resphere.rules.names import LONGEST_NAME, is_free
from resphere.rules.placement.resolution import Place, Wanted, folder_of
from resphere.rules.reservations import Resource
from resphere.rules.vapp import configuration_of
from resphere.rules.vapp_resources import admit_vapps, pool_allocation
from resphere.services.call import Call
from resphere.services.checks.deployments import NewVm, decided
from resphere.tasks.change import Together

FOLDER = "group-v"
LACKS = "Machines of this provider come one by one, and not together as a vApp."

Disks = Mapping[ids.VcenterVmHardwareDiskId, DiskContent]


class NewVapp(NamedTuple):
    """What vApp is to be made: ``vapps`` of the package, the outermost first, in it their machines with their disks.

    ``deployment`` tells the call from all others, where it may be repeated.
    """

    vapps: tuple[Vapp, ...]
    machines: tuple[tuple[NewVm, Disks], ...]
    name: str
    annotation: str
    where: Wanted
    deployment: str


class Home(NamedTuple):
    """Where what is in a vApp stands."""

    vapp: Vapp
    folder: str
    pool: str


def with_names(vapps: tuple[Vapp, ...], machines: Sequence[Machine]) -> tuple[tuple[Vapp, ...], dict[str, str]]:
    """The vApps, each with a name that nothing else in the same one has, and the names of the machines by their ids."""
    said = {each.id: each.name for each in vapps} | {each.id: each.name for each in machines}
    called: dict[str, str] = {}
    for vapp in vapps:
        taken: set[str] = set()
        for id in vapp.contents:
            short = id[: LONGEST_NAME - len(" 1000")]
            wanted = (said[id], id, *(f"{short} {number}" for number in range(2, 2 + len(vapp.contents))))
            called[id] = next(name for name in wanted if 0 < len(name) <= LONGEST_NAME and name not in taken)
            taken.add(called[id])
    return tuple([msgspec.structs.replace(each, name=called.get(each.id, each.name)) for each in vapps]), called


def require_free(call: Call, new: NewVapp) -> None:
    """Refuse a name that something in the folder has, or in the resource pool.

    :raises AlreadyExists: it is taken.
    """
    inventory, name = call.unfiltered, new.name
    places: list[ManagedObject] = [folder_of(inventory, new.where)]
    if new.where.resource_pool is not None:
        places.append(call.referred(ResourcePool, new.where.resource_pool))
    if not all(is_free(inventory, place, name) for place in places):
        raise AlreadyExists(
            message(
                "com.vmware.vdcs.util.duplicate_name",
                'An object of type "{0}" named "{1}" already exists.',
                VirtualApp.resource_type,
                name,
            )
        )


def decided_vapp(call: Call, edit: Edit, new: NewVapp, spec_at: Callable[[NewVm, Place], Spec]) -> Together[str]:
    """The vApp with all that is in it, and its id.

    :raises VapiError: whatever making a VM may be refused for.
    """
    require_free(call, new)
    homes, entities = _homes(call, edit, new)
    vms = _machines(call, edit, new, spec_at)
    effects = []
    for (each, disks), vm in zip(new.machines, vms, strict=True):
        home = homes[each.machine.id]
        entities[each.machine.id] = vm.id
        placed = msgspec.structs.replace(
            vm,
            name=each.name,
            parent=home.folder,
            resource_pool=ids.ResourcePoolId(home.pool),
            disk_contents=dict(disks),
        )
        effects.append(CreateVm(vm=placed, vapp=configuration_of(each.machine, vm.id, home.vapp)))
    for vapp in new.vapps:
        is_outermost = vapp is new.vapps[0]
        edit.put(
            VirtualApp(
                id=entities[vapp.id],
                annotation=new.annotation if is_outermost else vapp.annotation,
                startup=tuple(
                    [
                        msgspec.structs.replace(each, id=entities[each.id])
                        for each in vapp.startup
                        if each.id in entities
                    ]
                ),
                products=vapp.products,
                values={each.full_key: each.value for each in vapp.properties},
                deployment=new.deployment if is_outermost else None,
            )
        )
    return Together(tuple(effects), entities[new.vapps[0].id])


def _homes(call: Call, edit: Edit, new: NewVapp) -> tuple[dict[str, Home], dict[str, str]]:
    """Folders and pools, written; returns where what is in them stands, and the pools, by ids of the package."""
    outer = call.referred(ResourcePool, new.where.resource_pool or "")
    folder = folder_of(call.unfiltered, new.where)
    homes: dict[str, Home] = {}
    pools: dict[str, str] = {}
    for vapp in new.vapps:
        around = homes.get(vapp.id)
        name = new.name if around is None else vapp.name
        home = Home(vapp, edit.new_id(FOLDER), edit.new_id(VirtualApp.id_prefix))
        edit.put(
            Folder(
                id=home.folder,
                name=name,
                parent=folder.id if around is None else around.folder,
                type=vcenter.Folder.Type.VIRTUAL_MACHINE,
            )
        )
        pool = ResourcePool(
            id=home.pool,
            name=name,
            parent=outer.id if around is None else around.pool,
            owner=outer.owner,
            cpu_allocation=pool_allocation(vapp.cpu_allocation, Resource.CPU),
            memory_allocation=pool_allocation(vapp.memory_allocation, Resource.MEMORY),
        )
        if around is None:
            admit_vapps(call.unfiltered, new.vapps, pool)
            edit.rely_on(outer)
        edit.put(pool)
        pools[vapp.id] = home.pool
        homes.update(dict.fromkeys(vapp.contents, home))
    return homes, pools


def _machines(
    call: Call, edit: Edit, new: NewVapp, spec_at: Callable[[NewVm, Place], Spec]
) -> Sequence[VirtualMachine]:
    """The VMs, each with files of its own: which are in their folders' way is known of those alone that are there."""
    made: list[VirtualMachine] = []
    for is_numbered in (False, True):
        made = []
        for number, (each, _) in enumerate(new.machines, 1):
            called = each._replace(name=f"{each.name}.{number}") if is_numbered else each
            made.append(decided(call, edit, called, lambda place, each=each: spec_at(each, place)))  # type: ignore[misc]
        if len({vm.vmx_path for vm in made}) == len(made):
            break
    return made
