"""RVTools' sheets -> rows. Sheets and columns are known by their names, as its releases have written them."""

from __future__ import annotations

from collections.abc import Sequence

from resphere.importing.report import Report
from resphere.importing.rows import Rows
from resphere.importing.sources.rvtools_book import NAME, Machines, Workbook
from resphere.importing.sources.rvtools_devices import Devices
from resphere.importing.sources.rvtools_machines import custom_columns, machine_row
from resphere.importing.sources.rvtools_places import (
    cluster_rows,
    datastore_rows,
    host_rows,
    network_rows,
    pool_rows,
)
from resphere.importing.sources.tables import Table

_MOST_SHOWN = 20


def read_rvtools(tables: Sequence[Table], report: Report, vcenter: str | None = None) -> Rows:
    """The rows of a workbook's sheets; ``vcenter`` is the name or UUID of the one that is meant.

    :raises ImportFault: the sheets cannot be used at all. Faults of rows and cells are told.
    """
    book = Workbook(tables, report)
    info = book.table("vInfo")
    if info is None:
        names = ", ".join(table.shown for table in tables[:_MOST_SHOWN]) or "none"
        report.fault(None, f"has no sheet vInfo, where the machines are; sheets of RVTools in it: {names}")
    elif not info.has(*NAME):
        headers = ", ".join(info.headers[:_MOST_SHOWN]) or "none"
        report.fault(None, f"the sheet {info.shown} has no column VM; there are {headers}")
    else:
        book.choose(vcenter)
    report.raise_any()
    assert info is not None
    rows = _rows(book, info)
    book.tell()
    return rows


def _rows(book: Workbook, info: Table) -> Rows:
    machines = Machines(book)
    devices = Devices(book, machines)
    custom = custom_columns(info, book.report)
    taken = (machine_row(line, index, devices, custom) for index, line in enumerate(machines.lines))
    return Rows(
        machines=tuple(row for row in taken if row is not None),
        clusters=cluster_rows(book),
        hosts=host_rows(book),
        pools=pool_rows(book),
        datastores=datastore_rows(book),
        networks=network_rows(book),
        hosts_sheet=_shown(book, "vHost"),
        clusters_sheet=_shown(book, "vCluster"),
        datastores_sheet=_shown(book, "vDatastore"),
    )


def _shown(book: Workbook, sheet: str) -> str | None:
    table = book.table(sheet)
    return table.shown if table is not None and table.rows else None
