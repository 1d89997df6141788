"""``com.vmware.vcenter.ovf.import_flag``: what a deployment may be asked for besides."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_ovf import ImportFlag
from resphere.contract.mentions import told
from resphere.inventory.model import ResourcePool
from resphere.services.call import Call
from resphere.services.registry import implements

LAX = "LAX"
FLAGS = {LAX: message("resphere.ovf.flag.lax", "Leave out what is not supported of the package, with a warning.")}
"""Each flag with what it means."""


@implements(ImportFlag.list, kept=True)
async def list_flags(call: Call, rp: ids.ResourcePoolId) -> tuple[ImportFlag.Info, ...]:
    """The flags of a deployment, the same on every resource pool."""
    call.require(ResourcePool, rp)
    return tuple(ImportFlag.Info(option=option, description=told(text, call.knows)) for option, text in FLAGS.items())
