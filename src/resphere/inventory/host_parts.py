"""Parts of hosts that are changed apart from them: entropy pools and devices for DirectPath. Unchanged ones are not
kept."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from resphere.contract.generated.vcenter_host_hardware import DirectPathDevices
from resphere.inventory.model import Host, PhysicalNic
from resphere.replica.table import OnDelete, Reference, Table, own_id

Mode = DirectPathDevices.DirectPathDeviceMode
FIRST_BUS = 3


class EntropyPool(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many bytes of entropy the host of the same ``id`` has been given and has not used; not the bytes."""

    kind: ClassVar[str] = "entropy_pool"

    id: str
    available: int


class DirectPathDevice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The mode that a PCI device of ``host`` was given; ``id`` is the host's id, a slash, and the device's."""

    kind: ClassVar[str] = "direct_path_device"

    id: str
    host: str
    mode: Mode


HOST_PARTS: tuple[Table[Any], ...] = (
    Table(
        cls=EntropyPool,
        indexes={"host": own_id},
        revises=False,
        belongs_to="host",
        refers_to=(Reference(index="host", fields=("id",), to=(Host,), on_delete=OnDelete.CASCADE),),
    ),
    Table(
        cls=DirectPathDevice,
        indexes={"host": lambda device: (device.host,)},
        belongs_to="host",
        refers_to=(Reference(index="host", fields=("host",), to=(Host,), on_delete=OnDelete.CASCADE),),
    ),
)


def devices_of(host: Host) -> dict[str, PhysicalNic]:
    """The host's network adapters by the ids of their PCI devices, such as ``0000:03:00.0``: each on a bus of its
    own."""
    return {f"0000:{FIRST_BUS + number:02x}:00.0": nic for number, nic in enumerate(host.physical_nics)}


def device_key(host: str, device: str) -> str:
    """The id of a device's mode."""
    return f"{host}/{device}"
