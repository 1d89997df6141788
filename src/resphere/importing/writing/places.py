"""The sheets of hosts, clusters, resource pools, datastores and networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from resphere.contract.generated.vcenter import ResourcePool as ApiResourcePool
from resphere.importing.sources import words
from resphere.importing.writing.sheets import Inventory, Record, Sheet, megabytes, sheet
from resphere.inventory.model import Cluster, Datastore, Host, Network, ResourcePool


def hosts(inventory: Inventory) -> Sheet:
    """``vHost``; the states are columns of ours."""
    headers = (
        *("Host", "Datacenter", "Cluster", "Connection state", "Power state", "in Maintenance Mode", "CPU Model"),
        *("Speed", "HT Active", "# CPU", "Cores per CPU", "# Cores", "# Threads", "# Memory", "# NICs", "# VMs"),
        *("Current EVC", "ESX Version", "Boot time", "Vendor", "Model", "Serial number", "Object ID", "UUID"),
    )
    return sheet("vHost", headers, (_host(inventory, host) for host in inventory.of(Host)))


def _host(inventory: Inventory, host: Host) -> Record:
    own = host.hardware
    cluster = inventory.get(Cluster, host.parent)
    evc = cluster.evc_mode if cluster is not None else None
    return {
        "Host": host.name,
        "Datacenter": inventory.datacenter(host.id),
        "Cluster": inventory.cluster(host),
        "Connection state": words.HOST_STATE_TEXTS[host.connection_state],
        "Power state": words.HOST_POWER_TEXTS[host.power_state],
        "in Maintenance Mode": host.in_maintenance_mode,
        "CPU Model": own.cpu_model,
        "Speed": own.cpu_frequency_MHz,
        "HT Active": own.cpu_threads > own.cpu_cores,
        "# CPU": own.cpu_packages,
        "Cores per CPU": own.cpu_cores // own.cpu_packages,
        "# Cores": own.cpu_cores,
        "# Threads": own.cpu_threads,
        "# Memory": own.memory_size_MiB,
        "# NICs": len(host.physical_nics),
        "# VMs": inventory.machines_of[host.id],
        "Current EVC": evc.key if evc is not None else None,
        "ESX Version": f"VMware ESXi {host.version} build-{host.build}",
        "Boot time": host.boot_time.strftime("%Y/%m/%d %H:%M:%S"),
        "Vendor": own.vendor,
        "Model": own.model,
        "Serial number": own.serial_number,
        "Object ID": host.id,
        "UUID": host.host_uuid,
    }


def adapters(inventory: Inventory) -> Sheet:
    """``vNIC``: the network adapters of hosts."""
    records = (
        {
            "Host": host.name,
            "Datacenter": inventory.datacenter(host.id),
            "Cluster": inventory.cluster(host),
            "Network Device": nic.device,
            "Speed": nic.link_speed_Mbps,
            "MAC": nic.mac_address,
        }
        for host in inventory.of(Host)
        for nic in host.physical_nics
    )
    return sheet("vNIC", ("Host", "Datacenter", "Cluster", "Network Device", "Speed", "MAC"), records)


def kernel_adapters(inventory: Inventory) -> Sheet:
    """``vSC_VMK``: the management addresses of hosts."""
    records = (
        {
            "Host": host.name,
            "Datacenter": inventory.datacenter(host.id),
            "Cluster": inventory.cluster(host),
            "Device": "vmk0",
            "IP Address": host.management_ip,
        }
        for host in inventory.of(Host)
    )
    return sheet("vSC_VMK", ("Host", "Datacenter", "Cluster", "Device", "IP Address"), records)


def clusters(inventory: Inventory) -> Sheet:
    """``vCluster``; the datacenter is a column of ours, and whether there is vSAN."""
    headers = ("Name", "Datacenter", "NumHosts", "HA enabled", "DRS enabled", "vSAN enabled", "Object ID")
    count: defaultdict[str | None, int] = defaultdict(int)
    for host in inventory.of(Host):
        count[host.parent] += 1
    records: Iterator[Record] = (
        {
            "Name": cluster.name,
            "Datacenter": inventory.datacenter(cluster.id),
            "NumHosts": count[cluster.id],
            "HA enabled": cluster.ha_enabled,
            "DRS enabled": cluster.drs_enabled,
            "vSAN enabled": cluster.vsan_enabled,
            "Object ID": cluster.id,
        }
        for cluster in inventory.of(Cluster)
    )
    return sheet("vCluster", headers, records)


def pools(inventory: Inventory) -> Sheet:
    """``vRP``."""
    parts = ("limit", "reservation", "level", "shares", "expandableReservation")
    columns = (f"{kind} {part}" for kind in ("CPU", "Mem") for part in parts)
    headers = ("Resource Pool name", "Resource Pool path", *columns, "Object ID")
    return sheet("vRP", headers, (_pool(inventory, pool) for pool in inventory.of(ResourcePool)))


def _pool(inventory: Inventory, pool: ResourcePool) -> Record:
    return {
        "Resource Pool name": pool.name,
        "Resource Pool path": inventory.pool_path(pool.id),
        **_allocation("CPU", pool.cpu_allocation),
        **_allocation("Mem", pool.memory_allocation),
        "Object ID": pool.id,
    }


def _allocation(kind: str, own: ApiResourcePool.ResourceAllocationInfo) -> Record:
    return {
        f"{kind} limit": own.limit,
        f"{kind} reservation": own.reservation,
        f"{kind} level": own.shares.level.value.lower(),
        f"{kind} shares": own.shares.shares,
        f"{kind} expandableReservation": own.expandable_reservation,
    }


def datastores(inventory: Inventory) -> Sheet:
    """``vDatastore``; the datacenter is a column of ours."""
    headers = (
        *("Name", "Datacenter", "Accessible", "Type", "Capacity MiB", "In Use MiB", "Free MiB", "# Hosts", "Hosts"),
        *("URL", "Object ID"),
    )
    return sheet("vDatastore", headers, (_datastore(inventory, store) for store in inventory.of(Datastore)))


def _datastore(inventory: Inventory, store: Datastore) -> Record:
    used = inventory.used.get(store.id, 0) + store.other_used
    names = inventory.hosts_of.get(store.id, [])
    return {
        "Name": store.name,
        "Datacenter": inventory.datacenter(store.id),
        "Accessible": store.accessible,
        "Type": words.DATASTORE_TEXTS[store.type],
        "Capacity MiB": megabytes(store.capacity),
        "In Use MiB": megabytes(used),
        "Free MiB": megabytes(store.capacity - used),
        "# Hosts": len(names),
        "Hosts": ", ".join(names),
        "URL": store.url,
        "Object ID": store.id,
    }


def _is_distributed(network: Network) -> bool:
    return network.distributed_switch is not None


def port_groups(inventory: Inventory) -> Sheet:
    """``vPort``: a row for each host that has the port group; the id is a column of ours."""
    records: Iterator[Record] = (
        {
            "Host": host.name,
            "Datacenter": inventory.datacenter(host.id),
            "Cluster": inventory.cluster(host),
            "Port Group": network.name,
            "VLAN": network.vlan,
            "Object ID": network.id,
        }
        for host in inventory.of(Host)
        for id in host.networks
        if (network := inventory.get(Network, id)) is not None and not _is_distributed(network)
    )
    return sheet("vPort", ("Host", "Datacenter", "Cluster", "Port Group", "VLAN", "Object ID"), records)


def _switches(inventory: Inventory) -> dict[str, list[Network]]:
    found: defaultdict[str, list[Network]] = defaultdict(list)
    for network in inventory.of(Network):
        if network.distributed_switch is not None:
            found[network.distributed_switch].append(network)
    return found


def switches(inventory: Inventory) -> Sheet:
    """``dvSwitch``: switches have no names here but their ids; the UUID is a column of ours."""
    return sheet(
        "dvSwitch", ("Switch", "Datacenter", "Name", "Host members", "Object ID", "UUID"), _switch_records(inventory)
    )


def _switch_records(inventory: Inventory) -> Iterator[Record]:
    for switch, networks in _switches(inventory).items():
        hosts = dict.fromkeys(name for network in networks for name in inventory.hosts_of.get(network.id, ()))
        yield {
            "Switch": switch,
            "Datacenter": inventory.datacenter(networks[0].id),
            "Name": switch,
            "Host members": ", ".join(hosts),
            "Object ID": switch,
            "UUID": networks[0].distributed_switch_uuid,
        }


def distributed_port_groups(inventory: Inventory) -> Sheet:
    """``dvPort``; the hosts are a column of ours."""
    records: Iterator[Record] = (
        {
            "Port": network.name,
            "Switch": switch,
            "Type": "earlyBinding",
            "VLAN": network.vlan,
            "Uplink": network.uplink,
            "Host members": ", ".join(inventory.hosts_of.get(network.id, ())),
            "Object ID": network.id,
        }
        for switch, networks in _switches(inventory).items()
        for network in networks
    )
    return sheet("dvPort", ("Port", "Switch", "Type", "VLAN", "Uplink", "Host members", "Object ID"), records)
