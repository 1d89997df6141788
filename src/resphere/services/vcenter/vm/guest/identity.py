"""``com.vmware.vcenter.vm.guest.identity``: what the guest says it is."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Identity
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.tools import require_guest
from resphere.rules.machines.guest_os_ids import vim_guest_id
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Identity.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Identity.Info:
    """The guest's system, host name and first address."""
    found = call.require(VirtualMachine, vm)
    guest = require_guest(call.vcenter, found)
    full_name = LocalizableMessage(
        id=f"vmsg.guestos.{vim_guest_id(found.guest_OS)}.label", default_message=guest.full_name, args=()
    )
    return Identity.Info(
        name=found.guest_OS,
        family=guest.family,
        full_name=full_name,
        host_name=guest.host_name,
        ip_address=next(iter(guest.ip_addresses), None),
    )
