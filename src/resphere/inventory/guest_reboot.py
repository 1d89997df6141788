"""Guests that are starting, for the first time or again."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.inventory.model import VirtualMachine
from resphere.replica.table import OnDelete, Reference, Table, own_id


class GuestReboot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The guest of the VM ``id`` starts; its Tools run when that is ``due`` (aware, in UTC)."""

    kind: ClassVar[str] = "guest_reboot"

    id: str
    due: datetime


GUEST_REBOOTS = Table(
    cls=GuestReboot,
    indexes={"machine": own_id},
    revises=False,
    belongs_to="machine",
    refers_to=(Reference(index="machine", fields=("id",), to=(VirtualMachine,), on_delete=OnDelete.CASCADE),),
)
