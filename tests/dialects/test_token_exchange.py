"""Tokens are exchanged for others: SAML tokens and those of this vCenter, by both operations, on every dialect."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from resphere.auth.federation import ACCESS_TOKEN, ID_TOKEN, SAML2, TOKEN_TYPE
from resphere.auth.saml.assertion import GROUPS, Confirmation, read_assertion
from resphere.auth.saml.documents import parse
from resphere.auth.saml.trust import TrustedIssuer
from resphere.contract.generated.oauth2 import TokenInfo
from resphere.contract.generated.vcenter_authentication import Token
from resphere.contract.generated.vcenter_tokenservice import TokenExchange
from resphere.services.checks.token_exchange import EXCHANGE
from tests.dialects.test_sts import DAY, MINUTE, administrator, held, issued, login
from tests.support.calls import ApiCall
from tests.support.saml import DOMAIN, ISSUER, party, sign_header, token
from tests.support.served import Failure, Served
from tests.support.server import ADMINISTRATOR
from tests.support.sts import lifetime
from tests.support.world import NOW

ISSUE, EXCHANGES = "/api/vcenter/authentication/token", "/api/vcenter/tokenservice/token-exchange"
FORM = b"application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    other = TrustedIssuer(name=ISSUER, certificates=(party("idp").certificate,), domain=DOMAIN)
    with Served(tmp_path_factory.mktemp("exchange"), issuers=(other,)) as made:
        made.issue_tokens()
        yield made


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def spec(subject: str, subject_type: str = SAML2, **others: str) -> dict[str, str]:
    return {"grant_type": EXCHANGE, "subject_token": subject, "subject_token_type": subject_type, **others}


def asked(served: Served, fields: dict[str, str] | bytes, path: str = ISSUE, **headers: bytes) -> tuple[int, Any]:
    """The answer to a form, of the administrator's session."""
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    shown = {b"vmware-api-session-id": served.token.encode(), b"content-type": FORM}
    shown |= {name.replace("_", "-").encode(): value for name, value in headers.items()}
    reply = served.send(served.api, ApiCall("POST", path, body), shown)
    return reply.status, json.loads(reply.body)


def own(served: Served) -> str:
    """A bearer's SAML token of the administrator, in Base64."""
    return in_base64(issued(served, administrator())[0])


def bearer(served: Served, text: str, path: str = "/api/vcenter/datacenter") -> int:
    """The status of a call by a token."""
    headers = {b"authorization": f"Bearer {text}".encode()}
    return served.send(served.api, ApiCall("GET", path, None), headers).status


def test_a_saml_token_for_an_access_token(served: Served) -> None:
    status, found = asked(served, spec(own(served)))
    assert (status, found["issued_token_type"], found["token_type"]) == (200, ACCESS_TOKEN, "Bearer")
    # For as long as the SAML token was good.
    assert found["expires_in"] == 300
    assert bearer(served, found["access_token"]) == 200


def test_an_access_token_for_a_saml_token(served: Served) -> None:
    _, first = asked(served, spec(own(served)))
    status, found = asked(served, spec(first["access_token"], ACCESS_TOKEN, requested_token_type=SAML2))
    assert (status, found["issued_token_type"], found["token_type"]) == (200, SAML2, "N_A")
    text = base64.b64decode(found["access_token"], validate=True).decode()
    assertion = read_assertion(parse(text))
    assert (assertion.name, assertion.confirmation) == (ADMINISTRATOR, Confirmation.BEARER)
    assert "vsphere.local\\Administrators" in assertion.values(GROUPS)
    assert assertion.not_on_or_after - NOW == timedelta(seconds=found["expires_in"])
    assert login(served, sign_header(text)) == 201


@pytest.mark.parametrize("url_safe", [False, True])
def test_base64_of_both_alphabets(served: Served, url_safe: bool) -> None:
    text = own(served)
    given = text.replace("+", "-").replace("/", "_").rstrip("=") if url_safe else text
    assert asked(served, spec(given))[0] == 200


@pytest.mark.parametrize("dialect", ["by_api", "by_rest", "by_jsonrpc"])
def test_the_older_operation(served: Served, dialect: str) -> None:
    value = TokenExchange.ExchangeInput(spec=msgspec.convert(spec(own(served)), TokenExchange.ExchangeSpec))
    found = getattr(served, dialect)(TokenExchange.exchange, value)
    assert isinstance(found, TokenExchange.Info), found
    assert bearer(served, found.access_token) == 200


@pytest.mark.parametrize("dialect", ["by_api", "by_jsonrpc"])
def test_the_newer_operation(served: Served, dialect: str) -> None:
    value = Token.IssueInput(spec=msgspec.convert(spec(own(served)), Token.IssueSpec))
    found = getattr(served, dialect)(Token.issue, value)
    assert isinstance(found, TokenInfo), found
    assert bearer(served, found.access_token) == 200


def test_nothing_is_exchanged_for_a_stranger(served: Served) -> None:
    for path in (ISSUE, EXCHANGES):
        body = urlencode(spec(own(served))).encode()
        reply = served.send(served.api, ApiCall("POST", path, body), {b"content-type": FORM})
        assert reply.status == 401


def test_users_of_another_issuer_go_on_by_an_access_token(served: Served) -> None:
    status, found = asked(served, spec(in_base64(token(NOW))))
    assert status == 200, found
    assert bearer(served, found["access_token"]) == 200
    _, saml = asked(served, spec(found["access_token"], ACCESS_TOKEN, requested_token_type=SAML2))
    assert login(served, sign_header(base64.b64decode(saml["access_token"]).decode())) == 201


def test_another_issuer_makes_nobody_a_local_user(served: Served) -> None:
    status, found = asked(served, spec(in_base64(token(NOW, name=ADMINISTRATOR))))
    assert (status, found["error"]) == (400, "invalid_grant")


class TestOfTheHolderOfAKey:
    """Without its key, such a token says nothing, unless whom it names is known to call."""

    def held(self, served: Served) -> str:
        return issued(served, administrator(signer=party("ann"), content=lifetime(NOW, NOW + DAY)))[0]

    def test_it_is_taken_from_its_own_subject_alone(self, served: Served) -> None:
        text = self.held(served)
        status, found = asked(served, spec(in_base64(text)))
        assert (status, found["expires_in"]) == (200, 3600)
        served.world.run(served.accounts.put("thief@vsphere.local", "a long password of a thief", "ReadOnly"))
        thief = served.accounts.principal("thief@vsphere.local")
        assert thief is not None
        session = served.world.run(served.world.environment.identities.sessions.open(thief, "password"))
        status, found = asked(served, spec(in_base64(text)), vmware_api_session_id=session.encode())
        assert (status, found["error"]) == (400, "invalid_grant")

    def test_it_lets_nobody_in_by_itself(self, served: Served) -> None:
        text = self.held(served)
        assert login(served, sign_header(text)) == 401
        assert login(served, held(text, "ann", "exchange")) == 201


def test_what_is_over_is_not_exchanged(served: Served) -> None:
    """Within the skew of clocks a token still lets in, but no other is made of it."""
    late = token(NOW - 6 * MINUTE)
    assert login(served, sign_header(late)) == 201
    status, found = asked(served, spec(in_base64(late)))
    assert (status, found["error"]) == (400, "invalid_grant")


REFUSED: list[tuple[dict[str, str], int, str, str]] = [
    ({"grant_type": "password"}, 400, "invalid_grant", "grant_type"),
    ({"subject_token": ""}, 400, "invalid_request", "subject_token"),
    ({"subject_token_type": ""}, 400, "invalid_request", "subject_token_type"),
    ({"subject_token_type": TOKEN_TYPE + "refresh_token"}, 400, "invalid_request", "subject_token_type"),
    ({"requested_token_type": ID_TOKEN}, 400, "invalid_request", "requested_token_type"),
    ({"requested_token_type": "x"}, 400, "invalid_request", "requested_token_type"),
    ({"actor_token": "x"}, 400, "invalid_request", "actor_token"),
    ({"actor_token": "x", "actor_token_type": "x"}, 400, "invalid_request", "actor_token_type"),
    ({"actor_token": "x", "actor_token_type": SAML2}, 400, "invalid_grant", "subject_token"),
    ({"audience": "vmware-tes:vc:vns:k8s"}, 500, "invalid_scope", "audience"),
    ({"resource": "https://elsewhere.example"}, 500, "invalid_scope", "resource"),
    ({"scope": "openid"}, 500, "invalid_scope", "scope"),
    ({"subject_token": "no Base64!"}, 400, "invalid_grant", "subject_token"),
    ({"subject_token": in_base64("<x/>")}, 400, "invalid_grant", "subject_token"),
    ({"subject_token": base64.b64encode(b"\xff\xfe").decode()}, 400, "invalid_grant", "subject_token"),
    ({"subject_token": "A" * 400_000}, 400, "invalid_grant", "subject_token"),
    ({"subject_token_type": ID_TOKEN}, 400, "invalid_grant", "subject_token"),
]


@pytest.mark.parametrize(("changed", "status", "error", "field"), REFUSED)
def test_refusals_as_oauth_and_as_vapi_have_them(
    served: Served, changed: dict[str, str], status: int, error: str, field: str
) -> None:
    fields = {**spec(own(served)), **changed}
    found = asked(served, fields)
    assert found[0] == status, found
    body = found[1]
    assert (body["error"], body["error_type"]) == (error, error.upper())
    assert field in body["error_description"]
    assert '"' not in body["error_description"]
    assert body["messages"][0]["id"] == f"resphere.tokenservice.{field}"
    older = {name: value for name, value in fields.items() if value}
    if {"subject_token", "subject_token_type"} <= older.keys():
        value = TokenExchange.ExchangeInput(spec=msgspec.convert(older, TokenExchange.ExchangeSpec))
        for dialect in (served.by_api, served.by_rest, served.by_jsonrpc):
            failed = dialect(TokenExchange.exchange, value)
            assert isinstance(failed, Failure)
            assert failed.error_type == error.upper()
        reply = served.ask_api(ApiCall("POST", EXCHANGES, json.dumps({"spec": older}).encode()))
        assert "error" not in json.loads(reply.body)


def test_an_error_of_json_rpc_is_that_of_oauth(served: Served) -> None:
    value = Token.IssueInput(spec=Token.IssueSpec(grant_type="password"))
    reply = served.ask(served.jsonrpc, served.jsonrpc_call(Token.issue, value))
    [(name, fields)] = json.loads(reply.body)["result"]["error"]["ERROR"].items()
    assert name == "com.vmware.oauth2.errors.invalid_grant"
    assert fields["error"] == "invalid_grant"
    assert "grant_type" in fields["error_description"]["OPTIONAL"]
    assert fields["error_uri"] == {"OPTIONAL": None}


class TestForms:
    """As RFC 6749 and 8693 have them."""

    def test_what_is_unknown_counts_for_nothing(self, served: Served) -> None:
        fields = {**spec(own(served)), "client_id": "x", "client_secret": "y", "scope": "", "actor_token": ""}
        assert asked(served, fields)[0] == 200

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"&&&=",
            b"grant_type",
            b"subject_token=x",
            b"grant_type=x&grant_type=y",
            b"grant_type=%ff",
            b"grant_type=%",
            b"grant_type=x&" + b"a" * 512 * 1024,
            b"grant_type=x" + b"&a=b" * 100,
            b"grant_type=" + b"%41" * 20_001,
        ],
    )
    def test_what_is_no_good_form(self, served: Served, body: bytes) -> None:
        status, found = asked(served, body)
        assert status == 400, found

    @pytest.mark.parametrize("media_type", [b"text/plain", b"multipart/form-data; boundary=x", b"application/xml"])
    def test_other_media_types(self, served: Served, media_type: bytes) -> None:
        status, found = asked(served, spec(own(served)), content_type=media_type)
        assert (status, found["error_type"]) == (400, "INVALID_ARGUMENT")

    def test_operations_that_take_no_form(self, served: Served) -> None:
        status, found = asked(served, spec(own(served)), EXCHANGES)
        assert (status, found["error_type"]) == (400, "INVALID_ARGUMENT")


def opened(served: Served, access_token: str) -> int:
    """The status of a login by an access token."""
    headers = {b"authorization": f"Bearer {access_token}".encode()}
    return served.send(served.api, ApiCall("POST", "/api/session", None), headers).status


class TestUsedAgain:
    """A bearer's token is good until it expires, as often as it is shown."""

    def test_it_opens_sessions_and_is_exchanged(self, served: Served) -> None:
        text = issued(served, administrator())[0]
        _, found = asked(served, spec(in_base64(text)))
        assert [login(served, sign_header(text)) for _ in range(2)] == [201, 201]
        assert [opened(served, found["access_token"]) for _ in range(2)] == [201, 201]
        assert asked(served, spec(in_base64(text)))[0] == 200

    def test_what_it_is_exchanged_for_ends_when_it_does(self, served: Served) -> None:
        """However often it goes from one kind to the other."""
        given, given_type, left = own(served), SAML2, 300
        for wanted in (ACCESS_TOKEN, SAML2, ACCESS_TOKEN, SAML2):
            status, found = asked(served, spec(given, given_type, requested_token_type=wanted))
            assert status == 200, found
            assert found["expires_in"] <= left
            given, given_type, left = found["access_token"], wanted, found["expires_in"]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that takes tokens once."""
    with Served(tmp_path_factory.mktemp("once"), single_use=True) as made:
        made.issue_tokens()
        yield made


class TestOfASingleUse:
    """Where that is asked for, a token opens one session or is exchanged once, and calls as before."""

    def test_of_a_bearers_saml_token(self, once: Served) -> None:
        text = issued(once, administrator())[0]
        assert [login(once, sign_header(text)) for _ in range(3)] == [201, 401, 401]
        status, found = asked(once, spec(in_base64(text)))
        assert (status, found["error"]) == (400, "invalid_grant")

    def test_of_an_exchange(self, once: Served) -> None:
        text = own(once)
        answers = [asked(once, spec(text)) for _ in range(2)]
        assert [status for status, _ in answers] == [200, 400]
        assert login(once, sign_header(base64.b64decode(text).decode())) == 401

    def test_of_an_access_token(self, once: Served) -> None:
        _, found = asked(once, spec(own(once)))
        text = found["access_token"]
        assert [bearer(once, text) for _ in range(3)] == [200, 200, 200]
        assert [opened(once, text) for _ in range(2)] == [201, 401]
        assert asked(once, spec(text, ACCESS_TOKEN))[0] == 400
        assert bearer(once, text) == 200

    def test_refusals_use_up_nothing(self, once: Served) -> None:
        text = own(once)
        assert asked(once, spec(text, scope="x"))[0] == 500
        assert asked(once, spec(text, actor_token="x", actor_token_type=SAML2))[0] == 400
        assert asked(once, spec(text))[0] == 200

    def test_the_holder_of_a_key_signs_each_time(self, once: Served) -> None:
        text = issued(once, administrator(signer=party("ann")))[0]
        assert [login(once, held(text, "ann", each)) for each in ("one", "two", "two")] == [201, 201, 401]
