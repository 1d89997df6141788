"""Where a virtual machine is put: what a spec says of it, resolved into one complete place.

The same rules serve every operation that puts a VM somewhere (create, register, clone, instant clone, relocate), whose
specs hold the same fields; what they do differently stands in :class:`Rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from resphere.contract.errors import (
    InvalidArgument,
    ResourceInaccessible,
    UnableToAllocateResource,
    VapiError,
    message,
    vim_message,
)
from resphere.contract.generated import vcenter
from resphere.inventory.mentions import identified, identified_all
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    ResourcePool,
    VirtualMachine,
)
from resphere.inventory.relations import cluster_of_host, datacenter_of, hosts_of_cluster
from resphere.replica.replica import Replica
from resphere.rules.candidates import Usable, anything
from resphere.rules.placement.hosts import can_run, memory_in_use_MiB
from resphere.rules.refusals import not_found
from resphere.rules.space import free_space

O = TypeVar("O", bound=ManagedObject)  # noqa: E741 - an object

HostFilter = Callable[[Sequence[Host]], Sequence[Host]]
"""Of hosts that could take the VM, those that may (what compute policies say)."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a spec says; ``None`` where it says nothing."""

    folder: str | None = None
    resource_pool: str | None = None
    host: str | None = None
    cluster: str | None = None
    datastore: str | None = None


def wanted(spec: msgspec.Struct | None) -> Wanted:
    """What a placement spec of any operation says; ``None`` says nothing."""
    return Wanted(**{name: getattr(spec, name, None) for name in Wanted.__struct_fields__})


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What the host must reach besides the VM's own datastore: ids of networks and of datastores."""

    networks: frozenset[str] = frozenset()
    datastores: frozenset[str] = frozenset()


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What operations do differently.

    ``choose_without_drs``: whether a host is chosen in a cluster without DRS too; else the spec must name one.
    ``no_host``: the error where no host of the cluster can take the VM.
    """

    choose_without_drs: bool = True
    no_host: type[VapiError] = UnableToAllocateResource


CREATE = Rules()
"""Create and register."""
CLONE = Rules(choose_without_drs=False)
RELOCATE = Rules(choose_without_drs=False, no_host=ResourceInaccessible)
"""Relocate declares no ``UNABLE_TO_ALLOCATE_RESOURCE``."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the VM goes. ``cluster`` is ``None`` on a standalone host."""

    datacenter: Datacenter
    folder: Folder
    cluster: Cluster | None
    resource_pool: ResourcePool
    host: Host
    datastore: Datastore


def places_of(inventory: Replica, vm: VirtualMachine) -> tuple[ManagedObject, ...]:
    """What the VM stands in and its maker needs a privilege on: not the host, which the pool stands for."""
    where = (
        inventory.get(Folder, vm.parent or ""),
        inventory.get(ResourcePool, vm.resource_pool),
        inventory.get(Datastore, vm.datastore),
    )
    return tuple([each for each in where if each is not None])


def every_host(hosts: Sequence[Host]) -> Sequence[Host]:
    """The filter that lets all hosts through."""
    return hosts


def resolve(
    inventory: Replica,
    spec: Wanted,
    *,
    present: VirtualMachine | None = None,
    needs: Needs | None = None,
    rules: Rules = CREATE,
    allowed: HostFilter = every_host,
    usable: Usable = anything,
) -> Place:
    """The place that ``spec`` means.

    ``present`` is the VM that is cloned or moved: what the spec leaves open is as with that, as vCenter 8.0 does. Of a
    new VM the folder must be given, and the host, the cluster or the resource pool; the datastore with the most free
    space is chosen where none is given. What is chosen is ``usable``.

    :raises NotFound: an object that the spec names does not exist.
    :raises InvalidArgument: something is missing, of a wrong kind, or contradicts something else.
    :raises ResourceInaccessible: the named host takes no VMs now, or the datastore is not accessible.
    :raises UnableToAllocateResource: no host of the cluster, or no datastore of the host, can take the VM
        (``rules.no_host`` for the former).
    """
    need = needs or Needs()
    folder = folder_of(inventory, spec, present)
    compute = _compute(inventory, spec, present, rules)
    datastore = _datastore(inventory, spec, present)
    datacenter = _datacenter(inventory, folder, compute.hosts, datastore)
    stores = need.datastores | ({datastore.id} if datastore is not None else set())
    if compute.fixed:
        host = _only_host(compute.hosts[0], stores, need.networks, allowed)
    else:
        staying = present.host if present is not None else None
        hosts = [host for host in compute.hosts if host.id == staying or usable(host)]
        if datastore is None:
            # Where none has one, the best host's refusal says so.
            hosts = [host for host in hosts if any(_open_stores(inventory, host, usable))] or hosts
        host = _best_host(inventory, hosts, stores, need.networks, rules, allowed, staying)
    return Place(
        datacenter=datacenter,
        folder=folder,
        cluster=cluster_of_host(inventory, host),
        resource_pool=compute.resource_pool,
        host=host,
        datastore=datastore or _roomiest(inventory, host, usable),
    )


def _named(inventory: Replica, cls: type[O], id: str | None) -> O | None:
    """The object that the spec names, ``None`` where it names none.

    :raises NotFound: there is none of that id.
    """
    if id is None:
        return None
    found = inventory.get(cls, id)
    if found is None:
        raise not_found(inventory.epoch, cls, id)
    return found


def folder_of(inventory: Replica, spec: Wanted, present: VirtualMachine | None = None) -> Folder:
    """The folder that the VM goes to.

    :raises NotFound: there is none of that id.
    :raises InvalidArgument: none is given, or it is not for VMs.
    """
    folder = _named(inventory, Folder, spec.folder if present is None else spec.folder or present.parent)
    if folder is None:
        raise InvalidArgument(
            message("resphere.vm.placement.no_folder", "spec.placement.folder: must be set: a virtual machine folder.")
        )
    if folder.type is not vcenter.Folder.Type.VIRTUAL_MACHINE:
        raise InvalidArgument(
            message(
                "resphere.vm.placement.folder_type",
                "spec.placement.folder: {0} is a folder for {1}, not for virtual machines.",
                identified(folder.id),
                folder.type,
            )
        )
    return folder


class _Compute(msgspec.Struct, frozen=True):
    """The resource pool, and the hosts to choose from: ``fixed`` where it is the one that is meant."""

    resource_pool: ResourcePool
    hosts: list[Host]
    fixed: bool


def _compute(inventory: Replica, spec: Wanted, present: VirtualMachine | None, rules: Rules) -> _Compute:
    host = _named(inventory, Host, spec.host)
    cluster = _named(inventory, Cluster, spec.cluster)
    pool = _named(inventory, ResourcePool, spec.resource_pool)
    if host is not None and cluster is not None and host.parent != cluster.id:
        raise _contradiction("host", host, "is not a member of the cluster", cluster)
    if pool is None and present is not None:
        pool = _named(inventory, ResourcePool, present.resource_pool)
    if pool is None:
        pool = _root_pool(inventory, host, cluster)
    if cluster is not None and pool.owner != cluster.id:
        raise _contradiction("resource_pool", pool, "does not belong to the cluster", cluster)
    if host is not None and pool.owner not in (host.id, host.parent):
        raise _contradiction("resource_pool", pool, "does not belong to the host", host)
    if host is not None:
        return _Compute(pool, [host], True)
    if present is not None and spec.resource_pool is None:
        return _Compute(pool, [_required(inventory, Host, present.host)], True)
    owner = inventory.get(Cluster, pool.owner)
    if owner is None:
        return _Compute(pool, [_required(inventory, Host, pool.owner)], True)
    if not owner.drs_enabled and not rules.choose_without_drs:
        raise InvalidArgument(
            message(
                "resphere.vm.placement.no_drs",
                "spec.placement.host: must be set: the cluster {0} has no DRS that would choose a host.",
                identified(owner.id),
            )
        )
    return _Compute(pool, hosts_of_cluster(inventory, owner.id), False)


def _root_pool(inventory: Replica, host: Host | None, cluster: Cluster | None) -> ResourcePool:
    """The pool where only the host or the cluster is given: the one at the top."""
    if host is not None and cluster is None:
        cluster = cluster_of_host(inventory, host)
    root = cluster.resource_pool if cluster is not None else host.resource_pool if host is not None else None
    if root is None:
        raise InvalidArgument(
            message(
                "resphere.vm.placement.no_compute",
                "spec.placement: one of resource_pool, host and cluster must be set.",
            )
        )
    return _required(inventory, ResourcePool, root)


def _datastore(inventory: Replica, spec: Wanted, present: VirtualMachine | None) -> Datastore | None:
    """The datastore that is given; ``None`` where one is to be chosen."""
    datastore = _named(inventory, Datastore, spec.datastore if present is None else spec.datastore or present.datastore)
    if datastore is not None and not datastore.accessible:
        raise ResourceInaccessible(
            message(
                "resphere.vm.placement.datastore_inaccessible",
                "The datastore {0} is not accessible.",
                identified(datastore.id),
            )
        )
    return datastore


def _datacenter(inventory: Replica, folder: Folder, hosts: list[Host], datastore: Datastore | None) -> Datacenter:
    """The datacenter that everything stands in.

    :raises InvalidArgument: it is not one.
    """
    found = datacenter_of(inventory, folder)
    assert found is not None  # VM folders are in datacenters
    for name, obj in (("host", hosts[0] if hosts else None), ("datastore", datastore)):
        other = datacenter_of(inventory, obj) if obj is not None else found
        if obj is not None and (other is None or other.id != found.id):
            raise _contradiction(name, obj, "is not in the datacenter of the folder", folder)
    return found


def _best_host(
    inventory: Replica,
    hosts: list[Host],
    stores: frozenset[str],
    networks: frozenset[str],
    rules: Rules,
    allowed: HostFilter,
    staying: str | None,
) -> Host:
    """The host of the id ``staying`` where that will do, else the one with the most free memory."""
    for store in sorted(stores):
        if not any(store in host.datastores for host in hosts):
            raise InvalidArgument(
                message(
                    "resphere.vm.placement.datastore_unreachable",
                    "spec.placement.datastore: no host that could be chosen has mounted {0}.",
                    identified(store),
                )
            )
    able = [host for host in hosts if can_run(host) and not _lacking(host, stores, networks)]
    able = list(allowed(able))
    if not able:
        raise rules.no_host(
            vim_message(
                "vmsg.NoCompatibleHost.summary",
                "No host is compatible with the virtual machine: none takes virtual machines and reaches {0}.",
                identified_all(stores | networks) or "a datastore",
            )
        )
    present = next((host for host in able if host.id == staying), None)
    return present or min(able, key=lambda host: (*_load(inventory, host), len(host.id), host.id))


def _load(inventory: Replica, host: Host) -> tuple[int, int]:
    """Memory that is free, the most first, then how many VMs the host has: those that are off take no memory."""
    free = host.hardware.memory_size_MiB - memory_in_use_MiB(inventory, host)
    return -free, len(inventory.by(VirtualMachine, "host", host.id))


def _only_host(host: Host, stores: frozenset[str], networks: frozenset[str], allowed: HostFilter) -> Host:
    """The host, if it can take the VM.

    :raises ResourceInaccessible: it takes no VMs now.
    :raises InvalidArgument: it does not reach something, or may not take this VM.
    """
    if not can_run(host):
        raise ResourceInaccessible(
            message(
                "resphere.vm.placement.host_unavailable",
                "The host {0} takes no virtual machines now: it is {1}.",
                identified(host.id),
                "in maintenance mode" if host.in_maintenance_mode else f"{host.connection_state}, {host.power_state}",
            )
        )
    lacking = _lacking(host, stores, networks)
    if lacking is not None:
        raise InvalidArgument(
            message(
                "resphere.vm.placement.not_reached",
                "The host {0} does not reach {1}.",
                identified(host.id),
                identified(lacking),
            )
        )
    if not allowed([host]):
        raise InvalidArgument(
            message(
                "resphere.vm.placement.not_allowed",
                "A policy keeps the virtual machine off the host {0}.",
                identified(host.id),
            )
        )
    return host


def _lacking(host: Host, stores: frozenset[str], networks: frozenset[str]) -> str | None:
    """The first datastore or network, by id, that the host does not reach."""
    # Not by sets: hosts have mounted many datastores, and few are asked for.
    missing = [
        *(store for store in stores if store not in host.datastores),
        *(network for network in networks if network not in host.networks),
    ]
    return min(missing, default=None)


def _roomiest(inventory: Replica, host: Host, usable: Usable) -> Datastore:
    """The host's usable datastore with the most free space; ties go to the lowest id."""
    mounted = list(_open_stores(inventory, host, usable))
    if not mounted:
        raise UnableToAllocateResource(
            message(
                "resphere.vm.placement.no_datastore",
                "The host {0} has no accessible datastore that could be chosen.",
                identified(host.id),
            )
        )
    return min(mounted, key=lambda store: (-free_space(inventory, store), len(store.id), store.id))


def _open_stores(inventory: Replica, host: Host, usable: Usable) -> Iterator[Datastore]:
    """The host's datastores from which one can be chosen."""
    for id in host.datastores:
        store = inventory.get(Datastore, id)
        if store is not None and store.accessible and usable(store):
            yield store


def _required(inventory: Replica, cls: type[O], id: str) -> O:
    """An object that another one refers to."""
    found = inventory.get(cls, id)
    if found is None:
        raise not_found(inventory.epoch, cls, id)
    return found


def _contradiction(field: str, obj: ManagedObject, words: str, other: ManagedObject) -> InvalidArgument:
    return InvalidArgument(
        message(
            "resphere.vm.placement.contradiction",
            f"spec.placement.{field}: {{0}} {words} {{1}}.",
            identified(obj.id),
            identified(other.id),
        )
    )
