"""What becomes of items: machines that are checked out of templates, and how contents have changed."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.contract.generated import ids
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.model import VirtualMachine
from resphere.replica.table import OnDelete, Reference, Table, own_id


class CheckOut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That ``user`` has checked a machine, whose id is this one's, out of the template ``item``."""

    kind: ClassVar[str] = "content_check_out"

    id: ids.VirtualMachineId
    item: ids.ContentLibraryItemId
    user: str
    time: datetime


class ItemChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """That ``user`` has made the content ``version`` of ``item``."""

    kind: ClassVar[str] = "content_item_change"

    id: str
    item: ids.ContentLibraryItemId
    version: int
    time: datetime
    user: str
    message: str | None = None


def change_id(item: str, version: int) -> str:
    """The id of the change that has made a content version."""
    return f"{item}:{version}"


CHECK_OUTS = Table(
    cls=CheckOut,
    indexes={"machine": own_id, "item": lambda check_out: (check_out.item,)},
    belongs_to="machine",
    refers_to=(
        Reference(index="machine", fields=("id",), to=(VirtualMachine,), on_delete=OnDelete.CASCADE),
        Reference(index="item", fields=("item",), to=(LibraryItem,), on_delete=OnDelete.CASCADE),
    ),
    claims=lambda check_out: (check_out_claim(check_out.item),),
)


def check_out_claim(item: str) -> str:
    """What the one machine holds that is checked out of an item."""
    return f"content-check-out/{item}"


ITEM_CHANGES = Table(
    cls=ItemChange,
    indexes={"item": lambda change: (change.item,)},
    belongs_to="item",
    refers_to=(Reference(index="item", fields=("item",), to=(LibraryItem,), on_delete=OnDelete.CASCADE),),
)
