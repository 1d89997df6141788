"""What the package that a machine was made of says to its guest: the OVF environment's properties."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.inventory.model import Snapshot, UnregisteredVm, VirtualMachine
from resphere.ovf.model import Product
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
