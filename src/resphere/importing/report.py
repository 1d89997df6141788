"""What an import took, guessed and left, and what was wrong: by sheet, row and column."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

SHOWN_FAULTS = 20
KEPT_FAULTS = 1000
"""Of more faults than these only the number is kept."""
_EXAMPLES = 3


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stands: a sheet (or part) of a source, its row from 1, which is 0 where there is none, and the
    column."""

    sheet: str
    row: int = 0
    column: str = ""

    def at(self, column: str) -> Place:
        """Another column of the same row."""
        return Place(self.sheet, self.row, column)

    def __str__(self) -> str:
        parts = [self.sheet]
        if self.row:
            parts.append(f"row {self.row}")
        text = " ".join(part for part in parts if part)
        if not self.column:
            return text
        return f"{text}, column {self.column}" if self.row else f"{text}: {self.column}"


class ImportFault(ValueError):
    """A source that cannot be imported. ``faults`` are those of ``count`` that were kept; the message shows the first
    twenty, a line each."""

    def __init__(self, faults: Sequence[str], count: int | None = None) -> None:
        self.faults = tuple(faults)
        self.count = len(self.faults) if count is None else count
        shown = list(self.faults[:SHOWN_FAULTS])
        if self.count > len(shown):
            shown.append(f"... and {self.count - len(shown)} more")
        super().__init__("\n".join(shown))


class Column(msgspec.Struct, frozen=True):
    """A column of a sheet: how many rows have a ``value`` there, and what became of them: ``taken`` or ``left``."""

    column: str
    values: int
    fate: str


class Remark(msgspec.Struct, frozen=True):
    """Something that was guessed or left: what, how often, and the first places."""

    what: str
    count: int
    places: tuple[str, ...]


class Report:
    """Collects, for one import from ``source``. ``lax``: what contradicts itself is set right by a guess where there is
    one, and refused otherwise."""

    def __init__(self, source: str, *, lax: bool = False) -> None:
        self.source = source
        self.lax = lax
        self.vcenter = ""
        self.rows: dict[str, int] = {}
        self.columns: dict[str, list[Column]] = {}
        self._guessed: Counter[str] = Counter()
        self._left: Counter[str] = Counter()
        self._places: defaultdict[str, list[str]] = defaultdict(list)
        self._faults: dict[str, None] = {}
        self._fault_count = 0
        self._made: dict[str, int] = {}

    def guessed(self, what: str, place: Place | None = None, count: int = 1) -> None:
        """Something the source does not say, or not so that it can be held. Equal words are counted together: they must
        not have what differs from row to row."""
        self._guessed[what] += count
        self._note(what, place)

    def left(self, what: str, place: Place | None = None, count: int = 1) -> None:
        """Something the source says and the inventory has no place for."""
        self._left[what] += count
        self._note(what, place)

    def _note(self, what: str, place: Place | None) -> None:
        if place is not None and len(self._places[what]) < _EXAMPLES:
            self._places[what].append(str(place))

    def sheet(self, name: str, rows: int, columns: list[Column]) -> None:
        """A sheet was read."""
        self.rows[name] = rows
        self.columns[name] = columns

    def made(self, counts: dict[str, int]) -> None:
        """What came of it: kind -> number."""
        self._made = counts

    def fault(self, place: Place | None, message: str) -> None:
        """Something makes the source unusable."""
        line = f"{self.source}: {place}: {message}" if place is not None and str(place) else f"{self.source}: {message}"
        if line in self._faults:
            return
        self._fault_count += 1
        if len(self._faults) < KEPT_FAULTS:
            self._faults[line] = None

    def contradiction(self, place: Place, message: str, remedy: str) -> None:
        """Two things in the source cannot both be true: a fault, or in a lax import a guess by the ``remedy``."""
        if self.lax:
            self.guessed(remedy, place)
        else:
            self.fault(place, f"{message} (--lax: {remedy})")

    def refused(self, fault: ImportFault) -> None:
        """What was raised is on the report too, whoever raised it."""
        for line in fault.faults:
            if line not in self._faults:
                self._fault_count += 1
                self._faults[line] = None

    def raise_any(self) -> None:
        """:raises ImportFault: there were faults."""
        if self._fault_count:
            raise ImportFault(tuple(self._faults), self._fault_count)

    @property
    def guesses(self) -> tuple[Remark, ...]:
        """All that was guessed, the most frequent first."""
        return self._remarks(self._guessed)

    @property
    def leavings(self) -> tuple[Remark, ...]:
        """All that was left, the most frequent first."""
        return self._remarks(self._left)

    def _remarks(self, of: Counter[str]) -> tuple[Remark, ...]:
        return tuple(Remark(what, count, tuple(self._places[what])) for what, count in of.most_common())

    def as_json(self, *, places: bool = True) -> dict[str, Any]:
        """The report in plain values. Without ``places`` it has nothing that the source's rows say."""
        return {
            "source": self.source if places else "",
            "vcenter": self.vcenter if places else "",
            "made": self._made,
            "sheets": [
                {
                    "sheet": name,
                    "rows": rows,
                    "taken": [each.column for each in self._columns(name, "taken", places=places)],
                    "left": [each.column for each in self._columns(name, "left", places=places)],
                }
                for name, rows in self.rows.items()
            ],
            "guessed": [self._plain(each, places=places) for each in self.guesses],
            "left": [self._plain(each, places=places) for each in self.leavings],
            "faults": list(self._faults) if places else [],
            "fault_count": self._fault_count,
        }

    def _columns(self, sheet: str, fate: str, *, places: bool) -> list[Column]:
        found = [each for each in self.columns.get(sheet, ()) if each.fate == fate]
        return found if places else [each for each in found if not each.column.startswith("(custom) ")]

    @staticmethod
    def _plain(remark: Remark, *, places: bool) -> dict[str, Any]:
        plain: dict[str, Any] = {"what": remark.what, "count": remark.count}
        return {**plain, "places": list(remark.places)} if places else plain

    def lines(self, *, places: bool = True) -> Iterator[str]:
        """The report for people."""
        made = ", ".join(f"{count} {kind}" for kind, count in self._made.items() if count)
        yield f"made: {made or 'nothing'}"
        for name, rows in self.rows.items():
            taken = len(self._columns(name, "taken", places=True))
            left = [each.column for each in self._columns(name, "left", places=places)]
            line = f"{name}: {rows} rows, {taken} columns taken" if self.columns[name] else f"{name}: {rows}"
            yield f"{line}, left: {', '.join(left)}" if left else line
        for word, remarks in (("guessed", self.guesses), ("left", self.leavings)):
            for remark in remarks:
                where = (
                    f" ({remark.places[0]}{', ...' if remark.count > 1 else ''})" if places and remark.places else ""
                )
                yield f"{word}: {remark.what}: {remark.count}{where}"
