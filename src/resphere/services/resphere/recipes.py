"""``resphere.recipes``: schedules that many want, made by one call."""

from __future__ import annotations

import re
from typing import Any

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.recipes import Recipes
from resphere.contract.extensions.reports import Reports
from resphere.contract.extensions.schedules import Schedules
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_guest import Power as GuestPower
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.resphere.reports import require_spec
from resphere.services.resphere.schedules import made

USUAL_CONCURRENCY = 4
USUAL_DAYS = (
    Recipes.Day.MONDAY,
    Recipes.Day.TUESDAY,
    Recipes.Day.WEDNESDAY,
    Recipes.Day.THURSDAY,
    Recipes.Day.FRIDAY,
)
TIME = re.compile(r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9])\Z")
ON, OFF = "POWERED_ON", "POWERED_OFF"


@implements(Recipes.snapshots)
async def snapshots(call: Call, spec: Recipes.SnapshotsSpec) -> str:
    """A schedule that takes snapshots and deletes the oldest that it has taken.

    :raises AlreadyExists: the caller has a schedule of that name.
    :raises InvalidArgument: names the field.
    :raises ServiceUnavailable: there are too many schedules.
    :raises Unsupported: the caller has no local account.
    """
    given = {"name": spec.name, "keep": spec.keep, "memory": spec.memory, "quiesce": spec.quiesce}
    work = Bulk.CreateSpec(
        concurrency=USUAL_CONCURRENCY if spec.concurrency is None else spec.concurrency,
        each=Bulk.Each(
            operation=VmSnapshots.rotate.id,
            parameter="vm",
            input={"spec": {name: value for name, value in given.items() if value is not None}},
            filter=finding(spec.machines),
        ),
    )
    return await create(call, spec.name, by_cron(spec.cron, spec.time_zone), work)


@implements(Recipes.working_hours)
async def working_hours(call: Call, spec: Recipes.WorkingHoursSpec) -> Recipes.WorkingHoursInfo:
    """Two schedules, of which one switches machines on and the other off; both or none.

    :raises AlreadyExists: the caller has a schedule of one of their names.
    :raises InvalidArgument: names the field.
    :raises ServiceUnavailable: there are too many schedules.
    :raises Unsupported: the caller has no local account.
    """
    shuts_down = spec.off in (None, Recipes.Off.SHUTDOWN)
    off_by = GuestPower.shutdown.id if shuts_down else vcenter_vm.Power.stop.id
    days = USUAL_DAYS if spec.days is None else spec.days
    if not days:
        raise refused("days", "must name one at least.")
    schedules = [
        await made(
            call,
            Schedules.CreateSpec(
                name=f"{spec.name} ({word})",
                trigger=by_cron(cron_at(field, time, days), spec.time_zone),
                work=Bulk.CreateSpec(
                    rate=spec.rate,
                    each=Bulk.Each(operation=operation, parameter="vm", filter=finding(spec.machines, state)),
                ),
            ),
        )
        for word, field, time, operation, state in (
            ("on", "begin", spec.begin, vcenter_vm.Power.start.id, OFF),
            ("off", "end", spec.end, off_by, ON),
        )
    ]
    on, off = await call.environment.planner.create(*schedules)
    return Recipes.WorkingHoursInfo(on=on, off=off)


@implements(Recipes.reports)
async def reports(call: Call, spec: Recipes.ReportsSpec) -> str:
    """A schedule that makes reports and has them sent.

    :raises AlreadyExists: the caller has a schedule of that name.
    :raises InvalidArgument: names the field.
    :raises NotFound: the caller has no such webhook.
    :raises ServiceUnavailable: there are too many schedules.
    :raises Unsupported: the caller has no local account.
    """
    require_spec(call, spec.name, spec.snapshot_days, spec.webhook)
    given: dict[str, Any] = {"name": spec.name, "webhook": spec.webhook, "snapshot_days": spec.snapshot_days}
    if spec.parts is not None:
        given["parts"] = sorted(spec.parts)
    report = {name: value for name, value in given.items() if value is not None}
    work = Bulk.CreateSpec(items=(Bulk.Item(operation=Reports.create.id, input={"spec": report}),))
    return await create(call, spec.name, by_cron(spec.cron, spec.time_zone), work)


async def create(call: Call, name: str, trigger: Schedules.Trigger, work: Bulk.CreateSpec) -> str:
    """One schedule; its id."""
    schedule = await made(call, Schedules.CreateSpec(name=name, trigger=trigger, work=work))
    (identity,) = await call.environment.planner.create(schedule)
    return identity


def by_cron(cron: str, time_zone: str | None) -> Schedules.Trigger:
    """A trigger by cron."""
    return Schedules.Trigger(type=Schedules.TriggerType.CRON, cron=cron, time_zone=time_zone)


def cron_at(field: str, time: str, days: Any) -> str:
    """Cron for a time of the day on these days.

    :raises InvalidArgument: it is no time; ``field`` says which.
    """
    found = TIME.match(time)
    if found is None:
        raise refused(field, f"must be a time of the day from 00:00 to 23:59, as 07:30 is, and not {time[:20]!r}.")
    names = ",".join(day.value[:3] for day in Recipes.Day if day in days)
    return f"{int(found['minute'])} {int(found['hour'])} * * {names}"


def finding(machines: Recipes.Machines | None, power_state: str | None = None) -> Bulk.Filter:
    """The list that finds these machines, each time anew; of those in the ``power_state``, where one is given."""
    wanted = machines or Recipes.Machines()
    given = {
        "folders": wanted.folders,
        "clusters": wanted.clusters,
        "resource_pools": wanted.resource_pools,
        "names": wanted.names,
        "power_states": None if power_state is None else {power_state},
    }
    filter = {name: sorted(values) for name, values in given.items() if values is not None}
    condition = wanted.condition
    if wanted.tags is not None:
        if not wanted.tags:
            raise refused("machines.tags", "must name one at least.")
        quoted = ", ".join("'" + tag.replace("'", "''") + "'" for tag in sorted(wanted.tags))
        tagged = f"tags/any(t: t/tag in ({quoted}))"
        condition = tagged if condition is None else f"({condition}) and {tagged}"
    input = {} if condition is None else {"$filter": condition}
    return Bulk.Filter(operation=vcenter.VM.list.id, input={"filter": filter, **input} if filter else input)


def refused(where: str, why: str) -> InvalidArgument:
    """The refusal of what stands at that place."""
    return InvalidArgument(message("resphere.recipe.input", "{0}: {1}", where, why))
