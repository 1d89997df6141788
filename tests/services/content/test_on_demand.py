"""Contents that are fetched when somebody needs them: copies, images, deployments, downloads."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import NotFound, ResourceInaccessible
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.content_library_item import File
from resphere.contract.generated.content_library_item_downloadsession import File as FetchedFile
from resphere.contract.generated.vcenter_iso import Image
from resphere.contract.generated.vcenter_ovf import LibraryItem as Ovf
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.sessions import DownloadSession
from resphere.inventory.content.subscriptions import SyncRequest
from resphere.inventory.model import VirtualMachine
from resphere.libraries.on_demand import bring
from tests.services.content.libraries import add_library, begin_reading, datastores, fetch, where
from tests.services.content.publishers import PublishedFolder, items, subscribe, web_server, work_off
from tests.services.vcenter.building import found
from tests.services.vcenter.ovf.packages import target
from tests.services.vcenter.vm.test_hardware import State, vm_in
from tests.support.transfers import taken
from tests.support.world import NOW, World

ItemId = ids.ContentLibraryItemId
ISO = bytes(range(256)) * 200
DISK = b"disk" * 1000
DESCRIPTOR = b"""<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
<References><File ovf:href="disk.vmdk" ovf:id="file1"/></References>
<DiskSection><Info/><Disk ovf:capacity="1048576" ovf:diskId="disk1" ovf:fileRef="file1"/></DiskSection>
<VirtualSystem ovf:id="one"><Info/><VirtualHardwareSection><Info/>
<Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>
<rasd:ResourceType>6</rasd:ResourceType></Item>
<Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
<rasd:InstanceID>4</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>"""
Status = FetchedFile.PrepareStatus


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> PublishedFolder:
    made = PublishedFolder(tmp_path / "published")
    made.put("disc", disc_iso=ISO)
    made.put("package", package_ovf=DESCRIPTOR, disk_vmdk=DISK)
    made.write()
    return made


@pytest.fixture
def asked() -> list[str]:
    """The files that the publisher was asked for."""
    return []


@pytest.fixture
def url(folder: PublishedFolder, asked: list[str]) -> Iterator[str]:
    with web_server(folder.folder, asked) as url:
        yield url


def known(world: World, url: str) -> dict[str, ItemId]:
    """The items of a library that subscribes to what is there, without their contents."""
    library = subscribe(world, url, on_demand=True)
    work_off(world)
    return {name: ItemId(item.id or "") for name, item in items(world, library).items()}


def meanwhile(world: World, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """What calls come to while the worker that syncs does so."""

    async def all_of() -> list[Any]:
        syncing = asyncio.create_task(world.environment.library_sync.run())
        try:
            return await asyncio.gather(*calls, return_exceptions=True)
        finally:
            syncing.cancel()
            with suppress(asyncio.CancelledError):
                await syncing

    return world.run(all_of())


def copying(world: World, item: ItemId, name: str) -> Coroutine[Any, Any, ItemId]:
    return world.begin(Item.copy, None, item, ItemModel(library_id=add_library(world), name=name))


def cached(world: World, item: ItemId) -> bool:
    return bool(world.call(Item.get, item).cached)


def test_those_who_need_it_at_once_have_it_fetched_once(world: World, url: str, asked: list[str]) -> None:
    disc = known(world, url)["disc"]
    first, second = meanwhile(world, copying(world, disc, "first"), copying(world, disc, "second"))
    assert fetch(world, first, "disc.iso") == fetch(world, second, "disc.iso") == ISO
    assert asked.count("disc/disc.iso") == 1
    assert cached(world, disc)
    assert not world.inventory.all(SyncRequest)
    # It is here by now.
    third = world.run(copying(world, disc, "third"))
    assert fetch(world, third, "disc.iso") == ISO
    assert asked.count("disc/disc.iso") == 1


def test_an_image_is_fetched_to_be_mounted(world: World, url: str) -> None:
    vm = ids.VirtualMachineId(vm_in(world, State.POWERED_OFF).id)
    disc = known(world, url)["disc"]
    world.change(found(world, VirtualMachine, vm), datastore=datastores(world)[0].id)
    (drive,) = meanwhile(world, world.begin(Image.mount, disc, vm))
    assert isinstance(drive, str), drive
    assert cached(world, disc)


def test_a_package_is_fetched_to_be_deployed(world: World, url: str) -> None:
    package = known(world, url)["package"]
    spec = Ovf.ResourcePoolDeploymentSpec(name="web", accept_all_EULA=True)
    (result,) = meanwhile(world, world.begin(Ovf.deploy, None, package, target(world), spec))
    assert result.succeeded, result
    vm = found(world, VirtualMachine, result.resource_id.id)
    (content,) = vm.disk_contents.values()
    assert content.size_bytes == len(DISK)


def status(world: World, session: ids.ContentLibraryItemDownloadSessionId, name: str) -> FetchedFile.PrepareStatus:
    return world.call(FetchedFile.get, session, name).status


def test_a_download_is_prepared_when_the_content_has_come(world: World, url: str) -> None:
    package = known(world, url)["package"]
    session = begin_reading(world, package)
    listed = {file.name: (file.size, file.status) for file in world.call(FetchedFile.list, session)}
    assert listed == {
        "disk.vmdk": (len(DISK), Status.UNPREPARED),
        "package.ovf": (len(DESCRIPTOR), Status.UNPREPARED),
    }
    # What is here is prepared at once.
    assert world.call(FetchedFile.prepare, session, "package.ovf", None).status is Status.PREPARED
    assert not world.inventory.all(SyncRequest)
    asked = world.call(FetchedFile.prepare, session, "disk.vmdk", None)
    assert (asked.status, asked.download_endpoint, asked.error_message) == (Status.PREPARING, None, None)
    assert status(world, session, "disk.vmdk") is Status.PREPARING
    work_off(world)
    ready = world.call(FetchedFile.get, session, "disk.vmdk")
    assert ready.status is Status.PREPARED
    assert taken(world, world.call(ContentTransfers.download, *where(ready.download_endpoint), None, None)) == DISK
    assert cached(world, package)


def test_a_session_reads_what_came_by_other_ways(world: World, url: str) -> None:
    disc = known(world, url)["disc"]
    session = begin_reading(world, disc)
    meanwhile(world, bring(world.inventory, world.environment.library_sync, disc))
    assert status(world, session, "disc.iso") is Status.UNPREPARED
    assert world.call(FetchedFile.prepare, session, "disc.iso", None).status is Status.PREPARED


def test_a_session_waits_as_long_as_the_content_comes(world: World, url: str) -> None:
    disc = known(world, url)["disc"]
    session = begin_reading(world, disc)
    world.call(FetchedFile.prepare, session, "disc.iso", None)
    held = world.inventory.all(DownloadSession)[session]
    world.put(msgspec.structs.replace(held, expires=NOW.replace(year=2000)))
    assert not world.environment.library_files.is_over(world.inventory.all(DownloadSession)[session])
    work_off(world)
    assert status(world, session, "disc.iso") is Status.PREPARED


def test_files_of_a_later_content_are_not_mixed_with_old_ones(world: World, folder: PublishedFolder, url: str) -> None:
    package = known(world, url)["package"]
    session = begin_reading(world, package)
    folder.put("package", package_ovf=DESCRIPTOR + b"\n", disk_vmdk=DISK + b"later")
    folder.write()
    world.call(FetchedFile.prepare, session, "disk.vmdk", None)
    work_off(world)
    sizes = {file.name: file.size for file in world.call(FetchedFile.list, session)}
    assert sizes == {"disk.vmdk": len(DISK) + 5, "package.ovf": len(DESCRIPTOR) + 1}


def test_what_cannot_be_had_is_refused_with_the_reason(world: World, folder: PublishedFolder, url: str) -> None:
    disc = known(world, url)["disc"]
    (folder.folder / "disc" / "disc.iso").unlink()
    first, second = meanwhile(world, copying(world, disc, "first"), copying(world, disc, "second"))
    for refusal in (first, second):
        assert isinstance(refusal, ResourceInaccessible)
        assert refusal.messages[0].id == "resphere.content.not_fetched"
        assert "404" in refusal.messages[0].default_message
    assert not world.inventory.all(SyncRequest)

    session = begin_reading(world, disc)
    world.call(FetchedFile.prepare, session, "disc.iso", None)
    work_off(world)
    failed = world.call(FetchedFile.get, session, "disc.iso")
    assert failed.status is Status.ERROR
    assert failed.error_message is not None
    assert "404" in failed.error_message.default_message
    # It is asked for anew, and there by then.
    (folder.folder / "disc" / "disc.iso").write_bytes(ISO)
    assert world.call(FetchedFile.prepare, session, "disc.iso", None).status is Status.PREPARING
    work_off(world)
    assert status(world, session, "disc.iso") is Status.PREPARED
    assert fetch(world, disc, "disc.iso") == ISO


def test_publisher_that_is_gone(world: World, folder: PublishedFolder) -> None:
    with web_server(folder.folder) as url:
        disc = known(world, url)["disc"]
    (refusal,) = meanwhile(world, copying(world, disc, "copy"))
    assert isinstance(refusal, ResourceInaccessible)
    assert refusal.messages[0].id == "resphere.content.not_fetched"
    stored = world.inventory.all(LibraryItem)[disc]
    assert stored.not_fetched is not None


def test_item_that_is_gone_at_its_publisher(world: World, folder: PublishedFolder, url: str) -> None:
    disc = known(world, url)["disc"]
    folder.remove("disc")
    folder.write()
    (refusal,) = meanwhile(world, copying(world, disc, "copy"))
    assert isinstance(refusal, NotFound)
    assert disc not in world.inventory.all(LibraryItem)


def test_nothing_comes_to_a_library_in_maintenance(world: World, url: str) -> None:
    disc = known(world, url)["disc"]
    library = world.inventory.all(LibraryItem)[disc].library
    session = begin_reading(world, disc)
    world.call(Library.enter_maintenance, library)
    with pytest.raises(ResourceInaccessible) as refusal:
        world.run(copying(world, disc, "copy"))
    assert refusal.value.messages[0].id == "resphere.content.not_cached"
    assert world.call(FetchedFile.prepare, session, "disc.iso", None).status is Status.ERROR
    assert not world.inventory.all(SyncRequest)


async def requested(world: World) -> None:
    """Wait until a sync is asked for."""
    woken = asyncio.Event()
    end = world.inventory.subscribe(SyncRequest, lambda _, __: woken.set())
    if not world.inventory.all(SyncRequest):
        await woken.wait()
    end()


def test_who_waits_is_told_when_the_library_closes(world: World, url: str) -> None:
    disc = known(world, url)["disc"]
    library = world.inventory.all(LibraryItem)[disc].library

    async def closed_meanwhile() -> None:
        waiting = asyncio.create_task(bring(world.inventory, world.environment.library_sync, disc))
        await requested(world)
        await world.begin(Library.enter_maintenance, library)
        await waiting

    with pytest.raises(ResourceInaccessible):
        world.run(closed_meanwhile())


def test_who_leaves_stops_nobody_else(world: World, url: str) -> None:
    disc = known(world, url)["disc"]

    async def one_leaves() -> None:
        waiting = [asyncio.create_task(bring(world.inventory, world.environment.library_sync, disc)) for _ in range(2)]
        await requested(world)
        waiting[0].cancel()
        syncing = asyncio.create_task(world.environment.library_sync.run())
        await waiting[1]
        syncing.cancel()
        await asyncio.gather(*waiting, syncing, return_exceptions=True)

    world.run(one_leaves())
    assert cached(world, disc)
    assert {file.name: file.cached for file in world.call(File.list, disc)} == {"disc.iso": True}
