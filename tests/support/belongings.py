"""Something of everything that an inventory file has besides managed objects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from resphere.contract.generated import ids
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.generated.vcenter import Datastore as ApiDatastore
from resphere.contract.generated.vcenter_host_hardware import DirectPathDevices
from resphere.contract.generated.vcenter_vm import DataSets
from resphere.contract.generated.vstats import AcqSpecs, CidMid, QueryPredicate, RsrcId
from resphere.inventory.acquisitions import Acquisition
from resphere.inventory.compute_policies import Capability, ComputePolicy, Strictness
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue, value_id
from resphere.inventory.customization import CustomizationItem, GuestCustomization
from resphere.inventory.data_sets import DataSet, DataSetEntry, data_set_id, entry_id
from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.host_parts import DirectPathDevice, EntropyPool, device_key, devices_of
from resphere.inventory.model import Datastore, Host, ManagedObject, Network, Snapshot, VirtualMachine
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment, Category, Tag, attachment_id, type_of
from resphere.replica.table import Stored
from tests.support.customizations import STATIC, linux, windows

Access = DataSets.Access
MOMENT = datetime(2025, 3, 3, 6, 0, 0, 123000, UTC)


def category(number: int, name: str, cardinality: CategoryModel.Cardinality, *types: str) -> Category:
    """A category of that number."""
    id = f"urn:vmomi:InventoryServiceCategory:00000000-0000-0000-0000-{number:012}:GLOBAL"
    return Category(
        id=ids.CisTaggingCategoryId(id), name=name, description=name, cardinality=cardinality, associable_types=types
    )


def tag(number: int, name: str, of: Category) -> Tag:
    """A tag of that number."""
    id = f"urn:vmomi:InventoryServiceTag:00000000-0000-0000-0000-{number:012}:GLOBAL"
    return Tag(id=ids.CisTaggingTagId(id), name=name, category=of.id)


def attached(to: ManagedObject, tag: Tag, of: Category) -> Attachment:
    """That the object has the tag."""
    return Attachment(
        id=attachment_id(tag.id, to.id),
        tag=tag.id,
        category=of.id,
        type=type_of(to),
        object=to.id,
        exclusive=of.is_single,
    )


def valued(of: ManagedObject, attribute: str, value: str) -> CustomValue:
    """That the object has a value of the custom attribute."""
    return CustomValue(id=value_id(of.id, attribute), object=of.id, attribute=attribute, value=value)


def belongings(objects: Iterable[ManagedObject]) -> tuple[Stored, ...]:
    """Documents of every class, which belong to some of the objects: hosts, VMs, a snapshot, a port group."""
    objects = tuple(objects)
    one, two = [each for each in objects if isinstance(each, VirtualMachine) and not each.template][:2]
    host = next(each for each in objects if isinstance(each, Host))
    store = next(each for each in objects if isinstance(each, Datastore))
    network = [each for each in objects if isinstance(each, Network)][-1]
    snapshot = next(each for each in objects if isinstance(each, Snapshot))
    single = category(1, "environment", CategoryModel.Cardinality.SINGLE)
    many = category(2, "Rolle / Größe", CategoryModel.Cardinality.MULTIPLE, "HostSystem", "VirtualMachine")
    used = category(3, "null", CategoryModel.Cardinality.MULTIPLE)
    production, test = tag(1, "production", single), tag(2, "test", single)
    web, fast = tag(3, "web: 1", many), tag(4, "fast", used)
    kept = data_set_id(one.id, "com.example/ä")
    device = list(devices_of(host))[1]
    return (
        single,
        many,
        used,
        *(production, test, web, fast),
        attached(one, production, single),
        attached(two, test, single),
        attached(one, web, many),
        attached(host, web, many),
        attached(store, fast, used),
        attached(network, fast, used),
        CustomAttribute(id="101", name="Owner"),
        CustomAttribute(id="102", name="Kostenstelle / Größe", type="VirtualMachine"),
        valued(one, "101", "ops: 1"),
        valued(host, "101", "null"),
        valued(network, "101", "~"),
        valued(one, "102", "4711"),
        StoragePolicy(
            id=ids.VcenterStoragePolicyId("00000000-0000-0000-0000-000000000001"),
            name="fast storage",
            description="# none",
            datastore_types=(ApiDatastore.Type.NFS, ApiDatastore.Type.VMFS),
            tags=(fast.id,),
            lost_tags=True,
        ),
        ComputePolicy(
            id=ids.VcenterComputePolicyId("00000000-0000-0000-0000-000000000002"),
            name="apart",
            capability=Capability.VM_VM_ANTI_AFFINITY,
            vm_tag=web.id,
            selector=True,
            made_tag=True,
        ),
        ComputePolicy(
            id=ids.VcenterComputePolicyId("00000000-0000-0000-0000-000000000003"),
            name="together",
            description="with hosts",
            capability=Capability.VM_HOST_AFFINITY,
            vm_tag=web.id,
            host_tag=production.id,
            strictness=Strictness.REQUIRED,
        ),
        CustomizationItem(
            id="windows", description="", spec=windows(), fingerprint="0123456789abcdef", last_modified=MOMENT
        ),
        CustomizationItem(
            id="línux: #1",
            description="for tests",
            spec=linux(interfaces=(STATIC,), script_text="#!/bin/sh\necho 'a: b'\n"),
            fingerprint="fedcba9876543210",
            last_modified=MOMENT,
        ),
        GuestCustomization(id=one.id, spec=windows()),
        GuestCustomization(id=two.id, error="It failed.", start_time=MOMENT, end_time=MOMENT, live=True),
        GuestReboot(id=two.id, due=MOMENT),
        DataSet(
            id=kept,
            owner=one.id,
            machine=one.id,
            name="com.example/ä",
            description="for tests",
            host=Access.READ_WRITE,
            guest=Access.NONE,
            omitted=True,
            used=len(b"k~x") + len("nullä"),
        ),
        DataSetEntry(id=entry_id(kept, "k"), data_set=kept, key="k", value="null"),
        DataSetEntry(id=entry_id(kept, "~"), data_set=kept, key="~", value="x\n"),
        DataSet(
            id=data_set_id(snapshot.id, "empty"),
            owner=snapshot.id,
            machine=snapshot.parent or "",
            name="empty",
            description="",
            host=Access.READ_ONLY,
            guest=Access.READ_WRITE,
        ),
        EntropyPool(id=host.id, available=512),
        DirectPathDevice(
            id=device_key(host.id, device), host=host.id, mode=DirectPathDevices.DirectPathDeviceMode.DIRECTPATH
        ),
        Acquisition(
            id=ids.VstatsModelAcqSpecId("00000000-0000-0000-0000-000000000004"),
            counters=AcqSpecs.CounterSpec(cid_mid=CidMid(cid=ids.VstatsModelCounterId("cpu.capacity.usage.VM"))),
            resources=(
                RsrcId(type="VM", id_value="", predicate=QueryPredicate.ALL, scheme="moid"),
                RsrcId(type="VM", id_value="vm-999999", predicate=QueryPredicate.EQUAL, scheme="moid"),
            ),
            interval=300,
            created=1_740_000_000,
            expiration=1_750_000_000,
            memo="'",
        ),
    )
