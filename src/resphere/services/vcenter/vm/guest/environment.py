"""``com.vmware.vcenter.vm.guest.environment``: environment variables of the guest's user."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Credentials, Environment
from resphere.services.call import Call
from resphere.services.checks.guest_operations import guests_of, ready
from resphere.services.registry import implements
from resphere.turns import in_turns


@implements(Environment.get)
async def get(call: Call, vm: ids.VirtualMachineId, credentials: Credentials, name: str) -> str:
    """One environment variable.

    :raises NotFound: it is not set.
    """
    found, _ = ready(call, vm, credentials)
    guests = guests_of(call)
    for variable, value in guests.environment(found).items():
        if guests.is_name_of(found, variable, name):
            return value
    raise NotFound(
        message("resphere.vm.guest.no_variable", "The environment variable {0} is not set in the guest.", name[:200])
    )


@implements(Environment.list)
async def list_(
    call: Call, vm: ids.VirtualMachineId, credentials: Credentials, names: frozenset[str]
) -> dict[str, str]:
    """The environment variables of those names that are set; of no names: all."""
    found, _ = ready(call, vm, credentials)
    guests = guests_of(call)
    variables = guests.environment(found)
    if not names:
        return variables
    wanted: set[str] = set()
    async for piece in in_turns(names):
        wanted |= {each for each in variables if any(guests.is_name_of(found, each, name) for name in piece)}
    return {variable: value for variable, value in variables.items() if variable in wanted}
