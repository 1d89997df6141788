"""``com.vmware.vcenter.vm.guest.networking``: the guest's own names."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import DnsAssignedValues, Networking
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.guest.tools_running import require_guest


@implements(Networking.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Networking.Info:
    """The guest's host and domain name."""
    guest = require_guest(call.require(VirtualMachine, vm))
    host, _, domain = guest.host_name.partition(".")
    return Networking.Info(dns_values=DnsAssignedValues(host_name=host, domain_name=domain))
