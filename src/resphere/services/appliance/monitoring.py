"""``com.vmware.appliance.monitoring``: what the machine below does, over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from resphere.appliance.measuring import Item, items
from resphere.appliance.monitoring import Wanted, series
from resphere.contract.errors import NotFound, VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Monitoring
from resphere.inventory.appliance.samples import Figures
from resphere.rules.appliance_values import invalid
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.turns import in_turns

Id = ids.ApplianceMonitoringId
Interval = Monitoring.IntervalType
Function = Monitoring.FunctionType

SECONDS: Mapping[Interval, int] = MappingProxyType(
    {
        Interval.MINUTES5: 300,
        Interval.MINUTES30: 1800,
        Interval.HOURS2: 7200,
        Interval.HOURS6: 21_600,
        Interval.DAY1: 86_400,
    }
)
FUNCTIONS: Mapping[Function, Callable[[Figures], float]] = MappingProxyType(
    {
        Function.AVG: lambda figures: figures.sum / figures.count,
        Function.COUNT: lambda figures: figures.sum,
        Function.MAX: lambda figures: figures.greatest,
        Function.MIN: lambda figures: figures.least,
    }
)
MOST_VALUES = 10_000
"""Of each thing."""
MOST_VALUES_IN_ALL = 100_000
PREFIX = "com.vmware.applmgmt.mon"


@implements(Monitoring.list)
async def list_items(call: Call) -> tuple[Monitoring.MonitoredItem, ...]:
    """All that is measured."""
    return tuple(info(item) for item in known(call).values())


@implements(Monitoring.get)
async def get(call: Call, stat_id: Id) -> Monitoring.MonitoredItem:
    """One thing that is measured.

    :raises NotFound: nothing of that id is.
    """
    item = known(call).get(stat_id)
    if item is None:
        raise NotFound(
            message("resphere.appliance.monitoring.unknown", "Nothing is measured that is called {0}.", stat_id)
        )
    return info(item)


@implements(Monitoring.query)
async def query(call: Call, item: Monitoring.MonitoredItemDataRequest) -> tuple[Monitoring.MonitoredItemData, ...]:
    """What was measured: of each interval a value as text, empty where nothing was.

    :raises InvalidArgument: nothing of a name is measured, the end is before the start, or too much is asked for.
    """
    names = dict.fromkeys(item.names)
    there = known(call)
    for number, name in enumerate(names):
        if name not in there:
            raise invalid(f"item.names[{number}]", "nothing is measured that is called {1}.", repr(name))
    wanted = wanted_of(item, len(names))
    found: list[Monitoring.MonitoredItemData] = []
    async for piece in in_turns(names, 1):
        for name in piece:
            figures = series(call.inventory, name, wanted)
            found.append(
                Monitoring.MonitoredItemData(
                    name=name,
                    interval=item.interval,
                    function=item.function,
                    start_time=item.start_time,
                    end_time=item.end_time,
                    data=tuple(["" if each is None else written(FUNCTIONS[item.function](each)) for each in figures]),
                )
            )
    return tuple(found)


def wanted_of(item: Monitoring.MonitoredItemDataRequest, names: int) -> Wanted:
    """The intervals that are asked about: those that begin from the start to the end, with both.

    :raises InvalidArgument: the end is before the start, or there are too many.
    """
    span, seconds = (item.end_time - item.start_time).total_seconds(), SECONDS[item.interval]
    if span < 0:
        raise invalid("item.end_time", "it is before the start.")
    count = int(span // seconds) + 1
    if count > MOST_VALUES or count * names > MOST_VALUES_IN_ALL:
        raise invalid(
            "item.end_time",
            "{1} values of {2} things are asked for; there may be {3} of each, and {4} in all.",
            count,
            names,
            MOST_VALUES,
            MOST_VALUES_IN_ALL,
        )
    return Wanted(int(item.start_time.timestamp()), seconds, count)


def written(value: float) -> str:
    """A figure as text, with the digits that it was kept with."""
    return f"{value:.7g}" if abs(value) < 10_000_000 else f"{value:.0f}"


def known(call: Call) -> dict[str, Item]:
    """All that is measured, by id.

    :raises VapiError: a folder of the server has gone.
    """
    try:
        return {each.id: each for each in items(call.environment.machine, call.environment.folders)}
    except OSError as error:
        raise VapiError(
            message(
                "resphere.appliance.folder", "A folder of the server cannot be looked at: {0}.", error.strerror or error
            )
        ) from error


def info(item: Item) -> Monitoring.MonitoredItem:
    """As it is shown."""
    return Monitoring.MonitoredItem(
        id=Id(item.id),
        name=f"{PREFIX}.name.{item.id}",
        units=f"{PREFIX}.unit.{item.unit}",
        category=f"{PREFIX}.cat.{item.category}",
        instance=item.instance,
        description=f"{PREFIX}.descr.{item.id}",
    )
