"""What content libraries have for machines, on a real server and in each dialect."""

from __future__ import annotations

import pytest

from resphere.contract.generated import ids
from resphere.contract.generated.content_library import Item
from resphere.contract.generated.content_library_item import Changes
from resphere.contract.generated.vcenter_iso import Image
from resphere.contract.generated.vcenter_vm import LibraryItem
from resphere.contract.generated.vcenter_vm_hardware import Cdrom
from resphere.contract.generated.vcenter_vm_template import LibraryItems
from resphere.contract.generated.vcenter_vm_template_library_items import CheckOuts, Versions
from tests.support.libraries import add_item, add_library, done, put_file
from tests.support.served import Failure
from tests.support.server import Server
from tests.support.speaking import Dialect, Speaker
from tests.support.vms import any_vm

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("dialect", Dialect)
def test_an_image(shared_server: Server, dialect: Dialect) -> None:
    with shared_server.session() as client, Speaker(shared_server, dialect) as speaker:
        vm = any_vm(client)
        machine = client.read(f"/api/vcenter/vm/{vm}")
        path = next(iter(machine["disks"].values()))["backing"]["vmdk_file"]
        stores = client.read("/api/vcenter/datastore")
        store = next(each["datastore"] for each in stores if path.startswith(f"[{each['name']}] "))
        backing = {"type": "DATASTORE", "datastore_id": store}
        library = add_library(client, f"images by {dialect}", storage_backings=[backing])
        item = add_item(client, library)
        put_file(client, shared_server, item, "tiny.iso", b"image")
        drive = speaker.ask(Image.mount, library_item=item, vm=vm)
        info = speaker.ask(Cdrom.get, vm=vm, cdrom=drive)
        assert f"contentlib-{library}/{item}/tiny_" in info.backing.iso_file
        assert not isinstance(speaker.ask(Image.unmount, vm=vm, cdrom=drive), Failure)
        for refused in (
            speaker.ask(Image.unmount, vm=vm, cdrom=drive),
            speaker.ask(Image.mount, library_item=UNKNOWN, vm=vm),
            speaker.ask(Image.mount, library_item=item, vm="vm-0"),
        ):
            assert isinstance(refused, Failure)
            assert refused.error_type == "NOT_FOUND"


@pytest.mark.parametrize("dialect", Dialect)
def test_a_template(shared_server: Server, dialect: Dialect) -> None:
    with shared_server.session() as client, Speaker(shared_server, dialect) as speaker:
        vm = any_vm(client)
        name = f"golden by {dialect.name}"
        library = add_library(client, f"templates by {dialect.name}")
        machine = client.read(f"/api/vcenter/vm/{vm}")
        disk = next(iter(machine["disks"]))
        pool = client.read("/api/vcenter/resource-pool")[0]["resource_pool"]
        create = LibraryItems.CreateSpec(
            source_vm=ids.VirtualMachineId(vm),
            name=name,
            library=ids.ContentLibraryId(library),
            # As `govc library.clone` has it, though the bindings know it of deployment only.
            vm_home_storage=LibraryItems.CreateSpecVmHomeStorage(
                storage_policy=LibraryItems.CreateSpecVmHomeStoragePolicy(
                    type=LibraryItems.CreateSpecVmHomeStoragePolicy.Type.USE_SOURCE_POLICY
                )
            ),
            disk_storage_overrides={disk: LibraryItems.CreateSpecDiskStorage()},
        )
        item = speaker.ask(LibraryItems.create, spec=create)
        assert not isinstance(item, Failure), item
        info = speaker.ask(LibraryItems.get, template_library_item=item)
        assert list(info.disks) == list(machine["disks"])
        assert list(info.nics) == list(machine["nics"])
        assert client.get(f"/api/vcenter/vm/{info.vm_template}").status_code == 404
        capacity = 2 * info.disks[ids.VcenterVmHardwareDiskId(disk)].capacity
        deploy = LibraryItems.DeploySpec(
            name=f"made by {dialect.name}",
            placement=LibraryItems.DeployPlacementSpec(resource_pool=pool),
            hardware_customization=LibraryItems.HardwareCustomizationSpec(
                disks_to_update={disk: LibraryItems.DiskUpdateSpec(capacity=capacity)}
            ),
        )
        made = speaker.ask(LibraryItems.deploy, template_library_item=item, spec=deploy)
        assert not isinstance(made, Failure), made
        assert client.read(f"/api/vcenter/vm/{made}")["disks"][disk]["capacity"] == capacity
        again = speaker.ask(LibraryItems.deploy, template_library_item=item, spec=deploy)
        assert again.error_type == "ALREADY_EXISTS"
        out = speaker.ask(CheckOuts.check_out, template_library_item=item, spec=CheckOuts.CheckOutSpec())
        assert speaker.ask(CheckOuts.list, template_library_item=item) == (CheckOuts.Summary(vm=out),)
        assert speaker.ask(LibraryItem.get, vm=out).check_out.library_item == item
        assert speaker.ask(CheckOuts.get, template_library_item=item, vm=out).user == "administrator@vsphere.local"
        refused = speaker.ask(Item.delete, library_item_id=item)
        assert refused.error_type == "NOT_ALLOWED_IN_CURRENT_STATE"
        words = CheckOuts.CheckInSpec(message="better")
        version = speaker.ask(CheckOuts.check_in, template_library_item=item, vm=out, spec=words)
        assert version == "2"
        assert [each.vm_template for each in speaker.ask(Versions.list, template_library_item=item)] == [
            out,
            info.vm_template,
        ]
        back = Versions.RollbackSpec(message="worse")
        assert speaker.ask(Versions.rollback, template_library_item=item, version="1", spec=back) == "3"
        assert speaker.ask(Versions.get, template_library_item=item, version="3").vm_template == info.vm_template
        assert not isinstance(speaker.ask(Versions.delete, template_library_item=item, version="2"), Failure)
        changes = speaker.ask(Changes.list, library_item=item)
        assert [(each.version, each.short_message) for each in changes] == [("2", "better"), ("3", "worse")]
        assert speaker.ask(Changes.get, library_item=item, version="2").message == "better"
        dropped = speaker.ask(CheckOuts.check_out, template_library_item=item, spec=CheckOuts.CheckOutSpec())
        assert not isinstance(speaker.ask(CheckOuts.delete, template_library_item=item, vm=dropped), Failure)
        assert not isinstance(speaker.ask(Item.delete, library_item_id=item), Failure)
        assert speaker.ask(Item.get, library_item_id=item).error_type == "NOT_FOUND"


def test_maps_as_each_dialect_has_them(shared_server: Server) -> None:
    with shared_server.session() as client:
        vm = any_vm(client)
        library = add_library(client, "maps")
        spec = {"source_vm": vm, "name": "maps", "library": library}
        item = done(client.post("/api/vcenter/vm-template/library-items", json=spec))
        api = client.read(f"/api/vcenter/vm-template/library-items/{item}")
        rest = client.read(f"/rest/vcenter/vm-template/library-items/{item}")["value"]
        assert isinstance(api["disks"], dict)
        assert [{"key": key, "value": value} for key, value in api["disks"].items()] == rest["disks"]
        assert [{"key": key, "value": value} for key, value in api["nics"].items()] == rest["nics"]
        placement = {"resource_pool": client.read("/api/vcenter/resource-pool")[0]["resource_pool"]}
        changes = {"disks_to_update": [{"key": next(iter(api["disks"])), "value": {"capacity": 1}}]}
        body = {"spec": {"name": "never", "placement": placement, "hardware_customization": changes}}
        reply = client.post(f"/rest/vcenter/vm-template/library-items/{item}?action=deploy", json=body)
        assert reply.status_code == 400
        assert reply.json()["value"]["messages"][0]["id"] == "resphere.vm.template.capacity"
