"""What content libraries have for machines, on a real server and in each dialect."""

from __future__ import annotations

import pytest

from resphere.contract.generated.vcenter_iso import Image
from resphere.contract.generated.vcenter_vm_hardware import Cdrom
from tests.support.libraries import add_item, add_library, put_file
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
