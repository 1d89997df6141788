"""Tickets for consoles of virtual machines."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated.vcenter_vm_console import Tickets
from resphere.inventory.model import VirtualMachine
from resphere.replica.table import OnDelete, Reference, Table


class ConsoleTicket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A ticket for the console of ``machine``, good once until ``expires``.

    ``id`` is the digest of what the client has.
    """

    kind: ClassVar[str] = "console_ticket"

    id: str
    machine: str
    type: Tickets.Type
    expires: datetime


CONSOLE_TICKETS = Table(
    cls=ConsoleTicket,
    indexes={"machine": lambda ticket: (ticket.machine,)},
    revises=False,
    belongs_to="machine",
    refers_to=(Reference(index="machine", fields=("machine",), to=(VirtualMachine,), on_delete=OnDelete.CASCADE),),
)
