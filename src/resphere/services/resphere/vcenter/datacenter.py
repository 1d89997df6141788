"""``resphere.vcenter.datacenter``: update (rename) and move."""

from __future__ import annotations

from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.extensions.moves import Datacenters
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Datacenter
from resphere.services.call import Call
from resphere.services.checks.moves import move, rename
from resphere.services.registry import implements


@implements(Datacenters.update)
async def update(call: Call, datacenter: ids.DatacenterId, spec: NameSpec) -> None:
    """Rename the datacenter."""
    await rename(call, "Datacenter.rename", call.require(Datacenter, datacenter), spec.name)


@implements(Datacenters.move)
async def move_datacenter(call: Call, datacenter: ids.DatacenterId, spec: FolderSpec) -> None:
    """Move the datacenter, with everything in it, into another folder for datacenters."""
    target = call.require(Datacenter, datacenter)
    await move(call, "Folder.moveInto", target, spec.folder, vcenter.Folder.Type.DATACENTER)
