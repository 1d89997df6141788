"""The official SDK's security contexts of SAML tokens, which the STS has issued."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.bindings import RELEASES, run
from tests.support.saml import party
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server
from tests.support.sts import Ask, token_of


def issued(server: Server, **fields: Any) -> str:
    """A token of the administrator."""
    ask = Ask(moment=datetime.now(UTC), user=ADMINISTRATOR, password=PASSWORD, **fields)
    with Client(server, None) as client:
        reply = client.post("/sts/STSService", data=ask.text.encode())
    assert reply.status_code == 200, reply.text
    return token_of(reply.text)


@pytest.fixture(scope="module", params=RELEASES)
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a release's security contexts came to."""
    folder = tmp_path_factory.mktemp("saml")
    keys = {name: folder / f"{name}.key" for name in ("holder", "other")}
    for name, path in keys.items():
        Path(path).write_text(party(name).key_pem)
    with Server(folder / "data") as server:
        given = {
            "server": f"127.0.0.1:{server.port}",
            "ca": str(server.ca),
            "bearer": issued(server),
            "held": issued(server, signer=party("holder")),
            "key": str(keys["holder"]),
            "other_key": str(keys["other"]),
        }
        found: dict[str, Any] = run(request.param, "saml", given)
    return found


@pytest.mark.parametrize("kind", ["bearer", "holder"])
@pytest.mark.xdist_group("sdk")
def test_opens_sessions_and_calls_without_one(outcomes: dict[str, Any], kind: str) -> None:
    assert outcomes[kind] == {"user": ADMINISTRATOR, "machines": 39, "filtered": 0}


@pytest.mark.parametrize("kind", ["client of a bearer", "client of a holder"])
@pytest.mark.xdist_group("sdk")
def test_the_sdks_own_client_logs_in(outcomes: dict[str, Any], kind: str) -> None:
    assert outcomes[kind] == {"machines": 39}


@pytest.mark.parametrize("kind", ["altered", "another key", "no key"])
@pytest.mark.xdist_group("sdk")
def test_is_refused(outcomes: dict[str, Any], kind: str) -> None:
    assert outcomes[kind]["refused"] == "vapi.security.authentication.invalid"
    assert "SIGN" in outcomes[kind]["challenge"]


@pytest.mark.xdist_group("sdk")
def test_is_exchanged_for_an_access_token(outcomes: dict[str, Any]) -> None:
    assert outcomes["exchanged"] == {
        "type": "Bearer",
        "used": {"user": ADMINISTRATOR, "machines": 39, "filtered": 0},
        "refused": [
            ["InvalidGrant", "invalid_grant", True],
            ["InvalidGrant", "invalid_grant", True],
            ["InvalidScope", "invalid_scope", True],
            ["InvalidScope", "invalid_scope", True],
        ],
    }
