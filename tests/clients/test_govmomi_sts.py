"""govmomi's STS client and REST client, as Debian packages them: tokens, logins by them, and refusals.

This is what ``govc session.login -issue``, with and without ``-cert`` and ``-key``, does before it turns to ``/sdk``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.clients.go import build, needs_govmomi, said_by
from tests.support.cli import add_user
from tests.support.saml import party
from tests.support.server import ADMINISTRATOR, Server

SOURCE = Path(__file__).parent / "govmomi_sts" / "main.go"
SOLUTION = "solution@vsphere.local"
DAY_SECONDS = 24 * 60 * 60

pytestmark = needs_govmomi


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program got of a server that knows its first certificate."""
    folder = tmp_path_factory.mktemp("govmomi-sts")
    files = []
    for name in ("own", "other"):
        files += [folder / f"{name}.crt", folder / f"{name}.key"]
        files[-2].write_text(party(name).certificate_pem)
        files[-1].write_text(party(name).key_pem)
    trust = folder / "trust.yaml"
    trust.write_text(f"solution_users:\n  - user: {SOLUTION}\n    certificate: own.crt\n    act_as: true\n")
    program = build(SOURCE, folder)
    with Server(folder / "data", "--saml-trust", str(trust), "--workers", "2") as server:
        add_user(server.data_dir, SOLUTION, "a long password", "ReadOnly")
        return said_by(program, server, *files)


@pytest.mark.parametrize(
    ("kind", "user", "seconds"),
    [
        ("bearer", ADMINISTRATOR, 300),
        ("holder", ADMINISTRATOR, DAY_SECONDS),
        ("renewed", ADMINISTRATOR, 2 * DAY_SECONDS),
        ("acting", ADMINISTRATOR, 300),
        ("solution", SOLUTION, 300),
        ("delegate", ADMINISTRATOR, 300),
        ("extended", ADMINISTRATOR, 2 * DAY_SECONDS),
    ],
)
def test_gets_tokens_and_logs_in_by_them(seen: dict[str, Any], kind: str, user: str, seconds: int) -> None:
    assert seen[kind]["user"] == user
    # It says itself when it begins, which is a moment before the server hears of it.
    assert seconds - 30 <= seen[kind]["seconds"] <= seconds


def test_a_renewed_token_is_another_one(seen: dict[str, Any]) -> None:
    assert seen["renewed"]["token"] != seen["holder"]["token"]


@pytest.mark.parametrize("how", ["no key", "another key", "altered"])
def test_no_login(seen: dict[str, Any], how: str) -> None:
    assert "401" in seen["refused"][how]


@pytest.mark.parametrize("how", ["password", "certificate", "renewal by another key", "renewal of a bearer's"])
def test_no_token(seen: dict[str, Any], how: str) -> None:
    assert seen["refused"][how].endswith("FailedAuthentication: Invalid credentials")
