"""``com.vmware.vcenter.ovf.export_flag``: what a capture may be asked for besides."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.generated.vcenter_ovf import ExportFlag
from resphere.contract.mentions import told
from resphere.services.call import Call
from resphere.services.registry import implements

PRESERVE_MAC, EXTRA_CONFIG = "PRESERVE_MAC", "EXTRA_CONFIG"
FLAGS = {
    PRESERVE_MAC: message("resphere.ovf.flag.preserve_mac", "Include the MAC addresses of the network adapters."),
    EXTRA_CONFIG: message("resphere.ovf.flag.extra_config", "Include the advanced settings of the virtual machine."),
}
"""Each flag with what it means."""


@implements(ExportFlag.list, kept=True)
async def list_flags(call: Call) -> tuple[ExportFlag.Info, ...]:
    """The flags of a capture."""
    return tuple(ExportFlag.Info(option=option, description=told(text, call.knows)) for option, text in FLAGS.items())
