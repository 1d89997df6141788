"""An inventory with something of every kind that refers to others, by every reference there is."""

from __future__ import annotations

from typing import Any

import msgspec

from resphere.access.permissions import Permission
from resphere.access.roles import users_role
from resphere.contract.extensions.faults import Faults
from resphere.contract.generated import ids, vcenter, vcenter_vm_hardware
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.generated.content import LibraryModel
from resphere.contract.generated.content_library import Subscriptions
from resphere.contract.generated.vcenter_content_registries_harbor import Projects
from resphere.contract.generated.vcenter_host_hardware import DirectPathDevices
from resphere.contract.generated.vcenter_vm import DataSets
from resphere.contract.generated.vcenter_vm_console import Tickets
from resphere.events.event import Deed, Event, Subject
from resphere.events.event import Kind as Kinds
from resphere.events.webhooks import DeadLetter, Progress, Webhook, letter_id
from resphere.faults.record import FaultRule
from resphere.inventory.compute_policies import Capability, ComputePolicy
from resphere.inventory.console import ConsoleTicket
from resphere.inventory.content.items import LibraryItem, TemplateVersion
from resphere.inventory.content.libraries import LeavingLibrary, Library, LibraryUsage, Subscription
from resphere.inventory.content.registries import ContainerRegistry, RegistryProject
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.inventory.content.subscriptions import LibrarySubscription, SyncRequest
from resphere.inventory.content.templates import CheckOut, ItemChange
from resphere.inventory.contents import ContentPart, DiskContent
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue, value_id
from resphere.inventory.customization import GuestCustomization
from resphere.inventory.data_sets import DataSet, DataSetEntry, data_set_id, entry_id
from resphere.inventory.effects import Intent
from resphere.inventory.guest import GuestContent, GuestSystem, GuestTransfer, content_id
from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.host_parts import DirectPathDevice, EntropyPool, device_key
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
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment, Category, Tag, attachment_id, type_of
from resphere.inventory.vapp import VappConfiguration, VirtualApp
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Stored
from resphere.rules.belongings import STAY_WITH_FILES
from tests.inventory import samples
from tests.inventory.under_way import effects
from tests.replica.worlds import put

Kind = vcenter.Folder.Type
GIB = samples.GIB
TAGS = tuple([ids.CisTaggingTagId(f"urn:vmomi:InventoryServiceTag:{n}:GLOBAL") for n in range(4)])
CATEGORY = ids.CisTaggingCategoryId("urn:vmomi:InventoryServiceCategory:0:GLOBAL")
CONTENT = DiskContent(parts=(ContentPart(content="worker.1", size_bytes=1, sha256="1"),), capacity=samples.GIB)
POLICY = ids.VcenterStoragePolicyId("policy-0")


async def furnish(replica: Replica) -> None:
    """Put everything into an empty replica; each reference of an object is to another object where it can be."""
    objects = [
        *_places(),
        *_machines(),
        *_tagging(),
        *_beside_machines(),
        *_host_parts(),
        *_permissions(),
        *_libraries(),
        *_registries(),
        *_webhooks(),
        *_faults(),
    ]
    await replica.change(put(*objects))
    await replica.change(_unregister)
    await replica.change(put(*_intents(replica)))


def _places() -> list[ManagedObject]:
    """Two datacenters, one in a folder; folders in folders; a cluster, a standalone host and pools in pools."""
    return [
        *samples.skeleton(),
        samples.folder("group-d90", "Europe", "group-d1", Kind.DATACENTER),
        *samples.datacenter("datacenter-91", "second", "group-d90"),
        samples.folder("group-v31", "prod", "group-v3", Kind.VIRTUAL_MACHINE),
        samples.folder("group-v32", "web", "group-v31", Kind.VIRTUAL_MACHINE),
        samples.folder("group-h31", "alone", "group-h3", Kind.HOST),
        samples.folder("group-h32", "clusters", "group-h3", Kind.HOST),
        samples.folder("group-s31", "stores", "group-s3", Kind.DATASTORE),
        samples.folder("group-n31", "networks", "group-n3", Kind.NETWORK),
        *samples.cluster("domain-c80", "other", "group-h32", "resgroup-81"),
        samples.resource_pool("resgroup-91", "pool", "resgroup-9", "domain-c8"),
        samples.resource_pool("resgroup-92", "deep", "resgroup-91", "domain-c8"),
        *[samples.datastore(f"datastore-{n}", f"store-{n}", "group-s31") for n in range(30, 36)],
        *[samples.network(f"network-{n}", f"network {n}", "group-n31") for n in (30, 31)],
        msgspec.structs.replace(
            samples.host(
                "host-70",
                "alone.example.com",
                "group-h31",
                datastores=tuple([f"datastore-{n}" for n in range(30, 35)]),
                networks=("network-30", "network-31"),
            ),
            resource_pool=ids.ResourcePoolId("resgroup-71"),
        ),
        samples.resource_pool("resgroup-71", "Resources", "host-70", "host-70"),
        samples.resource_pool("resgroup-72", "inner", "resgroup-71", "host-70"),
    ]


def _machine(id: str, name: str, **fields: Any) -> VirtualMachine:
    """On the standalone host: a disk beside its home, an image on a third datastore, a NIC."""
    cdrom = samples.cdrom()
    image = vcenter_vm_hardware.Cdrom.BackingInfo(
        type=vcenter_vm_hardware.Cdrom.BackingType.ISO_FILE, iso_file="[store-32] iso/debian.iso"
    )
    return samples.virtual_machine(
        id,
        name,
        "group-v32",
        host="host-70",
        pool="resgroup-72",
        datastore="datastore-30",
        datastore_name="store-30",
        network="network-30",
        disks={
            "2000": samples.disk(0, f"[store-30] {name}/{name}.vmdk"),
            "2001": samples.disk(1, f"[store-31] {name}/{name}_1.vmdk"),
        },
        cdroms={"16000": msgspec.structs.replace(cdrom, backing=image)},
        disk_policies={"2001": POLICY},
        disk_contents={"2001": CONTENT},
        **fields,
    )


VM = _machine("vm-500", "full", snapshot="snapshot-502")
SNAPSHOTS = (
    samples.snapshot("snapshot-501", "first", VM),
    samples.snapshot("snapshot-502", "second", VM, "snapshot-501"),
)


LOST = _machine("vm-510", "lost")
KEPT = samples.snapshot("snapshot-512", "kept", LOST)
LEAVING = _machine("vm-530", "leaving")


def _machines() -> list[ManagedObject]:
    """Two machines with snapshots, one without, and a file of none."""
    file = DatastoreFile(id="file-520", name="old/old.vmdk", parent="datastore-35", capacity=GIB)
    return [VM, *SNAPSHOTS, LOST, KEPT, LEAVING, file]


TEMPLATES = tuple(_machine(f"vm-54{n}", f"template-{n}", template=True) for n in range(2))
CHECKED_OUT = _machine("vm-550", "checked-out")


def _libraries() -> list[Stored]:
    """A library with an item that is read and changed, one that is a template of two versions, and who uses it."""
    library = ids.ContentLibraryId("library")
    times: Any = {"created": samples.NOON, "modified": samples.NOON}
    item = LibraryItem(id=ids.ContentLibraryItemId("item"), library=library, name="item", **times)
    template = LibraryItem(
        id=ids.ContentLibraryItemId("template"),
        library=library,
        name="template",
        template=ids.VirtualMachineId(TEMPLATES[1].id),
        previous=TemplateVersion(vm=ids.VirtualMachineId(TEMPLATES[0].id), version=1),
        **times,
    )
    subscriber = Library(
        id=ids.ContentLibraryId("subscriber"),
        type=LibraryModel.LibraryType.SUBSCRIBED,
        name="copies",
        datastore=ids.DatastoreId("datastore-30"),
        subscription=Subscription(url="https://publisher.example/cls/vcsp/lib/library/lib.json"),
        subscription_password="secret",
        **times,
    )
    session: Any = {
        "item": item.id,
        "user": "ann@vsphere.local",
        "content_version": 1,
        "secret": "secret",
        "expires": samples.NOON,
    }
    return [
        *TEMPLATES,
        CHECKED_OUT,
        Library(
            id=library,
            type=LibraryModel.LibraryType.LOCAL,
            name="images",
            datastore=ids.DatastoreId("datastore-30"),
            **times,
        ),
        LeavingLibrary(id=ids.ContentLibraryId("deleted-library"), datastore=ids.DatastoreId("datastore-30")),
        LibraryItem(
            id=ids.ContentLibraryItemId("leaving-item"),
            library=ids.ContentLibraryId("deleted-library"),
            name="old",
            **times,
        ),
        LibraryUsage(id=ids.ContentLibraryUsagesId("usage"), library=library, urn="urn:x:y", added=samples.NOON),
        item,
        template,
        UpdateSession(id=ids.ContentLibraryItemUpdateSessionId("update"), **session),
        DownloadSession(id=ids.ContentLibraryItemDownloadSessionId("download"), **session),
        CheckOut(
            id=ids.VirtualMachineId(CHECKED_OUT.id), item=template.id, user="ann@vsphere.local", time=samples.NOON
        ),
        SyncRequest(id=item.id, library=library, item=item.id, mark="1"),
        subscriber,
        LibrarySubscription(
            id=ids.ContentLibrarySubscriptionsId("subscription"),
            library=library,
            subscriber=subscriber.id,
            placement=Subscriptions.PlacementInfo(),
        ),
        ItemChange(id="change", item=template.id, version=2, time=samples.NOON, user="ann@vsphere.local"),
    ]


def _registries() -> list[Stored]:
    """A container registry with a project."""
    registry = ids.VcenterContentRegistryId("registry")
    return [
        ContainerRegistry(
            id=registry,
            cluster=ids.ClusterComputeResourceId("domain-c80"),
            created=samples.NOON,
            policy="policy",
            capacity_MiB=1024,
        ),
        RegistryProject(
            id=ids.VcenterContentRegistryHarborProjectId("project"),
            registry=registry,
            name="web",
            scope=Projects.Scope.PRIVATE,
            created=samples.NOON,
            updated=samples.NOON,
        ),
    ]


def _faults() -> list[Stored]:
    """A rule for faults."""
    rule = Faults.Rule(operation="*", error="TIMED_OUT", times=0)
    return [FaultRule(id="fault", rule=rule, order=0, mark=1, seed=1, owner="ann", created_time=samples.NOON)]


def _webhooks() -> list[Stored]:
    """A webhook that could not send an event."""
    hook = Webhook(
        id="webhook",
        name="pager",
        url="https://receiver.example/",
        secret="signs",
        owner="ann@vsphere.local",
        created_time=samples.NOON,
        begin=1,
    )
    event = Event(
        time=1,
        type="VmPoweredOnEvent",
        kind=Kinds.INVENTORY,
        deed=Deed.UPDATED,
        object=Subject("VirtualMachine", "vm-4711"),
    )
    letter = DeadLetter(
        id=letter_id(hook.id, 2), webhook=hook.id, number=2, event=event, time=samples.NOON, attempts=1, error="refused"
    )
    return [hook, Progress(id=hook.id, run=0, position=2), letter]


def _unregister(edit: Edit) -> None:
    """Leave of one machine and its snapshot only the files, with what belongs to them."""
    edit.delete(Snapshot, KEPT.id, leaving=STAY_WITH_FILES)
    edit.delete(VirtualMachine, LOST.id, leaving=STAY_WITH_FILES)
    edit.put(
        UnregisteredVm(
            id="vmx-511",
            name="lost/lost.vmx",
            parent="datastore-33",
            machine=LOST,
            snapshots=(KEPT,),
            datastores={"store-34": ids.DatastoreId("datastore-34")},
        )
    )


def _intents(replica: Replica) -> list[Intent]:
    """Work of every kind under way."""
    (files,) = replica.all(UnregisteredVm).values()
    hosts = replica.all(Host)
    under_way = effects(VM, LEAVING, SNAPSHOTS[1], files, (hosts["host-70"], hosts["host-11"]), _machine)
    return [Intent(id=f"task-{number}", effect=effect) for number, effect in enumerate(under_way, 600)]


ONE_OF_EACH: dict[type[ManagedObject], str] = {
    Folder: "group-v31",
    Datacenter: "datacenter-3",
    Cluster: "domain-c80",
    Host: "host-70",
    ResourcePool: "resgroup-91",
    Datastore: "datastore-35",
    Network: "network-31",
    VirtualMachine: "vm-500",
}
"""An object of each kind that can have tags and permissions."""


def _permissions() -> list[Stored]:
    """A role that a user has on one object of each kind."""
    role = users_role("1001", "operators", ["VirtualMachine.Interact.PowerOn"])
    holder = "somebody@vsphere.local"
    return [role, *[Permission(principal=holder, object=id, role=role.id) for id in ONE_OF_EACH.values()]]


def _tagging() -> list[Stored]:
    """Tags and a custom attribute on one object of each kind that can have some, and policies that go by other tags."""
    category = Category(id=CATEGORY, name="category", cardinality=CategoryModel.Cardinality.MULTIPLE)
    tags = [Tag(id=id, name=f"tag {n}", category=CATEGORY) for n, id in enumerate(TAGS)]
    objects: dict[str, ManagedObject] = {obj.id: obj for obj in (*_places(), *_machines())}
    attachments = [
        Attachment(id=attachment_id(TAGS[0], id), tag=TAGS[0], category=CATEGORY, type=type_of(objects[id]), object=id)
        for id in ONE_OF_EACH.values()
    ]
    noted = [CustomValue(id=value_id(id, "100"), object=id, attribute="100", value=id) for id in ONE_OF_EACH.values()]
    return [
        category,
        *tags,
        *attachments,
        CustomAttribute(id="100", name="noted"),
        *noted,
        StoragePolicy(id=POLICY, name="tagged", tags=(TAGS[1],)),
        ComputePolicy(
            id=ids.VcenterComputePolicyId("compute-0"),
            name="apart",
            capability=Capability.VM_HOST_ANTI_AFFINITY,
            vm_tag=TAGS[2],
            host_tag=TAGS[3],
        ),
    ]


def _beside_machines() -> list[Stored]:
    """What the machine, and what a snapshot of it, has beside itself; the same of one that is not registered."""
    found: list[Stored] = [
        ConsoleTicket(id="ticket", machine="vm-500", type=Tickets.Type.VMRC, expires=samples.NOON),
        GuestReboot(id="vm-500", due=samples.NOON),
        VirtualApp(id="resgroup-72"),
        GuestTransfer(
            id="transfer", machine="vm-500", token_digest="t", path="/x", boot=0, host="host-70", expires=samples.NOON
        ),
    ]
    for machine, snapshot in ("vm-500", "snapshot-502"), ("vm-510", "snapshot-512"):
        found += [
            GuestCustomization(id=machine),
            GuestContent(id=content_id(machine, "digest"), machine=machine, data=b"x"),
        ]
        for owner in (machine, snapshot):
            set_id = data_set_id(owner, "set")
            found += [
                GuestSystem(id=owner, machine=machine, nodes={}, next_pid=1),
                VappConfiguration(id=owner, machine=machine),
                DataSet(
                    id=set_id,
                    owner=owner,
                    machine=machine,
                    name="set",
                    description="",
                    host=DataSets.Access.READ_WRITE,
                    guest=DataSets.Access.NONE,
                ),
                DataSetEntry(id=entry_id(set_id, "key"), data_set=set_id, key="key", value="value"),
            ]
    return found


def _host_parts() -> list[Stored]:
    """What hosts have apart."""
    mode = DirectPathDevices.DirectPathDeviceMode.DIRECTPATH
    return [
        EntropyPool(id="host-70", available=1),
        DirectPathDevice(id=device_key("host-70", "0000:03:00.0"), host="host-70", mode=mode),
    ]
