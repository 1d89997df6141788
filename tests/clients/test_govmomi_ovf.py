"""Packages by govmomi's client, as Debian packages it: what govc and Terraform do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.go import build, needs_govmomi, said_by
from tests.ovf.packages import envelope, item
from tests.support.server import Server

SOURCE = Path(__file__).parent / "govmomi_ovf" / "main.go"
DISK = bytes(range(256)) * 20_000
DESCRIPTOR = envelope(
    item(1, 6, "ResourceSubType=VirtualSCSI")
    + item(2, 17, "AddressOnParent=0", "HostResource=ovf:/disk/d1", "Parent=1"),
    sections='<References><File ovf:id="f1" ovf:href="disk.vmdk"/></References>'
    '<DiskSection><Info/><Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="1073741824"/></DiskSection>',
)

pytestmark = needs_govmomi


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("govmomi-ovf")
    (folder / "web.ovf").write_bytes(DESCRIPTOR)
    (folder / "disk.vmdk").write_bytes(DISK)
    return folder


@pytest.fixture(scope="module")
def seen(folder: Path) -> dict[str, Any]:
    """What the program got."""
    program = build(SOURCE, folder)
    with Server(folder / "data", "--workers", "2") as server:
        with server.session() as client:
            datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
            pool = client.read("/api/vcenter/resource-pool")[0]["resource_pool"]
        return said_by(program, server, datastore, pool, folder / "web.ovf", folder / "disk.vmdk")


def test_a_package_is_deployed_once(seen: dict[str, Any]) -> None:
    assert seen["filtered"]["name"] == "vm"
    assert seen["machine"].startswith("vm-")
    assert "already exists" in seen["refused"]


def test_the_disk_comes_back(seen: dict[str, Any], folder: Path) -> None:
    sizes = {file["name"]: file["size"] for file in seen["captured"]}
    assert sizes["captured-1.vmdk"] == len(DISK)
    assert (folder / "disk.vmdk.got").read_bytes() == DISK


def test_a_template_with_the_policy_of_its_source(seen: dict[str, Any]) -> None:
    assert seen["template"]
