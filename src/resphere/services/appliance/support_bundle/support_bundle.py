"""``com.vmware.appliance.support_bundle``: archives of logs, settings and versions, without secrets."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from resphere.appliance.bundles import GOOD_FOR, GROUPS
from resphere.contract.errors import NotAllowedInCurrentState, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import SupportBundle
from resphere.inventory.appliance.support_bundles import BundleRecord
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid
from resphere.services.call import Call
from resphere.services.checks.appliance_health import ITEMS
from resphere.services.checks.appliance_health import partitions as known_partitions
from resphere.services.registry import implements
from resphere.store.base import NoRoom
from resphere.tasks.record import Task

log = logging.getLogger(__name__)

Status = SupportBundle.CreationStatus
ContentType = SupportBundle.ContentType
SHOWN = 50
"""As many are listed where nothing is said."""
MOST_KEPT = 100
"""So many are remembered, the latest."""
LONGEST_DESCRIPTION = 1024
KIB = 1024


@implements(SupportBundle.create_task, result=SupportBundle.Info)
async def create_task(call: Call, spec: SupportBundle.CreateSpec) -> ids.CisTASKId:
    """Make one, with all components where none are chosen.

    :raises InvalidArgument: no such component or partition, or a description that is too long.
    :raises NotAllowedInCurrentState: one is being made.
    """
    components = chosen(spec.components)
    if len(spec.description) > LONGEST_DESCRIPTION:
        raise invalid("spec.description", "it has more than {1} characters.", LONGEST_DESCRIPTION)
    partitions = [each.label for each in known_partitions(call)]
    if spec.partition is not None and spec.partition not in partitions:
        raise invalid("spec.partition", "{1} is none of {2}.", repr(spec.partition), ", ".join(partitions))
    require_none_under_way(call)
    content_type = spec.content_type or ContentType.LOGS

    async def look() -> BundleRecord:
        record = await made(call, spec.description, components, content_type)
        await keep(call, record)
        return record

    root = call.referred(Folder, ROOT_FOLDER)
    return await call.launch_look("appliance.SupportBundle.create", root, look, lambda record, _: info(call, record))


@implements(SupportBundle.list)
async def list_bundles(
    call: Call, iteration: SupportBundle.IterationSpec | None, filter: SupportBundle.FilterSpec | None
) -> SupportBundle.ListResult:
    """Those that were made or could not be, the latest first: 50 where nothing is said.

    :raises InvalidArgument: fewer than one are asked for.
    """
    most = SHOWN if iteration is None or iteration.size is None else iteration.size
    if most < 1:
        raise invalid("iteration.size", "it must be 1 or more, not {1}.", most)
    found = sorted(call.all(BundleRecord).values(), key=lambda each: (each.time, each.id), reverse=True)
    wanted = [each for each in (info(call, record) for record in found) if is_wanted(each, filter)]
    return SupportBundle.ListResult(supportbundle_operations=tuple(wanted[:most]))


@implements(SupportBundle.delete)
async def delete(call: Call, id: ids.ApplianceSupportbundleId) -> None:
    """Forget one, with its archive.

    :raises NotFound: there is none of that id.
    """
    record = call.get(BundleRecord, id)
    if record is None:
        raise NotFound(message("resphere.appliance.no_bundle", "There is no support bundle {0}.", id))
    await call.unfiltered.change(lambda edit: forget(edit, id))
    if record.content is not None:
        call.environment.bundles.contents.delete(record.content)


def forget(edit: Edit, id: str) -> None:
    """Forget one that others may have forgotten."""
    if edit.get(BundleRecord, id) is not None:
        edit.delete(BundleRecord, id)


def chosen(wanted: Mapping[str, tuple[str, ...]] | None) -> frozenset[str]:
    """The components that are meant; those of a group without any are all of it.

    :raises InvalidArgument: there is no such group or component.
    """
    if not wanted:
        return frozenset(component for group in GROUPS.values() for component in group)
    found: set[str] = set()
    for group, components in wanted.items():
        there = GROUPS.get(group)
        if there is None:
            raise invalid("spec.components", "{1} is none of the groups {2}.", repr(group), ", ".join(GROUPS))
        for component in components:
            if component not in there:
                raise invalid(
                    f"spec.components[{group}]", "{1} is none of the components {2}.", repr(component), ", ".join(there)
                )
        found.update(components or there)
    return frozenset(found)


def require_none_under_way(call: Call) -> None:
    """Refuse while one is being made."""
    running = call.unfiltered.by(Task, "finished", "no").values()
    if any((task.service, task.operation) == (call.operation.service, call.operation.name) for task in running):
        raise NotAllowedInCurrentState(
            message("resphere.appliance.bundle_under_way", "A support bundle is being made: wait for its end.")
        )


async def made(call: Call, description: str, components: frozenset[str], content_type: ContentType) -> BundleRecord:
    """What has become of the making of one."""
    now, id = call.environment.now(), call.new_uuid()
    readings = {name: (await look(call)).level.value for name, look in ITEMS.items() if name != "database"}
    try:
        content, size, sha256 = await call.environment.bundles.make(components, content_type, readings)
    except (NoRoom, OSError) as error:
        log.warning("a support bundle could not be made: %s", error)
        reason = message("resphere.appliance.bundle_failed", "It could not be written; the log says why.")
        return BundleRecord(id=id, description=description, time=now, content_type=content_type, reason=reason)
    return BundleRecord(
        id=id,
        description=description,
        time=now,
        content_type=content_type,
        content=content,
        size_bytes=size,
        sha256=sha256,
        expires=now + GOOD_FOR,
    )


async def keep(call: Call, record: BundleRecord) -> None:
    """Remember it, and forget those that are too old, with their archives."""
    now = call.environment.now()
    known = sorted(call.unfiltered.all(BundleRecord).values(), key=lambda each: each.time)
    over = [each for each in known if each.expires is not None and each.expires <= now]
    forgotten = {each.id: each for each in (*over, *known[: max(0, len(known) + 1 - MOST_KEPT)])}

    def plan(edit: Edit) -> None:
        edit.put(record)
        for id in forgotten:
            forget(edit, id)

    await call.unfiltered.change(plan)
    for each in forgotten.values():
        if each.content is not None:
            call.environment.bundles.contents.delete(each.content)


def is_wanted(each: SupportBundle.Info, filter: SupportBundle.FilterSpec | None) -> bool:
    """Whether a filter wants it."""
    if filter is None:
        return True
    return (filter.available is None or bool(each.downloadable) is filter.available) and (
        filter.creation_status is None or each.status is filter.creation_status
    )


def info(call: Call, record: BundleRecord) -> SupportBundle.Info:
    """As it is shown; sizes are in KB."""
    id = ids.ApplianceSupportbundleId(record.id)
    if record.content is None:
        return SupportBundle.Info(
            id=id, description=record.description, status=Status.FAILED, failure_reason=record.reason
        )
    assert record.expires is not None
    return SupportBundle.Info(
        id=id,
        description=record.description,
        status=Status.SUCCEEDED,
        generation_time=record.time,
        url=f"{call.origin}/appliance/support-bundle/{record.id}",
        expiration_time=record.expires,
        downloadable=record.expires > call.environment.now(),
        size=-(-record.size_bytes // KIB),
        checksum_value=record.sha256,
        content_type=record.content_type,
    )
