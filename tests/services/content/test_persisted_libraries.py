"""Published libraries as folders that any web server serves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, LocalLibrary
from resphere.contract.generated.content_library import Item, ItemModel, PublishInfo
from resphere.inventory.content.items import LibraryItem
from resphere.libraries import persisting
from resphere.libraries.persisting import PersistedLibraries
from resphere.store.base import ContentMissing
from tests.services.content.libraries import add_item, add_library, fetch, published, put_files
from tests.services.content.publishers import items, subscribe, sync, web_server, work_off
from tests.support.world import World

ItemId = ids.ContentLibraryItemId


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def persisted(world: World, folder: Path) -> PersistedLibraries:
    return PersistedLibraries(world.inventory, world.library_contents, folder)


def publishing(world: World) -> ids.ContentLibraryId:
    library = add_library(world, name="source", publish_info=published(persist_json_enabled=True))
    put_files(world, add_item(world, library, name="disc", type="iso"), disc_iso=b"disc" * 1000)
    put_files(world, add_item(world, library, name="notes"), a_txt=b"a", b_txt=b"b")
    return library


def paths(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def write(world: World, persisted: PersistedLibraries, library: str) -> None:
    world.run(persisted.write(library))


def test_a_library_is_read_from_its_folder(world: World, persisted: PersistedLibraries, folder: Path) -> None:
    library = publishing(world)
    write(world, persisted, library)
    with web_server(folder / library) as url:
        copies = subscribe(world, url)
        work_off(world)
        assert sorted(items(world, copies)) == ["disc", "notes"]
        disc = ItemId(items(world, copies)["disc"].id or "")
        assert fetch(world, disc, "disc.iso") == b"disc" * 1000
        # What is new goes there, and what is old goes.
        before = paths(folder)
        source = items(world, library)
        put_files(world, ItemId(source["disc"].id or ""), disc_iso=b"other")
        world.call(Item.delete, ItemId(source["notes"].id or ""))
        write(world, persisted, library)
        sync(world, copies)
        assert sorted(items(world, copies)) == ["disc"]
        assert fetch(world, disc, "disc.iso") == b"other"
    assert (len(before), len(paths(folder))) == (7, 4)
    assert not [path for path in folder.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_no_byte_is_copied(world: World, persisted: PersistedLibraries, folder: Path) -> None:
    library = publishing(world)
    write(world, persisted, library)
    (disc,) = folder.rglob("disc.iso")
    (item,) = (item for item in world.inventory.by(LibraryItem, "library", library).values() if item.name == "disc")
    (file,) = item.files
    assert disc.samefile(world.library_contents.folder / file.content)


def test_only_documents_that_are_others_are_written(world: World, persisted: PersistedLibraries, folder: Path) -> None:
    library = publishing(world)
    write(world, persisted, library)
    numbers = {path: (folder / path).stat().st_ino for path in paths(folder)}
    world.call(Item.update, ItemId(items(world, library)["notes"].id or ""), ItemModel(description="told"))
    write(world, persisted, library)
    changed = {path.rpartition("/")[2] for path, number in numbers.items() if (folder / path).stat().st_ino != number}
    assert changed == {"lib.json", "items.json", "item.json"}
    others = [path for path in paths(folder) if path.endswith("item.json") and "disc" in (folder / path).read_text()]
    assert all((folder / path).stat().st_ino == numbers[path] for path in others)


@pytest.mark.parametrize("info", [{"published": False}, {"persist_json_enabled": False}])
def test_a_library_that_is_not_to_be_there(
    world: World, persisted: PersistedLibraries, folder: Path, info: dict[str, Any]
) -> None:
    library = publishing(world)
    write(world, persisted, library)
    world.call(LocalLibrary.update, library, LibraryModel(publish_info=PublishInfo(**info)))
    write(world, persisted, library)
    assert not (folder / library).exists()


def test_a_content_that_is_gone_meanwhile(world: World, persisted: PersistedLibraries, folder: Path) -> None:
    library = publishing(world)
    (item, *_) = world.inventory.by(LibraryItem, "library", library).values()
    held = item.files[0]
    world.library_contents.delete(held.content)
    with pytest.raises(ContentMissing):
        write(world, persisted, library)
    # Nobody is told of what is not there.
    assert not (folder / library / "lib.json").exists()


def test_what_is_on_another_file_system_is_copied(
    world: World, persisted: PersistedLibraries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(source: Path, to: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", no_link)
    write(world, persisted, publishing(world))
    (disc,) = folder.rglob("disc.iso")
    assert disc.read_bytes() == b"disc" * 1000


def test_folders_follow_their_libraries(
    world: World, persisted: PersistedLibraries, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persisting, "PAUSE_SECONDS", 0.0)
    (folder / "of-before").mkdir(parents=True)
    library = publishing(world)

    async def until(condition: str) -> None:
        for _ in range(2000):
            if condition in told():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(told())

    def told() -> str:
        path = folder / library / "items.json"
        if (folder / "of-before").exists() or not (folder / library / "lib.json").exists():
            return ""
        return path.read_text() if path.exists() else ""

    async def scenario() -> None:
        running = asyncio.create_task(persisted.run())
        try:
            await until('"disc"')
            item = next(id for id, item in world.inventory.all(LibraryItem).items() if item.name == "disc")
            await world.begin(Item.update, ItemId(item), ItemModel(name="disk"))
            await until('"disk"')
            await world.begin(LocalLibrary.delete, library)
            for _ in range(2000):
                if not (folder / library).exists():
                    break
                await asyncio.sleep(0.005)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    world.run(scenario())
    assert paths(folder) == []
