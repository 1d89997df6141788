"""What one worker counts in: counters, gauges and histograms, each for some hundred nanoseconds."""

from __future__ import annotations

from bisect import bisect_left

from resphere.metrics.families import Family, Kind, Labels
from resphere.metrics.shared import SPILL, Key, Slot


class Tally:
    """The metrics of one worker, in its slot; it goes on with what stands there already."""

    def __init__(self, slot: Slot) -> None:
        self.number = slot.number
        self._slot = slot
        self._places: dict[Key, int] = {(entry.family, entry.labels): entry.place for entry in slot.entries()}

    def counter(self, family: Family) -> Counter:
        """What counts that family."""
        return Counter(self, family)

    def gauge(self, family: Family) -> Gauge:
        """What tells that family; what a worker before has told of it is not true any more."""
        for (name, _), place in self._places.items():
            if name == family.name:
                self._slot.words[place] = 0.0
        return Gauge(self, family)

    def histogram(self, family: Family) -> Histogram:
        """What observes that family."""
        return Histogram(self, family)

    @property
    def words(self) -> memoryview[float]:
        """All numbers."""
        return self._slot.words

    def place(self, family: Family, labels: Labels) -> int | None:
        """Where the numbers of a metric begin; ``None`` where no room is left for it."""
        if len(labels) != len(family.labels):
            raise ValueError(f"{family.name} has the labels {family.labels}, not {len(labels)} values")
        found = self._places.get((family.name, labels))
        if found is None:
            found = self._slot.add(family, labels)
            if found is None:
                self._slot.words[SPILL] += 1
                return None
            self._places[family.name, labels] = found
        return found


class Metric:
    """Metrics of one family, as one worker writes them."""

    __slots__ = ("_family", "_places", "_tally", "_words")
    kind: Kind

    def __init__(self, tally: Tally, family: Family) -> None:
        if family.kind is not self.kind:
            raise ValueError(f"{family.name} is a {family.kind}, no {self.kind}")
        self._tally = tally
        self._family = family
        self._words = tally.words
        self._places: dict[Labels, int] = {}

    def _place(self, labels: Labels) -> int | None:
        place = self._places.get(labels)
        if place is None:
            place = self._tally.place(self._family, labels)
            if place is not None:
                self._places[labels] = place
        return place


class Counter(Metric):
    """Rises."""

    __slots__ = ()
    kind = Kind.COUNTER

    def add(self, labels: Labels = (), amount: float = 1.0) -> None:
        """So many more."""
        place = self._place(labels)
        if place is not None:
            self._words[place] += amount


class Gauge(Metric):
    """Goes up and down."""

    __slots__ = ()
    kind = Kind.GAUGE

    def add(self, amount: float, labels: Labels = ()) -> None:
        """So many more, or less."""
        place = self._place(labels)
        if place is not None:
            self._words[place] += amount

    def set(self, value: float, labels: Labels = ()) -> None:
        """It is so much."""
        place = self._place(labels)
        if place is not None:
            self._words[place] = value


class Histogram(Metric):
    """Counts observations by how large they are."""

    __slots__ = ()
    kind = Kind.HISTOGRAM

    def observe(self, value: float, labels: Labels = ()) -> None:
        """One more."""
        place = self._place(labels)
        if place is not None:
            words = self._words
            words[place] += value
            words[place + 1 + bisect_left(self._family.bounds, value)] += 1
