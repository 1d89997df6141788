"""SAML tokens at a server of two workers: of its own STS and of another issuer, shown twice, and on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from tests.support.audit import records
from tests.support.saml import DOMAIN, ISSUER, held_token, nonce_of, party, sign_header, signed_header, token
from tests.support.server import ADMINISTRATOR, PASSWORD, Client, Server
from tests.support.sts import Ask, token_of


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("saml")
    (folder / "idp.pem").write_text(party("idp").certificate_pem)
    trust = folder / "trust.yaml"
    trust.write_text(f"issuers:\n  - name: {ISSUER}\n    certificates: [idp.pem]\n    domain: {DOMAIN}\n")
    with Server(folder / "data", "--workers", "2", "--saml-trust", str(trust)) as made:
        yield made


def login(server: Server, authorization: str) -> requests.Response:
    """A login over a connection of its own, so that either worker may have it."""
    with Client(server, None) as client:
        return client.post("/api/session", headers={"Authorization": authorization, "Connection": "close"})


def signed(server: Server, text: str, nonce: str) -> str:
    return signed_header(text, "ann", ("POST", "/api/session", "127.0.0.1", str(server.port)), nonce)


def issued(server: Server, **fields: object) -> str:
    ask = Ask(moment=datetime.now(UTC), user=ADMINISTRATOR, password=PASSWORD, **fields)  # type: ignore[arg-type]
    with Client(server, None) as client:
        reply = client.post("/sts/STSService/vsphere.local", data=ask.text.encode())
    assert reply.status_code == 200, reply.text
    return token_of(reply.text)


def test_a_token_is_good_at_every_worker(server: Server) -> None:
    header = sign_header(issued(server))
    assert {login(server, header).status_code for _ in range(8)} == {201}


def test_a_signed_request_is_taken_once_by_all_workers_together(server: Server) -> None:
    text = issued(server, signer=party("ann"))
    header = signed(server, text, nonce_of(datetime.now(UTC)))
    assert sorted(login(server, header).status_code for _ in range(8)) == [201] + 7 * [401]


def test_a_token_outlives_a_restart(server: Server) -> None:
    text = issued(server)
    server.kill()
    server.start()
    assert login(server, sign_header(text)).status_code == 201


def test_users_of_another_issuer_may_what_their_groups_are_given(server: Server) -> None:
    reply = login(server, sign_header(token(datetime.now(UTC))))
    assert reply.status_code == 201
    with Client(server, None) as client:
        headers = {"vmware-api-session-id": reply.json()}
        assert client.get("/api/session", headers=headers).json()["user"] == f"ann@{DOMAIN}"
        assert client.get("/api/vcenter/vm", headers=headers).json() == []


def test_another_issuer_makes_nobody_a_local_user(server: Server) -> None:
    assert login(server, sign_header(token(datetime.now(UTC), name=ADMINISTRATOR))).status_code == 401


def test_holders_of_keys_of_another_issuer(server: Server) -> None:
    now = datetime.now(UTC)
    assert login(server, signed(server, held_token("ann", now), nonce_of(now, "idp"))).status_code == 201


def test_why_a_token_is_refused_is_on_record_and_not_told(server: Server) -> None:
    refused = login(server, sign_header(token(datetime.now(UTC), signer="evil")))
    assert refused.status_code == 401
    assert "signature" not in refused.text

    (found,) = [each for each in records(server.data_dir) if each["request_id"] == refused.headers["x-request-id"]]
    assert found["authentication"] == "saml"
    assert "its signature is not good" in str(found["reason"])


def test_tokens_are_on_record_by_their_users_and_never_themselves(server: Server) -> None:
    text = issued(server)
    assert login(server, sign_header(text)).status_code == 201
    assert login(server, sign_header(text.replace("ID=", 'Id="" ID='))).status_code == 401

    found = [each for each in records(server.data_dir) if each.get("operation") == "resphere.sts.issue"]
    assert {each["user"] for each in found} == {ADMINISTRATOR}
    written = b"".join(path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file())
    value = text.partition("<ds:SignatureValue>")[2].partition("<")[0]
    assert value.encode() not in written
    assert b"BEGIN PRIVATE KEY" not in b"".join(path.read_bytes() for path in server.data_dir.glob("resphere.db*"))
