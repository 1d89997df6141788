"""Documents of an inventory without what tells whose it is.

Ids (``vm-123``) stay: they say nothing outside of their vCenter. So do sizes, states, models and releases. Documents of
kinds that are mostly texts of users, such as customization specifications, are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Ethernet
from resphere.importing.anonymizing.replacing import Originals, Replacements, Replacing
from resphere.importing.report import ImportFault, Report
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    DatastoreFile,
    Folder,
    GuestState,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.inventory.tagging import Attachment, Category, Tag, attachment_id
from resphere.inventory.volumes import datastore_url, distributed_switch_uuid
from resphere.replica.table import Stored
from resphere.rules.soundness.check import findings

_replace = msgspec.structs.replace
_PATH = re.compile(r"\[(.*)\] (.*)\Z", re.DOTALL)
_ENDING = re.compile(r"\.(vmdk|vmx|iso)\Z")
_URN_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DRIVE = re.compile(r"[A-Za-z]:\\?\Z|/\Z")
_LEFT_OUT = "kinds that are mostly texts of users are not in anonymized inventories"


def anonymized(documents: Iterable[Stored], seed: bytes, report: Report) -> tuple[Stored, ...]:
    """The documents with other names, addresses and notes; the same seed gives the same ones.

    :raises ImportFault: the result would not be sound.
    """
    documents = tuple(documents)
    originals = Originals()
    for document in documents:
        if type(document) in _RULES:
            _RULES[type(document)](originals, document)
    replacing = Replacements(seed, originals)
    made: list[Stored] = []
    left: Counter[str] = Counter()
    datacenters = {item.id for item in documents if isinstance(item, Datacenter)}
    for document in documents:
        if isinstance(document, Folder) and (document.id == ROOT_FOLDER or document.parent in datacenters):
            made.append(document)
        elif type(document) in _RULES:
            made.append(_RULES[type(document)](replacing, document))
        else:
            left[document.kind] += 1
    for kind, count in left.items():
        report.left(f"{kind}: {_LEFT_OUT}", count=count)
    faults = [f"{finding.field}: {finding.message}" for finding in findings(_objects(made))]
    if faults:
        raise ImportFault([f"cannot be anonymized: {fault}" for fault in faults])
    return tuple(made)


def _objects(documents: Iterable[Stored]) -> list[ManagedObject]:
    return [item for item in documents if isinstance(item, ManagedObject)]


def _named(by: Replacing, item: Any) -> Any:
    return _replace(item, name=by.name(item.name))


def _pool(by: Replacing, item: ResourcePool) -> ResourcePool:
    # Root pools are all called Resources.
    return item if item.parent == item.owner else _replace(item, name=by.name(item.name))


def _host(by: Replacing, item: Host) -> Host:
    return _replace(
        item,
        name=by.address(item.name),
        host_uuid=by.uuid(item.host_uuid),
        management_ip=by.address(item.management_ip),
        hardware=_replace(item.hardware, serial_number=by.serial(item.hardware.serial_number)),
        physical_nics=tuple(_replace(nic, mac_address=by.mac(nic.mac_address)) for nic in item.physical_nics),
    )


def _datastore(by: Replacing, item: Datastore) -> Datastore:
    return _replace(
        item, name=by.name(item.name), url=datastore_url(item.type, by.uuid(item.url).replace("-", "").ljust(32, "0"))
    )


def _switch_uuid(by: Replacing, uuid: str | None) -> str | None:
    return distributed_switch_uuid(by.uuid(uuid).replace("-", "").ljust(32, "0")) if uuid is not None else None


def _network(by: Replacing, item: Network) -> Network:
    uuid = _switch_uuid(by, item.distributed_switch_uuid)
    return _replace(item, name=by.name(item.name), distributed_switch_uuid=uuid)


def _path(by: Replacing, path: str) -> str:
    """``[datastore] folder/file.vmdk``, or such a path without its datastore, whose ending stays."""
    found = _PATH.match(path)
    store, rest = (found[1], found[2]) if found else ("", path)
    ending = _ENDING.search(rest)
    end = ending[0] if ending else ""
    parts = "/".join(by.name(part) for part in rest.removesuffix(end).split("/"))
    return f"[{by.name(store)}] {parts}{end}" if found else f"{parts}{end}"


def _cdrom(by: Replacing, drive: Cdrom.Info) -> Cdrom.Info:
    backing = drive.backing
    file, device = backing.iso_file, backing.host_device
    return _replace(
        drive,
        backing=_replace(
            backing,
            iso_file=_path(by, file) if file is not None else None,
            host_device=by.name(device) if device is not None else None,
        ),
    )


def _nic(by: Replacing, nic: Ethernet.Info) -> Ethernet.Info:
    backing = nic.backing
    name, device = backing.network_name, backing.host_device
    return _replace(
        nic,
        mac_address=by.mac(nic.mac_address) if nic.mac_address is not None else None,
        backing=_replace(
            backing,
            network_name=by.name(name) if name is not None else None,
            host_device=by.name(device) if device is not None else None,
            distributed_switch_uuid=_switch_uuid(by, backing.distributed_switch_uuid),
            opaque_network_id=by.uuid(backing.opaque_network_id) if backing.opaque_network_id is not None else None,
        ),
    )


def _guest(by: Replacing, guest: GuestState) -> GuestState:
    return _replace(
        guest,
        host_name=by.address(guest.host_name),
        ip_addresses=tuple(map(by.address, guest.ip_addresses)),
        filesystems={
            path if _DRIVE.match(path) else _path(by, path): filesystem
            for path, filesystem in guest.filesystems.items()
        },
        network=None,
    )


def _machine(by: Replacing, vm: VirtualMachine) -> VirtualMachine:
    """Ports are left out: they name files, pipes and servers. So are storage policies, which are texts of users."""
    return _replace(
        vm,
        name=by.name(vm.name),
        bios_uuid=by.uuid(vm.bios_uuid),
        instance_uuid=by.uuid(vm.instance_uuid),
        disks={key: _replace(disk, backing=_backing(by, disk.backing)) for key, disk in vm.disks.items()},
        nics={key: _nic(by, nic) for key, nic in vm.nics.items()},
        cdroms={key: _cdrom(by, drive) for key, drive in vm.cdroms.items()},
        floppies={},
        parallel_ports={},
        serial_ports={},
        boot_devices=(),
        tools=_replace(vm.tools, error=None),
        hardware=_replace(vm.hardware, upgrade_error=None),
        guest=_guest(by, vm.guest) if vm.guest is not None else None,
        vmx_path=_path(by, vm.vmx_path),
        annotation=by.note(vm.annotation),
        detached_vmdks={_path(by, path): size for path, size in vm.detached_vmdks.items()},
        storage_policy=None,
        disk_policies={},
    )


def _backing(by: Replacing, backing: Any) -> Any:
    path = backing.vmdk_file
    return _replace(backing, vmdk_file=_path(by, path)) if path is not None else backing


def _snapshot(by: Replacing, snapshot: Snapshot) -> Snapshot:
    return _replace(
        snapshot,
        name=by.name(snapshot.name),
        description=by.note(snapshot.description),
        state=_machine(by, snapshot.state),
    )


def _file(by: Replacing, file: DatastoreFile) -> DatastoreFile:
    return _replace(file, name=_path(by, file.name))


def _unregistered(by: Replacing, item: UnregisteredVm) -> UnregisteredVm:
    return _replace(
        item,
        name=_path(by, item.name),
        machine=_machine(by, item.machine),
        snapshots=tuple(_snapshot(by, snapshot) for snapshot in item.snapshots),
        datastores={by.name(name): id for name, id in item.datastores.items()},
    )


def _attribute(by: Replacing, attribute: CustomAttribute) -> CustomAttribute:
    return _replace(attribute, name=by.name(attribute.name))


def _value(by: Replacing, value: CustomValue) -> CustomValue:
    return _replace(value, value=by.value(value.value))


def _urn(by: Replacing, id: str) -> str:
    return _URN_UUID.sub(lambda found: by.uuid(found[0]), id)


def _category(by: Replacing, category: Category) -> Category:
    return _replace(
        category,
        id=ids.CisTaggingCategoryId(_urn(by, category.id)),
        name=by.name(category.name),
        description=by.note(category.description),
        used_by=(),
    )


def _tag(by: Replacing, tag: Tag) -> Tag:
    return _replace(
        tag,
        id=ids.CisTaggingTagId(_urn(by, tag.id)),
        name=by.name(tag.name),
        description=by.note(tag.description),
        category=ids.CisTaggingCategoryId(_urn(by, tag.category)),
        used_by=(),
    )


def _attachment(by: Replacing, attachment: Attachment) -> Attachment:
    tag = _urn(by, attachment.tag)
    category = _urn(by, attachment.category)
    return _replace(attachment, id=attachment_id(tag, attachment.object), tag=tag, category=category)


_RULES: Mapping[type[Any], Callable[[Replacing, Any], Any]] = {
    Folder: _named,
    Datacenter: _named,
    Cluster: _named,
    Host: _host,
    ResourcePool: _pool,
    Datastore: _datastore,
    Network: _network,
    VirtualMachine: _machine,
    Snapshot: _snapshot,
    DatastoreFile: _file,
    UnregisteredVm: _unregistered,
    CustomAttribute: _attribute,
    CustomValue: _value,
    Category: _category,
    Tag: _tag,
    Attachment: _attachment,
}
