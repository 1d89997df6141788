"""Queries of what was measured."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

import pytest

from resphere.contract.errors import InvalidArgument, NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Monitoring
from resphere.inventory.appliance.samples import Figures, sample
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

CPU, MEMORY = ids.ApplianceMonitoringId("cpu.util"), ids.ApplianceMonitoringId("mem.util")
Function: TypeAlias = Monitoring.FunctionType
Interval: TypeAlias = Monitoring.IntervalType
START = datetime.fromtimestamp(NOW.timestamp() // 300 * 300, NOW.tzinfo)


def request(
    *names: str,
    function: Function = Function.AVG,
    interval: Interval = Interval.MINUTES5,
    end: timedelta = timedelta(hours=1),
) -> Monitoring.MonitoredItemDataRequest:
    return Monitoring.MonitoredItemDataRequest(
        names=tuple(map(ids.ApplianceMonitoringId, names)),
        interval=interval,
        function=function,
        start_time=START,
        end_time=START + end,
    )


def test_what_is_measured(world: World) -> None:
    found = {each.id: each for each in world.call(Monitoring.list)}
    assert (
        world.call(Monitoring.get, CPU)
        == found[CPU]
        == Monitoring.MonitoredItem(
            id=CPU,
            name="com.vmware.applmgmt.mon.name.cpu.util",
            units="com.vmware.applmgmt.mon.unit.percent",
            category="com.vmware.applmgmt.mon.cat.cpu",
            instance="",
            description="com.vmware.applmgmt.mon.descr.cpu.util",
        )
    )
    assert found[ids.ApplianceMonitoringId("net.rx.drop.eth0")].instance == "eth0"
    with pytest.raises(NotFound) as error:
        world.call(Monitoring.get, ids.ApplianceMonitoringId("nothing"))
    assert refused(error) == (404, "resphere.appliance.monitoring.unknown")


def test_an_hour_has_thirteen_values(world: World) -> None:
    (found,) = world.call(Monitoring.query, request(CPU))
    assert (found.name, found.data) == (CPU, ("",) * 13)
    assert (found.start_time, found.end_time) == (START, START + timedelta(hours=1))


@pytest.mark.parametrize(
    ("function", "value"), [(Function.AVG, "3"), (Function.MAX, "5.5"), (Function.MIN, "0.5"), (Function.COUNT, "6")]
)
def test_functions(world: World, function: Function, value: str) -> None:
    world.put(sample(int(START.timestamp()) + 300, 300, {CPU: Figures(0.5, 5.5, 6, 2), MEMORY: Figures(1, 1, 1, 1)}))
    cpu, memory = world.call(Monitoring.query, request(CPU, MEMORY, CPU, function=function, end=timedelta(minutes=9)))
    assert cpu.data == ("", value)
    assert memory.data == ("", "1")


def test_large_figures_keep_their_digits(world: World) -> None:
    world.put(sample(int(START.timestamp()), 300, {"mem.total": Figures(16777216, 16777216, 33554432, 2)}))
    (found,) = world.call(Monitoring.query, request("mem.total", end=timedelta()))
    assert found.data == ("16777216",)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (request(CPU, "nothing"), "item.names[1]"),
        (request(CPU, end=timedelta(seconds=-1)), "item.end_time"),
        (request(CPU, end=timedelta(days=3650)), "item.end_time"),
        (request(CPU, end=timedelta(minutes=5 * 10_000)), "item.end_time"),
    ],
)
def test_what_cannot_be_asked(world: World, asked: Monitoring.MonitoredItemDataRequest, field: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(Monitoring.query, asked)
    assert refused(error) == (400, "resphere.appliance.invalid")
    assert error.value.messages[0].args[0] == field


def test_no_names_no_data(world: World) -> None:
    assert world.call(Monitoring.query, request()) == ()
