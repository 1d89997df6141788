"""Statistics: what can be measured, what is recorded, and the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from resphere.contract.errors import InvalidArgument, NotFound, VapiError
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.generated.vstats import (
    AcqSpecs,
    CidMid,
    CounterMetadata,
    Counters,
    CounterSets,
    Data,
    Metrics,
    Providers,
    QueryPredicate,
    ResourceAddresses,
    ResourceAddressSchemas,
    ResourceTypes,
    RsrcId,
)
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.simulator.load import own_load
from resphere.services.vstats.catalog import COUNTERS, SETS
from tests.support.world import NOW, World

Counter = ids.VstatsModelCounterId
Spec = ids.VstatsModelAcqSpecId
BEGIN = int(NOW.timestamp())
CPU_VM, CPU_HOST = Counter("cpu.capacity.usage.VM"), Counter("cpu.capacity.demand.HOST")
NO_SPEC = Spec("00000000-0000-0000-0000-000000000000")


def later(world: World, seconds: int) -> None:
    """It is so much later than the beginning."""
    moment = NOW + timedelta(seconds=seconds)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: moment)


def running(world: World) -> VirtualMachine:
    on = vcenter_vm.Power.State.POWERED_ON
    return next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.power_state is on)


def record(
    world: World,
    counter: str = CPU_VM,
    type: str = "VM",
    id: str = "",
    interval: int | None = 300,
    expiration: int | None = None,
) -> Spec:
    resource = RsrcId(type=type, id_value=id, predicate=None if id else QueryPredicate.ALL)
    counters = AcqSpecs.CounterSpec(cid_mid=CidMid(cid=Counter(counter)))
    spec = AcqSpecs.CreateSpec(counters=counters, resources=(resource,), interval=interval, expiration=expiration)
    return world.call(AcqSpecs.create, spec)


def query(world: World, **filter: object) -> tuple[Data.DataPoint, ...]:
    """All pages."""
    found: tuple[Data.DataPoint, ...] = ()
    page = None
    while True:
        wanted = msgspec.convert({**filter, "page": page}, Data.FilterSpec)
        result = world.call(Data.query_data_points, wanted)
        found += result.data_points
        page = result.next
        if page is None:
            return found


def refused(error: pytest.ExceptionInfo[VapiError]) -> tuple[int, str]:
    return error.value.api_status, error.value.messages[0].id


def test_counters(world: World) -> None:
    assert [info.cid for info in world.call(Counters.list, None)] == list(COUNTERS)
    of_hosts = Counters.FilterSpec(types=(ids.VstatsModelRsrcTypeId("HOST"),))
    assert {info.cid.rpartition(".")[2] for info in world.call(Counters.list, of_hosts)} == {"HOST"}
    metric = Counters.FilterSpec(metric=ids.VstatsModelMetricId("cpu.capacity.usage"))
    assert {info.cid for info in world.call(Counters.list, metric)} == {CPU_VM, "cpu.capacity.usage.HOST"}
    assert [info.cid for info in world.call(Counters.list, Counters.FilterSpec(cid=CPU_VM))] == [CPU_VM]
    info = world.call(Counters.get, CPU_VM)
    schema = world.call(ResourceAddressSchemas.get, info.resource_address_schema)
    assert [part.type for part in schema.schema] == ["VM"]
    assert {summary.metric for summary in world.call(Metrics.list)} == {c.metric for c in COUNTERS.values()}
    assert [summary.type for summary in world.call(ResourceTypes.list)] == ["HOST", "VM"]
    hosts = {provider.id_value for provider in world.call(Providers.list)}
    assert hosts == set(world.inventory.all(Host))


def test_metadata_and_sets(world: World) -> None:
    [default] = world.call(CounterMetadata.get_default, CPU_VM)
    assert world.call(CounterMetadata.list, CPU_VM, None) == (default,)
    assert world.call(CounterMetadata.get, CPU_VM, default.mid) == default
    assert (default.units, default.scale) == (CounterMetadata.MetricUnits.HERTZ, CounterMetadata.UnitsFactor.MEGA)
    removed = CounterMetadata.FilterSpec(status=CounterMetadata.CounterEditionStatus.REMOVED)
    assert world.call(CounterMetadata.list, CPU_VM, removed) == ()
    sets = world.call(CounterSets.list)
    assert {each.id for each in sets} == set(SETS)
    assert world.call(CounterSets.get, ids.VstatsModelCounterSetId(sets[0].id)) == sets[0]
    assert all(each.counters for each in sets)


def test_what_is_unknown(world: World) -> None:
    magic = Counter("magic")
    calls: list[Callable[[], object]] = [
        lambda: world.call(Counters.get, magic),
        lambda: world.call(CounterMetadata.list, magic, None),
        lambda: world.call(CounterMetadata.get_default, magic),
        lambda: world.call(CounterMetadata.get, CPU_VM, ids.VstatsModelCounterMetadataId("7")),
        lambda: world.call(CounterSets.get, ids.VstatsModelCounterSetId("magic")),
        lambda: world.call(ResourceAddressSchemas.get, "magic"),
        lambda: world.call(ResourceAddresses.get, ids.VstatsModelRsrcAddrId("type.VM=vm-0")),
    ]
    for call in calls:
        with pytest.raises(NotFound) as error:
            call()
        assert refused(error) == (404, "resphere.vstats.unknown")


def test_addresses(world: World) -> None:
    everything = world.call(ResourceAddresses.list, None)
    machines = {*world.inventory.all(Host), *world.inventory.all(VirtualMachine)}
    assert {info.resource_ids[0].id_value for info in everything.rsrc_addrs} == machines
    vm = running(world)
    filter = ResourceAddresses.FilterSpec(resources=(f"type.VM.moid={vm.id}", "type.VM=vm-0"))
    [one] = world.call(ResourceAddresses.list, filter).rsrc_addrs
    assert world.call(ResourceAddresses.get, one.id) == one
    for text in ("VM=vm-1", "type.VM", "type.MAGIC=1", "type.VM.uuid=1"):
        with pytest.raises(InvalidArgument) as error:
            world.call(ResourceAddresses.list, ResourceAddresses.FilterSpec(resources=(text,)))
        assert refused(error) == (400, "resphere.vstats.input")
    with pytest.raises(InvalidArgument):
        world.call(ResourceAddresses.list, ResourceAddresses.FilterSpec(page="magic"))


def test_specifications_are_kept_and_expire(world: World) -> None:
    vm = running(world)
    spec = record(world, id=vm.id, interval=None)
    info = world.call(AcqSpecs.get, spec)
    assert (info.interval, info.expiration, info.memo_, info.status) == (
        10,
        BEGIN + 6000,
        "",
        AcqSpecs.Status.ENABLED,
    )
    assert world.call(AcqSpecs.list, None).acq_specs == (info,)
    world.call(AcqSpecs.update, spec, AcqSpecs.UpdateSpec(interval=20, memo_="web"))
    changed = world.call(AcqSpecs.get, spec)
    assert (changed.interval, changed.memo_) == (20, "web")
    assert [(r.predicate, r.scheme) for r in info.resources] == [(QueryPredicate.EQUAL, "moid")]
    later(world, 6000)
    assert world.call(AcqSpecs.get, spec).status is AcqSpecs.Status.EXPIRED
    world.call(AcqSpecs.delete, spec)
    assert world.call(AcqSpecs.list, None).acq_specs == ()


def test_specifications_come_in_pages(world: World) -> None:
    specs = {record(world) for _ in range(250)}
    seen: list[Spec] = []
    page = None
    for _ in range(3):
        result = world.call(AcqSpecs.list, AcqSpecs.FilterSpec(page=page))
        seen += [info.id for info in result.acq_specs]
        page = result.next
    assert page is None
    assert len(seen) == 250
    assert set(seen) == specs
    with pytest.raises(InvalidArgument) as error:
        world.call(AcqSpecs.list, AcqSpecs.FilterSpec(page="!"))
    assert refused(error) == (400, "resphere.page")


def test_unknown_specifications(world: World) -> None:
    for call in (
        lambda: world.call(AcqSpecs.get, NO_SPEC),
        lambda: world.call(AcqSpecs.delete, NO_SPEC),
        lambda: world.call(AcqSpecs.update, NO_SPEC, AcqSpecs.UpdateSpec(memo_="x")),
    ):
        with pytest.raises(NotFound) as error:
            call()
        assert refused(error) == (404, "resphere.vstats.no_acq_spec")


CPU = AcqSpecs.CounterSpec(cid_mid=CidMid(cid=CPU_VM))
ALL_VMS = (RsrcId(type="VM", id_value="", predicate=QueryPredicate.ALL),)


@pytest.mark.parametrize(
    "change",
    [
        {"counters": AcqSpecs.CounterSpec()},
        {"counters": AcqSpecs.CounterSpec(cid_mid=CidMid(cid=Counter("magic")))},
        {"counters": AcqSpecs.CounterSpec(set_id=ids.VstatsModelCounterSetId("magic"))},
        {"counters": AcqSpecs.CounterSpec(cid_mid=CidMid(cid=CPU_VM, mid=ids.VstatsModelCounterMetadataId("2")))},
        {"counters": AcqSpecs.CounterSpec(cid_mid=CidMid(cid=CPU_HOST))},
        {"resources": ()},
        {"resources": (RsrcId(type="VM", id_value="vm-0"),)},
        {"resources": (RsrcId(id_value="vm-0"),)},
        {"resources": (RsrcId(type="MAGIC", id_value="1"),)},
        {"resources": (RsrcId(type="VM", id_value="", predicate=QueryPredicate.ALL, key="host"),)},
        {"resources": (RsrcId(type="VM", id_value="", predicate=QueryPredicate.ALL, scheme="uuid"),)},
        {"interval": 0},
        {"interval": -5},
        {"interval": 86_401},
        {"expiration": BEGIN},
        {"expiration": -1},
    ],
)
def test_refused_specifications(world: World, change: dict[str, object]) -> None:
    good = AcqSpecs.CreateSpec(counters=CPU, resources=ALL_VMS)
    with pytest.raises(InvalidArgument) as error:
        world.call(AcqSpecs.create, msgspec.structs.replace(good, **change))
    assert refused(error) == (400, "resphere.vstats.input")
    spec = world.call(AcqSpecs.create, good)
    with pytest.raises(InvalidArgument):
        world.call(AcqSpecs.update, spec, msgspec.structs.replace(AcqSpecs.UpdateSpec(), **change))


def test_all_vms_beside_a_host_are_those_of_the_host(world: World) -> None:
    host = running(world).host
    (other, *_) = set(world.inventory.all(Host)) - {host}
    one = RsrcId(type="HOST", id_value=host)
    world.call(AcqSpecs.create, AcqSpecs.CreateSpec(counters=CPU, resources=(*ALL_VMS, one), interval=300))
    later(world, 1800)
    on_host = {f"type.VM={id}" for id in world.inventory.by(VirtualMachine, "host", host)}
    recorded = {point.rid for point in query(world)}
    assert recorded
    assert recorded <= on_host
    both = (one, *ALL_VMS, RsrcId(type="HOST", id_value=other))
    world.call(AcqSpecs.create, AcqSpecs.CreateSpec(counters=CPU, resources=both, interval=300))
    missing = AcqSpecs.CreateSpec(counters=CPU, resources=(*ALL_VMS, RsrcId(type="HOST", id_value="host-0")))
    with pytest.raises(InvalidArgument):
        world.call(AcqSpecs.create, missing)


def test_the_counters_that_monitoring_asks_for_are_there(world: World) -> None:
    names = [f"mem.swap.{name}.HOST" for name in ("current", "target", "readrate", "writerate")]
    for cid in (*names, "power.capacity.usable.HOST"):
        record(world, counter=cid, type="HOST")
    later(world, 1800)
    values = {str(point.cid): point.val for point in query(world, types=["HOST"])}
    assert set(values) == {*names, "power.capacity.usable.HOST"}
    assert values["power.capacity.usable.HOST"] > 0


def test_points_stand_on_the_interval_from_creation_to_expiration(world: World) -> None:
    vm = running(world)
    record(world, id=vm.id, interval=300, expiration=BEGIN + 3600)
    assert query(world) == ()
    later(world, 1800)
    points = query(world)
    assert {(point.cid, point.rid) for point in points} == {(CPU_VM, f"type.VM={vm.id}")}
    assert [point.ts for point in points] == [at for at in range(BEGIN, BEGIN + 1800) if at % 300 == 0]
    later(world, 7200)
    assert max(point.ts for point in query(world)) < BEGIN + 3600
    assert query(world)[: len(points)] == points
    window = query(world, start=BEGIN + 600, end=BEGIN + 1200)
    assert [point.ts for point in window] == [at for at in range(BEGIN + 600, BEGIN + 1200) if at % 300 == 0]


def test_nothing_is_recorded_twice_or_that_nobody_asked_for(world: World) -> None:
    vm = running(world)
    record(world, id=vm.id, interval=60)
    record(world, id=vm.id, interval=300)
    record(world, CPU_HOST, "HOST", vm.host, interval=60)
    later(world, 3600)
    points = query(world)
    keys = [(point.cid, point.rid, point.ts) for point in points]
    assert len(set(keys)) == len(keys)
    assert {point.rid for point in query(world, types=["HOST"])} == {f"type.HOST={vm.host}"}
    assert {point.cid for point in query(world, cid=CPU_VM)} == {CPU_VM}
    assert {point.cid for point in query(world, metric="cpu.capacity.demand")} == {CPU_HOST}
    with pytest.raises(InvalidArgument) as error:
        query(world, resources=["type.VM=vm-0"])
    assert refused(error) == (400, "com.vmware.vstats.data_points_invalid_resource_filter")
    assert {point.rid for point in query(world, resources=[f"type.VM={vm.id}"])} == {f"type.VM={vm.id}"}
    assert query(world, order="DEFAULT") == points


def test_hosts_do_what_their_machines_do(world: World) -> None:
    host = world.inventory.all(Host)[running(world).host]
    here = {f"type.VM={id}" for id in world.inventory.by(VirtualMachine, "host", host.id)}
    record(world, interval=300)
    record(world, CPU_HOST, "HOST", host.id, interval=300)
    later(world, 1800)
    sums: dict[int, float] = {}
    for point in query(world, cid=CPU_VM):
        if point.rid in here:
            sums[point.ts] = sums.get(point.ts, 0.0) + point.val
    own = own_load(host).cpu_MHz
    assert {p.ts: round(p.val / 1000 - own, 3) for p in query(world, cid=CPU_HOST)} == {
        at: round(value, 3) for at, value in sums.items()
    }


def test_a_set_records_all_its_counters(world: World) -> None:
    vm = running(world)
    counters = AcqSpecs.CounterSpec(set_id=ids.VstatsModelCounterSetId("cpu.VM"))
    resources = (RsrcId(type="VM", id_value=vm.id),)
    world.call(AcqSpecs.create, AcqSpecs.CreateSpec(counters=counters, resources=resources))
    later(world, 60)
    assert {point.cid for point in query(world)} == set(SETS["cpu.VM"])


def test_pages_are_all_there_is(world: World) -> None:
    for name in SETS:
        type = name.rpartition(".")[2]
        counters = AcqSpecs.CounterSpec(set_id=ids.VstatsModelCounterSetId(name))
        resources = (RsrcId(type=type, id_value="", predicate=QueryPredicate.ALL),)
        spec = AcqSpecs.CreateSpec(counters=counters, resources=resources, interval=60, expiration=BEGIN + 90_000)
        world.call(AcqSpecs.create, spec)
    later(world, 6 * 3600)
    first = world.call(Data.query_data_points, None)
    assert first.next is not None
    points = query(world)
    keys = [(point.cid, point.rid, point.ts) for point in points]
    assert len(set(keys)) == len(keys)
    times = len([at for at in range(BEGIN, BEGIN + 6 * 3600) if at % 60 == 0])
    of_type = {
        type: sum(c.type == type for c in COUNTERS.values() if not c.metric.startswith("power"))
        for type in ("VM", "HOST")
    }
    machines = {"VM": len(world.inventory.all(VirtualMachine)), "HOST": len(world.inventory.all(Host))}
    assert len(points) == times * sum(of_type[type] * machines[type] for type in machines)


@pytest.mark.parametrize(
    "filter",
    [
        Data.FilterSpec(cid=Counter("magic")),
        Data.FilterSpec(metric=ids.VstatsModelMetricId("magic")),
        Data.FilterSpec(types=(ids.VstatsModelRsrcTypeId("MAGIC"),)),
        Data.FilterSpec(resources=("vm-1",)),
        Data.FilterSpec(order="UPWARDS"),
    ],
)
def test_refused_queries(world: World, filter: Data.FilterSpec) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(Data.query_data_points, filter)
    assert refused(error) == (400, "resphere.vstats.input")


def test_a_page_of_points_is_one_that_was_given(world: World) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(Data.query_data_points, Data.FilterSpec(page="magic"))
    assert refused(error) == (400, "resphere.page")


def test_each_counter_makes_sense(world: World) -> None:
    vm = running(world)
    host = world.inventory.all(Host)[vm.host]
    for number, (name, counter) in enumerate(COUNTERS.items()):
        record(world, name, counter.type, vm.id if counter.type == "VM" else host.id, interval=60 + number)
    later(world, 3600)
    points = query(world)
    assert {point.cid for point in points} == set(COUNTERS)
    for point in points:
        assert point.val >= 0
        if point.cid.endswith("contention.HOST") and not point.cid.startswith("disk"):
            assert point.val <= 100
    used = max(point.val for point in points if point.cid == "cpu.capacity.usage.HOST")
    assert used <= 1000 * host.hardware.cpu_cores * host.hardware.cpu_frequency_MHz
