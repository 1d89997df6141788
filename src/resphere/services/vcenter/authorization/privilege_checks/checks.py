"""``com.vmware.vcenter.authorization.privilege_checks``: the list of what was recorded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator

from resphere.access.principal import canonical_name
from resphere.access.recording import Batch, Check, Place
from resphere.access.tree import object_of
from resphere.auth.local_os import LOCAL_OS
from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_authorization import PrivilegeChecks
from resphere.inventory.tagging import type_of
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.turns import in_turns

DEFAULT_SIZE = 1000
LARGEST_SIZE = 10_000
LONGEST_WAIT_SECONDS = 60.0
LOOK_AGAIN_SECONDS = 0.25
"""How soon a waiting call sees what other workers have recorded."""

MARKER = re.compile(r"(\d{1,18})-(\d{1,9})\Z")

Fits = Callable[[Batch, Check], bool]


@implements(PrivilegeChecks.list)
async def list_checks(
    call: Call, iteration: PrivilegeChecks.IterationSpec | None, filter: PrivilegeChecks.FilterSpec | None
) -> PrivilegeChecks.ListResult:
    """What was asked between two markers, each check once, in the order of asking.

    :raises NotFound: a marker is none of ours.
    :raises InvalidArgument: a page of nothing, or a wait into the past, was asked for.
    """
    spec, checks = iteration or PrivilegeChecks.IterationSpec(), call.environment.checks
    first = place_of(spec.marker) if spec.marker else (0, 0)
    last = place_of(spec.end_marker) if spec.end_marker else None
    size = require_positive("iteration.size", spec.size, DEFAULT_SIZE, LARGEST_SIZE)
    wait_seconds = require_positive("iteration.timeout_ms", spec.timeout_ms, 0, int(LONGEST_WAIT_SECONDS * 1000)) / 1000
    fits = await fitting(filter) if filter is not None else always
    await checks.want()
    found = list(matching(call, first, last, size, fits))
    give_up = asyncio.get_running_loop().time() + wait_seconds
    while not found and spec.marker and asyncio.get_running_loop().time() < give_up:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await call.unfiltered.refresh()
        found = list(matching(call, first, last, size, fits))
    places = {place for place, _, _ in checks.recorded()}
    return PrivilegeChecks.ListResult(
        items=tuple([info for _, info in found]),
        marker=marker_of(found[-1][0] if found else first),
        truncated=first != (0, 0) and first not in places,
    )


def matching(
    call: Call, first: Place, last: Place | None, size: int, fits: Fits
) -> Iterator[tuple[Place, PrivilegeChecks.Info]]:
    """The checks behind ``first``, up to ``last``, that fit: the first of those that are told alike."""
    told: set[tuple[str, str, str]] = set()
    for place, batch, check in call.environment.checks.recorded():
        if place <= first or (last is not None and place > last) or len(told) == size:
            continue
        alike = (check.object, check.privilege, batch.user)
        if alike not in told and fits(batch, check):
            told.add(alike)
            yield place, info(call, batch, check)


async def fitting(filter: PrivilegeChecks.FilterSpec) -> Fits:
    """Whether all that the filter names holds."""
    objects = None if filter.objects is None else {each.id for each in filter.objects}
    principals: set[str] | None = None
    if filter.principals is not None:
        principals = set()
        async for piece in in_turns(filter.principals):
            principals.update(canonical_name(f"{each.name}@{each.domain}") for each in piece if each is not None)
    return lambda batch, check: (
        (objects is None or check.object in objects)
        and (filter.sessions is None or batch.session in filter.sessions)
        and (principals is None or canonical_name(batch.user) in principals)
        and (filter.privileges is None or check.privilege in filter.privileges)
        and (filter.op_ids is None or batch.op_id in filter.op_ids)
    )


def always(_batch: Batch, _check: Check) -> bool:
    """Whatever was asked."""
    return True


def info(call: Call, batch: Batch, check: Check) -> PrivilegeChecks.Info:
    """A check as it is told."""
    obj = object_of(call.unfiltered, check.object)
    name, _, domain = batch.user.rpartition("@")
    return PrivilegeChecks.Info(
        object=DynamicID(type="" if obj is None else type_of(obj), id=check.object),
        principal=PrivilegeChecks.Principal(name=name or domain, domain=domain if name else LOCAL_OS),
        privilege=ids.CisAuthzPrivilegeId(check.privilege),
    )


def marker_of(place: Place) -> str:
    """The marker of a check."""
    return f"{place[0]}-{place[1]}"


def place_of(marker: str) -> Place:
    """What a marker stands for.

    :raises NotFound: it is none of ours.
    """
    found = MARKER.match(marker)
    if found is None:
        raise NotFound(
            message("resphere.authorization.no_check", "iteration: the marker '{0}' is of no privilege check.", marker)
        )
    return int(found[1]), int(found[2])


def require_positive(field: str, value: int | None, default: int, most: int) -> int:
    """A number that is given, or the default, and at most so large.

    :raises InvalidArgument: it is below 1.
    """
    if value is not None and value < 1:
        raise InvalidArgument(message("resphere.authorization.not_positive", "{0}: must be at least 1.", field))
    return min(default if value is None else value, most)
