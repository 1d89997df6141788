"""How each part of the appliance is, looked at when it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from resphere.appliance.database import probe
from resphere.appliance.folders import Partition
from resphere.appliance.health import LOAD, MEMORY, STORAGE, SWAP, WELL, Finding, Level, share, worst
from resphere.contract.errors import VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_update import CommonInfo
from resphere.contract.generated.vcenter_services import Service
from resphere.services.call import Call
from resphere.services.checks.appliance_updates import pending, present
from resphere.services.checks.vcenter_services import current

log = logging.getLogger(__name__)

APPLMGMT = "applmgmt"


async def load(call: Call) -> Finding:
    """How busy the CPUs were in the last minute."""
    load = call.environment.machine.load()
    resolution = message(
        "resphere.appliance.health.load_resolution", "See what keeps the CPUs busy, or give the server more of them."
    )
    return share("CPU load", load.minute, load.cpus, LOAD, resolution)


async def memory(call: Call) -> Finding:
    """How much memory is left."""
    memory = call.environment.machine.memory()
    resolution = message("resphere.appliance.health.memory_resolution", "Give the server more memory.")
    return share("memory", memory.used, memory.total, MEMORY, resolution)


async def swap(call: Call) -> Finding:
    """How much swap space is left; where there is none nothing is known."""
    swap = call.environment.machine.swap()
    if not swap.total:
        return Finding(Level.GRAY)
    resolution = message("resphere.appliance.health.swap_resolution", "Give the server more memory.")
    return share("swap space", swap.used, swap.total, SWAP, resolution)


async def storage(call: Call) -> Finding:
    """How much room is left in the folders of the server."""
    return worst(of_partition(each) for each in partitions(call))


async def database_storage(call: Call) -> Finding:
    """How much room is left for the store; of one that is elsewhere nothing is known."""
    return worst(of_partition(each) for each in partitions(call) if each.label == "db")


async def applmgmt(call: Call) -> Finding:
    """Whether the service runs that all this belongs to, as vCenter's list of services has it."""
    if current(call.inventory, ids.VcenterServicesServiceId(APPLMGMT)).state is Service.State.STARTED:
        return WELL
    stopped = message("resphere.appliance.health.stopped", "The service {0} does not run.", APPLMGMT)
    resolution = message("resphere.appliance.health.start", "Start the service {0}.", APPLMGMT)
    return Finding(Level.RED, (stopped,), resolution)


async def database(call: Call) -> Finding:
    """Whether the store writes: something is written, and waited for."""
    return await probe(call.unfiltered, call.environment.present())


async def software_packages(call: Call) -> Finding:
    """Whether there are updates, and whether one mends security; of a repository that has gone nothing is known."""
    try:
        found = await pending(call, present(call), upgrades=False)
    except VapiError:
        return Finding(Level.GRAY)
    if not found:
        return WELL
    security = any(each.update_type is CommonInfo.Category.SECURITY for each in found)
    told = message(
        "resphere.appliance.health.updates", "There are updates: {0}.", ", ".join([each.version for each in found])
    )
    return Finding(Level.RED if security else Level.ORANGE, (told,))


async def system(call: Call) -> Finding:
    """All of it: the worst of what is known. Updates that there are make nothing unwell."""
    return worst([await look(call) for name, look in ITEMS.items() if name not in ("software-packages", "system")])


Look = Callable[[Call], Awaitable[Finding]]

ITEMS: Mapping[str, Look] = MappingProxyType(
    {
        "applmgmt": applmgmt,
        "database": database,
        "database-storage": database_storage,
        "load": load,
        "mem": memory,
        "software-packages": software_packages,
        "storage": storage,
        "swap": swap,
        "system": system,
    }
)
"""By the name that each has in its path."""


def partitions(call: Call) -> tuple[Partition, ...]:
    """The folders of the server.

    :raises VapiError: one has gone.
    """
    try:
        return call.environment.folders.partitions(call.environment.machine)
    except OSError as error:
        raise VapiError(
            message(
                "resphere.appliance.folder", "A folder of the server cannot be looked at: {0}.", error.strerror or error
            )
        ) from error


def of_partition(partition: Partition) -> Finding:
    """How much room is left in one."""
    resolution = message(
        "resphere.appliance.health.storage_resolution", "Make room on the partition {0}.", partition.label
    )
    filesystem = partition.filesystem
    return share(f"the partition {partition.label}", filesystem.used, filesystem.total, STORAGE, resolution)
