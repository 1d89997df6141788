"""What becomes of a machine that is made of a VM template of a content library, or becomes one. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from resphere.contract.errors import InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cpu, Disk, Ethernet, Memory
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.inventory.mentions import named
from resphere.inventory.model import Network, VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.fields import within
from resphere.rules.hardware.cpu import with_cpu
from resphere.rules.hardware.ethernet import BACKING_OF_NETWORK, nic_with
from resphere.rules.hardware.families import DISKS, NICS
from resphere.rules.hardware.memory import with_memory
from resphere.rules.machines.copies import DiskKey, Targets, targets
from resphere.rules.named_policies import named_policy
from resphere.rules.placement.resolution import Needs
from resphere.rules.refusals import not_found
from resphere.rules.storage_policies import with_disk_policy, with_home_policy

Hardware = LibraryItems.HardwareCustomizationSpec
HomeSpec = LibraryItems.CreateSpecVmHomeStorage | LibraryItems.DeploySpecVmHomeStorage
DiskSpec = LibraryItems.CreateSpecDiskStorage | LibraryItems.DeploySpecDiskStorage
AS_IT_IS = Hardware()
"""The hardware of a machine that is made without a customization."""


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a part of a machine is to lie, and by which policy; ``None`` where nothing is said."""

    datastore: str | None = None
    policy: str | None = None


def storage_of(spec: HomeSpec | DiskSpec | None) -> Storage:
    """What a spec says of one part; the policy of the source stays where it is asked for."""
    if spec is None:
        return Storage()
    return Storage(datastore=spec.datastore, policy=None if spec.storage_policy is None else spec.storage_policy.policy)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts of a machine are to lie: its home, its disks, and single ones of them."""

    home: Storage = Storage()
    disks: Storage = Storage()
    overrides: Mapping[DiskKey, Storage] = {}


def layout_of(spec: LibraryItems.CreateSpec | LibraryItems.DeploySpec) -> Layout:
    """What a spec says of storage."""
    return Layout(
        home=storage_of(spec.vm_home_storage),
        disks=storage_of(spec.disk_storage),
        overrides={key: storage_of(each) for key, each in (spec.disk_storage_overrides or {}).items()},
    )


def disk_targets(
    inventory: Replica, source: VirtualMachine, layout: Layout, hardware: Hardware, otherwise: str | None = None
) -> Targets:
    """The datastore that each disk goes to: as ``layout`` says, else to ``otherwise``, else where the source's lies.

    :raises NotFound: the source has no such disk, or there is no such datastore.
    :raises InvalidArgument: a disk is both removed and changed.
    """
    wanted: dict[DiskKey, str | None] = dict.fromkeys(hardware.disks_to_update or ())
    wanted |= {key: storage.datastore for key, storage in layout.overrides.items()}
    return targets(
        inventory, source, layout.disks.datastore or otherwise, wanted, sorted(hardware.disks_to_remove or ())
    )


def needs_with(inventory: Replica, source: VirtualMachine, disks: Targets, hardware: Hardware) -> Needs:
    """What the host must reach: the datastores of the disks, and the networks that adapters will be on.

    :raises NotFound: the source has no such adapter, or there is no such network.
    """
    networks: dict[str, str | None] = {key: nic.backing.network for key, nic in source.nics.items()}
    for key, update in (hardware.nics or {}).items():
        NICS.require(source, key)
        if update.network is not None:
            networks[key] = network_of(inventory, update.network).id
    there = (id for id in networks.values() if id is not None and inventory.get(Network, id) is not None)
    return Needs(networks=frozenset(there), datastores=frozenset(store.id for store in disks.values()))


def network_of(inventory: Replica, id: str) -> Network:
    """The network that a spec names.

    :raises NotFound: there is none of that id.
    """
    found = inventory.get(Network, id)
    if found is None:
        raise not_found(inventory.epoch, Network, id)
    return found


def with_layout(inventory: Replica, vm: VirtualMachine, layout: Layout) -> VirtualMachine:
    """``vm`` with the storage policies that are asked for; others are as in the source.

    :raises InvalidArgument: there is no such policy.
    """
    if layout.home.policy is not None:
        vm = with_home_policy(
            vm, named_policy(inventory, layout.home.policy, "spec.vm_home_storage.storage_policy.policy")
        )
    for key in vm.disks:
        storage = layout.overrides.get(key, layout.disks)
        if storage.policy is not None:
            where = "disk_storage" if storage is layout.disks else f"disk_storage_overrides[{key}]"
            policy = named_policy(inventory, storage.policy, f"spec.{where}.storage_policy.policy")
            vm = with_disk_policy(vm, key, policy)
    left = {key: policy for key, policy in vm.disk_policies.items() if key in vm.disks}
    return msgspec.structs.replace(vm, disk_policies=left)


def with_hardware(inventory: Replica, vm: VirtualMachine, hardware: Hardware) -> VirtualMachine:
    """``vm``, which is off, with other networks, larger disks, other CPUs and memory.

    :raises NotFound: it has no such adapter or disk, or there is no such network.
    :raises InvalidArgument: a disk would not grow, or there are no such CPUs, no such memory, no such subnet.
    """
    with within("hardware_customization"):
        if hardware.cpu_update is not None:
            cpu = hardware.cpu_update
            vm = with_cpu(vm, Cpu.UpdateSpec(count=cpu.num_cpus, cores_per_socket=cpu.num_cores_per_socket))
        if hardware.memory_update is not None:
            vm = with_memory(vm, Memory.UpdateSpec(size_MiB=hardware.memory_update.memory))
    for disk, growth in (hardware.disks_to_update or {}).items():
        vm = DISKS.with_(vm, disk, grown(vm, disk, growth.capacity))
    for key, update in (hardware.nics or {}).items():
        if update.subnet is not None:
            raise InvalidArgument(
                message(
                    "resphere.vm.template.subnet",
                    "spec.hardware_customization.nics[{0}].subnet: there are no subnets without NSX.",
                    key,
                )
            )
        if update.network is not None:
            network = network_of(inventory, update.network)
            backing = Ethernet.BackingSpec(type=BACKING_OF_NETWORK[network.type], network=ids.NetworkId(network.id))
            nic = nic_with(inventory, vm, key, NICS.require(vm, key), Ethernet.UpdateSpec(backing=backing))
            vm = NICS.with_(vm, key, nic)
    return vm


def grown(vm: VirtualMachine, key: DiskKey, capacity: int) -> Disk.Info:
    """A disk of the machine with so many bytes more than it had.

    :raises NotFound: there is none.
    :raises InvalidArgument: it has as many already.
    """
    disk = vm.disks.get(key)
    if disk is None:
        raise NotFound(
            message("resphere.vm.hardware.no_device", "The virtual machine {0} has no disk {1}.", named(vm), key)
        )
    if capacity <= (disk.capacity or 0):
        raise InvalidArgument(
            message(
                "resphere.vm.template.capacity",
                "spec.hardware_customization.disks_to_update[{0}].capacity: must be more than the {1} bytes that the "
                "disk has, not {2}.",
                key,
                disk.capacity or 0,
                capacity,
            )
        )
    return msgspec.structs.replace(disk, capacity=capacity)
