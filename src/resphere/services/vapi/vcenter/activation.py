"""``com.vmware.vapi.vcenter.activation``: what one request has begun."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_vcenter import Activation
from resphere.services.call import Call
from resphere.services.checks.activations import begun_by
from resphere.services.cis import tasks
from resphere.services.registry import implements


@implements(Activation.cancel)
async def cancel(call: Call, activation_id: str) -> None:
    """Ask for the tasks to stop that a request has begun.

    :raises NotFound: no task of a request with that id is there.
    :raises NotAllowedInCurrentState: they are finished, or cannot be canceled.
    :raises Unauthorized: they are somebody else's, on objects where the caller may cancel none.
    """
    found = await begun_by(call, activation_id)
    for task in [each for each in found if not each.is_finished] or found[:1]:
        await tasks.cancel(call, ids.CisTaskId(task.id))
