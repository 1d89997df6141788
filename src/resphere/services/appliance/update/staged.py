"""``com.vmware.appliance.update.staged``: what can be installed."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.contract.errors import NotAllowedInCurrentState, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_update import Staged
from resphere.inventory.appliance.update import UpdateStatus
from resphere.services.appliance.update.pending import common
from resphere.services.call import Call
from resphere.services.checks.appliance_updates import change, present, repository, require_rest
from resphere.services.registry import implements


@implements(Staged.get)
async def get(call: Call) -> Staged.Info:
    """The update that is staged.

    :raises NotAllowedInCurrentState: none is.
    """
    status = present(call)
    found = next((each for each in await repository(call) if each.version == status.staged), None)
    if found is None:
        raise NotAllowedInCurrentState(message("resphere.appliance.update.none_staged", "No update is staged."))
    return Staged.Info(
        staging_complete=True,
        component=status.staged_component,
        version=ids.ApplianceUpdatePendingId(found.version),
        **common(found),
    )


@implements(Staged.delete)
async def delete(call: Call) -> None:
    """Have none be staged.

    :raises VapiError: something is under way.
    """

    def changed(status: UpdateStatus) -> UpdateStatus:
        try:
            require_rest(status)
        except NotAllowedInCurrentState as error:
            raise VapiError(*error.messages) from None
        return replace(status, staged=None, staged_component=None)

    await change(call, changed)
