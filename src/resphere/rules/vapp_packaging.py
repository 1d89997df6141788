"""A vApp as one of a package, with all that is in it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from resphere.inventory.model import ResourcePool, VirtualMachine
from resphere.inventory.tables import file_stem
from resphere.inventory.vapp import VirtualApp
from resphere.ovf.machine import Machine, Vapp
from resphere.ovf.vapp_properties import properties_of
from resphere.replica.replica import Replica
from resphere.rules.machines.packaging import machine_of
from resphere.rules.reservations import Resource
from resphere.rules.vapp_resources import said_of


class Inside(NamedTuple):
    """A vApp of the inventory, and what stands in it: VMs, also those in plain resource pools of it, and vApps."""

    app: VirtualApp
    pool: ResourcePool
    vms: tuple[VirtualMachine, ...]
    vapps: tuple[Inside, ...]

    def all_vms(self) -> Iterator[VirtualMachine]:
        """The VMs of it and of the vApps in it."""
        yield from self.vms
        for each in self.vapps:
            yield from each.all_vms()


def inside_of(inventory: Replica, app: VirtualApp, pool: ResourcePool) -> Inside:
    """What stands in a vApp."""
    vms: list[VirtualMachine] = []
    vapps: list[Inside] = []
    pools = [pool]
    while pools:
        current = pools.pop()
        vms += inventory.by(VirtualMachine, "resource_pool", current.id).values()
        for child in inventory.by(ResourcePool, "parent", current.id).values():
            inner = inventory.get(VirtualApp, child.id)
            if inner is None:
                pools.append(child)
            else:
                vapps.append(inside_of(inventory, inner, child))
    vms.sort(key=lambda vm: (vm.name, vm.id))
    vapps.sort(key=lambda each: (each.pool.name, each.pool.id))
    return Inside(app, pool, tuple(vms), tuple(vapps))


def machines_of(inventory: Replica, whole: Inside, ids: Mapping[str, str]) -> Iterator[tuple[VirtualMachine, Machine]]:
    """Each VM of the vApp and of those in it with the machine that it is in a package; ``ids`` are :func:`ids_in`."""
    disks = 0
    for vm in whole.all_vms():
        machine = machine_of(inventory, vm, ids[vm.id], disks)
        yield vm, msgspec.structs.replace(machine, name=vm.name)
        disks += len(machine.disks)


def ids_in(whole: Inside, name: str) -> dict[str, str]:
    """What each is called in the package: its files, too, so that no two of them have one name, in any spelling."""
    stem = file_stem(name)
    ids, taken = {whole.pool.id: stem}, {stem.casefold()}

    def give(id: str, wanted: str) -> None:
        stem, number = file_stem(wanted), 1
        chosen = stem
        while chosen.casefold() in taken:
            number += 1
            chosen = f"{stem}_{number}"
        taken.add(chosen.casefold())
        ids[id] = chosen

    def go(inside: Inside) -> None:
        for vm in inside.vms:
            give(vm.id, vm.name)
        for each in inside.vapps:
            give(each.pool.id, each.pool.name)
            go(each)

    go(whole)
    return ids


def vapps_of(inside: Inside, ids: Mapping[str, str], name: str) -> Iterator[Vapp]:
    """The vApp under that name, and those in it; ``ids`` are :func:`ids_in`."""
    app, pool = inside.app, inside.pool
    yield Vapp(
        id=ids[pool.id],
        name=name,
        annotation=app.annotation,
        contents=(*[ids[vm.id] for vm in inside.vms], *[ids[each.pool.id] for each in inside.vapps]),
        # What has left the vApp since has no place in its order.
        startup=tuple([msgspec.structs.replace(each, id=ids[each.id]) for each in app.startup if each.id in ids]),
        cpu_allocation=said_of(pool, Resource.CPU),
        memory_allocation=said_of(pool, Resource.MEMORY),
        products=app.products,
        properties=properties_of(
            app.products, lambda product, each: app.values.get(product.full_key(each.key), each.value)
        ),
    )
    for each in inside.vapps:
        yield from vapps_of(each, ids, each.pool.name)
