"""What the package that a machine was made of says to its guest: the OVF environment's properties."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.inventory.model import UnregisteredVm, VirtualMachine
from resphere.ovf.model import Product
from resphere.replica.table import OnDelete, Reference, Table, own_id

GUEST_INFO = "com.vmware.guestInfo"
ISO = "iso"
"""The transports of the environment: a variable that Tools hand out, a disc."""


class VappConfiguration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The products of the VM ``id`` with their properties, which have the ``values`` by full key, and the
    ``transports`` by which they come to the guest. Values, and defaults of properties, may be passwords."""

    kind: ClassVar[str] = "vapp_configuration"

    id: str
    products: tuple[Product, ...] = ()
    values: dict[str, str] = {}
    transports: tuple[str, ...] = ()


VAPP_CONFIGURATIONS = Table(
    cls=VappConfiguration,
    indexes={"machine": own_id},
    revises=False,
    belongs_to="machine",
    refers_to=(
        Reference(index="machine", fields=("id",), to=(VirtualMachine, UnregisteredVm), on_delete=OnDelete.CASCADE),
    ),
    sealed=("products", "values"),
)
