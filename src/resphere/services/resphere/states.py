"""``resphere.states``: the inventory kept as it is, and put back."""

from __future__ import annotations

import re

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.states import States
from resphere.inventory.states import SavedState
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.simulated import require_simulated
from resphere.services.registry import implements

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
LONGEST_DESCRIPTION = 1000


@implements(States.create)
async def create(call: Call, spec: States.CreateSpec) -> str:
    """Keep the inventory as it is now.

    :raises AlreadyExists: there is one of that name, which is not to be replaced.
    :raises InvalidArgument: that is no name, or the description is too long.
    :raises ServiceUnavailable: there are too many.
    :raises UnableToAllocateResource: there is no room.
    :raises Unsupported: machines outside would not follow.
    """
    require_simulated(call)
    if NAME.fullmatch(spec.name) is None:
        raise InvalidArgument(
            message(
                "resphere.states.bad_name",
                "name must be 1 to 80 letters, digits, '.', '_' and '-', and begin with a letter or digit.",
            )
        )
    description = spec.description or ""
    if len(description) > LONGEST_DESCRIPTION:
        raise InvalidArgument(
            message(
                "resphere.states.bad_description", "description may have {0} characters at most.", LONGEST_DESCRIPTION
            )
        )
    await call.environment.states.take(spec.name, description, replace=bool(spec.replace))
    return spec.name


@implements(States.list)
async def list_states(call: Call) -> tuple[States.Info, ...]:
    """All of them, the oldest first."""
    return tuple(map(info, call.environment.states.all()))


@implements(States.get)
async def get(call: Call, state: str) -> States.Info:
    """One.

    :raises NotFound: there is none of that name.
    """
    return info(call.environment.states.require(state))


@implements(States.delete)
async def delete(call: Call, state: str) -> None:
    """Forget one, and the files that only it has.

    :raises NotFound: there is none of that name.
    """
    await call.environment.states.delete(state)


@implements(States.restore)
async def restore(call: Call, state: str, spec: States.RestoreSpec | None) -> States.RestoreResult:
    """Put the inventory back, in one transaction.

    :raises NotAllowedInCurrentState: the state cannot be read any more.
    :raises NotFound: there is none of that name.
    :raises ResourceBusy: tasks are under way, or nobody would administer any more.
    :raises Unsupported: machines outside would not follow.
    """
    require_simulated(call)
    states = call.environment.states
    end_work = spec is not None and bool(spec.end_work)
    prepared = await states.prepared(state)

    def plan(edit: Edit) -> States.RestoreResult:
        restored = states.restore(edit, prepared, end_work=end_work)
        return States.RestoreResult(written=restored.written, deleted=restored.deleted, tasks=restored.tasks)

    return await call.settle(plan)


def info(state: SavedState) -> States.Info:
    """A state as it is shown."""
    return States.Info(
        state=state.id,
        description=state.description,
        created_time=state.created_time,
        size_bytes=state.file.size_bytes,
        counts=dict(state.counts),
        restorations=state.restorations,
        restored_time=state.restored_time,
    )
