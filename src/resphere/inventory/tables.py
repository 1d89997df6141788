"""The tables of the managed objects, with the indexes that the API's filters and relations read by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from resphere.inventory.contents import CONTENT, DIGEST, digests_of, names_of
from resphere.inventory.effects import AddHost, CreateVm, Intent, RegisterVm
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    DatastoreFile,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.inventory.outcomes import doomed, hosts_of, machines_of, placed, written
from resphere.inventory.relations import datacenter_of
from resphere.inventory.storage_policies import StoragePolicy
from resphere.replica.table import PARENT, Lookup, OnDelete, Reference, Table, own_id


def name_claim(parent: str, name: str) -> str:
    """The claim that keeps a name unique among the children of ``parent``, of whatever kind they are."""
    return f"{children_claims(parent)}{name}"


def children_claims(parent: str) -> str:
    """What the name claims of all children of ``parent`` begin with: vacant, if it has none."""
    return f"name/{parent}/"


def _by_name(obj: ManagedObject) -> tuple[str, ...]:
    return (obj.name,)


def _by_parent(obj: ManagedObject) -> tuple[str, ...]:
    return () if obj.parent is None else (obj.parent,)


def _name_claims(obj: ManagedObject) -> tuple[str, ...]:
    return () if obj.parent is None else (name_claim(obj.parent, obj.name),)


def _datacenter_claims(among: Lookup, obj: Datastore | Network) -> tuple[str, ...]:
    """Datastores, and networks, are told apart by name within a datacenter, whatever folders they stand in. None of
    them, nor a folder of theirs, ever leaves its datacenter."""
    datacenter = datacenter_of(among, obj)
    return () if datacenter is None else (f"{obj.kind}-name/{datacenter.id}/{obj.name}",)


def _host_claims(host: Host) -> tuple[str, ...]:
    """A host stands in the inventory once, wherever that is."""
    return (*_name_claims(host), f"host-name/{host.name.lower()}")


def _children_claims(obj: ManagedObject) -> tuple[str, ...]:
    return (children_claims(obj.id),)


def _by_type(obj: Folder | Datastore | Network) -> tuple[str, ...]:
    return (obj.type,)


def _disk_datastore_names(vm: VirtualMachine) -> tuple[str, ...]:
    """The names of datastores, as in ``[LocalDS_0] web/web.vmdk``, on which disks stand away from the VM's home."""
    home = vm.vmx_path[: vm.vmx_path.rfind("] ") + 2]
    paths = [disk.backing.vmdk_file for disk in vm.disks.values()]
    return tuple([datastore_name(path) for path in paths if path and path[0] == "[" and not path.startswith(home)])


def _image_datastore_names(vm: VirtualMachine) -> tuple[str, ...]:
    """The names of datastores on which the images in the VM's CD-ROMs lie."""
    images = [cdrom.backing.iso_file for cdrom in vm.cdroms.values()]
    return tuple([datastore_name(path) for path in images if path])


ON_HOST = "[] "
"""How the paths of files begin that are the host's own, such as the images of VMware Tools."""


def datastore_name(path: str) -> str:
    """The datastore's name in ``[name] folder/file``, which may have brackets itself; empty where there is none."""
    end = path.rfind("] ")
    return path[1:end] if path.startswith("[") and end > 0 else ""


def is_of_file_names(character: str) -> bool:
    """Whether names of files have the character: not what ends a folder's name, or looks like a datastore's."""
    return character not in "/\\[]" and character.isprintable()


def file_stem(name: str) -> str:
    """A VM's name as that of its folder and files."""
    return "".join(c if is_of_file_names(c) else "_" for c in name).strip(" .") or "vm"


def home(datastore: str, vmx_path: str) -> str:
    """The key of the folder that a VM's files are in: the datastore's id and the folder's path there.

    ``vmx_path`` with the datastore's name in brackets or without.
    """
    return f"{datastore}/{path_on_datastore(vmx_path).rpartition('/')[0]}"


def path_on_datastore(path: str) -> str:
    """``folder/file`` of ``[datastore] folder/file``."""
    return path[path.rfind("] ") + 2 :] if path.startswith("[") else path


def _vm_claims(vm: VirtualMachine) -> tuple[str, ...]:
    """A VM has a name and a VMX file of its own."""
    return (*_name_claims(vm), vmx_claim(vm.datastore, vm.vmx_path))


ASSIGNED = ""
"""The key in the index ``storage_policy`` of VMs that have any."""


def _storage_policies(vm: VirtualMachine) -> tuple[str, ...]:
    policies = {policy for disk, policy in vm.disk_policies.items() if disk in vm.disks}
    if vm.storage_policy is not None:
        policies.add(vm.storage_policy)
    return (ASSIGNED, *policies) if policies else ()


def vmx_claim(datastore: str, vmx_path: str) -> str:
    """The claim that keeps a VMX file one VM's only, registered or not."""
    return f"vmx/{datastore}/{path_on_datastore(vmx_path)}"


def _storage_policy(among: Lookup, _: object, id: str) -> StoragePolicy | None:
    """The policy of that id, unless every vCenter has it: those are no documents."""
    return among.get(StoragePolicy, id)


def _datastore_of_name(among: Lookup, vm: VirtualMachine, name: str) -> Datastore | None:
    """The datastore that the name means in the VM's paths: the one that its host has mounted."""
    host = among.get(Host, vm.host)
    stores = (among.get(Datastore, id) for id in host.datastores) if host is not None else ()
    return next((store for store in stores if store is not None and store.name == name), None)


def _own_folders(datacenter: Datacenter) -> tuple[str, ...]:
    return datacenter.vm_folder, datacenter.host_folder, datacenter.datastore_folder, datacenter.network_folder


def _without_datastore(host: Host, id: str) -> Host:
    return msgspec.structs.replace(host, datastores=tuple(each for each in host.datastores if each != id))


def _without_network(host: Host, id: str) -> Host:
    return msgspec.structs.replace(host, networks=tuple(each for each in host.networks if each != id))


def _without_files_on(files: UnregisteredVm, id: str) -> UnregisteredVm:
    left = {name: store for name, store in files.datastores.items() if store != id}
    return msgspec.structs.replace(files, datastores=left)


def _contents(vm: VirtualMachine) -> tuple[str, ...]:
    return tuple(names_of(vm.disk_contents.values())) if vm.disk_contents else ()


def _contents_of_files(files: UnregisteredVm) -> tuple[str, ...]:
    states = (files.machine, *(snapshot.state for snapshot in files.snapshots))
    return tuple([name for state in states for name in _contents(state)])


def _networks(vm: VirtualMachine) -> tuple[str, ...]:
    return tuple([nic.backing.network for nic in vm.nics.values() if nic.backing.network is not None])


FOLDERS = Table(
    cls=Folder,
    holds_children=_children_claims,
    refers_to=(Reference(index=PARENT, fields=("parent",), to=(Folder, Datacenter)),),
    indexes={"name": _by_name, "parent": _by_parent, "type": _by_type},
    claims=_name_claims,
)

DATACENTERS = Table(
    cls=Datacenter,
    holds_children=_children_claims,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(Folder,)),
        Reference(
            index="own_folder", fields=("vm_folder", "host_folder", "datastore_folder", "network_folder"), to=(Folder,)
        ),
    ),
    indexes={"name": _by_name, "parent": _by_parent, "own_folder": _own_folders},
    claims=_name_claims,
)

CLUSTERS = Table(
    cls=Cluster,
    holds_children=_children_claims,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(Folder,)),
        Reference(index="root_pool", fields=("resource_pool",), to=(ResourcePool,)),
    ),
    indexes={"name": _by_name, "parent": _by_parent, "root_pool": lambda cluster: (cluster.resource_pool,)},
    claims=_name_claims,
)

HOSTS = Table(
    cls=Host,
    holds_children=_children_claims,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(Folder, Cluster)),
        Reference(index="root_pool", fields=("resource_pool",), to=(ResourcePool,)),
        Reference(
            index="datastore",
            fields=("datastores",),
            to=(Datastore,),
            on_delete=OnDelete.CLEAR,
            cleared=_without_datastore,
        ),
        Reference(
            index="network", fields=("networks",), to=(Network,), on_delete=OnDelete.CLEAR, cleared=_without_network
        ),
    ),
    indexes={
        "name": _by_name,
        "parent": _by_parent,
        "root_pool": lambda host: () if host.resource_pool is None else (host.resource_pool,),
        "datastore": lambda host: host.datastores,
        "network": lambda host: host.networks,
        "connection_state": lambda host: (host.connection_state,),
    },
    claims=_host_claims,
    shared=("parent", "version", "build", "hardware", "datastores", "networks"),
)

RESOURCE_POOLS = Table(
    cls=ResourcePool,
    holds_children=_children_claims,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(ResourcePool, Cluster, Host)),
        Reference(index="owner", fields=("owner",), to=(Cluster, Host), on_delete=OnDelete.CASCADE),
    ),
    indexes={"name": _by_name, "parent": _by_parent, "owner": lambda pool: (pool.owner,)},
    claims=_name_claims,
)

DATASTORES = Table(
    cls=Datastore,
    holds_children=lambda store: (children_claims(store.id), vmx_claim(store.id, "")),
    refers_to=(Reference(index=PARENT, fields=("parent",), to=(Folder,)),),
    indexes={"name": _by_name, "parent": _by_parent, "type": _by_type},
    claims=_name_claims,
    claims_among=_datacenter_claims,
)

NETWORKS = Table(
    cls=Network,
    refers_to=(Reference(index=PARENT, fields=("parent",), to=(Folder,)),),
    indexes={
        "name": _by_name,
        "parent": _by_parent,
        "type": _by_type,
        "distributed_switch": lambda network: (network.distributed_switch,) if network.distributed_switch else (),
    },
    claims=_name_claims,
    claims_among=_datacenter_claims,
)

_SHARED_BY_MACHINES = (
    "parent",
    "resource_pool",
    "host",
    "datastore",
    "hardware",
    "boot",
    "boot_devices",
    "cpu",
    "memory",
    "disks.label",
    "disks.scsi",
    "disks.sata",
    "disks.nvme",
    "disks.capacity",
    "disk_contents",
    "nics.label",
    "nics.backing",
    "cdroms",
    "floppies",
    "parallel_ports",
    "serial_ports",
    "sata_adapters",
    "scsi_adapters",
    "nvme_adapters",
    "tools",
    "guest.full_name",
    "guest.filesystems.mappings",
    "guest.filesystems.filesystem",
    "guest.filesystems.capacity",
)

VIRTUAL_MACHINES = Table(
    cls=VirtualMachine,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(Folder,)),
        Reference(index="host", fields=("host",), to=(Host,)),
        Reference(index="resource_pool", fields=("resource_pool",), to=(ResourcePool,)),
        Reference(index="datastore", fields=("datastore",), to=(Datastore,), through="host"),
        *[
            Reference(
                index=index, fields=fields, to=(Datastore,), through="host", resolve=_datastore_of_name, names=_by_name
            )
            for index, fields in (("disk_datastore_name", ("disks", "vmx_path")), ("image_datastore_name", ("cdroms",)))
        ],
        Reference(index="network", fields=("nics",), to=(Network,), through="host"),
        Reference(index="snapshot", fields=("snapshot",), to=(Snapshot,)),
        Reference(
            index="storage_policy",
            fields=("storage_policy", "disk_policies", "disks"),
            to=(StoragePolicy,),
            resolve=_storage_policy,
            names=own_id,
        ),
    ),
    indexes={
        "name": _by_name,
        "parent": _by_parent,
        "snapshot": lambda vm: () if vm.snapshot is None else (vm.snapshot,),
        "host": lambda vm: (vm.host,),
        "resource_pool": lambda vm: (vm.resource_pool,),
        "power_state": lambda vm: (vm.power_state,),
        # A VM knows its home's datastore by id, but its disks' by name: see relations.vms_of_datastore.
        "datastore": lambda vm: (vm.datastore,),
        "disk_datastore_name": _disk_datastore_names,
        "image_datastore_name": _image_datastore_names,
        "network": _networks,
        "home": lambda vm: (home(vm.datastore, vm.vmx_path),),
        "storage_policy": _storage_policies,
        "instance_uuid": lambda vm: (vm.instance_uuid,),
        CONTENT: _contents,
        DIGEST: lambda vm: tuple(digests_of(vm.disk_contents.values())) if vm.disk_contents else (),
    },
    claims=_vm_claims,
    shared=_SHARED_BY_MACHINES,
    made_of={
        "name": ("name",),
        "power_state": ("power_state",),
        "home": ("datastore", "vmx_path"),
        "instance_uuid": ("instance_uuid",),
        CONTENT: ("disk_contents",),
        DIGEST: ("disk_contents",),
    },
)

SNAPSHOTS = Table(
    cls=Snapshot,
    belongs_to=PARENT,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(VirtualMachine,), on_delete=OnDelete.CASCADE),
        Reference(index="parent_snapshot", fields=("parent_snapshot",), to=(Snapshot,)),
    ),
    # Two snapshots of a VM may have the same name.
    indexes={
        "name": _by_name,
        "parent": _by_parent,
        "parent_snapshot": lambda snapshot: () if snapshot.parent_snapshot is None else (snapshot.parent_snapshot,),
        CONTENT: lambda snapshot: _contents(snapshot.state),
    },
    shared=tuple([f"state.{path}" for path in _SHARED_BY_MACHINES]),
)

DATASTORE_FILES = Table(
    cls=DatastoreFile,
    refers_to=(Reference(index=PARENT, fields=("parent",), to=(Datastore,)),),
    indexes={
        "name": _by_name,
        "parent": _by_parent,
        "path": lambda file: (f"{file.parent}/{file.name}",),
        "home": lambda file: (home(file.parent or "", file.name),),
        CONTENT: lambda file: () if file.content is None else file.content.names,
        DIGEST: lambda file: () if file.content is None else tuple(digests_of([file.content])),
    },
    claims=_name_claims,
)

UNREGISTERED_VMS = Table(
    cls=UnregisteredVm,
    refers_to=(
        Reference(index=PARENT, fields=("parent",), to=(Datastore,)),
        Reference(
            index="datastore",
            fields=("datastores",),
            to=(Datastore,),
            on_delete=OnDelete.CLEAR,
            cleared=_without_files_on,
        ),
    ),
    # What belongs to the machine and its snapshots lies with the files.
    known_as=lambda files: (files.id, files.machine.id, *[snapshot.id for snapshot in files.snapshots]),
    indexes={
        "datastore": lambda files: files.datastores.values(),
        "name": _by_name,
        "parent": _by_parent,
        "path": lambda vm: (f"{vm.parent}/{vm.name}",),
        "home": lambda vm: (home(vm.parent or "", vm.name),),
        CONTENT: _contents_of_files,
    },
    claims=lambda vm: (*_name_claims(vm), vmx_claim(vm.parent or "", vm.name)),
    shared=tuple([f"machine.{path}" for path in _SHARED_BY_MACHINES]),
)


def going_claim(vm: str) -> str:
    """The claim of work under way that deletes or unregisters the machine: nothing else is begun that needs it."""
    return f"going/{vm}/"


def _intended_claims(intent: Intent) -> tuple[str, ...]:
    effect = intent.effect
    if isinstance(effect, RegisterVm):
        return (*intent.claims, f"coming/{effect.files.id}/")
    vm = doomed(effect)
    return intent.claims if vm is None else (*intent.claims, going_claim(vm))


def _needed(index: str, *, on_host: bool = False) -> Callable[[Intent], tuple[str, ...]]:
    """By which keys of ``index`` a machine will refer to what it did not before; ``on_host``: on its host."""
    keys = VIRTUAL_MACHINES.indexes[index]

    def needed(intent: Intent) -> tuple[str, ...]:
        found = placed(intent.effect)
        if found is None:
            return ()
        before, after = found
        stays = before is not None and (not on_host or before.host == after.host)
        had = tuple(keys(before)) if before is not None and stays else ()
        return tuple([key for key in keys(after) if key not in had])

    return needed


def _needed_folder(intent: Intent) -> tuple[str, ...]:
    return (intent.effect.folder,) if isinstance(intent.effect, AddHost) else _needed_parent(intent)


def _intended_contents(intent: Intent) -> tuple[str, ...]:
    vm = written(intent.effect)
    images = names_of(intent.effect.images.values()) if isinstance(intent.effect, CreateVm) else ()
    return () if vm is None else (*_contents(vm), *images)


def _needed_datastore_of_name(among: Lookup, intent: Intent, name: str) -> Datastore | None:
    found = placed(intent.effect)
    return _datastore_of_name(among, found.after, name) if found is not None else None


_needed_parent = _needed(PARENT)

_EFFECT = ("effect",)

INTENTS = Table(
    cls=Intent,
    refers_to=(
        Reference(index="machine", fields=_EFFECT, to=(VirtualMachine,)),
        Reference(index="files", fields=_EFFECT, to=(UnregisteredVm,)),
        Reference(index="host", fields=_EFFECT, to=(Host,)),
        Reference(index="folder", fields=_EFFECT, to=(Folder,)),
        Reference(index="resource_pool", fields=_EFFECT, to=(ResourcePool,)),
        Reference(index="datastore", fields=_EFFECT, to=(Datastore,)),
        *[
            Reference(index=index, fields=_EFFECT, to=(Datastore,), resolve=_needed_datastore_of_name, names=_by_name)
            for index in ("disk_datastore_name", "image_datastore_name")
        ],
        Reference(index="network", fields=_EFFECT, to=(Network,)),
        Reference(index="storage_policy", fields=_EFFECT, to=(StoragePolicy,), resolve=_storage_policy, names=own_id),
    ),
    indexes={
        "claim": _intended_claims,
        "room": lambda intent: tuple(intent.room),
        "machine": lambda intent: machines_of(intent.effect),
        "files": lambda intent: (intent.effect.files.id,) if isinstance(intent.effect, RegisterVm) else (),
        "host": lambda intent: hosts_of(intent.effect),
        "folder": _needed_folder,
        "resource_pool": _needed("resource_pool"),
        "datastore": _needed("datastore", on_host=True),
        "disk_datastore_name": _needed("disk_datastore_name", on_host=True),
        "image_datastore_name": _needed("image_datastore_name", on_host=True),
        "network": _needed("network", on_host=True),
        "storage_policy": _needed("storage_policy"),
        CONTENT: _intended_contents,
    },
    claims=_intended_claims,
    revises=False,
    sealed=("effect",),
)
"""Whatever work under way will need stays until that is settled, or given up."""

TABLES: tuple[Table[Any], ...] = (
    FOLDERS,
    DATACENTERS,
    CLUSTERS,
    HOSTS,
    RESOURCE_POOLS,
    DATASTORES,
    NETWORKS,
    VIRTUAL_MACHINES,
    SNAPSHOTS,
    DATASTORE_FILES,
    UNREGISTERED_VMS,
    INTENTS,
)
"""Of every kind in :data:`~resphere.inventory.model.KINDS`, and of what is decided to become of them."""
