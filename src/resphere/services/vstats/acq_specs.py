"""``com.vmware.vstats.acq_specs``: what is recorded."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vstats import AcqSpecs, QueryPredicate, RsrcId
from resphere.inventory.acquisitions import Acquisition
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.paging import parse, token
from resphere.services.registry import implements
from resphere.services.vstats.catalog import COUNTERS, EDITION, SETS, VM
from resphere.services.vstats.resources import SCHEME, check_resource, invalid, meant, names_host

Id = ids.VstatsModelAcqSpecId
PAGE = 100
DEFAULT_INTERVAL = 10
DEFAULT_LIFE = 6000
LONGEST_INTERVAL = 86_400
MOST_RESOURCES = 1000


@implements(AcqSpecs.create)
async def create(call: Call, acq_spec: AcqSpecs.CreateSpec) -> Id:
    """Record figures from now on: every 10 seconds, for 100 minutes, unless told otherwise.

    :raises InvalidArgument: no such counter or machine, no sensible interval, or an expiration that is over.
    """
    now = seconds(call)
    made = Acquisition(
        id=Id(call.new_uuid()),
        counters=acq_spec.counters,
        resources=complete(acq_spec.resources),
        interval=DEFAULT_INTERVAL if acq_spec.interval is None else acq_spec.interval,
        created=now,
        expiration=acq_spec.expiration or now + DEFAULT_LIFE,
        memo=acq_spec.memo_ or "",
    )
    check(call, made, now)
    await call.unfiltered.change(lambda edit: edit.put(made))
    return made.id


@implements(AcqSpecs.get)
async def get(call: Call, id: Id) -> AcqSpecs.Info:
    """One specification.

    :raises NotFound: there is none of that id.
    """
    found = call.get(Acquisition, id)
    if found is None:
        raise not_found(id)
    return info(call, found)


@implements(AcqSpecs.list)
async def list_specs(call: Call, filter: AcqSpecs.FilterSpec | None) -> AcqSpecs.ListResult:
    """All specifications, a page of 100 at a time.

    :raises InvalidArgument: the page is none.
    """
    after = parse(filter.page, str) if filter is not None and filter.page is not None else ""
    everything = call.all(Acquisition)
    rest = sorted(id for id in everything if id > after)
    page = [everything[id] for id in rest[:PAGE]]
    return AcqSpecs.ListResult(
        acq_specs=tuple(info(call, spec) for spec in page), next=token(page[-1].id) if len(rest) > PAGE else None
    )


@implements(AcqSpecs.update)
async def update(call: Call, id: Id, acq_spec: AcqSpecs.UpdateSpec) -> None:
    """Change what is given.

    :raises InvalidArgument: as for a new one.
    :raises NotFound: there is none of that id.
    """
    now = seconds(call)

    def plan(edit: Edit) -> None:
        old = edit.get(Acquisition, id)
        if old is None:
            raise not_found(id)
        new = msgspec.structs.replace(
            old,
            counters=acq_spec.counters or old.counters,
            resources=old.resources if acq_spec.resources is None else complete(acq_spec.resources),
            interval=old.interval if acq_spec.interval is None else acq_spec.interval,
            expiration=acq_spec.expiration or old.expiration,
            memo=old.memo if acq_spec.memo_ is None else acq_spec.memo_,
        )
        check(call, new, now if acq_spec.expiration else None)
        edit.put(new)

    await call.settle(plan)


@implements(AcqSpecs.delete)
async def delete(call: Call, id: Id) -> None:
    """Forget the specification, and with it what only it recorded.

    :raises NotFound: there is none of that id.
    """

    def plan(edit: Edit) -> None:
        if edit.get(Acquisition, id) is None:
            raise not_found(id)
        edit.delete(Acquisition, id)

    await call.settle(plan)


def complete(resources: tuple[RsrcId, ...]) -> tuple[RsrcId, ...]:
    """Resources with what is meant where nothing is said."""
    return tuple(
        msgspec.structs.replace(
            resource, predicate=resource.predicate or QueryPredicate.EQUAL, scheme=resource.scheme or SCHEME
        )
        for resource in resources
    )


def seconds(call: Call) -> int:
    """The present moment, in seconds since the epoch."""
    return int(call.environment.now().timestamp())


def not_found(id: str) -> NotFound:
    """The refusal of an unknown specification."""
    return NotFound(message("resphere.vstats.no_acq_spec", "There is no acquisition specification {0}.", id))


def info(call: Call, spec: Acquisition) -> AcqSpecs.Info:
    """A specification as it is shown."""
    return AcqSpecs.Info(
        id=spec.id,
        counters=spec.counters,
        resources=spec.resources,
        interval=spec.interval,
        expiration=spec.expiration,
        memo_=spec.memo,
        status=status(call, spec),
    )


def status(call: Call, spec: Acquisition) -> AcqSpecs.Status:
    """Whether anything is recorded: not after the expiration, nor when all that it is about has gone."""
    if seconds(call) >= spec.expiration:
        return AcqSpecs.Status.EXPIRED
    return AcqSpecs.Status.ENABLED if meant(call.inventory, spec.resources) else AcqSpecs.Status.DISABLED


def counters_of(spec: AcqSpecs.CounterSpec) -> Sequence[str]:
    """The counters that are recorded."""
    if spec.cid_mid is not None:
        return (spec.cid_mid.cid,)
    return SETS[spec.set_id] if spec.set_id is not None else ()


def check(call: Call, spec: Acquisition, now: int | None) -> None:
    """Refuse a specification that cannot be; ``now``: its expiration must be later."""
    check_counters(spec.counters)
    check_interval(spec.interval)
    if spec.expiration < 0 or (now is not None and spec.expiration <= now):
        raise invalid("acq_spec.expiration", "must be in the future: {1} is over.", spec.expiration)
    check_resources(call, spec.counters, spec.resources)


def check_interval(seconds: int) -> None:
    """Refuse what is recorded too often or too rarely."""
    if not 1 <= seconds <= LONGEST_INTERVAL:
        raise invalid("acq_spec.interval", "must be from 1 to {1} seconds, not {2}.", LONGEST_INTERVAL, seconds)


def check_counters(spec: AcqSpecs.CounterSpec) -> None:
    """Refuse what names no counter."""
    where = "acq_spec.counters"
    if (spec.cid_mid is None) == (spec.set_id is None):
        raise invalid(where, "exactly one of cid_mid and set_id must be set.")
    if spec.set_id is not None and spec.set_id not in SETS:
        raise invalid(f"{where}.set_id", "must be one of {1}, not {2}.", ", ".join(SETS), spec.set_id)
    if spec.cid_mid is not None and spec.cid_mid.cid not in COUNTERS:
        raise invalid(f"{where}.cid_mid.cid", "there is no counter {1}.", spec.cid_mid.cid)
    if spec.cid_mid is not None and spec.cid_mid.mid not in (None, EDITION):
        raise invalid(f"{where}.cid_mid.mid", "the counter has the metadata {1} only.", EDITION)


def check_number(resources: Sequence[RsrcId]) -> None:
    """Refuse none, and too many."""
    if not 1 <= len(resources) <= MOST_RESOURCES:
        raise invalid("acq_spec.resources", "must be from 1 to {1}, not {2}.", MOST_RESOURCES, len(resources))


def check_resources(call: Call, counters: AcqSpecs.CounterSpec, resources: tuple[RsrcId, ...]) -> None:
    """Refuse resources that are not there, or that the counters are not for."""
    check_number(resources)
    types = {COUNTERS[id].type for id in counters_of(counters)}
    all_vms = VM in types and any(each.type == VM and each.predicate is QueryPredicate.ALL for each in resources)
    for number, resource in enumerate(resources):
        where = f"acq_spec.resources[{number}]"
        check_resource(call.inventory, resource, where)
        narrows = all_vms and names_host(resource)
        if resource.type not in types and not narrows:
            raise invalid(where, "the counters are for {1}, not for {2}.", ", ".join(sorted(types)), resource.type)
