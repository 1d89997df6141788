"""govmomi's client of content libraries, as Debian packages it: what govc and Terraform do with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.go import build, needs_govmomi, said_by
from tests.support.server import Server

SOURCE = Path(__file__).parent / "govmomi_library" / "main.go"
DATA = bytes(range(256)) * 20_000

pytestmark = needs_govmomi


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("govmomi-library")
    (folder / "disc.iso").write_bytes(DATA)
    return folder


@pytest.fixture(scope="module")
def seen(folder: Path) -> dict[str, Any]:
    """What the program got."""
    program = build(SOURCE, folder)
    with Server(folder / "data", "--workers", "2", "--fetch-from", "127.0.0.1") as server:
        with server.session() as client:
            datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
        return said_by(program, server, datastore, folder / "disc.iso")


def test_a_library_and_its_item(seen: dict[str, Any]) -> None:
    assert (seen["library"]["type"], seen["library"]["publish_info"]["published"]) == ("LOCAL", False)
    assert seen["found"] == [seen["library"]["id"]]
    assert seen["found_items"] == [seen["item"]["id"]]
    assert (seen["item"]["size"], seen["item"]["content_version"], seen["item"]["cached"]) == (len(DATA), "2", True)
    (file,) = seen["files"]
    assert (file["name"], file["size"]) == ("disc.iso", len(DATA))
    assert (seen["copy"]["name"], seen["copy"]["size"]) == ("copy", len(DATA))
    assert len(seen["downloads"]) == 1


def test_the_file_comes_back(seen: dict[str, Any], folder: Path) -> None:
    assert (folder / "disc.iso.got").read_bytes() == DATA


def test_what_there_is(seen: dict[str, Any]) -> None:
    assert seen["libraries"] == [seen["library"]["id"]]
    assert seen["items"] == [seen["item"]["id"]]
    assert (seen["file"]["name"], seen["file"]["size"]) == ("disc.iso", len(DATA))
    assert seen["paths"] == ["/govmomi/disc/disc.iso"]


def test_sessions_that_are_not_completed(seen: dict[str, Any]) -> None:
    assert seen["session"]["id"] in seen["sessions"]
    assert (seen["awaited"]["name"], seen["awaited"]["status"]) == ("more.iso", "WAITING_FOR_TRANSFER")
    assert seen["states"] == ["CANCELED", "ERROR", "CANCELED", "ERROR"]


def test_a_file_is_pulled(seen: dict[str, Any]) -> None:
    assert (seen["pulled"]["size"], seen["pulled"]["cached"], seen["pulled"]["content_version"]) == (
        len(DATA),
        True,
        "2",
    )


def test_refusals(seen: dict[str, Any]) -> None:
    assert "400" in seen["taken"]
    assert "duplicate_item_name_unsupported_in_library" in seen["taken"]
    assert "400" in seen["busy"]
    assert "404" in seen["missing"]
    assert "404" in seen["gone"]


def test_a_subscribed_library(seen: dict[str, Any]) -> None:
    assert (seen["subscribed"]["type"], seen["subscribed"]["subscription_info"]["on_demand"]) == ("SUBSCRIBED", True)
    assert [seen[name].get("cached", False) for name in ("on_demand", "synced", "evicted")] == [False, True, False]
    assert seen["synced"]["size"] == len(DATA)
    assert "invalid_element_type" in seen["kept"]
    (subscriber,) = seen["subscribers"]
    assert subscriber["subscribed_library"] == seen["subscribed"]["id"]
    assert (seen["subscriber"]["subscribed_library_name"], seen["subscriber"]["subscribed_library_location"]) == (
        "subscribed",
        "LOCAL",
    )
    assert {item["name"] for item in seen["published"]} == {"disc", "more"}
