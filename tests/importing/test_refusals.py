"""Workbooks that cannot be used: every problem is told at once, with sheet, row and column."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from resphere.importing.report import ImportFault
from resphere.importing.sources import files
from resphere.inventory.model import Host, VirtualMachine
from tests.support.workbooks import SDK, Book, book, by_csv, by_openpyxl, by_zip, machine, of, read


def faults(path: Path, *, vcenter: str | None = None) -> list[str]:
    """What is refused, without the name of the file."""
    with pytest.raises(ImportFault) as caught:
        read(path, vcenter=vcenter)
    assert all(line.startswith(f"{path}: ") for line in caught.value.faults)
    return [line.removeprefix(f"{path}: ") for line in caught.value.faults]


def change(content: Book, sheet: str, row: int, **columns: Any) -> Book:
    """The book with other cells in a row of a sheet, as the sheet counts them."""
    content[sheet][row - 2].update(columns)
    return content


CELLS: list[tuple[str, int, dict[str, Any], str]] = [
    ("vInfo", 2, {"VM": None}, "vInfo row 2, column VM: must have the name of a virtual machine"),
    (
        "vInfo",
        3,
        {"Memory": "lots"},
        "column Memory: must be a number of MiB from 0 on, such as 40960 or 40,960, not 'lots'",
    ),
    ("vInfo", 3, {"CPUs": "-1"}, "column CPUs: must be a number from 0 on"),
    ("vInfo", 3, {"CPUs": 10**6}, "cpu.count: must be at most"),
    (
        "vInfo",
        3,
        {"Powerstate": "asleep"},
        "column Powerstate: must be poweredOn, poweredOff or suspended, not 'asleep'",
    ),
    ("vInfo", 3, {"Template": "perhaps"}, "column Template: must be True or False, not 'perhaps'"),
    ("vInfo", 3, {"Path": "web/web.vmx"}, "column Path: must be a path such as [datastore] folder/file.vmx"),
    ("vInfo", 2, {"Host": "esx7.corp.test"}, "column Host: the host esx7.corp.test is not in vHost"),
    ("vInfo", 2, {"Cluster": "Beta"}, "column Cluster: is Beta, and the host esx1.corp.test is in Alpha"),
    ("vInfo", 2, {"Path": "[gone] a/a.vmx"}, "column Path: the datastore gone is not in vDatastore"),
    ("vInfo", 3, {"VM ID": "vm-401"}, "vInfo row 3, column VM ID: vm-401 is the id of web-01 in row 2 already"),
    ("vInfo", 3, {"VM": "web-01"}, "vInfo row 3, column VM: another machine in the same folder is named 'web-01'"),
    ("vInfo", 3, {"Powerstate": "poweredOn"}, "column Powerstate: a template is never POWERED_ON"),
    ("vInfo", 3, {"VM": "x" * 200}, "name: must have 1 to 80 characters, and has 200"),
    (
        "vDisk",
        2,
        {"VM": "ghost", "VM ID": "vm-999"},
        "vDisk row 2, column VM ID: there is no machine 'vm-999' in vInfo",
    ),
    ("vDisk", 3, {"Unit #": 0, "Disk Key": None}, "vDisk row 3, column Unit #: SCSI 0:0 is taken"),
    ("vDisk", 3, {"Capacity MiB": "12,34,56"}, "vDisk row 3, column Capacity MiB: must be a number of MiB"),
    ("vNetwork", 3, {"Mac Address": "00-50"}, "column Mac Address: must be a MAC address"),
    ("vSnapshot", 2, {"Date / time": "soon"}, "vSnapshot row 2, column Date / time: must be a time such as"),
    ("vCPU", 2, {"Cores p/s": 3}, "4 processors cannot be on sockets of 3 cores"),
    ("vHost", 3, {"Host": "esx1.corp.test"}, "the host esx1.corp.test is in row 2 already"),
    ("vRP", 2, {"Resource Pool path": "/Rhein/Gamma/Resources/x"}, "there is no cluster or host Gamma"),
    ("vDatastore", 3, {"Name": "san 1", "Hosts": "esx1.corp.test"}, "the datastore san 1 is there already"),
]


@pytest.mark.parametrize(("sheet", "row", "columns", "words"), CELLS, ids=[words[:50] for *_, words in CELLS])
def test_what_is_wrong_and_where(sheet: str, row: int, columns: dict[str, Any], words: str, tmp_path: Path) -> None:
    found = faults(by_openpyxl(tmp_path / "book.xlsx", change(book(), sheet, row, **columns)))
    assert any(words in line for line in found), found


def test_all_at_once_and_bounded(tmp_path: Path) -> None:
    content = {"vInfo": [machine(number, f"m{number}", Memory="?", CPUs="?") for number in range(700)]}
    with pytest.raises(ImportFault) as caught:
        read(by_openpyxl(tmp_path / "book.xlsx", content))
    assert caught.value.count == 1400
    assert len(caught.value.faults) == 1000
    assert str(caught.value).count("\n") == 20
    assert str(caught.value).endswith("... and 1380 more")


LAX: list[tuple[str, int, dict[str, Any]]] = [
    (sheet, row, columns)
    for sheet, row, columns, words in CELLS
    if any(
        word in words
        for word in ("is not in", "already", "is taken", "is in", "no machine", "never", "no cluster", "of 3")
    )
]


@pytest.mark.parametrize(("sheet", "row", "columns"), LAX)
def test_a_lax_import_sets_it_right(sheet: str, row: int, columns: dict[str, Any], tmp_path: Path) -> None:
    documents, report = read(by_openpyxl(tmp_path / "book.xlsx", change(book(), sheet, row, **columns)), lax=True)
    assert any(isinstance(item, VirtualMachine) for item in documents)
    assert report.guesses


def test_a_name_of_several_needs_an_id(tmp_path: Path) -> None:
    content = book()
    content["vInfo"][1].update({"VM": "web-01", "Folder": "/Rhein/vm/Other", "Folder ID": None})
    for rows in content.values():
        for row in rows:
            row.pop("VM ID", None)
            row.pop("VM UUID", None)
    content["vDisk"] = [row for row in content["vDisk"] if row["VM"] == "web-01"]
    assert any(
        "2 machines are named 'web-01', and no VM ID tells" in line for line in faults(by_csv(tmp_path / "b", content))
    )


def test_one_of_several_vcenters(tmp_path: Path) -> None:
    content = book()
    other = {"VI SDK Server": "vc2.corp.test", "VI SDK UUID": "b1b2c3d4-0000-4000-8000-000000000002"}
    # The same id in another vCenter is another machine.
    content["vInfo"].append({**machine(1, "elsewhere"), **other, "Datacenter": "Main", "Host": "esx1", "Cluster": None})
    content["vHost"].append({"Host": "esx1", "Datacenter": "Main", **other})
    path = by_openpyxl(tmp_path / "two.xlsx", content)
    assert faults(path) == [
        "has the machines of 2 vCenters: choose one by --vcenter, of vc.corp.test, vc2.corp.test",
    ]
    assert faults(path, vcenter="vc3") == [
        "no vCenter has the name or UUID 'vc3'; there are vc.corp.test, vc2.corp.test",
    ]
    for name in ("vc2.corp.test", other["VI SDK UUID"]):
        documents, report = read(path, vcenter=name, lax=True)
        assert [item.name for item in documents if isinstance(item, VirtualMachine)] == ["elsewhere"]
        assert [item.name for item in documents if isinstance(item, Host)] == ["esx1"]
        assert report.vcenter == "vc2.corp.test"
    assert len([item for item in read(path, vcenter="vc.corp.test")[0] if isinstance(item, VirtualMachine)]) == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            {"vHost": [{"Host": "a", "Speed": 1}]},
            "has no sheet vInfo, where the machines are; sheets of RVTools in it: vHost",
        ),
        ({"vInfo": [{"Name of it": "a", "Powerstate": "poweredOn"}]}, "the sheet vInfo has no column VM; there are"),
        ({"vInfo": [machine(1, "a")], "tabvInfo": [machine(1, "a")]}, "has the sheet vInfo twice: vInfo and tabvInfo"),
        ({"Sheet1": [{"a": 1, "b": 2}]}, "sheets of RVTools in it: none"),
    ],
)
def test_sheets_that_are_missing(content: Book, words: str, tmp_path: Path) -> None:
    (line,) = faults(by_openpyxl(tmp_path / "book.xlsx", content))
    assert words in line


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return file.getvalue()


TYPES = {"[Content_Types].xml": b"<Types/>"}
FAR = b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"", "is no workbook: it is empty"),
        ("a.xlsx", b"VM,Powerstate\n", "is no workbook: it is no zip archive"),
        ("a.xlsx", b"PK\x03\x04 and no more", "is no workbook: File is not a zip file"),
        ("a.xlsx", zipped(**TYPES), "is no workbook: "),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "is encrypted"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1Workbook", "is a workbook of Excel 97 to 2003: save it as .xlsx"),
        ("a.xlsx", zipped(**TYPES, **{"xl__worksheets__sheet1.xml": FAR}), "has 1048576 rows of 16384 columns"),
        ("a.xlsx", zipped(**TYPES, **{"xl__other.xml": FAR.replace(b'"', b"'")}), "has 1048576 rows of 16384 columns"),
        ("a.csv", b"VM,Powerstate\n" + b'"' + b"x" * 200_000, "a.csv row 2: is no CSV file: field larger than"),
        ("a.zip", zipped(readme=b"x"), "is a zip archive without a workbook or CSV files"),
        ("a.txt", b"\x00\x01\x02", "has no sheet vInfo"),
    ],
)
def test_files_that_are_none(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    line = faults(path)[0]
    assert words in line


@pytest.mark.parametrize("write", [by_openpyxl, by_zip])
def test_bombs(write: Callable[[Path, Book], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1 << 20)
    content = {"vInfo": [machine(1, "a", Annotation="0" * 30_000) for _ in range(60)]}
    path = write(tmp_path / "bomb.zip", content)
    assert path.stat().st_size < 100_000
    assert faults(path) == ["holds more than 1 MiB when it is unpacked"]


def test_a_broken_sheet(tmp_path: Path) -> None:
    path = by_openpyxl(tmp_path / "book.xlsx", book())
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in members if name.endswith("sheet1.xml"))
    members[name] = members[name][: len(members[name]) // 2]
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    assert any("cannot be read" in line or "is no workbook" in line for line in faults(path))


def test_formulas_are_text(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "vInfo"
    sheet.append(["VM", "Powerstate", "Annotation"])
    sheet.append(["a", "poweredOff", "=1+1"])
    workbook.save(tmp_path / "f.xlsx")
    documents, _ = read(tmp_path / "f.xlsx")
    (vm,) = (item for item in documents if isinstance(item, VirtualMachine))
    assert vm.annotation in ("", "=1+1")


def test_a_csv_file_of_one_machine_without_its_sheet_name(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("VM;Powerstate;Memory\nweb;poweredOn;16.384\n", encoding="cp1252")
    (vm,) = (item for item in read(path)[0] if isinstance(item, VirtualMachine))
    assert vm.memory.size_MiB == 16384


def test_other_machines_of_the_name_are_told_by_their_ids(tmp_path: Path) -> None:
    content = book()
    twin = machine(5, "web-01", Folder="/Rhein/vm/Twins", **{"Folder ID": None, "Path": "[san 1] twin/twin.vmx"})
    content["vInfo"].append(twin)
    content["vDisk"].append(
        of(twin, **{"Disk": "Hard disk 1", "Path": "[san 1] twin/t.vmdk", "Capacity MiB": 100, **SDK})
    )
    found = {item.id: item for item in read(by_csv(tmp_path / "b", content))[0] if isinstance(item, VirtualMachine)}
    assert [disk.capacity for disk in found["vm-405"].disks.values()] == [100 << 20]
    assert len(found["vm-401"].disks) == 2
