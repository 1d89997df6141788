"""Published libraries as their subscribers read them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, LocalLibrary
from resphere.contract.generated.content_library import Item, ItemModel, PublishInfo
from resphere.contract.model import Secret
from resphere.dialects.base import Reply
from resphere.inventory.content.libraries import Library
from tests.services.content.libraries import Method, add_item, add_library, published, put_files
from tests.support.calls import ApiCall
from tests.support.served import Served
from tests.support.transfers import taken
from tests.support.world import World

PASSWORD = "let me in"
DATA = bytes(range(256)) * 100


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def get(served: Served, path: str, user: str | None = None, password: str = "", **headers: str) -> Reply:
    """The reply to a subscriber at a path."""
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    if user is not None:
        sent[b"authorization"] = b"Basic " + base64.b64encode(f"{user}:{password}".encode())
    return served.send(served.api, ApiCall("GET", path, None), sent)


def content(served: Served, reply: Reply) -> bytes:
    """What a good reply holds."""
    assert reply.status in (200, 206), reply.body
    assert reply.stream is not None
    return taken(served.world, reply.stream)


def read(served: Served, path: str) -> Any:
    """A document."""
    return json.loads(content(served, get(served, path)))


def folder_of(world: World, library: str) -> str:
    """The path below which a published library is read."""
    info = world.call(LocalLibrary.get, ids.ContentLibraryId(library)).publish_info
    assert info is not None
    assert info.publish_url == f"https://*/cls/vcsp/lib/{library}/lib.json"
    return f"/cls/vcsp/lib/{library}"


def version(served: Served, folder: str) -> int:
    """That of a library as subscribers read it."""
    return int(read(served, f"{folder}/lib.json")["version"])


def test_documents_have_the_fields_that_subscribers_need(served: Served) -> None:
    world = served.world
    library = add_library(world, publish_info=published())
    item = add_item(world, library, name="disc", type="iso", description="a disc")
    put_files(world, item, disc_iso=DATA)
    add_item(world, library, name="other", type="text")
    folder = folder_of(world, library)

    assert read(served, f"{folder}/lib.json") == {
        "vcspVersion": "2",
        "version": "5",
        "contentVersion": "1",
        "name": "images",
        "id": f"urn:uuid:{library}",
        "created": "2026-01-02T03:04Z",
        "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"]},
        "itemsHref": "items.json",
    }
    items = {each["name"]: each for each in read(served, f"{folder}/items.json")["items"]}
    assert {name: (each["type"], each["files"]) for name, each in items.items() if name == "other"} == {
        "other": ("vcsp.other", [])
    }
    disc = items["disc"]
    (file,) = disc.pop("files")
    assert disc == {
        "created": "2026-01-02T03:04Z",
        "description": "a disc",
        "version": "2",
        "contentVersion": "2",
        "id": f"urn:uuid:{item}",
        "name": "disc",
        "properties": {},
        "selfHref": f"{item}/item.json",
        "type": "vcsp.iso",
    }
    assert read(served, f"{folder}/{disc['selfHref']}") == {**disc, "files": [file]}
    assert (file["name"], file["size"], file["generationNum"]) == ("disc.iso", len(DATA), 1)
    (href,) = file["hrefs"]
    assert content(served, get(served, f"{folder}/{href}")) == DATA
    part = get(served, f"{folder}/{href}", range="bytes=10-19")
    assert (part.status, content(served, part)) == (206, DATA[10:20])
    assert get(served, f"{folder}/{href}", range=f"bytes={len(DATA)}-").status == 416


def test_version_rises_with_each_change_of_content(served: Served) -> None:
    world = served.world
    library = add_library(world, publish_info=published())
    folder = folder_of(world, library)
    seen = [version(served, folder)]
    item = add_item(world, library)
    seen.append(version(served, folder))
    put_files(world, item, a_iso=b"a")
    seen.append(version(served, folder))
    world.call(Item.update, item, ItemModel(description="changed"))
    seen.append(version(served, folder))
    world.call(LocalLibrary.update, library, LibraryModel(description="changed"))
    seen.append(version(served, folder))
    world.call(LocalLibrary.update, library, LibraryModel(publish_info=PublishInfo(published=False)))
    world.call(Item.delete, item)
    world.call(LocalLibrary.update, library, LibraryModel(publish_info=published()))
    seen.append(version(served, folder))
    assert seen == sorted(set(seen))


def test_version_of_item_rises_with_each_change(served: Served) -> None:
    world = served.world
    library = add_library(world, publish_info=published())
    item = add_item(world, library)
    path = f"{folder_of(world, library)}/{item}/item.json"
    put_files(world, item, a_iso=b"a")
    first = read(served, path)
    world.call(Item.update, item, ItemModel(name="renamed"))
    second = read(served, path)
    put_files(world, item, a_iso=b"b")
    third = read(served, path)
    assert [each["version"] for each in (first, second, third)] == ["2", "3", "4"]
    assert [each["contentVersion"] for each in (first, second, third)] == ["2", "2", "3"]
    assert len({each["files"][0]["etag"] for each in (first, second, third)}) == 2


def test_address_of_a_file_is_good_for_its_content_alone(served: Served) -> None:
    world = served.world
    library = add_library(world, publish_info=published())
    item = add_item(world, library)
    put_files(world, item, a_iso=b"before")
    folder = folder_of(world, library)
    (href,) = read(served, f"{folder}/{item}/item.json")["files"][0]["hrefs"]
    put_files(world, item, a_iso=b"after")
    assert get(served, f"{folder}/{href}").status == 404


def test_what_is_not_published_is_not_there(served: Served) -> None:
    world = served.world
    library, shown = add_library(world), add_library(world, publish_info=published())
    item, elsewhere = add_item(world, library), add_item(world, shown)
    for path in (
        f"{library}/lib.json",
        f"{library}/items.json",
        f"{library}/{item}/item.json",
        f"{shown}/{item}/item.json",
        f"{shown}/{elsewhere}/0/none.iso",
        "nothing/lib.json",
        "%2e%2e/lib.json",
    ):
        assert get(served, f"/cls/vcsp/lib/{path}").status == 404, path
    world.call(LocalLibrary.update, shown, LibraryModel(publish_info=PublishInfo(published=False)))
    assert get(served, f"/cls/vcsp/lib/{shown}/lib.json").status == 404


def test_password_of_the_library_is_asked_for(served: Served) -> None:
    world = served.world
    info = published(authentication_method=Method.BASIC, user_name="vcsp", password=Secret(PASSWORD))
    library = add_library(world, publish_info=info)
    item = add_item(world, library)
    put_files(world, item, a_iso=DATA)
    folder = folder_of(world, library)
    for path in ("lib.json", "items.json", f"{item}/item.json", f"{item}/x/a.iso"):
        refused = get(served, f"{folder}/{path}")
        assert refused.status == 401
        assert dict(refused.headers)["WWW-Authenticate"].startswith("Basic ")
        for user, password in (("vcsp", "wrong"), ("administrator@vsphere.local", PASSWORD), ("vcsp", "")):
            served.moment_ns += 10**13
            assert get(served, f"{folder}/{path}", user, password).status == 401
    served.moment_ns += 10**13
    for _ in range(2):
        assert get(served, f"{folder}/lib.json", "vcsp", PASSWORD).status == 200
    # That it was good before helps no other one.
    assert get(served, f"{folder}/lib.json", "vcsp", PASSWORD + "!").status == 401


def test_password_is_good_for_its_own_library_as_long_as_it_is_that_one(served: Served) -> None:
    world = served.world
    info = published(authentication_method=Method.BASIC, password=Secret(PASSWORD))
    library = add_library(world, publish_info=info)
    other = add_library(world, publish_info=msgspec.structs.replace(info, password=Secret("another")))
    assert get(served, f"/cls/vcsp/lib/{library}/lib.json", "vcsp", PASSWORD).status == 200
    assert get(served, f"/cls/vcsp/lib/{other}/lib.json", "vcsp", PASSWORD).status == 401
    changed = PublishInfo(password=Secret("new"), current_password=Secret(PASSWORD))
    world.call(LocalLibrary.update, library, LibraryModel(publish_info=changed))
    assert get(served, f"/cls/vcsp/lib/{library}/lib.json", "vcsp", PASSWORD).status == 401
    assert get(served, f"/cls/vcsp/lib/{library}/lib.json", "vcsp", "new").status == 200


def test_guesses_slow_down_and_good_ones_do_not(served: Served) -> None:
    world = served.world
    info = published(authentication_method=Method.BASIC, password=Secret(PASSWORD))
    path = f"/cls/vcsp/lib/{add_library(world, publish_info=info)}/lib.json"
    assert get(served, path, "vcsp", PASSWORD).status == 200
    statuses = [get(served, path, "vcsp", f"guess {number}").status for number in range(30)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert get(served, path, "vcsp", PASSWORD).status == 200


def test_many_items_are_all_told(served: Served) -> None:
    world = served.world
    library = add_library(world, publish_info=published())
    for number in range(1100):
        add_item(world, library, name=f"item {number}")
    items = read(served, f"{folder_of(world, library)}/items.json")["items"]
    assert {each["name"] for each in items} == {f"item {number}" for number in range(1100)}
    found = world.inventory.get(Library, library)
    assert found is not None
    assert found.item_changes == 1100
