"""What a provider observed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter_vm import GuestOS
from resphere.inventory.model import (
    HostHardware,
    PhysicalNic,
    VirtualMachine,
)
from resphere.replica.table import Stored


class NewDatastore(msgspec.Struct, frozen=True, kw_only=True):
    """A datastore that a host brings along: ``capacity`` in bytes."""

    type: ApiDatastore.Type
    capacity: int
    url: str


class HostFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a host says of itself. ``datastores`` are its own; ``networks`` are names of standard port groups."""

    hardware: HostHardware
    version: str
    build: str
    host_uuid: str
    boot_time: datetime
    management_ip: str | None = None
    physical_nics: tuple[PhysicalNic, ...] = ()
    datastores: tuple[NewDatastore, ...] = ()
    networks: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider observed.

    ``machine`` is the virtual machine as it is now, made of the one that was decided (unset: it is just that); ``host``
    is what a new host says of itself; ``result`` what the effect results in, where only the provider can tell.
    ``documents`` are a provider's own that belong to what was done and are to be stored with it, ``dropped`` those that
    are no more, ``relied`` those that must still be as they are.
    """

    machine: VirtualMachine | None = None
    host: HostFacts | None = None
    documents: tuple[Stored, ...] = ()
    dropped: tuple[Stored, ...] = ()
    relied: tuple[Stored, ...] = ()
    result: Any = None


NOTHING = Facts()
"""It is as decided, and there is nothing more to say."""


class ObservedMachine(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that a provider has and the inventory does not know; ``host`` is the id of the one that it is on."""

    name: str
    host: str
    bios_uuid: str
    instance_uuid: str
    guest_OS: GuestOS
    cpu_count: int
    memory_size_MiB: int
    running: bool
