"""``vInfo`` -> rows of machines, with what the other sheets say of them."""

from __future__ import annotations

from resphere.contract.generated.vcenter_vm import Power
from resphere.importing.guests import guest_of
from resphere.importing.report import Place, Report
from resphere.importing.rows import MachineRow, NicRow
from resphere.importing.sources import words
from resphere.importing.sources.rvtools_book import ID, NAME, VM_UUID
from resphere.importing.sources.rvtools_devices import Devices
from resphere.importing.sources.tables import Line, Table, key_of, text_of

_NETWORKS = tuple(f"network#{number}" for number in range(1, 9))
_UNUSUAL = frozenset({"orphaned", "inaccessible", "invalid"})
_CONFIGURED = ("osaccordingtotheconfigurationfile", "os", "osconfig")
_REPORTED = ("osaccordingtothevmwaretools", "ostools")
_RESOURCES = "Resources"
_VM_FOLDER = "vm"

_COLUMNS = """
VM; VMName; Name; Powerstate; Template; SRM Placeholder; Config status; DNS Name; Connection state; Guest state;
Heartbeat; Consolidation Needed; PowerOn; Suspended To Memory; Suspend time; Suspend Interval; Creation date;
Change Version; CPUs; Overall Cpu Readiness; Memory; Active Memory; NICs; Disks; Total disk capacity;
Fixed Passthru HotPlug; min Required EVC Mode Key; Latency Sensitivity; Op Notification Timeout; EnableUUID; CBT;
Primary IP Address; Num Monitors; Video Ram KiB; Video Ram KB; Resource pool; Folder ID; Folder; vApp; DAS protection;
FT State; FT Role; FT Latency; FT Bandwidth; FT Sec. Latency; Vm Failover In Progress; Provisioned; In Use; Unshared;
HA Restart Priority; HA Isolation Response; HA VM Monitoring; Cluster rule(s); Cluster rule name(s); Boot Required;
Boot delay; Boot retry delay; Boot retry enabled; Boot BIOS setup; Reboot PowerOff; EFI Secure boot; Firmware;
HW version; HW upgrade policy; HW upgrade status; HW target; Path; Log directory; Snapshot directory;
Suspend directory; Annotation; Datacenter; Cluster; Host; OS; OS according to the configuration file;
OS according to the VMware Tools; Customization Info; Guest Detailed Data; VM ID; SMBIOS UUID; VM UUID; Object ID;
VI SDK Server type; VI SDK API Version; VI SDK Server; VI SDK UUID; OS config; OS Tools
"""
KNOWN = frozenset({*(key_of(each) for each in _COLUMNS.split(";")), *_NETWORKS})
"""The columns of ``vInfo`` that RVTools writes itself: others are custom attributes."""

Custom = tuple[tuple[str, int], ...]


def custom_columns(info: Table, report: Report) -> Custom:
    """The columns that RVTools does not have itself, with their places: custom attributes.

    It writes them between Annotation and Datacenter; elsewhere they may be of a release that is not known here.
    """
    found = []
    first, last = info.column("annotation"), info.column("datacenter")
    for index, (header, key) in enumerate(zip(info.headers, info.keys, strict=True)):
        if not header or key in KNOWN or index != info.columns[key]:
            continue
        found.append((header, index))
        info.custom.add(index)
        info.read.add(index)
        if first is None or last is None or not first < index < last:
            report.guessed("columns that are not known are custom attributes", Place(info.shown, 0, header))
    return tuple(found)


def machine_row(line: Line, index: int, devices: Devices, custom: Custom) -> MachineRow | None:
    """The row of a machine, the ``index``-th of ``vInfo``; None for one that is left."""
    cpu, memory = devices.cpus.get(index), devices.memory.get(index)
    count = line.number_or_none("cpus") or (cpu.count if cpu is not None else None)
    if not _is_there(line, count):
        return None
    size = line.mib("memory") or (memory.size if memory is not None else None)
    text = line.text(*_CONFIGURED) or line.text(*_REPORTED)
    datacenter = line.text("datacenter")
    return MachineRow(
        place=line.place(),
        name=line.text(*NAME),
        id=line.text(*ID) or None,
        datacenter=datacenter,
        cluster=line.text("cluster"),
        host=line.text("host"),
        folder=folder_path(line.text("folder"), datacenter),
        folder_id=line.text("folderid") or None,
        pool=pool_path(line.text("resourcepool"))[1],
        power_state=_power(line),
        template=bool(line.truth("template")),
        guest_OS=guest_of(text) if text else None,
        guest_text=text,
        version=words.hardware_version(line.text("hwversion")),
        upgrade_policy=words.UPGRADE.get(line.word("hwupgradepolicy")),
        firmware=words.FIRMWARE.get(line.word("firmware")),
        boot_delay=line.number_or_none("bootdelay"),
        boot_retry=line.truth("bootretryenabled"),
        boot_retry_delay=line.number_or_none("bootretrydelay"),
        boot_setup=line.truth("bootbiossetup"),
        cpu_count=count,
        cores_per_socket=cpu.cores_per_socket if cpu is not None else None,
        cpu_hot_add=cpu.hot_add if cpu is not None else None,
        cpu_hot_remove=cpu.hot_remove if cpu is not None else None,
        memory_size_MiB=None if size is None else size >> 20,
        memory_hot_add=memory.hot_add if memory is not None else None,
        vmx_path=line.text("path") or None,
        bios_uuid=line.text("smbiosuuid") or None,
        instance_uuid=line.text(*VM_UUID) or None,
        annotation=line.text("annotation"),
        host_name=line.text("dnsname") or None,
        guest_full_name=line.text(*_REPORTED) or None,
        ip_addresses=words.names_of(line.text("primaryipaddress")),
        needs_consolidation=bool(line.truth("consolidationneeded")),
        tools=devices.tools.get(index),
        disks=None if devices.disks is None else devices.disks.get(index, ()),
        disk_count=line.number_or_none("disks"),
        disk_bytes=line.mib("totaldiskcapacity") or line.mib("provisioned"),
        nics=_nics(line) if devices.nics is None else devices.nics.get(index, ()),
        cdroms=(devices.cdroms or {}).get(index, ()),
        partitions=(devices.partitions or {}).get(index, ()),
        snapshots=(devices.snapshots or {}).get(index, ()),
        custom=_custom_values(line, custom),
    )


def _is_there(line: Line, cpu_count: int | None) -> bool:
    """Whether the machine is taken; what is special about it and cannot be held is told."""
    report = line.report
    if line.word("connectionstate") in _UNUSUAL:
        place = line.place("connectionstate")
        if not cpu_count:
            report.left("machines that vCenter itself knows no hardware of", place)
            return False
        report.left("connection states of machines: they are connected as their hosts are", place)
    if line.truth("srmplaceholder"):
        report.left("that machines are placeholders: they are taken as others are", line.place("srmplaceholder"))
    if line.text("vapp"):
        report.left("vApps: their machines are in the resource pools that the file tells", line.place("vapp"))
    return True


def _power(line: Line) -> Power.State:
    text = line.word("powerstate")
    found = words.POWER.get(text)
    if found is None:
        if text:
            line.report.fault(
                line.place("powerstate"), f"must be poweredOn, poweredOff or suspended, not {text[:60]!r}"
            )
        else:
            line.report.guessed("machines without a power state are off", line.place("powerstate"))
        return Power.State.POWERED_OFF
    return found


def folder_path(text: str, datacenter: str) -> tuple[str, ...]:
    """The names below the VM folder of a datacenter, in ``/DC/vm/A/B``, ``/DC/A/B`` or ``A/B``."""
    names = words.path_of(text)
    if datacenter in names:
        names = names[names.index(datacenter) + 1 :]
        return names[1:] if names[:1] == (_VM_FOLDER,) else names
    return names


def pool_path(text: str) -> tuple[str, tuple[str, ...]]:
    """The owner, and the names below the root pool, in ``/DC/Cluster/Resources/A``; the owner is empty in ``A``."""
    names = words.path_of(text)
    for index, name in enumerate(names):
        if name == _RESOURCES:
            return names[index - 1] if index else "", names[index + 1 :]
    return "", names[-1:]


def _nics(line: Line) -> tuple[NicRow, ...] | None:
    """What ``vInfo`` itself tells of NICs: their networks, and how many there are."""
    networks = [text for key in _NETWORKS if (text := line.text(key))]
    count = line.number_or_none("nics")
    if not networks and count is None:
        return None
    while count is not None and networks and len(networks) < min(count, 10):
        networks.append(networks[-1])
    place = line.place(_NETWORKS[0])
    line.report.guessed("NICs without the sheet vNetwork have networks, and defaults for the rest", place)
    return tuple(NicRow(place=place, network=network) for network in networks[: count or len(networks)])


def _custom_values(line: Line, custom: Custom) -> tuple[tuple[str, str], ...]:
    cells = line.cells
    texts = ((name, text_of(cells[index])) for name, index in custom if index < len(cells))
    return tuple((name, text) for name, text in texts if text)
