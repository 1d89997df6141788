"""What one request has begun: tasks keep the id of the request that asked for them (``vapi-ctx-opid``,
``X-Request-ID``), which vCenter calls their activation."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.services.call import Call
from resphere.services.cis.tasks import visible
from resphere.tasks.record import Task
from resphere.turns import in_turns


async def begun_by(call: Call, activation: str) -> list[Task]:
    """The tasks of a request that the caller sees, those first that are not over.

    :raises NotFound: there is none.
    """
    found: list[Task] = []
    async for tasks in in_turns(list(call.unfiltered.all(Task).values())):
        found += [task for task in tasks if task.request == activation and visible(call, task)]
    if not found:
        raise no_activation(activation)
    return sorted(found, key=lambda task: task.is_finished)


def no_activation(activation: str) -> NotFound:
    """The refusal of an id of which nothing is under way."""
    return NotFound(
        message("resphere.activation.not_found", "There is no task of a request with the id {0}.", activation)
    )
