"""govmomi's REST client, as Debian packages it: log in, list machines, tags and categories, be refused, log out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.go import build, needs_govmomi, said_by
from tests.support.server import ADMINISTRATOR, Client, Server

SOURCE = Path(__file__).parent / "govmomi" / "main.go"

pytestmark = needs_govmomi


@pytest.fixture(scope="module")
def program(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program."""
    with Client(shared_server, None) as anonymous:
        if anonymous.get("/rest/com/vmware/cis/session").status_code == 404:
            pytest.skip("the server does not serve /rest, which is all that govmomi's REST client speaks")
    return build(SOURCE, tmp_path_factory.mktemp("govmomi"))


@pytest.fixture(scope="module")
def seen(program: Path, shared_server: Server) -> dict[str, Any]:
    """What the program saw."""
    return said_by(program, shared_server)


def test_logs_in_lists_and_logs_out(seen: dict[str, Any], client: Client) -> None:
    assert seen["user"].lower() == ADMINISTRATOR
    assert seen["machines"] == [vm["vm"] for vm in client.read("/api/vcenter/vm")]
    assert "401" in seen["refused"]
    assert "404" in seen["missing"]
    assert seen["session_after_logout"] is False


def test_lists_tags_and_categories(seen: dict[str, Any]) -> None:
    if "resphere.operation.not_implemented" in seen["tagging_error"]:
        pytest.skip("the server does not implement com.vmware.cis.tagging yet")
    assert seen["tagging_error"] == ""
    assert (seen["tags"] or [], seen["categories"] or []) == ([], [])


def test_a_life_of_tags(seen: dict[str, Any], client: Client) -> None:
    life, (first, second, *_) = seen["life"], seen["machines"]
    assert life["category"] == ["govmomi", "SINGLE", "VirtualMachine"]
    assert "400" in life["taken"]
    assert (life["attached"], life["objects"]) == (["one"], [first])
    assert sorted(life["both"]) == sorted([f"{first} one", f"{second} two"])
    assert sorted(life["found"]) == ["one", "two"]
    assert "400" in life["single"]
    assert not life["detached"]
    assert "404" in life["gone"]
    assert client.read("/api/cis/tagging/tag") == seen["tags"] or []
