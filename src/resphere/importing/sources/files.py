"""Workbooks, CSV files and folders of them -> tables of cells, within bounds, whatever is in them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from resphere.importing.report import ImportFault, Place, Report
from resphere.importing.sources.tables import Cell, Table, sheet_name, text_of

MOST_BYTES = 1 << 30
"""Of a file, and of what it holds when it is unpacked."""
MOST_CELLS = 60_000_000
"""Of one sheet, empty ones between others counted: a library holds them all."""
MOST_MEMBERS = 2000
_PIECE = 1 << 20
_MOST_TITLES = 20
"""Rows that may stand above the headers."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_LOW = re.compile(rb"\br\s{0,9}=\s{0,9}[\"'][A-Z]{0,4}([0-9]{5,9})[\"']")
_FAR = re.compile(rb"\br\s{0,9}=\s{0,9}[\"']([A-Z]{2,4})[0-9]")
_NEAR_ROWS, _NEAR_COLUMNS = 9_999, 26
"""What neither of the two patterns finds: rows and cells that say where they are, far down or far to the right."""
_DELIMITERS = ",;\t|"


def read_tables(path: Path, report: Report) -> list[Table]:
    """The tables of a workbook, a CSV file, a folder of CSV files, or a zip of such.

    :raises ImportFault: it cannot be read.
    """
    if path.is_dir():
        files = [(each.name, each) for each in sorted(path.iterdir()) if each.suffix.lower() == ".csv"]
        if not files:
            raise ImportFault([f"{path}: has no CSV files"])
        return _named([_csv_table(name, _content(each), report) for name, each in files])
    content = _content(path)
    if content.startswith(_OLE):
        if _ENCRYPTED in content:
            raise ImportFault([f"{path}: is encrypted: save it without a password"])
        raise ImportFault([f"{path}: is a workbook of Excel 97 to 2003: save it as .xlsx"])
    if not content.startswith(b"PK"):
        if path.suffix.lower() in (".xlsx", ".xlsm", ".zip"):
            raise ImportFault([f"{path}: is no workbook: {'it is empty' if not content else 'it is no zip archive'}"])
        return _named([_csv_table(path.name, content, report)])
    return _archive_tables(path, content, report)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ImportFault([f"{path}: has more than {MOST_BYTES >> 20} MiB"])
        return path.read_bytes()
    except OSError as error:
        raise ImportFault([f"{path}: cannot be read: {error.strerror}"]) from None


def _archive_tables(path: Path, content: bytes, report: Report) -> list[Table]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) > MOST_MEMBERS:
                raise ImportFault([f"{path}: has {len(names)} members, at most {MOST_MEMBERS} are read"])
            if "[Content_Types].xml" in names:
                _check_sheets(path, archive)
            else:
                return _zipped_csv(path, archive, report)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as error:
        raise ImportFault([f"{path}: is no workbook: {error}"]) from None
    return _workbook_tables(path, content, report)


def _pieces(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> Iterator[bytes]:
    """What a member holds, no more than is ``left``: whatever its header claims."""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise ImportFault([f"{path}: holds more than {MOST_BYTES >> 20} MiB when it is unpacked"])
            yield piece


def _check_sheets(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what would take more memory than a workbook should: the library that reads it knows no bounds, and makes
    cells of all that is between the first and the last."""
    left = MOST_BYTES
    # A sheet may be any of its parts.
    for member in archive.infolist():
        rows, columns, kept = _NEAR_ROWS, _NEAR_COLUMNS, b""
        for piece in _pieces(path, archive, member, left):
            left -= len(piece)
            text = kept + piece
            rows = max(rows, max(map(int, set(_LOW.findall(text))), default=0))
            columns = max(columns, max(map(_column, set(_FAR.findall(text))), default=0))
            kept = text[-100:]
            if rows * columns > MOST_CELLS:
                many = f"has {rows} rows of {columns} columns, which is too many"
                raise ImportFault([f"{path}: {member.filename}: {many}"])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _workbook_tables(path: Path, content: bytes, report: Report) -> list[Table]:
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
    except CalamineError as error:
        raise ImportFault([f"{path}: is no workbook: {error}"]) from None
    tables = []
    for name in workbook.sheet_names:
        known = sheet_name(name)
        if not known:
            report.left("sheets that are not of RVTools", Place(name))
            continue
        try:
            rows: Sequence[Sequence[Cell]] = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        except CalamineError as error:
            report.fault(Place(name), f"cannot be read: {error}")
            continue
        tables.append(_table(known, name, rows))
    return _named(tables)


def _zipped_csv(path: Path, archive: zipfile.ZipFile, report: Report) -> list[Table]:
    tables: list[Table | None] = []
    left = MOST_BYTES
    for member in archive.infolist():
        if member.filename.lower().endswith(".csv"):
            content = b"".join(_pieces(path, archive, member, left))
            left -= len(content)
            tables.append(_csv_table(member.filename, content, report))
    if not tables:
        raise ImportFault([f"{path}: is a zip archive without a workbook or CSV files"])
    return _named(tables)


def _csv_table(name: str, content: bytes, report: Report) -> Table | None:
    text = _decoded(content, name, report)
    head = text[:10_000].split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = list(reader)
    except csv.Error as error:
        report.fault(Place(name, reader.line_num), f"is no CSV file: {error}")
        return None
    known = sheet_name(Path(name).stem)
    if not known and rows:
        # A file of another name tells by its headers: vInfoVMName, or VM beside Powerstate.
        headers = {header.strip().lower() for header in rows[0]}
        if any(header.startswith("vinfo") for header in headers) or {"vm", "powerstate"} <= headers:
            known = "vinfo"
    if not known:
        report.left("files that are not of RVTools", Place(name))
        return None
    return _table(known, name, rows)


def _decoded(content: bytes, name: str, report: Report) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        report.guessed("files that are not UTF-8 are read as Windows-1252", Place(name))
        return content.decode("cp1252", errors="replace")


def _table(known: str, shown: str, rows: Sequence[Sequence[Cell]]) -> Table:
    """The table below the first row that has two cells or more, or any, its headers."""
    filled = [sum(cell not in (None, "") for cell in row) for row in rows[:_MOST_TITLES]]
    index = next((index for least in (2, 1) for index, count in enumerate(filled) if count >= least), None)
    if index is None:
        return Table(known, shown, [], [])
    return Table(known, shown, [text_of(cell) for cell in rows[index]], rows[index + 1 :], index + 2)


def _named(tables: Sequence[Table | None]) -> list[Table]:
    return [table for table in tables if table is not None]
