"""Whatever is in cells, and whatever sheets are missing: an inventory that is sound, or a refusal in words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.importing.anonymizing.documents import anonymized
from resphere.importing.building.build import build
from resphere.importing.report import ImportFault, Report
from resphere.importing.sources.rvtools import read_rvtools
from resphere.importing.sources.tables import Table
from resphere.importing.writing.workbook import sheets_of
from resphere.inventory.model import ManagedObject
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts
from tests.support.examples import examples
from tests.support.soundness import problems
from tests.support.workbooks import book, table

BOOK = {name: table(rows) for name, rows in book().items()}
PLACES = [
    (name, row, column) for name, rows in BOOK.items() for row in range(len(rows)) for column in range(len(rows[0]))
]
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.datetimes(),
    st.dates(),
    st.sampled_from(
        [
            "True",
            "-1",
            "1,024",
            "[x] y",
            "[san 1] web-01/web-01.vmx",
            "/",
            "/Rhein",
            "vm-401",
            "host-201",
            "esx1.corp.test",
        ]
    ),
    st.sampled_from([cell for rows in BOOK.values() for row in rows for cell in row if cell is not None]),
)


def made(tables: list[Table], report: Report) -> tuple[tuple[Stored, ...] | None, tuple[str, ...]]:
    """The documents, or what is wrong."""
    try:
        return build(read_rvtools(tables, report), report), ()
    except ImportFault as fault:
        return None, fault.faults


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from(PLACES), CELLS, min_size=1, max_size=6),
    missing=st.sets(st.sampled_from([name for name in BOOK if name != "vInfo"]), max_size=6),
    lax=st.booleans(),
)
def test_cells_and_sheets(changes: dict[tuple[str, int, int], Any], missing: set[str], lax: bool) -> None:
    changed = {name: [list(row) for row in rows] for name, rows in BOOK.items() if name not in missing}
    for (name, row, column), value in changes.items():
        if name in changed:
            changed[name][row][column] = value
    tables = [Table(name, name, [str(cell) for cell in rows[0]], rows[1:]) for name, rows in changed.items()]
    report = Report("it", lax=lax)
    documents, faults = made(tables, report)
    assert all(line.startswith("it: ") for line in faults)
    if documents is None:
        assert faults
        return
    assert problems([item for item in documents if isinstance(item, ManagedObject)]) == []
    assert "".join(file_parts(documents))
    for sheet in sheets_of(documents):
        assert all(len(row) == len(sheet.headers) for row in sheet.rows)
    with suppress(ImportFault):  # names that are near the longest may become too long
        anonymized(documents, b"s", report)
    assert list(report.lines())
