"""``com.vmware.vstats.data``: the figures that were recorded.

Nothing is stored but the specifications: a figure at a moment is always the same, so that it is made when it is asked
for. Points stand at the moments that the interval divides, from the creation of the specification to its expiration.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.vstats import Data
from resphere.inventory.acquisitions import Acquisition
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import Load
from resphere.services.call import Call
from resphere.services.checks.paging import parse, token
from resphere.services.registry import implements
from resphere.services.vstats.acq_specs import counters_of, seconds
from resphere.services.vstats.catalog import COUNTERS, EDITION, HOST, Placed
from resphere.services.vstats.resources import (
    Named,
    address,
    exists,
    invalid,
    meant,
    parse_address,
    require_type,
)

PAGE = 10_000
RETENTION_SECONDS = 7 * 86_400
"""What is older has been forgotten."""
MID = ids.VstatsModelCounterMetadataId(EDITION)
ORDER = "DEFAULT"


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page begins: with a machine, ``after`` a moment; ``until`` is when the first was asked for."""

    until: int
    machine: str
    after: int


class Window(msgspec.Struct, frozen=True):
    """The moments of one specification: each ``interval`` from ``first`` on, before ``end``."""

    first: int
    end: int
    interval: int


class Machine(msgspec.Struct, frozen=True):
    """What is recorded of a machine: counter -> the windows."""

    named: Named
    counters: dict[str, list[Window]]


@implements(Data.query_data_points)
async def query(call: Call, filter: Data.FilterSpec | None) -> Data.DataPointsResult:
    """The recorded figures that match, by machine, then by time; a page of 10,000 at a time or a little more.

    Of the last seven days, whatever was recorded.

    :raises InvalidArgument: a field of the filter names nothing, or the page is none.
    """
    wanted = filter or Data.FilterSpec()
    check(call, wanted)
    now = seconds(call)
    cursor = parse(wanted.page, Cursor) if wanted.page is not None else Cursor(now, "", -1)
    until = min(now, cursor.until)
    points: list[Data.DataPoint] = []
    for machine in machines(call, wanted, until):
        key = address(machine.named)
        if key < cursor.machine:
            continue
        after = cursor.after if key == cursor.machine else -1
        times = moments(machine, after)
        width = len(machine.counters)
        room = max(1, (PAGE - len(points)) // width)
        points.extend(figures(call, machine, times[:room]))
        if len(times) > room:
            return Data.DataPointsResult(data_points=tuple(points), next=token(Cursor(until, key, times[room - 1])))
        if len(points) >= PAGE:
            # All of this machine: the next page begins with the one after it.
            return Data.DataPointsResult(data_points=tuple(points), next=token(Cursor(until, key, until)))
    return Data.DataPointsResult(data_points=tuple(points))


def check(call: Call, wanted: Data.FilterSpec) -> None:
    """Refuse a filter that nothing could match."""
    if wanted.cid is not None and wanted.cid not in COUNTERS:
        raise invalid("filter.cid", "there is no counter {1}.", wanted.cid)
    if wanted.metric is not None and all(counter.metric != wanted.metric for counter in COUNTERS.values()):
        raise invalid("filter.metric", "there is no metric {1}.", wanted.metric)
    if wanted.order not in (None, ORDER):
        raise invalid("filter.order", "must be {1}, not {2}.", ORDER, wanted.order)
    for type in wanted.types or ():
        require_type(type, "filter.types")
    named = [parse_address(text, "filter.resources") for text in wanted.resources or ()]
    if named and not any(exists(call.inventory, each) for each in named):
        raise InvalidArgument(
            message(
                "com.vmware.vstats.data_points_invalid_resource_filter",
                "Invalid data points filter: there is none of the resources {0}.",
                ", ".join(wanted.resources or ()),
            )
        )


def machines(call: Call, wanted: Data.FilterSpec, until: int) -> list[Machine]:
    """The machines of which something that matches is recorded, in the order of their addresses."""
    named = {parse_address(text, "filter.resources") for text in wanted.resources or ()}
    oldest = max(until - RETENTION_SECONDS, wanted.start or 0)
    end = until if wanted.end is None else min(until, wanted.end)
    found: dict[Named, Machine] = {}
    for spec in call.unfiltered.all(Acquisition).values():
        window = window_of(spec, oldest, end)
        counters = [id for id in counters_of(spec.counters) if matches(id, wanted)] if window is not None else []
        if window is None or not counters:
            continue
        for each in meant(call.inventory, spec.resources):
            if (named and each not in named) or (wanted.types and each[0] not in wanted.types):
                continue
            for id in counters:
                if COUNTERS[id].type == each[0]:
                    found.setdefault(each, Machine(each, {})).counters.setdefault(id, []).append(window)
    return sorted(found.values(), key=lambda machine: address(machine.named))


def matches(counter: str, wanted: Data.FilterSpec) -> bool:
    """Whether the filter wants the counter."""
    return wanted.cid in (None, counter) and wanted.metric in (None, COUNTERS[counter].metric)


def window_of(spec: Acquisition, oldest: int, end: int) -> Window | None:
    """The specification's moments from ``oldest`` on and before ``end``; ``None`` where there is none."""
    start, stop = max(spec.created, oldest), min(spec.expiration, end)
    first = -(-start // spec.interval) * spec.interval
    return Window(first, stop, spec.interval) if first < stop else None


def moments(machine: Machine, after: int) -> list[int]:
    """The moments after ``after`` at which something is recorded of the machine."""
    return sorted({at for windows in machine.counters.values() for at in covered(windows, after)})


def covered(windows: list[Window], after: int) -> Iterator[int]:
    """The moments of the windows."""
    for window in windows:
        first = window.first
        if after >= first:
            first += ((after - first) // window.interval + 1) * window.interval
        yield from range(first, window.end, window.interval)


def figures(call: Call, machine: Machine, times: list[int]) -> Iterator[Data.DataPoint]:
    """The points of the machine at the times."""
    if not times:
        return
    type, id = machine.named
    rid = address(machine.named)
    after, last = times[0] - 1, times[-1]
    loads = series(call, type, id, times)
    recorded = {cid: {at for at in covered(windows, after) if at <= last} for cid, windows in machine.counters.items()}
    owner = call.require(Host, id) if type == HOST else placed(call, id)
    counters = [(ids.VstatsModelCounterId(cid), COUNTERS[cid].value, recorded[cid]) for cid in machine.counters]
    for at, load in zip(times, loads, strict=True):
        for cid, value, on in counters:
            if at in on:
                yield Data.DataPoint(cid=cid, mid=MID, rid=rid, ts=at, val=float(value(owner, load)))  # type: ignore[arg-type]


def placed(call: Call, id: str) -> Placed:
    """A virtual machine on its host."""
    vm = call.require(VirtualMachine, id)
    return Placed(vm, call.referred(Host, vm.host))


def series(call: Call, type: str, id: str, times: list[int]) -> list[Load]:
    """The loads of a machine."""
    statistics, moments = call.required(call.provider.capabilities.statistics), [float(at) for at in times]
    if type == HOST:
        return statistics.host_loads(call.require(Host, id), moments)
    return statistics.vm_loads(call.require(VirtualMachine, id), moments)
