"""What a package says to the guests of the machines that were made of it, and the vApps that such machines are in."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.inventory.model import ResourcePool, Snapshot, UnregisteredVm, VirtualMachine
from resphere.ovf.model import Product, StartupItem
from resphere.replica.table import OnDelete, Reference, Table, own_id

GUEST_INFO = "com.vmware.guestInfo"
ISO = "iso"
"""The transports of the environment: a variable that Tools hand out, a disc."""


class VappConfiguration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The products of a VM with their properties, which have the ``values`` by full key, and the ``transports`` by
    which they come to the guest. Values, and defaults of properties, may be passwords.

    ``id`` is the VM's, or that of the snapshot that keeps them as they were; ``machine`` is the VM's in both.
    """

    kind: ClassVar[str] = "vapp_configuration"

    id: str
    machine: str
    products: tuple[Product, ...] = ()
    values: dict[str, str] = {}
    transports: tuple[str, ...] = ()


class VirtualApp(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What makes a vApp of the resource pool of the same id: the machines and vApps in it are those in the pool.

    ``startup`` says by their ids when they start. ``deployment`` tells the call that made it from all others. Products,
    values and passwords are as in :class:`VappConfiguration`.
    """

    kind: ClassVar[str] = "virtual_app"
    resource_type: ClassVar[str] = "VirtualApp"
    id_prefix: ClassVar[str] = "resgroup-v"

    id: str
    annotation: str = ""
    startup: tuple[StartupItem, ...] = ()
    products: tuple[Product, ...] = ()
    values: dict[str, str] = {}
    deployment: str | None = None


VIRTUAL_APPS = Table(
    cls=VirtualApp,
    indexes={"pool": own_id, "deployment": lambda app: () if app.deployment is None else (app.deployment,)},
    revises=False,
    belongs_to="pool",
    refers_to=(Reference(index="pool", fields=("id",), to=(ResourcePool,), on_delete=OnDelete.CASCADE),),
    sealed=("products", "values"),
)
VAPP_CONFIGURATIONS = Table(
    cls=VappConfiguration,
    indexes={"machine": lambda configuration: (configuration.machine,), "owner": own_id},
    revises=False,
    belongs_to="machine",
    refers_to=(
        Reference(
            index="machine", fields=("machine",), to=(VirtualMachine, UnregisteredVm), on_delete=OnDelete.CASCADE
        ),
        Reference(
            index="owner", fields=("id",), to=(VirtualMachine, Snapshot, UnregisteredVm), on_delete=OnDelete.CASCADE
        ),
    ),
    sealed=("products", "values"),
)
