"""OVF packages by govmomi's client, as Debian packages it: what govc library.import does with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.go import build, needs_govmomi, said_by
from tests.support.packages import archive, descriptor, manifest
from tests.support.server import Server

SOURCE = Path(__file__).parent / "govmomi_packages" / "main.go"
FILES = {"tiny.ovf": descriptor("tiny.vmdk"), "tiny.vmdk": b"disk" * 50_000}

pytestmark = needs_govmomi


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program got."""
    folder = tmp_path_factory.mktemp("govmomi-packages")
    (folder / "tiny.ova").write_bytes(archive({"tiny.ovf": FILES["tiny.ovf"], "tiny.mf": manifest(FILES), **FILES}))
    program = build(SOURCE, folder)
    with Server(folder / "data", "--workers", "2") as server:
        with server.session() as client:
            datastore = client.read("/api/vcenter/datastore")[0]["datastore"]
        return said_by(program, server, datastore, folder / "tiny.ova")


@pytest.mark.parametrize("way", ["by_file", "archive"])
def test_packages_that_are_whole(seen: dict[str, Any], way: str) -> None:
    sizes = {file["name"]: file["size"] for file in seen[way]}
    assert sizes == {name: len(data) for name, data in FILES.items()}


def test_a_package_that_lacks_a_disk(seen: dict[str, Any]) -> None:
    assert seen["awaited"] == "WAITING_FOR_TRANSFER"
    assert "update_session_file_not_received" in seen["missing"]


def test_a_session_is_failed_without_a_word(seen: dict[str, Any]) -> None:
    assert seen["failed"]["state"] == "ERROR"


def test_a_package_that_is_another_one(seen: dict[str, Any]) -> None:
    assert "400" in seen["altered"]
    assert seen["error"]["state"] == "ERROR"
    assert "do not match the content of file(s): tiny.vmdk" in seen["error"]["error_message"]["default_message"]
