"""Workbooks with RVTools' sheets and columns, written by tools that are not ours; all names in them are made up."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import openpyxl
import xlsxwriter

from resphere.importing.building.build import build
from resphere.importing.report import Report
from resphere.importing.sources.files import read_tables
from resphere.importing.sources.rvtools import read_rvtools
from resphere.inventory.model import ManagedObject
from resphere.replica.table import Stored

Rows: TypeAlias = Sequence[Mapping[str, Any]]
Book: TypeAlias = dict[str, list[dict[str, Any]]]

SDK = {"VI SDK Server": "vc.corp.test", "VI SDK UUID": "a1b2c3d4-0000-4000-8000-000000000001"}
UUID = "4203{:04d}-1111-4222-8333-444455556666"
WINDOWS, LINUX = "Microsoft Windows Server 2016 or later (64-bit)", "Red Hat Enterprise Linux 8 (64-bit)"


def machine(number: int, name: str, **columns: Any) -> dict[str, Any]:
    """A row of vInfo."""
    return {
        "VM": name,
        "Powerstate": "poweredOn",
        "Template": False,
        "SRM Placeholder": False,
        "DNS Name": f"{name}.corp.test",
        "Connection state": "connected",
        "Guest state": "running",
        "Heartbeat": "green",
        "CPUs": 4,
        "Memory": 8192,
        "NICs": 1,
        "Disks": 2,
        "Total disk capacity MiB": 61440,
        "Primary IP Address": f"10.20.0.{number}",
        "Network #1": "VLAN 20",
        "Resource pool": "/Rhein/Alpha/Resources/Gold",
        "Folder ID": "group-v310",
        "Folder": "/Rhein/vm/Prod/Web",
        "Firmware": "efi",
        "HW version": 19,
        "HW upgrade policy": "never",
        "Path": f"[san 1] {name}/{name}.vmx",
        "Annotation": f"Owned by team {number}",
        "Cost centre": f"CC-{number}",
        "Datacenter": "Rhein",
        "Cluster": "Alpha",
        "Host": "esx1.corp.test",
        "OS according to the configuration file": LINUX,
        "OS according to the VMware Tools": LINUX,
        "VM ID": f"vm-{400 + number}",
        "SMBIOS UUID": UUID.format(number),
        "VM UUID": f"5003{number:04d}-aaaa-4bbb-8ccc-ddddeeeeffff",
        **SDK,
        **columns,
    }


def of(vm: Mapping[str, Any], **columns: Any) -> dict[str, Any]:
    """A row of another sheet about a machine."""
    return {"VM": vm["VM"], **columns, "VM ID": vm["VM ID"], **SDK}


def host(number: int, **columns: Any) -> dict[str, Any]:
    """A row of vHost."""
    return {
        "Host": f"esx{number}.corp.test",
        "Datacenter": "Rhein",
        "Cluster": "Alpha",
        "in Maintenance Mode": False,
        "CPU Model": "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz",
        "Speed": 1995,
        "HT Active": True,
        "# CPU": 2,
        "Cores per CPU": 32,
        "# Cores": 64,
        "# Memory": 524288,
        "Current EVC": "intel-cascadelake",
        "ESX Version": "VMware ESXi 7.0.3 build-21930508",
        "Boot time": "2024/06/02 04:05:06",
        "Vendor": "Dell Inc.",
        "Model": "PowerEdge R750",
        "Serial number": f"SN{number}",
        "Object ID": f"host-{200 + number}",
        "UUID": f"6003{number:04d}-aaaa-4bbb-8ccc-ddddeeeeffff",
        **SDK,
        **columns,
    }


def book() -> Book:
    """A small vCenter: two clusters and a host that stands alone, a template, snapshots, drives."""
    web = machine(1, "web-01")
    base = machine(2, "w2019-base", Template=True, Powerstate="poweredOff", **{"Primary IP Address": None})
    base["OS according to the configuration file"] = WINDOWS
    alone = machine(3, "lab", **{"Cluster": None, "Host": "esx9.corp.test", "Folder": "/Rhein/vm", "Folder ID": ""})
    alone.update({"Resource pool": "/Rhein/esx9.corp.test/Resources", "Path": "[local9] lab/lab.vmx"})
    machines = [web, base, alone]
    stores = {"web-01": "san 1", "w2019-base": "san 1", "lab": "local9"}
    return {
        "vInfo": machines,
        "vCPU": [
            of(vm, **{"CPUs": 4, "Sockets": 2, "Cores p/s": 2, "Hot Add": True, "Hot Remove": False}) for vm in machines
        ],
        "vMemory": [of(vm, **{"Size MiB": 8192, "Reservation": 0, "Hot Add": False}) for vm in machines],
        "vDisk": [
            of(
                vm,
                **{
                    "Disk": f"Hard disk {index + 1}",
                    "Disk Key": 2000 + index,
                    "Path": f"[{stores[vm['VM']]}] {vm['VM']}/{vm['VM']}_{index}.vmdk",
                    "Capacity MiB": size,
                    "Raw": False,
                    "Disk Mode": "persistent",
                    "Thin": True,
                    "Controller": "SCSI controller 0",
                    "Unit #": index,
                    "Shared Bus": "noSharing",
                },
            )
            for vm in machines
            for index, size in enumerate((40960, 20480))
        ],
        "vNetwork": [
            of(
                vm,
                **{
                    "NIC label": "Network adapter 1",
                    "Adapter": "E1000e" if vm is base else "Vmxnet3",
                    "Network": "VLAN 20",
                    "Switch": "dvs-prod",
                    "Connected": vm is web,
                    "Starts Connected": True,
                    "Mac Address": f"00:50:56:80:00:0{number}",
                    "Type": "assigned",
                    "IPv4 Address": vm["Primary IP Address"],
                    "IPv6 Address": "fe80::1, fd00::5" if vm is web else None,
                },
            )
            for number, vm in enumerate(machines)
        ],
        "vCD": [of(web, **{"Device Node": "CD/DVD drive 1", "Connected": False, "Device Type": "Client device"})],
        "vSnapshot": [
            of(
                web,
                **{"Name": name, "Description": "before", "Date / time": f"2024/07/0{day} 16:14:28", "State": state},
            )
            for day, (name, state) in enumerate((("first", "PoweredOff"), ("second", "PoweredOn")), 1)
        ],
        "vPartition": [of(web, **{"Disk": "/", "Capacity MiB": 39936, "Consumed MiB": 9936, "Free MiB": "30,000"})],
        "vTools": [of(web, **{"Tools": "toolsOld", "Tools Version": "11360", "Upgrade Policy": "manual"})],
        "vHost": [
            host(1),
            host(2),
            host(3, Cluster="Beta", **{"Current EVC": None}),
            host(9, Cluster=None, **{"Current EVC": None}),
        ],
        "vCluster": [
            {"Name": "Alpha", "HA enabled": True, "DRS enabled": True, "Object ID": "domain-c101", **SDK},
            {"Name": "Beta", "HA enabled": False, "DRS enabled": False, "Object ID": "domain-c102", **SDK},
        ],
        "vRP": [
            {
                "Resource Pool name": "Gold",
                "Resource Pool path": "/Rhein/Alpha/Resources/Gold",
                "CPU limit": -1,
                "CPU reservation": 4000,
                "CPU level": "custom",
                "CPU shares": 12000,
                "CPU expandableReservation": True,
                "Mem limit": 65536,
                "Mem reservation": 1024,
                "Mem level": "high",
                "Mem expandableReservation": False,
                "Object ID": "resgroup-150",
                **SDK,
            }
        ],
        "vDatastore": [
            {
                "Name": "san 1",
                "Accessible": True,
                "Type": "VMFS",
                "Capacity MiB": 4194304,
                "In Use MiB": 1048576,
                "Hosts": "esx1.corp.test, esx2.corp.test, esx3.corp.test",
                "URL": "ds:///vmfs/volumes/5f000001-00000002-0003-000000000004/",
                "Object ID": "datastore-501",
                **SDK,
            },
            {
                "Name": "local9",
                "Type": "NFS",
                "Capacity MiB": 1024,
                "Hosts": "esx9.corp.test",
                "Object ID": "datastore-502",
                **SDK,
            },
        ],
        "dvSwitch": [{"Switch": "dvs-prod", "Datacenter": "Rhein", "Object ID": "dvs-61", **SDK}],
        "dvPort": [{"Port": "VLAN 20", "Switch": "dvs-prod", "VLAN": 20, "Object ID": "dvportgroup-62", **SDK}],
        "vPort": [{"Host": "esx1.corp.test", "Datacenter": "Rhein", "Port Group": "VM Network", "VLAN": 0, **SDK}],
    }


def table(rows: Rows) -> list[list[Any]]:
    """Headers, and the cells below them."""
    headers = list(dict.fromkeys(header for row in rows for header in row))
    return [headers, *([row.get(header) for header in headers] for row in rows)]


def by_openpyxl(path: Path, content: Mapping[str, Rows]) -> Path:
    """A workbook."""
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in content.items():
        sheet = workbook.create_sheet(name)
        for line in table(rows):
            sheet.append(line)
    workbook.save(path)
    return path


def by_xlsxwriter(path: Path, content: Mapping[str, Rows]) -> Path:
    """A workbook."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        for name, rows in content.items():
            sheet = workbook.add_worksheet(name)
            for number, line in enumerate(table(rows)):
                sheet.write_row(number, 0, line)
    return path


def csv_text(rows: Rows, sheet: str = "", delimiter: str = ",") -> str:
    """A CSV file, its headers with the sheet's name before them, as RVTools itself writes those."""
    lines = table(rows)
    if sheet:
        lines[0] = [f"{sheet}{'VMName' if header == 'VM' else header.replace(' ', '')}" for header in lines[0]]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(lines)
    return text.getvalue()


def by_csv(folder: Path, content: Mapping[str, Rows]) -> Path:
    """A folder of CSV files."""
    folder.mkdir(exist_ok=True)
    for name, rows in content.items():
        (folder / f"RVTools_tab{name}.csv").write_text(csv_text(rows), encoding="utf-8")
    return folder


def by_zip(path: Path, content: Mapping[str, Rows]) -> Path:
    """The same in an archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in content.items():
            archive.writestr(f"export/tab{name}.csv", csv_text(rows))
    return path


def read(path: Path, *, lax: bool = False, vcenter: str | None = None) -> tuple[tuple[Stored, ...], Report]:
    """The documents of a workbook, and the report."""
    report = Report(str(path), lax=lax)
    return build(read_rvtools(read_tables(path, report), report, vcenter), report), report


def objects(documents: Sequence[Stored]) -> dict[str, ManagedObject]:
    """The managed objects among documents, by id."""
    return {item.id: item for item in documents if isinstance(item, ManagedObject)}
