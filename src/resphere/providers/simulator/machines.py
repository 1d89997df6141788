"""The virtual machines of a generated inventory: what they do, how large they are, where they stand."""

from __future__ import annotations

from collections import Counter

from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.model import ManagedObject, Network, VirtualMachine
from resphere.providers.simulator.addresses import Subnet, assigned_mac
from resphere.providers.simulator.catalog import (
    CURRENT_TOOLS,
    ENVIRONMENTS,
    GIB,
    OLD_TOOLS,
    OPEN_VM_TOOLS,
    ROLES,
    TEMPLATES,
    TEMPLATES_FOLDER,
    Role,
    ToolsRelease,
)
from resphere.providers.simulator.draws import Draws, Numbers
from resphere.providers.simulator.machine import OFF, ON, MachinePlan, PlannedDisk, PlannedNic, build
from resphere.providers.simulator.snapshots import with_snapshots
from resphere.providers.simulator.topology import Site
from resphere.rules.machines.guest_os_defaults import GuestDefaults, Version, defaults_of

SUSPENDED = Power.State.SUSPENDED

_ROLE_DRAWS: tuple[Role, ...] = tuple(role for role in ROLES for _ in range(role.weight))
_VERSION_DRAWS = (
    Version.VMX_13,
    Version.VMX_14,
    Version.VMX_15,
    Version.VMX_17,
    Version.VMX_18,
    *(Version.VMX_19,) * 4,
    *(Version.VMX_20,) * 3,
    *(Version.VMX_21,) * 4,
)
_OFF_SHARE = 0.18
_TEST_SHARE = 0.35
_TOOLS_MISSING_SHARE = 0.04
_SECOND_NIC_SHARE = 0.12
_IPV6_SHARE = 0.25
_OTHER_DATASTORE_SHARE = 0.3

# Rare things come at fixed places, not at random: a small inventory has some of each as well.
_TEMPLATE_EVERY, _TEMPLATE_AT = 23, 17
_SUSPENDED_EVERY, _SUSPENDED_AT = 31, 11
_SNAPSHOTS_EVERY, _SNAPSHOTS_AT = 9, 2
_SERIAL_EVERY, _SERIAL_AT = 29, 13
_ISO_EVERY, _ISO_AT = 17, 5


class _Machines:
    """Builds one VM after the other; what must not repeat (names, addresses) is counted here."""

    def __init__(self, sites: tuple[Site, ...], numbers: Numbers, draws: Draws) -> None:
        self._numbers = numbers
        self._draws = draws
        self._names: Counter[str] = Counter()
        self._nics = 0
        self._subnets: dict[str, Subnet] = {}
        for site in sites:
            for network in site.networks:
                if network.id not in self._subnets:
                    self._subnets[network.id] = Subnet(len(self._subnets))

    def build(self, index: int, site: Site) -> VirtualMachine:
        """The `index`-th VM, on a site."""
        if index % _TEMPLATE_EVERY == _TEMPLATE_AT:
            return self._template(index // _TEMPLATE_EVERY, site)
        draws = self._draws
        role = draws.pick(_ROLE_DRAWS)
        system = defaults_of(draws.pick(role.guests))
        cpu_count, memory_GiB = draws.pick(role.shapes)
        environment = ENVIRONMENTS[role.test and draws.random() < _TEST_SHARE]
        power_state = OFF if draws.random() < _OFF_SHARE else ON
        if index % _SUSPENDED_EVERY == _SUSPENDED_AT:
            power_state = SUSPENDED
        name = self._name(role.prefix)
        return build(
            MachinePlan(
                id=f"vm-{self._numbers.take()}",
                name=name,
                parent=site.folders[environment, role.folder],
                guest=system,
                host=site.host,
                resource_pool=site.resource_pools[environment],
                bios_uuid=draws.uuid(),
                instance_uuid=draws.uuid(),
                disks=self._disks(site, draws.pick(role.disks)),
                nics=self._nics_on(site),
                power_state=power_state,
                version=max(system.oldest_version, draws.pick(_VERSION_DRAWS)),
                cpu_count=cpu_count,
                cores_per_socket=2 if cpu_count > 2 else 1,
                memory_size_MiB=memory_GiB << 10,
                hot_add=memory_GiB >= 16,
                tools=self._tools(system),
                host_name=f"{name}.{site.domain}",
                used_eighths=1 + draws.number(2),
                iso_file=f"[{site.iso_datastore}] tools/rescue.iso" if index % _ISO_EVERY == _ISO_AT else None,
                floppy=role.floppy,
                serial_location=f"telnet://:{13_000 + index}" if index % _SERIAL_EVERY == _SERIAL_AT else None,
                annotation=role.annotation,
            )
        )

    def _template(self, turn: int, site: Site) -> VirtualMachine:
        prefix, guest_OS = TEMPLATES[turn % len(TEMPLATES)]
        system = defaults_of(guest_OS)
        draws = self._draws
        return build(
            MachinePlan(
                id=f"vm-{self._numbers.take()}",
                name=self._name(prefix),
                parent=site.folders[TEMPLATES_FOLDER, ""],
                guest=system,
                host=site.host,
                resource_pool=site.resource_pools[ENVIRONMENTS[0]],
                bios_uuid=draws.uuid(),
                instance_uuid=draws.uuid(),
                disks=self._disks(site, (system.disk_size_GiB,)),
                nics=(PlannedNic(site.networks[0], self._mac()),),
                template=True,
                version=max(system.oldest_version, Version.VMX_19),
                cpu_count=2,
                memory_size_MiB=system.memory_size_MiB,
                tools=OPEN_VM_TOOLS[-1] if system.open_vm_tools else CURRENT_TOOLS,
                host_name="localhost",
                annotation=f"{system.full_name}, patched monthly",
            )
        )

    def _name(self, prefix: str) -> str:
        self._names[prefix] += 1
        return f"{prefix}-{self._names[prefix]:03d}"

    def _mac(self) -> str:
        self._nics += 1
        return assigned_mac(self._nics)

    def _disks(self, site: Site, sizes_GiB: tuple[int, ...]) -> tuple[PlannedDisk, ...]:
        draws = self._draws
        store, name = draws.pick(site.datastores)
        disks = [PlannedDisk(store, name, sizes_GiB[0] * GIB)]
        for size_GiB in sizes_GiB[1:]:
            if draws.random() < _OTHER_DATASTORE_SHARE:
                store, name = draws.pick(site.datastores)
            disks.append(PlannedDisk(store, name, size_GiB * GIB))
        return tuple(disks)

    def _nics_on(self, site: Site) -> tuple[PlannedNic, ...]:
        draws = self._draws
        ipv6 = draws.random() < _IPV6_SHARE
        first = self._nic(draws.pick(site.networks), ipv6=ipv6, site=site)
        if draws.random() >= _SECOND_NIC_SHARE:
            return (first,)
        return (first, self._nic(draws.pick(site.networks), ipv6=ipv6, site=site))

    def _nic(self, network: Network, *, ipv6: bool, site: Site) -> PlannedNic:
        subnet = self._subnets[network.id]
        if subnet.full:
            # Only where chance sends many VMs to one network: there are addresses for twice the VMs.
            network = next(other for other in site.networks if not self._subnets[other.id].full)
            subnet = self._subnets[network.id]
        return PlannedNic(network, self._mac(), subnet.take(ipv6=ipv6))

    def _tools(self, system: GuestDefaults) -> ToolsRelease | None:
        drawn = self._draws.random()
        if drawn < _TOOLS_MISSING_SHARE or system.guest_OS.value.startswith("OTHER"):
            return None
        if system.open_vm_tools:
            return self._draws.pick(OPEN_VM_TOOLS)
        return OLD_TOOLS if drawn > 0.7 else CURRENT_TOOLS


def build_machines(vms: int, sites: tuple[Site, ...], numbers: Numbers, draws: Draws) -> list[ManagedObject]:
    """So many VMs over the sites, one each in turn, some followed by their snapshots."""
    machines = _Machines(sites, numbers, draws)
    objects: list[ManagedObject] = []
    for index in range(vms):
        vm = machines.build(index, sites[index % len(sites)])
        if index % _SNAPSHOTS_EVERY == _SNAPSHOTS_AT and not vm.template:
            objects += with_snapshots(vm, numbers, draws)
        else:
            objects.append(vm)
    return objects
