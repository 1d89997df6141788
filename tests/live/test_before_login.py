"""What official samples ask before they log in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.server import Client


def test_no_other_server_vouches_for_users(anonymous: Client) -> None:
    for path, wanted in (("/api/vcenter/identity/providers", []), ("/rest/vcenter/identity/providers", {"value": []})):
        reply = anonymous.get(path)
        assert (reply.status_code, reply.json()) == (200, wanted)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["8.0.2.0", "8.0.1.0"], "8.0.2.0"),
        (["8.0.2.0", "8.0.10.0"], "8.0.10.0"),
        (["99.0.0.0", "7.0.3.0"], "7.0.3.0"),
        (["99.0.0.0", "6.5.0.0", "new", "8", ""], ""),
        ([], ""),
    ],
)
def test_the_newest_release_that_both_speak(anonymous: Client, offered: list[str], chosen: str) -> None:
    reply = anonymous.post("/api/vcenter/system?action=hello", json={"api_releases": offered})
    assert (reply.status_code, reply.json()) == (200, {"api_release": chosen})


def test_the_input_is_validated_all_the_same(anonymous: Client) -> None:
    bodies: tuple[Any, ...] = ({}, {"api_releases": 8}, {"releases": []})
    for body in bodies:
        assert anonymous.post("/api/vcenter/system?action=hello", json=body).status_code == 400
