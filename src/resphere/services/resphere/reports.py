"""``resphere.reports``: what there is in the inventory, as its owner sees it, at one moment."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from resphere.access.principal import canonical_name
from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.extensions.reports import Reports
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.moments import plain
from resphere.events.reports import MOST_REPORTS, Report
from resphere.events.webhooks import Webhook
from resphere.inventory.model import Cluster, Folder, Host, ManagedObject, Snapshot, VirtualMachine
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.turns import in_turns

LONGEST_NAME = 80
USUAL_DAYS, MOST_DAYS = 30, 3650
MOST_ENTRIES = 1000
"""Of each part."""
Part = Reports.Part
ON = Power.State.POWERED_ON
_content = msgspec.json.Decoder(Reports.Content)


@implements(Reports.create)
async def create(call: Call, spec: Reports.CreateSpec) -> str:
    """A report on what the caller sees now. One that is for a webhook is sent there as an event that nobody else gets.

    :raises InvalidArgument: names the field.
    :raises NotFound: the caller has no such webhook.
    """
    require_spec(call, spec.name, spec.snapshot_days, spec.webhook)
    content = await content_of(call, spec)
    report = Report(
        id=call.new_uuid(),
        name=spec.name,
        owner=call.session.user,
        time=call.environment.now(),
        content=msgspec.json.encode(plain(content)),
        webhook=spec.webhook,
    )

    def plan(edit: Edit) -> str:
        before = sorted(own(call), key=lambda each: each.time)
        for each in before[: max(len(before) + 1 - MOST_REPORTS, 0)]:
            edit.delete(Report, each.id)
        edit.put(report)
        return report.id

    return await call.unfiltered.change(plan)


@implements(Reports.list)
async def list_reports(call: Call) -> tuple[Reports.Summary, ...]:
    """The caller's own, the latest first."""
    found = sorted(own(call), key=lambda each: (each.time, each.id), reverse=True)
    return tuple(
        Reports.Summary(report=each.id, name=each.name, time=each.time, webhook=each.webhook) for each in found
    )


@implements(Reports.get)
async def get(call: Call, report: str) -> Reports.Info:
    """One of the caller's own.

    :raises NotFound: there is none.
    """
    found = require(call, report)
    return Reports.Info(name=found.name, time=found.time, webhook=found.webhook, content=_content.decode(found.content))


@implements(Reports.delete)
async def delete(call: Call, report: str) -> None:
    """Forget one of the caller's own.

    :raises NotFound: there is none.
    """
    found = require(call, report)
    await call.unfiltered.change(lambda edit: edit.delete(Report, found.id))


def own(call: Call) -> list[Report]:
    """The caller's."""
    return list(call.unfiltered.by(Report, "owner", canonical_name(call.session.user)).values())


def require(call: Call, id: str) -> Report:
    """One of the caller's own.

    :raises NotFound: there is none.
    """
    found = call.unfiltered.get(Report, id)
    if found is None or canonical_name(found.owner) != canonical_name(call.session.user):
        raise NotFound(message("resphere.report.not_found", "There is no report {0}.", id))
    return found


def require_spec(call: Call, name: str, days: int | None, webhook: str | None) -> None:
    """Refuse what is no report.

    :raises InvalidArgument: names the field.
    :raises NotFound: the caller has no such webhook.
    """
    if not 0 < len(name) <= LONGEST_NAME:
        raise refused("name", f"must have 1 to {LONGEST_NAME} characters, not {len(name)}.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise refused("snapshot_days", f"must be from 1 to {MOST_DAYS}, not {days}.")
    if webhook is not None:
        found = call.unfiltered.get(Webhook, webhook)
        # What the owner of another one would be sent is not theirs to see.
        if found is None or canonical_name(found.owner) != canonical_name(call.session.user):
            raise NotFound(
                message("resphere.report.no_webhook", "There is no webhook {0} that is the caller's.", webhook)
            )


def refused(where: str, why: str) -> InvalidArgument:
    """The refusal of what stands at that place."""
    return InvalidArgument(message("resphere.report.input", "{0}: {1}", where, why))


# --- what is in it ---------------------------------------------------------------------------------------------------


class Sum:
    """Figures of machines, added up."""

    def __init__(self) -> None:
        self.machines = self.powered_on = self.cpu_count = self.memory_mib = self.disk_capacity_bytes = 0

    def add(self, vm: VirtualMachine) -> None:
        """One more."""
        self.machines += 1
        self.powered_on += vm.power_state is ON
        self.cpu_count += vm.cpu.count
        self.memory_mib += vm.memory.size_MiB
        self.disk_capacity_bytes += sum(disk.capacity or 0 for disk in vm.disks.values())

    def figures(self) -> Reports.Figures:
        """As they are told."""
        return Reports.Figures(
            machines=self.machines,
            powered_on=self.powered_on,
            cpu_count=self.cpu_count,
            memory_mib=self.memory_mib,
            disk_capacity_bytes=self.disk_capacity_bytes,
        )


async def content_of(call: Call, spec: Reports.CreateSpec) -> Reports.Content:
    """What there is, as the caller sees it."""
    parts = frozenset(Part) if spec.parts is None else spec.parts
    total, folders, clusters = Sum(), defaultdict[str, Sum](Sum), defaultdict[str, Sum](Sum)
    running: list[VirtualMachine] = []
    async for piece in in_turns(call.all(VirtualMachine).values()):
        for vm in piece:
            if vm.template:
                continue
            total.add(vm)
            folders[vm.parent or ""].add(vm)
            host = call.unfiltered.get(Host, vm.host)
            if host is not None:
                clusters[host.parent or ""].add(vm)
            if vm.power_state is ON:
                running.append(vm)
    snapshots: list[Snapshot] = []
    now = call.environment.now()
    if Part.OLD_SNAPSHOTS in parts:
        limit = now - timedelta(days=USUAL_DAYS if spec.snapshot_days is None else spec.snapshot_days)
        async for some in in_turns(call.all(Snapshot).values()):
            snapshots += [each for each in some if each.created_time <= limit]
    by_folder, by_cluster = groups(call, Folder, folders), groups(call, Cluster, clusters)
    sizes = {
        Part.FOLDERS: len(by_folder),
        Part.CLUSTERS: len(by_cluster),
        Part.POWERED_ON: len(running),
        Part.OLD_SNAPSHOTS: len(snapshots),
    }
    return Reports.Content(
        all=total.figures(),
        folders=tuple(by_folder[:MOST_ENTRIES]) if Part.FOLDERS in parts else None,
        clusters=tuple(by_cluster[:MOST_ENTRIES]) if Part.CLUSTERS in parts else None,
        powered_on=tuple(machines(running)) if Part.POWERED_ON in parts else None,
        old_snapshots=tuple(old_snapshots(call, snapshots, now)) if Part.OLD_SNAPSHOTS in parts else None,
        left_out=sum(max(0, sizes[part] - MOST_ENTRIES) for part in parts),
    )


def groups(call: Call, cls: type[ManagedObject], sums: dict[str, Sum]) -> list[Reports.Group]:
    """The figures of each object of that class that the caller sees, the largest first."""
    found = [(each, sums[id]) for id in sums if (each := call.get(cls, id)) is not None]
    found.sort(key=lambda pair: (-pair[1].machines, pair[0].name, pair[0].id))
    return [Reports.Group(object=each.id, name=each.name, figures=of.figures()) for each, of in found]


def machines(running: Sequence[VirtualMachine]) -> Iterable[Reports.Machine]:
    """Machines that run, the first by name."""
    for vm in heapq.nsmallest(MOST_ENTRIES, running, key=lambda vm: (vm.name, vm.id)):
        yield Reports.Machine(
            vm=ids.VirtualMachineId(vm.id), name=vm.name, cpu_count=vm.cpu.count, memory_mib=vm.memory.size_MiB
        )


def old_snapshots(call: Call, found: Sequence[Snapshot], now: datetime) -> Iterable[Reports.OldSnapshot]:
    """Snapshots, the oldest of them."""
    for each in heapq.nsmallest(MOST_ENTRIES, found, key=lambda each: (each.created_time, each.id)):
        vm = call.get(VirtualMachine, each.parent or "")
        if vm is not None:
            yield Reports.OldSnapshot(
                vm=ids.VirtualMachineId(vm.id),
                vm_name=vm.name,
                snapshot=each.id,
                name=each.name,
                created_time=each.created_time,
                age_days=(now - each.created_time).days,
            )
