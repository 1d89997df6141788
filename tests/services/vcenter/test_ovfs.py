"""Packages deployed from where they are on the web."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import ADMIN, READ_ONLY, Role
from resphere.contract.errors import InvalidArgument, NotFound, VapiError
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.cis import Tasks as Api
from resphere.contract.generated.vcenter import VM, Ovfs
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk
from resphere.fetching.allowed import read_rules
from resphere.fetching.fetcher import Bounds, Fetcher
from resphere.inventory.effects import Intent
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datastore,
    DatastoreFile,
    Folder,
    Host,
    Network,
    VirtualMachine,
)
from resphere.inventory.vapp import VappConfiguration
from resphere.libraries import web_packages
from resphere.libraries.receiving import TELLING
from resphere.libraries.web_packages import WebPackages
from resphere.rules.space import free_space, used_in
from resphere.server.exports.file import file_parts, parse_file
from resphere.server.exports.tables import EXPORTED
from resphere.tasks.record import Task
from resphere.tasks.runner import Tasks
from tests.ovf.packages import envelope, item
from tests.services.content.libraries import kept
from tests.support.guests import ending
from tests.support.invariants import require_sound
from tests.support.packages import archive, issued, manifest, signed
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served
from tests.support.sources import Gate, Serving, Site, answers, certificate_files, secured, sends
from tests.support.world import NOW, World
from tests.tasks.test_change import Outside, worker
from tests.tasks.test_taking_over import leave

DISK = b"the bytes of a disk, whatever they are" * 100
FLAT = Ovfs.DiskProvisioningType.MONOLITHIC_FLAT
KEY = ids.VcenterVmHardwareDiskId("2000")
PRODUCT = (
    '<ProductSection ovf:class="net"><Info/><Property ovf:key="ip" ovf:type="string" ovf:userConfigurable="true"'
    ' ovf:value="10.0.0.1"/><Property ovf:key="size" ovf:type="uint8" ovf:userConfigurable="true" ovf:value="1"/>'
    "</ProductSection>"
)


def descriptor(*files: str, product: str = PRODUCT, capacity: int = 1 << 20) -> bytes:
    """A machine with a disk of each file: attributes of XML, which have at least the name."""
    references = "".join(f'<File ovf:id="f{at}" {file}/>' for at, file in enumerate(files))
    disks = "".join(
        f'<Disk ovf:diskId="d{at}" ovf:fileRef="f{at}" ovf:capacity="{capacity}"/>' for at in range(len(files))
    )
    drives = "".join(
        item(2 + at, 17, f"AddressOnParent={at}", f"HostResource=ovf:/disk/d{at}", "Parent=1")
        for at in range(len(files))
    )
    return envelope(
        item(1, 6, "ResourceSubType=lsilogic") + drives + item(90, 10, "Connection=inside", "ResourceSubType=VmxNet3"),
        sections=f"<References>{references}</References><DiskSection><Info/>{disks}</DiskSection>"
        '<NetworkSection><Info/><Network ovf:name="inside"/></NetworkSection>'
        '<DeploymentOptionSection><Info/><Configuration ovf:id="small"><Label/><Description/></Configuration>'
        "</DeploymentOptionSection>",
        of_machine=product,
    )


ONE_DISK = descriptor('ovf:href="a.vmdk"')
PACKAGE = {"a.ovf": ONE_DISK, "a.vmdk": DISK}


def at(files: Mapping[str, bytes | Serving]) -> dict[str, bytes | Serving]:
    """The files in a folder of a site."""
    return {f"/p/{name}": content for name, content in files.items()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def spec(world: World, url: str, **fields: Any) -> Ovfs.DeploySpec:
    """What deploys to the first cluster."""
    cluster = next(iter(world.inventory.all(Cluster).values()))
    host = next(iter(world.inventory.by(Host, "parent", cluster.id).values()))
    return Ovfs.DeploySpec(
        **{
            "url": url,
            "name": "web",
            "resource_pool": ids.ResourcePoolId(cluster.resource_pool),
            "vm_home_datastore": Ovfs.DatastoreInfo(datastore=min(host.datastores)),
            **fields,
        }
    )


def begin(world: World, url: str, **fields: Any) -> ids.CisTASKId:
    return world.call(Ovfs.deploy_task, spec(world, url, **fields))


def run(world: World, url: str, **fields: Any) -> Task:
    """The task at its end."""
    return world.run(ending(world, begin(world, url, **fields)))


def deploy(world: World, url: str, **fields: Any) -> VirtualMachine:
    """The VM that was made."""
    task = run(world, url, **fields)
    assert task.error is None, task.error
    assert task.result["result_type"] == "VirtualMachine"
    return world.inventory.all(VirtualMachine)[task.result["created_entity"]]


def why_not(world: World, url: str, **fields: Any) -> tuple[str, str]:
    """How a deployment failed in its task, of which nothing is left."""
    machines = set(world.inventory.all(VirtualMachine))
    bytes_before = kept(world)
    task = run(world, url, **fields)
    assert task.error is not None
    assert set(world.inventory.all(VirtualMachine)) == machines
    assert not world.inventory.all(Intent)
    assert kept(world) == bytes_before
    return task.error.error_type, task.error.messages[0].id


def disk_bytes(world: World, vm: VirtualMachine) -> list[bytes]:
    """What its disks hold."""
    parts = [part.content for content in vm.disk_contents.values() for part in content.parts]
    return [world.run(world.library_contents.read(each)) for each in parts]


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_a_machine_with_its_disks(world: World, form: str) -> None:
    inventory = world.inventory
    files: dict[str, bytes] = {**PACKAGE, "a.mf": manifest(PACKAGE)}
    served = at(files) if form == "folder" else {"/p/a.ovf": archive({**files, "more.txt": b"not asked for"})}
    cluster = next(iter(inventory.all(Cluster).values()))
    host = list(inventory.by(Host, "parent", cluster.id).values())[-1]
    network = inventory.all(Network)[host.networks[0]]
    kind = next(name for name, type in NETWORK_TYPES.items() if type is network.type)
    with Site(served) as site:
        vm = deploy(
            world,
            site.url("/p/a.ovf"),
            host_system=ids.HostSystemId(host.id),
            network_mapping={"inside": Ovfs.NetworkInfo(net_type=kind, network=network.id)},
            custom_properties={"ip": "10.0.0.9"},
            deployment_option="small",
            disk_provisioning=Ovfs.DiskProvisioningType.THIN,
            folder=ids.FolderId(""),
        )
    assert (vm.name, vm.host, vm.power_state) == ("web", host.id, Power.State.POWERED_OFF)
    assert disk_bytes(world, vm) == [DISK]
    assert vm.disks[KEY].capacity == 1 << 20
    [nic] = vm.nics.values()
    assert nic.backing.network == network.id
    assert inventory.all(VappConfiguration)[vm.id].values == {"net.ip": "10.0.0.9", "net.size": "1"}
    assert len(kept(world)) == 1


NETWORK_TYPES = {
    "Network": vcenter.Network.Type.STANDARD_PORTGROUP,
    "DistributedVirtualPortgroup": vcenter.Network.Type.DISTRIBUTED_PORTGROUP,
}


def test_the_same_bytes_are_kept_once(world: World) -> None:
    with Site(at(PACKAGE)) as site:
        one = deploy(world, site.url("/p/a.ovf"))
        two = deploy(world, site.url("/p/a.ovf"), name="other")
    assert one.disk_contents == two.disk_contents
    assert len(kept(world)) == 1


def test_it_runs_where_that_is_asked_for(world: World) -> None:
    with Site(at(PACKAGE)) as site:
        vm = deploy(world, site.url("/p/a.ovf"), power_on=True)
    assert vm.power_state is Power.State.POWERED_ON
    assert [nic.state for nic in vm.nics.values()] == ["CONNECTED"]


def test_the_result_of_the_task(world: World) -> None:
    with Site(at(PACKAGE)) as site:
        task = begin(world, site.url("/p/a.ovf"))
        world.run(ending(world, task))
    info = world.call(Api.get, ids.CisTaskId(task), None)
    assert (info.service, info.operation) == ("com.vmware.vcenter.ovfs", "deploy$task")
    assert info.target is not None
    assert info.target.type == "ResourcePool"
    assert info.result is not None
    [vm] = [each for each in world.inventory.all(VirtualMachine).values() if each.name == "web"]
    assert (info.result.result_type, info.result.created_entity) == ("VirtualMachine", vm.id)


def test_files_in_pieces_and_in_other_places(world: World) -> None:
    text = descriptor('ovf:href="a.vmdk" ovf:chunkSize="10" ovf:size="25"', 'ovf:href="b.vmdk" ovf:chunkSize="10"')
    pieces = {"a.vmdk.000000000": b"1" * 10, "a.vmdk.000000001": b"2" * 10, "a.vmdk.000000002": b"3" * 5}
    more = {"b.vmdk.000000000": b"4" * 10, "b.vmdk.000000001": b"5"}
    with Site(at({"a.ovf": text, **pieces, **more})) as site:
        vm = deploy(world, site.url("/p/a.ovf"))
        assert disk_bytes(world, vm) == [*pieces.values(), *more.values()]
    with Site({"/deep/er.vmdk": DISK}) as elsewhere:
        text = descriptor(f'ovf:href="{elsewhere.url("/deep/er.vmdk")}"', 'ovf:href="../q/b%20b.vmdk"')
        with Site({"/p/a?token=x": text, "/q/b%20b.vmdk": b"second"}) as site:
            vm = deploy(world, site.url("/p/a?token=x"), name="other")
            assert ("GET", "/p/a.mf") in site.asked
    assert disk_bytes(world, vm) == [DISK, b"second"]


def test_headers_are_told_to_the_host_of_the_address_alone(world: World) -> None:
    heard: dict[str, list[tuple[str, str | None]]] = {"here": [], "there": []}

    def listens(who: str, content: bytes) -> Serving:
        def serve(request: BaseHTTPRequestHandler) -> None:
            heard[who].append((request.path, request.headers.get("Authorization")))
            sends(content)(request)

        return serve

    with Site({"/b.vmdk": listens("there", b"b")}) as there:
        text = descriptor('ovf:href="a.vmdk"', f'ovf:href="{there.url("/b.vmdk")}"')
        with Site(at({"a.ovf": listens("here", text), "a.vmdk": listens("here", DISK)})) as site:
            deploy(world, site.url("/p/a.ovf"), custom_http_headers={"Authorization": "Bearer secret"})
    assert heard["here"] == [("/p/a.ovf", "Bearer secret"), ("/p/a.vmdk", "Bearer secret")]
    assert heard["there"] == [("/b.vmdk", None)]


def test_manifests_and_certificates(world: World) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    said = manifest(PACKAGE, "SHA512")
    cert = signed(key, issued("me", key, "me", key), manifest=said)
    wrong = manifest({**PACKAGE, "a.vmdk": b"other bytes"})
    unsigned = ("ERROR", "resphere.ovf.unsigned")
    with Site(
        {
            **{f"/good{path[2:]}": content for path, content in at({**PACKAGE, "a.mf": said, "a.cert": cert}).items()},
            **{f"/bad{path[2:]}": content for path, content in at({**PACKAGE, "a.mf": wrong}).items()},
            **{f"/forged{path[2:]}": each for path, each in at({**PACKAGE, "a.mf": wrong, "a.cert": cert}).items()},
            "/good.ova": archive({**PACKAGE, "a.mf": said, "a.cert": cert}),
            "/bad.ova": archive({**PACKAGE, "a.mf": wrong}),
            **at(PACKAGE),
        }
    ) as site:
        for number, path in enumerate(("/good/a.ovf", "/good.ova")):
            deploy(world, site.url(path), signature_required=True, name=f"signed {number}")
        deploy(world, site.url("/bad/a.ovf"), skip_manifest_check=True, name="unchecked")
        for path in ("/bad/a.ovf", "/bad.ova"):
            assert why_not(world, site.url(path)) == ("ERROR", "resphere.ovf.manifest_mismatch")
            assert why_not(world, site.url(path), signature_required=True) == unsigned
        assert why_not(world, site.url("/p/a.ovf"), signature_required=True) == unsigned
        assert why_not(world, site.url("/forged/a.ovf")) == ("ERROR", "resphere.ovf.placed")
        forged = {"skip_manifest_check": True, "signature_required": True}
        assert why_not(world, site.url("/forged/a.ovf"), **forged) == ("ERROR", "resphere.ovf.placed")


def test_what_is_refused_at_once(world: World) -> None:
    inventory, url = world.inventory, "http://127.0.0.1:1/a.ovf"
    cluster = next(iter(inventory.all(Cluster).values()))
    hosts = [each for each in inventory.all(Folder).values() if each.type is vcenter.Folder.Type.HOST]
    network = next(iter(inventory.all(Network).values()))
    taken = next(iter(inventory.all(VirtualMachine).values()))
    wrong_type = {"n": Ovfs.NetworkInfo(net_type="OpaqueNetwork", network=network.id)}
    refused: list[tuple[dict[str, Any], type[VapiError], str | None]] = [
        ({"url": "ftp://127.0.0.1/a.ovf"}, InvalidArgument, "resphere.fetching.address"),
        ({"url": "ds:///vmfs/volumes/1/a.ovf"}, InvalidArgument, "resphere.fetching.address"),
        ({"url": "https://10.0.0.9/a.ovf"}, InvalidArgument, "resphere.fetching.not_allowed"),
        ({"source_certificate": "none"}, InvalidArgument, "resphere.fetching.certificate"),
        ({"custom_http_headers": {"Host": "other"}}, InvalidArgument, "resphere.fetching.headers"),
        ({"custom_http_headers": {"a b": "c"}}, InvalidArgument, "resphere.fetching.headers"),
        ({"custom_http_headers": {"a": "c\r\nb: d"}}, InvalidArgument, "resphere.fetching.headers"),
        ({"custom_http_headers": {"a": "1", "A": "2"}}, InvalidArgument, "resphere.fetching.headers"),
        ({"custom_http_headers": {"a": "1" * 20_000}}, InvalidArgument, "resphere.fetching.headers"),
        ({"name": ""}, InvalidArgument, "resphere.inventory.name"),
        ({"resource_pool": None}, InvalidArgument, "resphere.ovf.no_pool"),
        ({"folder": ids.FolderId(hosts[0].id)}, InvalidArgument, "resphere.vm.placement.folder_type"),
        (
            {"disk_provisioning": Ovfs.DiskProvisioningType.MONOLITHIC_FLAT},
            InvalidArgument,
            "resphere.ovf.provisioning",
        ),
        ({"network_mapping": wrong_type}, InvalidArgument, "resphere.ovf.network_type"),
        ({"resource_pool": ids.ResourcePoolId("resgroup-999")}, NotFound, None),
        ({"host_system": ids.HostSystemId("host-999")}, NotFound, None),
        ({"folder": ids.FolderId("group-v999")}, NotFound, None),
        ({"vm_home_datastore": Ovfs.DatastoreInfo(datastore=ids.DatastoreId("datastore-999"))}, NotFound, None),
        ({"network_mapping": {"n": Ovfs.NetworkInfo(net_type="Network", network="network-9")}}, NotFound, None),
        ({"name": taken.name, "folder": taken.parent}, VapiError, "com.vmware.vdcs.util.duplicate_name"),
    ]
    for fields, kind, id in refused:
        with pytest.raises(kind) as caught:
            begin(world, **{"url": url, **fields})
        assert type(caught.value) is kind
        assert id is None or caught.value.messages[0].id == id, fields
    for host in inventory.by(Host, "parent", cluster.id).values():
        world.change(host, connection_state=vcenter.Host.ConnectionState.DISCONNECTED)
    with pytest.raises(VapiError) as caught:
        begin(world, url)
    assert type(caught.value) is VapiError


def test_what_is_refused_in_the_task(world: World) -> None:
    disk_first = archive({"a.vmdk": DISK, "a.ovf": ONE_DISK})
    small = descriptor('ovf:href="a.vmdk" ovf:chunkSize="10" ovf:size="25"')
    huge = descriptor('ovf:href="a.vmdk"', capacity=1 << 58)
    with Site(
        {
            "/none.ovf": answers(403),
            "/away.ovf": answers(302, Location="https://10.0.0.9/a.ovf"),
            "/cut.ovf": b"<Envelope",
            "/cut.ova": archive(PACKAGE)[:3000],
            "/first.ova": disk_first,
            "/lacking.ova": archive({"a.ovf": small, "a.vmdk.000000000": b"1" * 10}),
            "/lacking.ovf": small,
            "/big.ovf": b"<" + bytes(20 << 20),
            "/huge.ovf": huge,
            "/text.ovf": b"nothing of the sort",
            "/empty.ovf": b"",
            **at(PACKAGE),
        }
    ) as site:
        for path, expected in {
            "/none.ovf": ("ERROR", "resphere.fetching.status"),
            "/away.ovf": ("INVALID_ARGUMENT", "resphere.fetching.not_allowed"),
            "/cut.ovf": ("ERROR", "resphere.ovf.placed"),
            "/cut.ova": ("ERROR", "resphere.ovf.archive"),
            "/first.ova": ("ERROR", "resphere.ovf.archive"),
            "/lacking.ova": ("ERROR", "resphere.ovf.placed"),
            "/lacking.ovf": ("ERROR", "resphere.content.not_transferred"),
            "/big.ovf": ("ERROR", "resphere.ovf.file"),
            "/text.ovf": ("ERROR", "resphere.ovf.archive"),
            "/empty.ovf": ("ERROR", "resphere.ovf.archive"),
        }.items():
            assert why_not(world, site.url(path)) == expected, path
        assert why_not(world, site.url("/huge.ovf"))[0] == "ERROR"
        for fields, id in (
            ({"deployment_option": "large"}, "resphere.ovf.no_option"),
            ({"custom_properties": {"size": "300"}}, None),
        ):
            error, found = why_not(world, site.url("/p/a.ovf"), **fields)
            assert error == "INVALID_ARGUMENT"
            assert id is None or found == id
    assert why_not(world, "http://127.0.0.1:1/a.ovf") == ("ERROR", "resphere.fetching.unreachable")


def test_certificates_of_sources(world: World, tmp_path: Path) -> None:
    files = certificate_files(tmp_path / "tls")
    pem = files.certificate.read_text()
    with Site(at(PACKAGE), secured(files)) as site:
        url = site.url("/p/a.ovf")
        task = run(world, url)
        assert task.error is not None
        assert task.error.error_type == "UNVERIFIED_PEER"
        assert task.error.data is not None
        der = pem.split("-----END")[0] + "-----END CERTIFICATE-----\n"
        assert task.error.data["ssl_certificate"] == der
        assert len(bytes.fromhex(task.error.data["ssl_thumbprint"].replace(":", ""))) == hashlib.sha256().digest_size
        assert disk_bytes(world, deploy(world, url, source_certificate=task.error.data["ssl_certificate"])) == [DISK]


def test_what_is_taken_and_who_is_refused_while_it_comes(world: World) -> None:
    gate = Gate(DISK)
    store = spec(world, "http://a").vm_home_datastore.datastore
    with Site(at({**PACKAGE, "a.vmdk": gate})) as site:
        first = begin(world, site.url("/p/a.ovf"))
        world.run(asyncio.to_thread(gate.begun.wait, 60))
        [intent] = world.inventory.all(Intent).values()
        assert intent.id == first
        assert intent.room == {store: 1 << 20}
        with pytest.raises(VapiError, match="already exists") as caught:
            begin(world, site.url("/p/a.ovf"))
        assert type(caught.value) is VapiError
        gate.open()
        assert world.run(ending(world, first)).error is None
    assert [vm.name for vm in world.inventory.all(VirtualMachine).values()].count("web") == 1


@pytest.mark.parametrize("form", ["a.ovf", "a.ova", "a.vmdk"])
def test_canceled_in_the_middle(world: World, form: str) -> None:
    """While the descriptor comes, an archive, or a disk."""
    whole = {**PACKAGE, "a.ova": archive({**PACKAGE, "b": bytes(1 << 20)})}
    gate = Gate(whole[form])
    with Site(at({**whole, form: gate})) as site:
        task = begin(world, site.url("/p/a.ova" if form == "a.ova" else "/p/a.ovf"))
        world.run(asyncio.to_thread(gate.begun.wait, 60))
        world.call(Api.cancel, ids.CisTaskId(task))
        ended = world.run(ending(world, task))
        gate.open()
    assert ended.error is not None
    assert ended.error.error_type == "CANCELED"
    assert not world.inventory.all(Intent)
    assert kept(world) == []
    assert "web" not in [vm.name for vm in world.inventory.all(VirtualMachine).values()]


def test_a_source_that_hangs(world: World) -> None:
    bounds = Bounds(idle_seconds=0.2, head_seconds=0.2)
    fetcher = Fetcher(read_rules(("127.0.0.1",)), bounds=bounds)
    world.environment = msgspec.structs.replace(
        world.environment, web_packages=WebPackages(fetcher, world.environment.library_files, 1 << 30)
    )
    gate = Gate(DISK)
    with Site(at({**PACKAGE, "a.vmdk": gate})) as site:
        assert why_not(world, site.url("/p/a.ovf")) == ("ERROR", "resphere.content.not_transferred")
        gate.open()


async def waiting(world: World) -> None:
    """Until somebody waits for a turn."""
    while not world.environment.web_packages.waiting:  # noqa: ASYNC110 - nobody tells of that
        await asyncio.sleep(0)


def test_some_come_at_a_time_and_others_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_packages, "MOST_OF_A_USER", 1)
    monkeypatch.setattr(web_packages, "MOST_WAITING", 1)
    gate = Gate(DISK)
    with Site(at({**PACKAGE, "a.vmdk": gate})) as site:
        first = begin(world, site.url("/p/a.ovf"))
        world.run(asyncio.to_thread(gate.begun.wait, 60))
        second = begin(world, site.url("/p/a.ovf"), name="second")
        world.run(waiting(world))
        refused = run(world, site.url("/p/a.ovf"), name="third").error
        assert refused is not None
        assert refused.messages[0].id == "resphere.ovf.too_many"
        gate.open()
        for task in (first, second):
            assert world.run(ending(world, task)).error is None


def test_a_vapp(world: World) -> None:
    machine = ONE_DISK[ONE_DISK.index(b"<VirtualSystem ") : ONE_DISK.index(b"</Envelope>")]
    twin = machine.replace(b'ovf:id="vm"', b'ovf:id="twin"')
    around = b'<VirtualSystemCollection ovf:id="all"><Info/>' + machine + twin + b"</VirtualSystemCollection>"
    vapp = ONE_DISK.replace(machine, around)
    with Site(at({"a.ovf": vapp, "a.vmdk": DISK})) as site:
        assert why_not(world, site.url("/p/a.ovf"), power_on=True) == ("INVALID_ARGUMENT", "resphere.ovf.vapp_power")
        task = run(world, site.url("/p/a.ovf"))
        assert why_not(world, site.url("/p/a.ovf"), name="none", vm_home_datastore=full(world))[0] == "ERROR"
    assert task.error is None
    assert task.result["result_type"] == "VirtualApp"
    vms = world.inventory.by(VirtualMachine, "resource_pool", task.result["created_entity"]).values()
    assert [(vm.name, disk_bytes(world, vm)) for vm in vms] == [("vm", [DISK]), ("twin", [DISK])]
    assert len(kept(world)) == 1


IMAGE = b"an image of a disc" * 1000
DRIVES = item(80, 5) + item(81, 15, "AddressOnParent=0", "HostResource=ovf:/file/iso", "Parent=80")
WITH_IMAGE = {
    "a.ovf": ONE_DISK.replace(
        b"<References>", b'<References><File ovf:id="iso" ovf:href="tools.iso" ovf:size="%d"/>' % len(IMAGE)
    ).replace(b"</VirtualHardwareSection>", DRIVES.encode() + b"</VirtualHardwareSection>"),
    "a.vmdk": DISK,
    "tools.iso": IMAGE,
}


def images(world: World) -> dict[str, bytes]:
    """The images on datastores, with what they hold."""
    return {
        file.name: world.run(world.library_contents.read(file.content.parts[0].content))
        for file in world.inventory.all(DatastoreFile).values()
        if file.content is not None and file.name.endswith(".iso")
    }


def used_on(world: World) -> int:
    store = spec(world, "http://a").vm_home_datastore.datastore
    return used_in(world.inventory)[store]


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_an_image_lies_beside_its_machine(world: World, form: str) -> None:
    files = {**WITH_IMAGE, "a.mf": manifest(WITH_IMAGE)}
    served = at(files) if form == "folder" else {"/p/a.ovf": archive(files)}
    before = used_on(world)
    with Site(served) as site:
        vm = deploy(world, site.url("/p/a.ovf"), power_on=True)
        other = deploy(world, site.url("/p/a.ovf"), name="other")
    [drive] = vm.cdroms.values()
    store = world.inventory.all(Datastore)[vm.datastore]
    assert drive.backing == Cdrom.BackingInfo(
        type=Cdrom.BackingType.ISO_FILE, iso_file=f"[{store.name}] web/_deviceImage-0.iso"
    )
    assert (drive.start_connected, drive.state) == (True, "CONNECTED")
    assert images(world) == {"web/_deviceImage-0.iso": IMAGE, "other/_deviceImage-0.iso": IMAGE}
    assert disk_bytes(world, vm) == [DISK]
    # The same bytes once, whatever room they take.
    assert len(kept(world)) == 2
    assert used_on(world) == before + 2 * ((1 << 20) + len(IMAGE))
    require_sound(world.inventory)
    stored = [each for cls in EXPORTED for each in world.inventory.all(cls).values()]
    read = parse_file("".join(file_parts(stored)), "file")
    assert [(each.name, each.capacity, each.content) for each in read if isinstance(each, DatastoreFile)] == [
        (f"{name}/_deviceImage-0.iso", len(IMAGE), None) for name in ("web", "other")
    ]
    world.change(vm, power_state=Power.State.POWERED_OFF)
    world.call(VM.delete, ids.VirtualMachineId(vm.id))
    assert images(world) == {"other/_deviceImage-0.iso": IMAGE}
    world.call(VM.delete, ids.VirtualMachineId(other.id))
    assert images(world) == {}
    assert kept(world) == []
    assert used_on(world) == before


def test_an_image_stays_as_long_as_a_drive_has_it(world: World) -> None:
    with Site(at(WITH_IMAGE)) as site:
        vm = deploy(world, site.url("/p/a.ovf"))
    clone = world.call(VM.clone, VM.CloneSpec(source=ids.VirtualMachineId(vm.id), name="clone"))
    world.call(VM.delete, ids.VirtualMachineId(vm.id))
    assert set(images(world)) == {"web/_deviceImage-0.iso"}
    [drive] = world.inventory.all(VirtualMachine)[clone].cdroms.values()
    assert (drive.backing.iso_file or "").endswith(" web/_deviceImage-0.iso")
    disk = Disk.CreateSpec(backing=Disk.BackingSpec(type=Disk.BackingType.VMDK_FILE, vmdk_file=drive.backing.iso_file))
    with pytest.raises(NotFound, match="no VMDK file"):
        world.call(Disk.create, clone, disk)
    world.call(VM.delete, clone)
    assert images(world) == {}


def test_an_image_stays_with_files_that_are_not_registered(world: World) -> None:
    with Site(at(WITH_IMAGE)) as site:
        vm = deploy(world, site.url("/p/a.ovf"))
    clone = world.call(VM.clone, VM.CloneSpec(source=ids.VirtualMachineId(vm.id), name="clone"))
    world.call(VM.unregister, ids.VirtualMachineId(vm.id))
    world.call(VM.delete, clone)
    assert set(images(world)) == {"web/_deviceImage-0.iso"}


@pytest.mark.parametrize("said", ["ovf:compression", "ovf:chunkSize"])
def test_an_image_that_no_drive_reads_is_not_fetched(world: World, said: str) -> None:
    more = b'ovf:compression="gzip"' if said == "ovf:compression" else b'ovf:chunkSize="1000"'
    text = WITH_IMAGE["a.ovf"].replace(b'ovf:href="tools.iso"', b'ovf:href="tools.iso" ' + more)
    with Site(at({"a.ovf": text, "a.vmdk": DISK})) as site:
        vm = deploy(world, site.url("/p/a.ovf"))
    assert [drive.backing.type for drive in vm.cdroms.values()] == [Cdrom.BackingType.CLIENT_DEVICE]
    assert images(world) == {}


def test_room_is_taken_for_an_image(world: World) -> None:
    gate = Gate(IMAGE)
    store = spec(world, "http://a").vm_home_datastore.datastore
    with Site(at({**WITH_IMAGE, "tools.iso": gate})) as site:
        task = begin(world, site.url("/p/a.ovf"))
        world.run(asyncio.to_thread(gate.begun.wait, 60))
        [intent] = world.inventory.all(Intent).values()
        assert intent.room == {store: (1 << 20) + len(IMAGE)}
        world.call(Api.cancel, ids.CisTaskId(task))
        ended = world.run(ending(world, task))
        gate.open()
        assert ended.error is not None
        assert kept(world) == []
        assert images(world) == {}
        found = world.inventory.all(Datastore)[store]
        left = (1 << 20) + len(IMAGE) - 1
        world.change(found, other_used=found.other_used + free_space(world.inventory, found) - left)
        assert why_not(world, site.url("/p/a.ovf")) == ("ERROR", "resphere.vm.disk.no_room")


@pytest.mark.parametrize("gone", ["a.vmdk", "tools.iso"])
def test_a_file_that_is_not_there_leaves_none_of_the_others(world: World, gone: str) -> None:
    with Site(at({name: content for name, content in WITH_IMAGE.items() if name != gone})) as site:
        assert why_not(world, site.url("/p/a.ovf")) == ("ERROR", "resphere.content.not_transferred")
    assert images(world) == {}


def test_a_vapp_with_images(world: World) -> None:
    text = WITH_IMAGE["a.ovf"]
    machine = text[text.index(b"<VirtualSystem ") : text.index(b"</Envelope>")]
    twin = machine.replace(b'ovf:id="vm"', b'ovf:id="twin"')
    around = b'<VirtualSystemCollection ovf:id="all"><Info/>' + machine + twin + b"</VirtualSystemCollection>"
    with Site(at({**WITH_IMAGE, "a.ovf": text.replace(machine, around)})) as site:
        task = run(world, site.url("/p/a.ovf"))
    assert task.error is None
    assert images(world) == {"vm/_deviceImage-0.iso": IMAGE, "twin/_deviceImage-0.iso": IMAGE}
    assert len(kept(world)) == 2


def test_an_image_that_a_dead_worker_had_fetched(world: World) -> None:
    outside = acting_outside(world)
    leave(world, outside, lambda: world.run(failing(world, WITH_IMAGE)))
    world.run(world.environment.library_cleaning.clean_up())
    assert world.run(world.environment.tasks.take_over_orphans()) == 1
    assert images(world) == {"web/_deviceImage-0.iso": IMAGE}


def full(world: World) -> Ovfs.DatastoreInfo:
    """A datastore without room."""
    store = spec(world, "http://a").vm_home_datastore.datastore
    found = world.inventory.all(Datastore)[store]
    world.change(found, other_used=found.other_used + free_space(world.inventory, found))
    return Ovfs.DatastoreInfo(datastore=store)


def acting_outside(world: World) -> Outside:
    """From now on such a provider does the world's work."""
    outside = Outside(world)
    tasks = worker(world, outside, "test")
    world.environment = msgspec.structs.replace(world.environment, provider=outside, tasks=tasks)
    return outside


def test_a_provider_that_acts_outside(world: World) -> None:
    acting_outside(world)
    with Site(at(PACKAGE)) as site:
        vm = deploy(world, site.url("/p/a.ovf"), power_on=True)
        assert (vm.power_state, disk_bytes(world, vm)) == (Power.State.POWERED_ON, [DISK])
        error, id = why_not(world, site.url("/p/none.ovf"), name="none")
    assert (error, id) == ("ERROR", "resphere.fetching.status")


def test_what_a_dead_worker_had_fetched_is_not_lost(world: World) -> None:
    """It is settled by what the provider says, with the disks that had come."""
    outside = acting_outside(world)
    leave(world, outside, lambda: world.run(failing(world)))
    assert world.run(world.environment.tasks.take_over_orphans()) == 1
    [vm] = [each for each in world.inventory.all(VirtualMachine).values() if each.name == "web"]
    assert (vm.power_state, disk_bytes(world, vm)) == (Power.State.POWERED_ON, [DISK])


async def failing(world: World, package: Mapping[str, bytes] = PACKAGE) -> None:
    """Have a deployment fail of which nobody can tell whether it has come true.

    :raises OSError: the provider cannot tell.
    """
    with Site(at(package)) as site:
        task = await world.begin(Ovfs.deploy_task, spec(world, site.url("/p/a.ovf"), power_on=True))
        while not world.environment.provider.asked:  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0)
    found = world.inventory.get(Task, task)
    assert found is not None
    assert not found.is_finished
    raise OSError("out of reach")


def test_progress_is_told(world: World) -> None:
    moments = itertools.count()
    told: list[int] = []
    world.inventory.subscribe(Task, lambda _, new: told.append(new.progress) if new is not None else None)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: NOW + next(moments) * TELLING)
    tasks = Tasks(world.inventory, world.environment.now, "test", lambda _: True, world.environment.provider)
    world.environment = msgspec.structs.replace(world.environment, tasks=tasks)
    content = bytes(300_000)
    with Site(at({"a.ovf": descriptor('ovf:href="a.vmdk" ovf:size="300000"'), "a.vmdk": content})) as site:
        deploy(world, site.url("/p/a.ovf"))
    assert any(0 < each < 100 for each in told)
    assert told == sorted(told)


def test_who_may_have_the_server_fetch(tmp_path: Path) -> None:
    every = frozenset(PRIVILEGES)
    without = Role(id="1001", name="without", privileges=every - {"VApp.PullFromUrls"})
    with Served(tmp_path) as served, Site(at(PACKAGE)) as site:
        asked = Ovfs.DeployTaskInput(spec=spec(served.world, site.url("/p/a.ovf")))
        ask_as_ann(served, [permission(ROOT_FOLDER, without)])
        for ask in (served.by_api, served.by_jsonrpc):
            assert ask(Ovfs.deploy_task, asked).error_type == "UNAUTHORIZED"
        assert site.asked == []
        pushed = msgspec.structs.replace(asked.spec, pull_from_esx=False)
        task = served.by_api(Ovfs.deploy_task, Ovfs.DeployTaskInput(spec=pushed))
        assert served.world.run(ending(served.world, task)).error is None
        ask_as_ann(
            served, [permission(ROOT_FOLDER, ADMIN), permission(asked.spec.vm_home_datastore.datastore, READ_ONLY)]
        )
        assert served.by_api(Ovfs.deploy_task, asked).error_type == "UNAUTHORIZED"
