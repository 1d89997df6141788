"""The sheets of hosts, clusters, resource pools, datastores and networks -> rows."""

from __future__ import annotations

from collections import defaultdict

from resphere.contract.generated.vcenter import ResourcePool
from resphere.contract.generated.vcenter_evc_mode import EvcMode
from resphere.importing.report import Report
from resphere.importing.rows import ClusterRow, DatastoreRow, HostRow, NetworkRow, PoolRow
from resphere.importing.sources import words
from resphere.importing.sources.rvtools_book import Workbook
from resphere.importing.sources.rvtools_machines import pool_path
from resphere.importing.sources.tables import Line
from resphere.inventory.model import PhysicalNic
from resphere.rules.evc.features import completed, is_known

Allocation = ResourcePool.ResourceAllocationInfo
Shares = ResourcePool.SharesInfo
UPLINKS = "-DVUplinks-"
"""What the names of uplink port groups have in them, as vCenter gives them."""
_UNLIMITED = -1


def host_rows(book: Workbook) -> tuple[HostRow, ...]:
    """``vHost``, with ``vNIC`` and ``vSC_VMK``."""
    nics: defaultdict[str, list[PhysicalNic]] = defaultdict(list)
    for line in book.lines("vNIC"):
        mac = line.word("mac", "macaddress")
        if mac:
            speed = line.number_or_none("speed")
            device = line.text("networkdevice", "device")
            nics[line.text("host")].append(PhysicalNic(device=device, mac_address=mac, link_speed_Mbps=speed or None))
    addresses: dict[str, str] = {}
    for line in book.lines("vSC_VMK"):
        addresses.setdefault(line.text("host"), line.text("ipaddress"))
    rows: dict[str, HostRow] = {}
    for line in book.lines("vHost"):
        row = _host(line, tuple(nics[line.text("host")]), addresses.get(line.text("host")) or None)
        if not row.name:
            book.report.fault(line.place("host"), "must have the name of a host")
        elif row.name in rows:
            book.report.contradiction(
                line.place("host"),
                f"the host {row.name} is in row {rows[row.name].place.row} already",
                "further rows of a host are left out",
            )
        else:
            rows[row.name] = row
    return tuple(rows.values())


def _host(line: Line, nics: tuple[PhysicalNic, ...], address: str | None) -> HostRow:
    packages, per_cpu = line.number_or_none("#cpu"), line.number_or_none("corespercpu")
    cores = line.number_or_none("#cores")
    if cores is None and packages is not None and per_cpu is not None:
        cores = packages * per_cpu
    threads = line.number_or_none("#threads", "cputhreads")
    if threads is None and cores is not None:
        threads = cores * 2 if line.truth("htactive") else cores
    memory = line.mib("#memory")
    version, build = words.release(line.text("esxversion"))
    return HostRow(
        place=line.place(),
        name=line.text("host", "name"),
        datacenter=line.text("datacenter"),
        cluster=line.text("cluster"),
        id=line.text("objectid") or None,
        connection_state=words.HOST_STATES.get(line.word("connectionstate")),
        power_state=words.HOST_POWER.get(line.word("powerstate")),
        in_maintenance_mode=bool(line.truth("inmaintenancemode")),
        vendor=line.text("vendor") or None,
        model=line.text("model") or None,
        serial_number=line.text("serialnumber", "servicetag") or None,
        cpu_model=line.text("cpumodel") or None,
        cpu_packages=packages,
        cpu_cores=cores,
        cpu_threads=threads,
        cpu_frequency_MHz=line.number_or_none("speed"),
        memory_size_MiB=None if memory is None else memory >> 20,
        version=version,
        build=build,
        uuid=line.text("uuid") or None,
        boot_time=line.time("boottime"),
        evc_mode=_evc_mode(line),
        management_ip=address,
        physical_nics=nics,
    )


def _evc_mode(line: Line) -> EvcMode | None:
    key = line.word("currentevc", "currentevcmode")
    if not key:
        return None
    if not is_known(key):
        line.report.left("EVC modes that are not vCenter's own", line.place("currentevc", "currentevcmode"))
        return None
    return completed(EvcMode(key=key, masks=()))


def cluster_rows(book: Workbook) -> tuple[ClusterRow, ...]:
    """``vCluster``, whose rows do not say in which datacenter they are."""
    rows = []
    for line in book.lines("vCluster"):
        name = line.text("name", "cluster")
        if not name:
            book.report.fault(line.place("name", "cluster"), "must have the name of a cluster")
            continue
        rows.append(
            ClusterRow(
                place=line.place(),
                name=name,
                datacenter=line.text("datacenter"),
                id=line.text("objectid") or None,
                ha_enabled=bool(line.truth("haenabled", "dasenabled")),
                drs_enabled=bool(line.truth("drsenabled")),
                vsan_enabled=line.truth("vsanenabled"),
            )
        )
    return tuple(rows)


def pool_rows(book: Workbook) -> tuple[PoolRow, ...]:
    """``vRP``."""
    rows = []
    for line in book.lines("vRP"):
        text = line.text("resourcepoolpath")
        owner, below = pool_path(text)
        if not owner:
            book.report.left("resource pools whose paths do not tell where they are", line.place("resourcepoolpath"))
            continue
        names = words.path_of(text)
        at = names.index(owner)
        rows.append(
            PoolRow(
                place=line.place(),
                path=below,
                datacenter=names[0] if at else "",
                owner=owner,
                id=line.text("objectid") or None,
                cpu=_allocation(line, "cpu"),
                memory=_allocation(line, "mem"),
            )
        )
    return tuple(rows)


def _allocation(line: Line, kind: str) -> Allocation | None:
    level = words.LEVELS.get(line.word(f"{kind}level"))
    if level is None:
        return None
    limit = line.number_or_none(f"{kind}limit", least=_UNLIMITED)
    expandable = line.truth(f"{kind}expandablereservation")
    custom = level is words.Level.CUSTOM
    return Allocation(
        reservation=line.number_or_none(f"{kind}reservation") or 0,
        expandable_reservation=True if expandable is None else expandable,
        limit=_UNLIMITED if limit is None else limit,
        shares=Shares(level=level, shares=(line.number_or_none(f"{kind}shares") or 0) if custom else None),
    )


def datastore_rows(book: Workbook) -> tuple[DatastoreRow, ...]:
    """``vDatastore``, whose rows say on which hosts they are, not in which datacenter."""
    rows = []
    for line in book.lines("vDatastore"):
        name, text = line.text("name"), line.text("type")
        type = words.DATASTORES.get(text.lower())
        if not name:
            book.report.fault(line.place("name"), "must have the name of a datastore")
            continue
        if text and type is None:
            book.report.guessed("types of datastores that are not held: VMFS", line.place("type"))
        if line.text("clustername"):
            book.report.left("clusters of datastores", line.place("clustername"))
        accessible, hosts = line.truth("accessible"), words.names_of(line.text("hosts"))
        count = line.number_or_none("#hosts")
        rows.append(
            DatastoreRow(
                place=line.place(),
                name=name,
                id=line.text("objectid") or None,
                datacenter=line.text("datacenter"),
                type=type,
                accessible=True if accessible is None else accessible,
                capacity=line.mib("capacity"),
                used=line.mib("inuse"),
                url=line.text("url") or None,
                hosts=hosts,
                shared=max(count or 0, len(hosts)) > 1 if hosts or count is not None else None,
            )
        )
    return tuple(rows)


def network_rows(book: Workbook) -> tuple[NetworkRow, ...]:
    """``dvPort`` with ``dvSwitch``, and ``vPort``, which has a row for each host."""
    return (*_distributed(book), *_standard(book))


def _distributed(book: Workbook) -> list[NetworkRow]:
    switches = {line.text("switch", "name"): line for line in book.lines("dvSwitch")}
    rows = []
    for line in book.lines("dvPort"):
        switch = switches.get(line.text("switch"))
        name = line.text("port", "portgroup")
        rows.append(
            NetworkRow(
                place=line.place(),
                name=name,
                distributed=True,
                id=line.text("objectid") or None,
                datacenter=switch.text("datacenter") if switch is not None else "",
                switch=line.text("switch"),
                switch_id=(switch.text("objectid") or None) if switch is not None else None,
                switch_uuid=(switch.text("uuid") or None) if switch is not None else None,
                vlan=_vlan(line, book.report),
                uplink=UPLINKS in name or bool(line.truth("uplink")),
                hosts=words.names_of(line.text("hostmembers"))
                or (words.names_of(switch.text("hostmembers")) if switch is not None else ()),
            )
        )
    return rows


def _standard(book: Workbook) -> list[NetworkRow]:
    hosts: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    firsts: dict[tuple[str, str], Line] = {}
    for line in book.lines("vPort"):
        key = (line.text("datacenter"), line.text("portgroup"))
        hosts[key].append(line.text("host"))
        firsts.setdefault(key, line)
    return [
        NetworkRow(
            place=line.place(),
            name=name,
            distributed=False,
            id=line.text("objectid") or None,
            datacenter=datacenter,
            switch=line.text("switch"),
            vlan=_vlan(line, book.report),
            hosts=tuple(dict.fromkeys(hosts[datacenter, name])),
        )
        for (datacenter, name), line in firsts.items()
        if name
    ]


def _vlan(line: Line, report: Report) -> int:
    text = line.text("vlan")
    if text and not text.isdecimal():
        report.left("VLANs that are more than one: the network has none", line.place("vlan"))
        return 0
    return int(text[:6]) if text else 0
