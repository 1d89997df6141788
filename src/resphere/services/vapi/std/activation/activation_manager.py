"""``com.vmware.vapi.std.activation.activation_manager``: what one request has begun."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std_activation import ActivationManager
from resphere.services.call import Call
from resphere.services.checks.activations import begun_by, no_activation
from resphere.services.cis import tasks
from resphere.services.registry import implements


@implements(ActivationManager.cancel)
async def cancel(call: Call, activation_id: str) -> None:
    """Ask for the tasks to stop that a request has begun.

    :raises NotFound: no task of a request with that id is under way that can be canceled.
    :raises Unauthorized: they are somebody else's, on objects where the caller may cancel none.
    """
    found = [task for task in await begun_by(call, activation_id) if task.cancelable and not task.is_finished]
    if not found:
        raise no_activation(activation_id)
    for task in found:
        await tasks.cancel(call, ids.CisTaskId(task.id))
