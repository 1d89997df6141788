"""Disks of machines that came from files: through real servers that are killed and restored, held against qemu-img."""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.ovf.packages import envelope, item
from tests.support.cli import resphere
from tests.support.libraries import SESSIONS, add_item, add_library, announce, begin, complete, done, fetch, kept
from tests.support.server import WITHOUT_TLS, Client, Server, wait_until

MIB = 1 << 20
CAPACITY = 8 * MIB
EMPTY = 64 * MIB
pytestmark = pytest.mark.skipif(
    shutil.which("qemu-img") is None, reason="qemu-img is not installed (Debian: qemu-utils)"
)


def qemu_img(*arguments: str | Path) -> str:
    """What ``qemu-img`` says."""
    done = subprocess.run(["qemu-img", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with a boot sector, something here and there, and much that is empty."""
    path = tmp_path_factory.mktemp("disk") / "disk.raw"
    content = bytearray(CAPACITY)
    content[0:512] = b"\xeb\x3c\x90resphere".ljust(510, b"\0") + b"\x55\xaa"
    drawn = random.Random(7)
    for at in (MIB, 3 * MIB + 512, CAPACITY - 65536):
        content[at : at + 65536] = drawn.randbytes(65536)
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def vmdk(raw: Path) -> Path:
    path = raw.with_suffix(".vmdk")
    qemu_img("convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, path)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data", "--workers", "2", WITHOUT_TLS) as server:
        yield server


def descriptor() -> bytes:
    """A disk with a content, and one without."""
    return envelope(
        item(1, 6, "ResourceSubType=lsilogic")
        + item(2, 17, "AddressOnParent=0", "HostResource=ovf:/disk/d1", "Parent=1")
        + item(3, 17, "AddressOnParent=1", "HostResource=ovf:/disk/d2", "Parent=1"),
        sections='<References><File ovf:id="f1" ovf:href="disk.vmdk"/></References><DiskSection><Info/>'
        f'<Disk ovf:diskId="d1" ovf:fileRef="f1" ovf:capacity="{CAPACITY}"/>'
        f'<Disk ovf:diskId="d2" ovf:capacity="{EMPTY}"/></DiskSection>',
    )


def import_package(client: Client, server: Server, library: str, vmdk: Path) -> str:
    """An item with the disk."""
    package = add_item(client, library, "package", "ovf")
    session = begin(client, package)
    for name, data in (("web.ovf", descriptor()), ("disk.vmdk", vmdk.read_bytes())):
        sent = client.http.put(announce(client, session, name), data=data, timeout=60)
        assert sent.status_code == 200, sent.text
    complete(client, session)
    done(client.delete(f"{SESSIONS}/{session}"))
    return package


def deploy(client: Client, package: str, name: str) -> str:
    pool = client.read("/api/vcenter/resource-pool")[0]["resource_pool"]
    spec = {"target": {"resource_pool_id": pool}, "deployment_spec": {"name": name}}
    result = done(client.post(f"/api/vcenter/ovf/library-item/{package}?action=deploy", json=spec))
    assert result["succeeded"], result
    made: str = result["resource_id"]["id"]
    return made


def capture(client: Client, library: str, vm: str, name: str) -> str:
    spec: dict[str, Any] = {
        "source": {"type": "VirtualMachine", "id": vm},
        "target": {"library_id": library},
        "create_spec": {"name": name},
    }
    result = done(client.post("/api/vcenter/ovf/library-item", json=spec))
    assert result["succeeded"], result
    made: str = result["ovf_library_item_id"]
    return made


def require_same(client: Client, server: Server, captured: str, vmdk: Path, raw: Path, folder: Path) -> None:
    """Require the files of a captured item to be the disk, and an empty one."""
    name = client.read(f"/api/content/library/item/{captured}")["name"]
    full = folder / "full.vmdk"
    full.write_bytes(fetch(client, server, captured, f"{name}-1.vmdk"))
    assert full.read_bytes() == vmdk.read_bytes()
    assert "identical" in qemu_img("compare", "-f", "vmdk", "-F", "raw", full, raw)
    empty, nothing = folder / "empty.vmdk", folder / "nothing.raw"
    empty.write_bytes(fetch(client, server, captured, f"{name}-2.vmdk"))
    qemu_img("create", "-f", "raw", nothing, str(EMPTY))
    assert "identical" in qemu_img("compare", "-f", "vmdk", "-F", "raw", empty, nothing)


def test_what_is_deployed_is_captured_bit_for_bit(server: Server, vmdk: Path, raw: Path, tmp_path: Path) -> None:
    with server.session() as client:
        library = add_library(client)
        free = client.read("/api/vcenter/datastore")[0]["free_space"]
        package = import_package(client, server, library, vmdk)
        before = kept(server)
        vm = deploy(client, package, "web")
        assert kept(server) == before
        server.kill()
    with server, server.session() as client:
        done(client.delete(f"/api/content/library/item/{package}"))
        wait_until(lambda: list(kept(server).values()) == [vmdk.stat().st_size], "the item's files to go")
        captured = capture(client, library, vm, "gold")
        assert sorted(kept(server).values())[-1] == vmdk.stat().st_size
        require_same(client, server, captured, vmdk, raw, tmp_path)
        again = deploy(client, captured, "again")
        done(client.delete(f"/api/content/library/item/{captured}"))
        done(client.delete(f"/api/vcenter/vm/{vm}"))
        server.kill()
    with server, server.session() as client:
        wait_until(lambda: vmdk.stat().st_size in kept(server).values(), "the disk")
        done(client.delete(f"/api/vcenter/vm/{again}"))
        # What sessions that are over have read goes with them.
        for session in client.read("/api/content/library/item/download-session"):
            done(client.delete(f"/api/content/library/item/download-session/{session}"))
        wait_until(lambda: not kept(server), "all files to go")
        assert client.read("/api/vcenter/datastore")[0]["free_space"] == free


def test_a_server_is_killed_while_it_deploys(vmdk: Path, raw: Path, tmp_path: Path) -> None:
    """The item goes meanwhile, so that nothing but the work under way has the bytes."""
    durations = tmp_path / "durations.yaml"
    durations.write_text("create_vm: 3.0\n")
    with Server(tmp_path / "data", "--durations", str(durations), WITHOUT_TLS) as server:
        with server.session() as client:
            library = add_library(client)
            package = import_package(client, server, library, vmdk)
            sender = threading.Thread(target=deploy_or_lose, args=(server, package))
            sender.start()
            wait_until(lambda: running(client), "the deployment to begin")
            done(client.delete(f"/api/content/library/item/{package}"))
            server.kill()
            sender.join()
        with server, server.session() as client:
            wait_until(lambda: not running(client), "the work to be taken over")
            made = [each["vm"] for each in client.read("/api/vcenter/vm?names=web")]
            if made:
                require_same(client, server, capture(client, library, made[0], "gold"), vmdk, raw, tmp_path)
            else:
                wait_until(lambda: not kept(server), "the bytes to go")


def running(client: Client) -> dict[str, Any]:
    """The tasks that are under way."""
    wanted = {"filter_spec": {"status": ["RUNNING"]}}
    tasks: dict[str, Any] = done(client.post("/api/cis/tasks?action=list", json=wanted))
    return tasks


def deploy_or_lose(server: Server, package: str) -> None:
    """Deploy at a server that dies."""
    with suppress(requests.exceptions.RequestException), server.session() as client:
        deploy(client, package, "web")


def test_a_backup_has_what_disks_hold(server: Server, vmdk: Path, raw: Path, tmp_path: Path) -> None:
    archive, data_dir = tmp_path / "backup.tar", tmp_path / "restored"
    with server.session() as client:
        library = add_library(client)
        package = import_package(client, server, library, vmdk)
        vm = deploy(client, package, "web")
        done(client.delete(f"/api/content/library/item/{package}"))
        for command, folder in (("backup", server.data_dir), ("restore", data_dir)):
            made = resphere(command, str(archive), "--data-dir", str(folder))
            assert (made.returncode, made.stderr) == (0, "")
        # A file with the inventory has it not, and says so.
        exported = resphere("inventory", "export", "--data-dir", str(server.data_dir))
        told = "what disks hold"
        assert f"left out: {told} (1): bytes, which a backup has" in exported.stderr
        assert f"# - {told}: bytes, which a backup has" in exported.stdout
        assert "disk_contents" not in exported.stdout
    with Server(data_dir, WITHOUT_TLS) as restored, restored.session() as client:
        assert list(kept(restored).values()) == [vmdk.stat().st_size]
        require_same(client, restored, capture(client, library, vm, "gold"), vmdk, raw, tmp_path)
