"""Measures the machine all the time, keeps what was measured, and tells of it.

One elected worker measures, and writes the figures of every five minutes, once a minute meanwhile. They are kept for a
week, joined to those of two hours for a month, and to those of a day for a year: so long as the intervals of vCenter's
contract reach back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from resphere.appliance.folders import Folders
from resphere.appliance.machine import Machine
from resphere.appliance.measuring import Reading, measured, reading
from resphere.inventory.appliance.samples import Figures, MonitoringSample, sample
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading as Inventory

MEASURE_SECONDS = 10.0
NOTED = timedelta(minutes=1)
"""How often the figures of the present stretch are written."""


class Stretch(msgspec.Struct, frozen=True):
    """Figures of so many ``seconds`` each are kept for so many ``kept_seconds``."""

    seconds: int
    kept_seconds: int


DAY = 86_400
FINEST = Stretch(300, 7 * DAY)
COARSER = (Stretch(7200, 31 * DAY), Stretch(DAY, 366 * DAY))
STRETCHES = (FINEST, *COARSER)


class Monitoring:
    """Measures ``machine``: ``now`` is the time of day, ``clock`` only rises (seconds)."""

    def __init__(
        self,
        replica: Replica,
        machine: Machine,
        folders: Folders,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        measure_seconds: float = MEASURE_SECONDS,
    ) -> None:
        self._replica = replica
        self._machine = machine
        self._folders = folders
        self._now = now
        self._clock = clock
        self._measure_seconds = measure_seconds
        self._start = 0
        self._figures: dict[str, Figures] = {}
        self._noted: datetime | None = None

    async def run(self) -> None:
        """Measure, until canceled: to be done by one worker at a time. The next one goes on with what is written."""
        before = await self._read()
        self._start, self._noted = begun(self._now(), FINEST.seconds), None
        self._figures = all_figures(self._replica.get(MonitoringSample, f"{FINEST.seconds}/{self._start}"))
        while True:
            await asyncio.sleep(self._measure_seconds)
            after = await self._read()
            await self.take(measured(before, after))
            before = after

    async def _read(self) -> Reading:
        """What the machine tells; beside the event loop, for a filesystem may keep whoever asks of it waiting."""
        return await asyncio.to_thread(reading, self._machine, self._folders, self._clock())

    async def take(self, values: Mapping[str, float]) -> None:
        """Count what was measured now; where a stretch of time is over, keep its figures first."""
        start = begun(self._now(), FINEST.seconds)
        if start != self._start:
            if self._figures:
                await self._replica.change(self._keep)
            self._start, self._figures = start, {}
        for name, value in values.items():
            found, one = self._figures.get(name), Figures(value, value, value, 1)
            self._figures[name] = one if found is None else found.joined(one)
        if self._noted is None or not timedelta() <= self._now() - self._noted < NOTED:
            await self._replica.change(lambda edit: edit.put(sample(self._start, FINEST.seconds, self._figures)))
            self._noted = self._now()

    def _keep(self, edit: Edit) -> None:
        new = [sample(self._start, FINEST.seconds, self._figures)]
        for stretch in COARSER:
            start = self._start - self._start % stretch.seconds
            before = edit.get(MonitoringSample, f"{stretch.seconds}/{start}")
            new.append(sample(start, stretch.seconds, joined(before, self._figures)))
        for each in new:
            edit.put(each)
        for stretch in STRETCHES:
            oldest = self._start - stretch.kept_seconds
            for id, each in list(self._replica.by(MonitoringSample, "seconds", str(stretch.seconds)).items()):
                if each.start + stretch.seconds <= oldest:
                    edit.delete(MonitoringSample, id)


def begun(moment: datetime, seconds: int) -> int:
    """When the stretch of so many seconds began that the moment is in, in seconds since the epoch."""
    now = int(moment.timestamp())
    return now - now % seconds


def joined(before: MonitoringSample | None, figures: Mapping[str, Figures]) -> dict[str, Figures]:
    """Figures of a longer stretch, to which those of a part of it come."""
    found = dict(figures)
    for name, each in all_figures(before).items():
        found[name] = each.joined(found[name]) if name in found else each
    return found


def all_figures(document: MonitoringSample | None) -> dict[str, Figures]:
    """What a document has, by name; nothing where there is none."""
    if document is None:
        return {}
    return {name: figures for name in document.names if (figures := document.figures(name)) is not None}


class Wanted(msgspec.Struct, frozen=True):
    """``count`` intervals of so many ``seconds``, one after the other, from ``start`` on (since the epoch)."""

    start: int
    seconds: int
    count: int

    @property
    def end(self) -> int:
        """When the last one is over."""
        return self.start + self.seconds * self.count

    def intervals_of(self, document: MonitoringSample) -> range:
        """Which of them a stretch of time belongs to: the one in which it begins, or all that begin in it."""
        first = (document.start - self.start) // self.seconds
        if document.seconds <= self.seconds:
            return range(max(first, 0), min(first + 1, self.count))
        last = (document.start + document.seconds - 1 - self.start) // self.seconds
        begins = first if document.start == self.start + first * self.seconds else first + 1
        return range(max(begins, 0), min(last + 1, self.count))


def series(inventory: Inventory, name: str, wanted: Wanted) -> list[Figures | None]:
    """What was measured of one thing in each interval, by the finest figures that there are of it; ``None`` where
    nothing was."""
    found: list[Figures | None] = [None] * wanted.count
    for stretch in STRETCHES:
        layer: dict[int, Figures] = {}
        for each in inventory.by(MonitoringSample, "seconds", str(stretch.seconds)).values():
            if each.start + each.seconds > wanted.start and each.start < wanted.end:
                figures = each.figures(name)
                if figures is not None:
                    for number in wanted.intervals_of(each):
                        layer[number] = figures if number not in layer else layer[number].joined(figures)
        for number, figures in layer.items():
            if found[number] is None:
                found[number] = figures
    return found
