"""Customization of guests: specifications that are kept, what waits for a VM's next start, and what it makes of it.

Who makes a VM that is to be customized when it starts (a clone) writes :func:`pending`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from resphere.contract.generated.vcenter_guest import (
    CustomizationSpec,
)
from resphere.contract.generated.vcenter_vm_guest import Customization
from resphere.inventory.model import UnregisteredVm, VirtualMachine
from resphere.replica.table import OnDelete, Reference, Table, own_id

Status = Customization.Info.Status


class CustomizationItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A customization specification; ``id`` is its name. ``fingerprint`` is another after each change."""

    kind: ClassVar[str] = "customization_spec"

    id: str
    description: str
    spec: CustomizationSpec
    fingerprint: str
    last_modified: datetime


class GuestCustomization(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The last customization of the VM ``id``; ``spec`` is set until it is over.

    It waits for the VM's next start until ``start_time`` is set, and goes on until ``due``, which is unset while the VM
    is suspended. ``live``: it was done while the VM ran.
    """

    kind: ClassVar[str] = "guest_customization"

    id: str
    spec: CustomizationSpec | None = None
    live: bool = False
    error: str | None = None
    start_time: datetime | None = None
    due: datetime | None = None
    end_time: datetime | None = None

    @property
    def status(self) -> Customization.Info.Status:
        """How far it is."""
        if self.spec is not None:
            return Status.PENDING if self.start_time is None else Status.RUNNING
        return Status.FAILED if self.error is not None else Status.SUCCEEDED


CUSTOMIZATION_TABLES: tuple[Table[Any], ...] = (
    Table(cls=CustomizationItem, sealed=("spec",)),
    Table(
        cls=GuestCustomization,
        indexes={"machine": own_id, "due": lambda found: () if found.due is None else ("yes",)},
        revises=False,
        belongs_to="machine",
        refers_to=(
            Reference(index="machine", fields=("id",), to=(VirtualMachine, UnregisteredVm), on_delete=OnDelete.CASCADE),
        ),
        sealed=("spec",),
    ),
)
