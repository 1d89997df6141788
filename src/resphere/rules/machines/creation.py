"""What a new virtual machine needs, and what it is called."""

from __future__ import annotations

from itertools import count

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import vcenter
from resphere.inventory.model import Datastore, Folder, Network
from resphere.inventory.relations import datacenter_of
from resphere.inventory.tables import datastore_name
from resphere.replica.replica import Replica
from resphere.rules.hardware.ethernet import require_for_machines
from resphere.rules.names import is_free
from resphere.rules.placement.resolution import Needs

Spec = vcenter.VM.CreateSpec


DEFAULT_NAME = "New Virtual Machine"


def no_placement() -> InvalidArgument:
    """The refusal of a spec without a placement."""
    return InvalidArgument(
        message(
            "resphere.vm.placement.none",
            "spec.placement: must be set, with a folder and one of resource_pool, host and cluster.",
        )
    )


def needs_of(inventory: Replica, spec: Spec, folder: Folder) -> Needs:
    """The networks and datastores that the devices ask for.

    :raises InvalidArgument: a network is one that no VM connects to.
    """
    backings = [nic.backing for nic in spec.nics or () if nic.backing is not None]
    files = [disk.backing.vmdk_file for disk in spec.disks or () if disk.backing is not None]
    named = {backing.network for backing in backings if backing.network is not None}
    networks = [network for id in named if (network := inventory.get(Network, id)) is not None]
    for network in networks:
        require_for_machines(network)
    return Needs(
        networks=frozenset(network.id for network in networks),
        datastores=frozenset(
            store.id for path in files if path and (store := store_named(inventory, path, folder)) is not None
        ),
    )


def store_named(inventory: Replica, path: str, folder: Folder) -> Datastore | None:
    """The datastore that a path means in the folder's datacenter, if there is one only."""
    here = datacenter_of(inventory, folder)
    named = inventory.by(Datastore, "name", datastore_name(path)).values()
    found = [store for store in named if datacenter_of(inventory, store) == here]
    return found[0] if len(found) == 1 else None


def default_name(inventory: Replica, folder: Folder) -> str:
    """``New Virtual Machine``, ``New Virtual Machine (1)``, ...: the first that is free."""
    names = (f"{DEFAULT_NAME} ({number})" if number else DEFAULT_NAME for number in count())
    return next(name for name in names if is_free(inventory, folder, name))
