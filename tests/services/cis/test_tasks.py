"""Lists of tasks, as long as vCenter lets them be, and tasks that cannot be canceled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from resphere.contract.errors import NotAllowedInCurrentState, NotFound, ResourceInaccessible
from resphere.contract.generated import cis, cis_task, ids
from resphere.replica.edit import Edit
from resphere.services.cis.tasks import MOST_LISTED
from resphere.tasks.record import Task
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

SERVICE = ids.VapiServiceId("com.vmware.vcenter.VM")
ALL = cis.Tasks.FilterSpec(services=frozenset({SERVICE}))


def finished(number: int) -> Task:
    """A task that was over so many seconds ago."""
    return Task(
        id=f"task-9{number:05}",
        service=SERVICE,
        operation="create",
        description="Folder.createVm",
        owner="test",
        status=cis_task.Status.SUCCEEDED,
        progress=100,
        queued_time=NOW - timedelta(seconds=number),
        start_time=NOW - timedelta(seconds=number),
        end_time=NOW - timedelta(seconds=number),
    )


def put(world: World, *tasks: Task) -> None:
    def plan(edit: Edit) -> None:
        for task in tasks:
            edit.put(task)

    world.run(world.inventory.change(plan))


def listed(world: World, wanted: cis.Tasks.FilterSpec) -> list[str]:
    """The ids of the tasks that match, in their order."""
    found = world.call(cis.Tasks.list, wanted, None)
    return list(found)


def test_more_tasks_than_one_list_may_return(world: World) -> None:
    made = [finished(number) for number in range(MOST_LISTED + 1)]
    put(world, *made[:-1])
    assert listed(world, ALL) == [task.id for task in made[:-1]]
    put(world, made[-1])
    with pytest.raises(ResourceInaccessible) as error:
        listed(world, ALL)
    assert refused(error) == (ResourceInaccessible.api_status, "resphere.task.too_many_matches")
    wanted = cis.Tasks.FilterSpec(tasks=frozenset({ids.CisTaskId(made[-1].id)}))
    assert listed(world, wanted) == [made[-1].id]


def test_what_is_over_or_unknown_cannot_be_canceled(world: World) -> None:
    put(world, finished(1))
    with pytest.raises(NotAllowedInCurrentState):
        world.call(cis.Tasks.cancel, ids.CisTaskId("task-900001"))
    with pytest.raises(NotFound):
        world.call(cis.Tasks.cancel, ids.CisTaskId("task-404"))
    with pytest.raises(NotFound):
        world.call(cis.Tasks.get, ids.CisTaskId("task-404"), None)
