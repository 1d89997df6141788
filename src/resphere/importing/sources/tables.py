"""Tables of cells, whoever wrote them: headers by what they mean, cells as values of a type, or faults with places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TypeAlias

from resphere.importing.report import Column, Place, Report

Cell: TypeAlias = object
"""What a library for workbooks or CSV gives: text, a number, a truth value, a time, or nothing."""

_WORD = re.compile(r"[A-Za-z0-9#%]+")
_UNITS = ("mib", "mb")
_SHEET = re.compile(r"(?:\A|tab|[^A-Za-z0-9])(d?v[a-z]+(?:_vmk)?)\Z", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:([,.'\u2019 \u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*\Z")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:[.,][0-9]{1,9})?\Z")
_MIXED = re.compile(r"[+-]?[0-9]{1,3}(?:([.,'\u2019 \u00a0\u202f])[0-9]{3})+([.,])[0-9]{1,9}\Z")
_SEPARATORS = re.compile(r"[,.'\u2019 \u00a0\u202f]")
_TRUE = frozenset({"true", "yes", "1", "wahr", "vrai", "verdadero", "vero", "ja", "oui"})
_FALSE = frozenset({"false", "no", "0", "", "falsch", "faux", "falso", "nein", "non"})
_TIMES = (
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d",
)
_BY_LOCALE = tuple(
    f"{day} {hour}" for hour in ("%H:%M:%S", "%I:%M:%S %p", "%H:%M", "%I:%M %p") for day in ("%m/%d/%Y", "%d/%m/%Y")
)
"""Where the same text may be two days, the first that fits is taken, and told."""

LARGEST = 2**53
CUSTOM = "(custom) "
"""What the report puts before the names of columns that are custom attributes."""


def sheet_name(name: str) -> str:
    """``vinfo`` for ``tabvInfo``, ``vInfo`` and ``RVTools_tabvInfo``; empty for what is none of RVTools's."""
    found = _SHEET.search(name.strip().replace(" ", ""))
    return found[1].lower() if found else ""


@lru_cache(4096)
def key_of(header: str, sheet: str = "") -> str:
    """What a header is known by: ``in use`` of ``In Use MiB``, ``In Use MB`` and ``vInfoInUse`` is ``inuse``."""
    words = [word.lower() for word in _WORD.findall(header)]
    key = "".join(word for word in words if word not in _UNITS)
    if sheet and key.startswith(sheet) and key != sheet:
        key = key[len(sheet) :]
    for unit in _UNITS:
        if key.endswith(unit) and key != unit:
            key = key[: -len(unit)]
    return key


class Table:
    """A sheet: its name as RVTools has it now (``vInfo``), its name in the source, its headers, and its rows of cells,
    with the number that the first of them has in the source."""

    def __init__(
        self, name: str, shown: str, headers: Sequence[str], rows: Sequence[Sequence[Cell]], first_row: int = 2
    ) -> None:
        self.name = name
        self.shown = shown
        self.headers = [header.strip() for header in headers]
        self.rows = rows
        self.first_row = first_row
        self.keys = [key_of(header, name.lower()) for header in self.headers]
        self.columns: dict[str, int] = {}
        for index, key in enumerate(self.keys):
            self.columns.setdefault(key, index)
        self.read: set[int] = set()
        self.custom: set[int] = set()

    def column(self, *keys: str) -> int | None:
        """The place of the first column of those keys that is there."""
        return next((self.columns[key] for key in keys if key in self.columns), None)

    def has(self, *keys: str) -> bool:
        """Whether one of the columns is there."""
        return self.column(*keys) is not None

    def note(self, *keys: str) -> None:
        """Columns that say again what others say, or what a row is known by, are taken with those."""
        self.read.update(self.columns[key] for key in keys if key in self.columns)

    def lines(self, report: Report) -> Iterator[Line]:
        """The rows that are not empty."""
        for index, cells in enumerate(self.rows):
            if any(cell not in (None, "") for cell in cells):
                yield Line(self, cells, index + self.first_row, report)

    def tell(self, report: Report) -> None:
        """Tell the report what was read, after it was."""
        values: Counter[int] = Counter()
        for cells in self.rows:
            values.update(index for index, cell in enumerate(cells) if cell not in (None, ""))
        columns = []
        for index, header in enumerate(self.headers):
            if values[index]:
                shown = f"{CUSTOM}{header}" if index in self.custom else header
                columns.append(Column(shown, values[index], "taken" if index in self.read else "left"))
        report.sheet(self.shown, len(self.rows), columns)


class Line:
    """One row, whose cells are asked for by the keys of their columns: the first column that is there counts."""

    __slots__ = ("cells", "number", "report", "table")

    def __init__(self, table: Table, cells: Sequence[Cell], number: int, report: Report) -> None:
        self.table = table
        self.cells = cells
        self.number = number
        self.report = report

    def place(self, *keys: str) -> Place:
        """Where the row is, or its cell."""
        index = self.table.column(*keys) if keys else None
        return Place(self.table.shown, self.number, "" if index is None else self.table.headers[index])

    def cell(self, *keys: str) -> Cell:
        """The cell as it was read, None where there is none."""
        columns = self.table.columns
        for key in keys:
            index = columns.get(key)
            if index is not None:
                self.table.read.add(index)
                return self.cells[index] if index < len(self.cells) else None
        return None

    def text(self, *keys: str) -> str:
        """The text of a cell, a number as it is written; empty where there is none."""
        return text_of(self.cell(*keys))

    def word(self, *keys: str) -> str:
        """The text of a cell that is a word of an enumeration: without blanks, in lower case."""
        return text_of(self.cell(*keys)).strip().lower()

    def number_or_none(self, *keys: str, least: int = 0) -> int | None:
        """A whole number; None where the cell is empty, or tells a fault."""
        cell = self.cell(*keys)
        if cell is None or cell == "":
            return None
        value = number_of_cell(cell)
        if value is None or not least <= value <= LARGEST:
            allowed = f"must be a number from {least} on"
            self.report.fault(self.place(*keys), f"{allowed}, such as 16384 or 16,384, not {_shown(cell)}")
            return None
        rounded = round(value)
        if rounded != value:
            self.report.guessed("numbers with fractions are rounded", self.place(*keys))
        return rounded

    def mib(self, *keys: str) -> int | None:
        """A number of MiB as bytes; fractions of MiB are kept."""
        cell = self.cell(*keys)
        if cell is None or cell == "":
            return None
        value = number_of_cell(cell)
        if value is None or not 0 <= value <= LARGEST >> 10:
            self.report.fault(
                self.place(*keys), f"must be a number of MiB from 0 on, such as 40960 or 40,960, not {_shown(cell)}"
            )
            return None
        return round(value * (1 << 20))

    def truth(self, *keys: str) -> bool | None:
        """A truth value; None where the cell is empty, or tells a fault."""
        cell = self.cell(*keys)
        if isinstance(cell, bool):
            return cell
        if cell is None or cell == "":
            return None
        text = text_of(cell).strip().lower()
        if text in _TRUE:
            return True
        if text in _FALSE:
            return False
        self.report.fault(self.place(*keys), f"must be True or False, not {_shown(cell)}")
        return None

    def time(self, *keys: str) -> datetime | None:
        """A time; those without a zone are taken as UTC. None where the cell is empty, or tells a fault."""
        cell = self.cell(*keys)
        if isinstance(cell, datetime):
            return cell if cell.tzinfo is not None else cell.replace(tzinfo=UTC)
        if isinstance(cell, date):
            return datetime(cell.year, cell.month, cell.day, tzinfo=UTC)
        text = text_of(cell).strip()
        if not text:
            return None
        for form in _TIMES:
            found = _time(text, form)
            if found is not None:
                return found
        fitting = {found for form in _BY_LOCALE if (found := _time(text, form)) is not None}
        if not fitting:
            self.report.fault(self.place(*keys), f"must be a time such as 2024/11/28 16:14:28, not {_shown(cell)}")
            return None
        if len(fitting) > 1:
            self.report.guessed("dates that may be month/day or day/month are taken as month/day", self.place(*keys))
        return next(found for form in _BY_LOCALE if (found := _time(text, form)) is not None)


def _time(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


def text_of(cell: Cell) -> str:
    """A cell as text, empty where it is blank; a whole number without its fraction."""
    if isinstance(cell, str):
        return cell if cell and not cell.isspace() else ""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def number_of_cell(cell: Cell) -> float | int | None:
    """A number, also as text with separators of any locale: ``16,384``, ``16.384``, ``1 234,5``."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return cell
    text = text_of(cell).strip()
    if _GROUPED.match(text):
        return int(_SEPARATORS.sub("", text))
    if _NUMBER.match(text):
        return float(text.replace(",", ".")) if "," in text or "." in text else int(text)
    found = _MIXED.match(text)
    if found and found[1] != found[2]:
        whole, _, part = text.rpartition(found[2])
        return float(f"{_SEPARATORS.sub('', whole)}.{part}")
    return None


def _shown(cell: Cell) -> str:
    text = text_of(cell)
    return repr(text if len(text) <= 60 else text[:60] + "...")
