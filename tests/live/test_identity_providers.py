"""Users of a real OpenID provider log in and call, in every dialect, and of what is wrong nobody hears but the logs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.audit import records
from tests.support.cli import resphere
from tests.support.jsonrpc import invocation
from tests.support.oidc_provider import CLIENT_ID, SECRET, OidcProvider, running_provider
from tests.support.server import WITHOUT_TLS, Client, Server

ALICE = {"upn": "alice@corp.example.com", "groups": ["vc-admins", "developers"]}
BOB = {"upn": "bob@corp.example.com", "groups": ["developers"]}
FOREIGN = {"upn": "carol@other.example.com", "groups": ["vc-admins"]}
PROVIDERS = "/api/vcenter/identity/providers"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
SAML2 = "urn:ietf:params:oauth:token-type:saml2"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    """A provider with three users."""
    with running_provider({"1": ALICE, "2": BOB, "3": FOREIGN}) as running:
        yield running


def declaration(provider: OidcProvider) -> str:
    """The file that declares it."""
    entry = {
        "name": "corp",
        "discovery_endpoint": provider.discovery,
        "client_id": CLIENT_ID,
        "client_secret_file": "secret",
        "domain_names": ["corp.example.com"],
        "upn_claim": "upn",
        "groups_claim": "groups",
        "groups": {"vc-admins": ["Administrators@vsphere.local"]},
    }
    return json.dumps({"providers": [entry]})


@pytest.fixture(scope="module")
def server(provider: OidcProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose file declares the provider."""
    folder = tmp_path_factory.mktemp("identity")
    (folder / "sources.yaml").write_text(declaration(provider))
    (folder / "secret").write_text(SECRET + "\n")
    with Server(folder / "data", WITHOUT_TLS, "--identity-sources", str(folder / "sources.yaml")) as running:
        yield running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def user_of(client: Client, path: str, headers: dict[str, str]) -> tuple[int, Any]:
    reply = client.get(path, headers=headers)
    return reply.status_code, reply.json() if reply.content else None


def test_a_token_calls_and_opens_sessions(server: Server, provider: OidcProvider) -> None:
    with Client(server, None) as client:
        token = provider.token("1")
        for path in ("/api/vcenter/vm", "/rest/vcenter/vm"):
            assert client.get(path, headers=bearer(token)).status_code == 200
        for path in ("/api/session", "/rest/com/vmware/cis/session"):
            opened = client.post(path, headers=bearer(token))
            assert opened.ok, opened.text
            body = opened.json()
            session = {"vmware-api-session-id": body if isinstance(body, str) else body["value"]}
            client.http.cookies.clear()
            status, info = user_of(client, "/api/session", session)
            assert (status, info["user"]) == (200, "alice@corp.example.com")
            # By the group that stands for one of the provider's.
            assert client.read("/api/vcenter/vm", headers=session)


def test_json_rpc_takes_a_token_in_its_oauth_context(server: Server, provider: OidcProvider) -> None:
    context = {"schemeId": "com.vmware.vapi.std.security.oauth", "accessToken": provider.token("1")}
    with Client(server, None) as client:
        body = invocation("com.vmware.vcenter.datacenter", "list", {"filter": {"OPTIONAL": None}}, context)
        result = client.post("/api", json=body).json()["result"]
        assert result["output"], result
        forged = {**context, "accessToken": "ey.x.y"}
        bad = invocation("com.vmware.vcenter.datacenter", "list", {"filter": {"OPTIONAL": None}}, forged)
        assert "unauthenticated" in client.post("/api", json=bad).text


def test_who_has_no_permission_is_let_in_and_sees_nothing(server: Server, provider: OidcProvider) -> None:
    with Client(server, None) as client:
        reply = client.get("/api/vcenter/vm", headers=bearer(provider.token("2")))
        assert (reply.status_code, reply.json()) in ((200, []), (403, reply.json()))


def test_bad_tokens_say_nothing_to_the_caller(server: Server, provider: OidcProvider) -> None:
    good = provider.token("1")
    head, payload, signature = good.split(".")
    bad = {
        "another audience": provider.token("1", "another-client"),
        "another domain": provider.token("3"),
        "another signature": f"{head}.{payload}.{signature[::-1]}",
        "no signature": f"{head}.{payload}.",
        "no token": "ey.ey.ey",
        "too long": good + "A" * 20_000,
    }
    with Client(server, None) as client:
        answers = {client.get("/api/vcenter/vm", headers=bearer(token)).text for token in bad.values()}
        assert len(answers) == 1
        assert "com.vmware.vapi.endpoint.method.authentication.required" in answers.pop()
    audit = (server.data_dir / "log" / "audit.log").read_text()
    for why in ("it is for", "for which the provider may not vouch", "signature is not good"):
        assert why in audit
    written = server.log.read_text() + audit + server.errors()
    assert signature not in written
    assert payload not in written


def test_everybody_may_ask_where_to_log_in_and_nobody_gets_a_secret(server: Server, provider: OidcProvider) -> None:
    with Client(server, None) as anonymous:
        [summary] = anonymous.read(PROVIDERS)
        assert summary["oidc"]["auth_endpoint"] == f"{provider.issuer}/oauth2/authorize"
        assert summary["oidc"]["authentication_header"] == "Authorization: Basic"
        assert anonymous.get(f"{PROVIDERS}/{summary['provider']}").status_code == 401
    with server.session() as client:
        info = client.read(f"{PROVIDERS}/{summary['provider']}")
        assert info["oidc"]["client_secret"] == ""
        assert info["oidc"]["issuer"] == provider.issuer
        assert client.delete(f"{PROVIDERS}/{summary['provider']}").status_code == 400
    for path in server.data_dir.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_token_is_exchanged_for_one_of_this_vcenter(server: Server, provider: OidcProvider) -> None:
    token = provider.token("1")
    spec = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ID_TOKEN}
    spec["requested_token_type"] = ACCESS_TOKEN
    with Client(server, None) as client:
        assert client.post("/api/vcenter/tokenservice/token-exchange", json={"spec": spec}).status_code == 401
        for path in ("/api/vcenter/tokenservice/token-exchange", "/rest/vcenter/tokenservice/token-exchange"):
            reply = client.post(path, json={"spec": spec}, headers=bearer(token))
            assert reply.status_code == 200, reply.text
            body = reply.json()
            issued = body.get("value", body)
            assert issued["token_type"] == "Bearer"
            assert 0 < issued["expires_in"] <= 3600
            own = bearer(issued["access_token"])
            assert client.get("/api/vcenter/vm", headers=own).status_code == 200
        refused = client.post(
            "/api/vcenter/tokenservice/token-exchange",
            json={"spec": {**spec, "subject_token": token[:-8] + "AAAAAAAA"}},
            headers=bearer(token),
        )
        assert (refused.status_code, refused.json()["error_type"]) == (400, "INVALID_GRANT")
        other = client.post(
            "/api/vcenter/tokenservice/token-exchange",
            json={"spec": {**spec, "audience": "another"}},
            headers=bearer(token),
        )
        assert (other.status_code, other.json()["error_type"]) == (500, "INVALID_SCOPE")


def test_a_token_becomes_a_saml_token_that_opens_sessions(server: Server, provider: OidcProvider) -> None:
    """The way that clients of vCenter go: a form for a SAML token, which is zipped for a login."""
    token = provider.token("1")
    form = {
        "grant_type": EXCHANGE,
        "requested_token_type": SAML2,
        "subject_token_type": ID_TOKEN,
        "subject_token": token,
    }
    with Client(server, None) as client:
        path = "/api/vcenter/authentication/token"
        assert client.post(path, data=form).status_code == 401
        reply = client.post(path, data=form, headers=bearer(token))
        assert reply.status_code == 200, reply.text
        issued = reply.json()
        assert (issued["issued_token_type"], issued["token_type"]) == (SAML2, "N_A")
        assert 0 < issued["expires_in"] <= 300
        saml = base64.b64decode(issued["access_token"], validate=True)
        sign = f'SIGN token="{base64.b64encode(gzip.compress(saml)).decode()}"'
        opened = client.post("/api/session", headers={"Authorization": sign})
        assert opened.status_code == 201, opened.text
        session = {"vmware-api-session-id": opened.json()}
        assert client.read("/api/session", headers=session)["user"] == "alice@corp.example.com"
        # By the group of this vCenter that stands for one of the provider's.
        assert client.read("/api/vcenter/vm", headers=session)
        back = client.post(
            path,
            data={"grant_type": EXCHANGE, "subject_token_type": SAML2, "subject_token": issued["access_token"]},
            headers=session,
        )
        assert client.get("/api/vcenter/vm", headers=bearer(back.json()["access_token"])).json()
        refused = client.post(path, data={**form, "subject_token": token[:-8] + "AAAAAAAA"}, headers=bearer(token))
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    written = b"".join(path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file())
    assert issued["access_token"].encode() not in written


def spec_of(provider: OidcProvider) -> dict[str, Any]:
    own = {
        "discovery_endpoint": provider.discovery,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "claim_map": {"perms": {"vc-admins": ["Administrators"]}},
    }
    return {
        "config_tag": "Oidc",
        "oidc": own,
        "name": "corp",
        "domain_names": ["corp.example.com"],
        "upn_claim": "upn",
        "groups_claim": "groups",
    }


def test_providers_come_and_go_by_the_api(provider: OidcProvider, tmp_path: Path) -> None:
    with Server(tmp_path / "data", WITHOUT_TLS, "--workers", "2") as server, server.session() as client:
        assert client.read(PROVIDERS) == []
        token = provider.token("1")
        with Client(server, None) as caller:
            assert caller.get("/api/vcenter/vm", headers=bearer(token)).status_code == 401
            made = client.post(PROVIDERS, json=spec_of(provider))
            assert made.status_code == 201, made.text
            path = f"{PROVIDERS}/{made.json()}"
            again = client.post(PROVIDERS, json=spec_of(provider))
            assert (again.status_code, again.json()["error_type"]) == (400, "ALREADY_EXISTS")
            session = {"vmware-api-session-id": caller.post("/api/session", headers=bearer(token)).json()}
            for _ in range(4):
                assert caller.get("/api/vcenter/vm", headers=session).status_code == 200
                assert caller.get("/api/vcenter/vm", headers=bearer(token)).status_code == 200
            renamed = client.patch(path, json={"config_tag": "Oidc", "oidc": {}, "name": "renamed"})
            assert renamed.status_code == 204, renamed.text
            assert client.read(path)["name"] == "renamed"
            # What let the user in is not what it was.
            assert caller.get("/api/vcenter/vm", headers=session).status_code == 401
            assert caller.get("/api/vcenter/vm", headers=bearer(token)).status_code == 200
            empty = client.patch(path, json={"config_tag": "Oidc", "oidc": {"client_secret": ""}})
            assert (empty.status_code, empty.json()["error_type"]) == (400, "INVALID_ARGUMENT")
            listed = resphere("identity", "list", "--data-dir", str(server.data_dir))
            assert listed.stdout == f"renamed\tOidc\tcorp.example.com\t{provider.discovery}\tAPI\n", listed.stderr
            check = resphere("identity", "check", "renamed", "--data-dir", str(server.data_dir))
            assert check.returncode == 0, check.stderr
            assert check.stdout == (f"issuer {provider.issuer}\naudience {CLIENT_ID}\n1 keys that sign tokens: RSA\n")
            assert client.delete(path).status_code == 204
            assert client.get(path).status_code == 404
            assert caller.get("/api/vcenter/vm", headers=bearer(token)).status_code == 401


def test_new_keys_are_found_after_a_restart_of_the_provider(tmp_path: Path) -> None:
    with (
        running_provider({"1": ALICE}) as provider,
        Server(tmp_path / "data", WITHOUT_TLS) as server,
        server.session() as client,
    ):
        assert client.post(PROVIDERS, json=spec_of(provider)).status_code == 201
        provider.stop()
        provider.start()
        token = provider.token("1")
        with Client(server, None) as caller:
            # The keys were never needed before: those that it has now are fetched.
            assert caller.get("/api/vcenter/vm", headers=bearer(token)).status_code == 200
        provider.stop()
        # What is known of it is good while it is down.
        with Client(server, None) as caller:
            assert caller.get("/api/vcenter/vm", headers=bearer(token)).status_code == 200
        unreachable = client.post(PROVIDERS, json=spec_of(provider))
        assert (unreachable.status_code, unreachable.json()["error_type"]) == (400, "INVALID_ARGUMENT")


def test_a_token_of_a_single_use_opens_one_session_of_all_workers(provider: OidcProvider, tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(declaration(provider))
    (tmp_path / "secret").write_text(SECRET + "\n")
    flags = ("--workers", "2", "--identity-sources", str(tmp_path / "sources.yaml"), "--single-use-tokens")
    with Server(tmp_path / "data", WITHOUT_TLS, *flags) as server:
        token = provider.token("1")
        statuses = []
        for _ in range(8):
            with Client(server, None) as client:
                statuses.append(client.post("/api/session", headers=bearer(token)).status_code)
                assert client.get("/api/vcenter/vm", headers=bearer(token)).status_code == 200
        assert sorted(statuses) == [201] + 7 * [401]
        reasons = [str(each["reason"]) for each in records(server.data_dir) if "reason" in each]
        assert sum("shown and taken before" in reason for reason in reasons) == 7
