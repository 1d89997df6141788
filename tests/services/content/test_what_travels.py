"""What of items travels to those who subscribe: types, and who has signed packages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere.contract.generated import ids
from resphere.contract.generated.content import LocalLibrary
from resphere.contract.generated.content_library import SubscribedItem
from resphere.contract.generated.content_library_item import CertVerificationStatus, File
from resphere.inventory.content.items import LibraryItem
from tests.services.content.libraries import add_item, add_library, fetch, published, put_files
from tests.services.content.publishers import PublishedFolder, items, subscribe, sync, web_server, work_off
from tests.services.content.test_packages import FILES, OTHER_DISK, own_certificate, trust, with_metadata
from tests.support.world import World

Status = CertVerificationStatus


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def names(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name.replace(".", "_"): content for name, content in files.items()}


def stored(world: World, library: ids.ContentLibraryId) -> LibraryItem:
    (item,) = world.inventory.by(LibraryItem, "library", library).values()
    return item


def status(world: World, library: ids.ContentLibraryId) -> tuple[CertVerificationStatus, int]:
    item = stored(world, library)
    return item.verification, len(item.certificates)


@pytest.mark.parametrize("type", ["text", "OVA", "ovf", "iso", "file", ""])
def test_types_travel_as_they_are(world: World, type: str) -> None:
    source = add_library(world, publish_info=published())
    add_item(world, source, name="one", type=type)
    url = world.call(LocalLibrary.get, source).publish_info
    assert url is not None
    copies = subscribe(world, url.publish_url or "")
    work_off(world)
    assert items(world, copies)["one"].type == (type or "file")


@pytest.mark.parametrize(
    "properties", [{"itemType": "vm-template"}, {"itemType": "ovf"}, {"itemType": ""}, {"other": "x"}, None]
)
def test_types_that_mean_something_are_told_by_the_protocol_alone(
    tmp_path: Path, world: World, properties: dict[str, str] | None
) -> None:
    folder = PublishedFolder(tmp_path / "published")
    folder.put("notes", notes_txt=b"notes")
    documents = folder.documents
    folder.documents = lambda: [{**each, "properties": properties} for each in documents()]  # type: ignore[method-assign]
    folder.write()
    with web_server(folder.folder) as url:
        copies = subscribe(world, url)
        work_off(world)
    assert items(world, copies)["notes"].type == "file"


def test_who_has_signed_a_package_is_known_of_its_copies(tmp_path: Path, world: World) -> None:
    own = own_certificate()
    folder = PublishedFolder(tmp_path / "published")
    folder.put("package", **names(with_metadata(FILES, own)))
    folder.write()
    with web_server(folder.folder) as url:
        copies = subscribe(world, url)
        work_off(world)
        assert status(world, copies) == (Status.UNTRUSTED, 1)
        # What is known of it stays so until it comes anew.
        trust(world, own)
        sync(world, copies)
        assert status(world, copies) == (Status.UNTRUSTED, 1)
        folder.put("package", **names(with_metadata({**FILES, "a.vmdk": OTHER_DISK}, own)))
        folder.write()
        sync(world, copies)
        assert status(world, copies) == (Status.VERIFIED, 1)
        # The signature goes, and the files stay.
        for name in ("a.cert", "a.mf"):
            (folder.folder / "package" / name).unlink()
        folder.put("package")
        folder.write()
        sync(world, copies)
        assert status(world, copies) == (Status.NOT_AVAILABLE, 0)


def test_what_comes_on_demand_is_held_against_the_manifest(tmp_path: Path, world: World) -> None:
    own = own_certificate()
    trust(world, own)
    folder = PublishedFolder(tmp_path / "published")
    folder.put("package", **names(with_metadata(FILES, own)))
    folder.write()
    with web_server(folder.folder) as url:
        copies = subscribe(world, url, on_demand=True)
        work_off(world)
        assert status(world, copies) == (Status.VERIFIED, 1)
        item = stored(world, copies).id
        # As long as what was told, and something else.
        (folder.folder / "package" / "a.vmdk").write_bytes(OTHER_DISK)
        world.call(SubscribedItem.sync, item, True, None)
        work_off(world)
        failed = stored(world, copies)
        assert not failed.is_cached
        assert failed.not_fetched is not None
        (folder.folder / "package" / "a.vmdk").write_bytes(FILES["a.vmdk"])
        world.call(SubscribedItem.sync, item, True, None)
        work_off(world)
    assert status(world, copies) == (Status.VERIFIED, 1)
    assert fetch(world, item, "a.vmdk") == FILES["a.vmdk"]
    assert {file.name: file.version for file in world.call(File.list, item)} == dict.fromkeys(
        ("a.cert", "a.mf", "a.ovf", "a.vmdk"), "1"
    )


def test_packages_without_a_signature_are_not_verified(world: World) -> None:
    source = add_library(world, publish_info=published())
    item = add_item(world, source, name="one", type="ovf")
    put_files(world, item, **names(FILES))
    url = world.call(LocalLibrary.get, source).publish_info
    assert url is not None
    copies = subscribe(world, url.publish_url or "")
    work_off(world)
    assert status(world, copies) == (Status.NOT_AVAILABLE, 0)
