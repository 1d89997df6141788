"""The sheets of an RVTools workbook, of one vCenter, and what their machines are known by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resphere.importing.report import Report
from resphere.importing.sources.tables import Line, Table

SHEETS = {
    name.lower(): name
    for name in (
        "vInfo",
        "vCPU",
        "vMemory",
        "vDisk",
        "vNetwork",
        "vCD",
        "vSnapshot",
        "vTools",
        "vPartition",
        "vHost",
        "vCluster",
        "vRP",
        "vDatastore",
        "vPort",
        "dvSwitch",
        "dvPort",
        "vNIC",
        "vSC_VMK",
        "vSource",
        "vMetaData",
    )
}
"""Those that are read, by their names in lower case."""

_UUID, _SERVER = ("visdkuuid",), ("visdkserver", "server")
_MOST_NAMED = 10
_REPEATED: dict[str, tuple[str, ...]] = {
    "vInfo": ("nics", "disks", "totaldiskcapacity", "gueststate", *(f"network#{number}" for number in range(1, 9))),
    "vCPU": ("sockets",),
    "vTools": ("vmversion",),
    "vRP": ("resourcepoolname",),
    "vPartition": ("consumed", "free%", "diskkey"),
    "vCluster": ("numhosts",),
    "vHost": ("#nics", "#vms", "htactive", "corespercpu"),
    "vDatastore": ("free", "free%", "#hosts"),
    "vSC_VMK": ("device",),
    "dvSwitch": ("name",),
}
"""What other columns say again."""
NAME, ID, VM_UUID = ("vm", "vmname", "name"), ("vmid",), ("vmuuid",)


class Workbook:
    """The sheets of a source, by name; their rows are those of one vCenter where they tell of several."""

    def __init__(self, tables: Sequence[Table], report: Report) -> None:
        self.report = report
        self._tables: dict[str, Table] = {}
        self._wanted: str | None = None
        for table in tables:
            name = SHEETS.get(table.name.lower())
            if name is None:
                report.sheet(table.shown, len(table.rows), [])
                report.left("rows of sheets that the inventory has no place for", count=len(table.rows))
            elif name in self._tables:
                report.fault(None, f"has the sheet {name} twice: {self._tables[name].shown} and {table.shown}")
            else:
                table.name = name
                self._tables[name] = table

    def table(self, name: str) -> Table | None:
        """A sheet."""
        return self._tables.get(name)

    def choose(self, vcenter: str | None) -> None:
        """Keep to the vCenter of that UUID or name, which must be given where there are several."""
        names: dict[str, str] = {}
        for line in self.lines("vInfo"):
            names.setdefault(line.text(*_UUID) or line.text(*_SERVER), line.text(*_SERVER))
        shown = ", ".join(sorted(name or uuid for uuid, name in names.items())[:_MOST_NAMED])
        if vcenter is not None:
            found = [uuid for uuid, name in names.items() if vcenter.lower() in (uuid.lower(), name.lower())]
            if len(found) == 1:
                self._wanted = found[0]
            else:
                count = "no vCenter has" if not found else f"{len(found)} vCenters have"
                self.report.fault(
                    None, f"{count} the name or UUID {vcenter!r}; there are {shown or 'none with a name'}"
                )
        elif len(names) > 1:
            self.report.fault(None, f"has the machines of {len(names)} vCenters: choose one by --vcenter, of {shown}")
        self.report.vcenter = names.get(self._wanted or next(iter(names), ""), "")

    def lines(self, name: str) -> Iterator[Line]:
        """The rows of a sheet, none where it is missing."""
        table = self._tables.get(name)
        if table is None:
            return
        chosen = self._wanted is not None and table.has(*_UUID, *_SERVER)
        for line in table.lines(self.report):
            named = (line.text(*_UUID), line.text(*_SERVER)) if chosen else ()
            if not chosen or self._wanted in named:
                yield line
            elif not any(named):
                self.report.left("rows that do not say of which vCenter they are", line.place())

    def tell(self) -> None:
        """Tell what was read, after it was."""
        for name, table in self._tables.items():
            table.note(*NAME, *_UUID, *_SERVER, "datacenter", "cluster", *_REPEATED.get(name, ()))
            table.tell(self.report)


class Machines:
    """Which rows of ``vInfo`` the rows of other sheets belong to: by id, else by UUID, else by a name that one has."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._keys: dict[tuple[str, str], list[int]] = {}
        self.lines: list[Line] = []
        seen: dict[str, Line] = {}
        for line in book.lines("vInfo"):
            name, id = line.text(*NAME), line.text(*ID)
            if not name:
                book.report.fault(line.place(*NAME), "must have the name of a virtual machine")
                continue
            if id and id in seen:
                book.report.contradiction(
                    line.place(*ID),
                    f"{id} is the id of {seen[id].text(*NAME)} in row {seen[id].number} already",
                    "further rows of an id are left out",
                )
                continue
            seen.setdefault(id, line)
            for kind, value in (("name", name), ("id", id), ("uuid", line.text(*VM_UUID).lower())):
                if value:
                    self._keys.setdefault((kind, value), []).append(len(self.lines))
            self.lines.append(line)

    def of(self, line: Line) -> int | None:
        """The place in :attr:`lines` of the machine that a row of another sheet is about; None where that is told as a
        fault."""
        for kind, value, keys in (("id", line.text(*ID), ID), ("uuid", line.text(*VM_UUID).lower(), VM_UUID)):
            found = self._keys.get((kind, value), ()) if value else ()
            if len(found) == 1:
                return found[0]
            if value and kind == "id" and self._has_ids():
                self._unknown(line, keys, value)
                return None
        name = line.text(*NAME)
        named = self._keys.get(("name", name), [])
        if len(named) == 1:
            return named[0]
        if not named:
            self._unknown(line, NAME, name)
            return None
        self._book.report.contradiction(
            line.place(*NAME),
            f"{len(named)} machines are named {name!r}, and no VM ID tells which of them is meant",
            "rows of machines whose names are not theirs alone are left out",
        )
        return None

    def _has_ids(self) -> bool:
        info = self._book.table("vInfo")
        return info is not None and info.has(*ID)

    def _unknown(self, line: Line, keys: tuple[str, ...], value: str) -> None:
        self._book.report.contradiction(
            line.place(*keys),
            f"there is no machine {value!r} in vInfo",
            "rows of machines that vInfo does not have are left out",
        )
