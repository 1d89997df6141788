"""Tokens as requests carry them: ``Authorization: SIGN`` and JSON-RPC's contexts, good, bad and shown twice."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resphere.auth.replays import TakenProof
from resphere.auth.saml.documents import MOST_TOKEN_BYTES
from resphere.auth.saml.json_proof import canonical, canonical_double
from resphere.auth.saml.request_proof import MOST_SIGNED_BYTES
from resphere.auth.sessions import Session, digest
from tests.support.calls import ApiCall
from tests.support.examples import examples
from tests.support.jsonrpc import SECURITY, SESSION, error_of, invocation
from tests.support.saml import DOMAIN, held_token, issuer, nonce_of, party, sign_header, signed_header, token, zipped
from tests.support.served import Served
from tests.support.sts import written
from tests.support.world import NOW

MINUTE = timedelta(minutes=1)
ADDRESS = ("POST", "/api/session", "vcenter.example", "8443")
HOST = b"VCenter.example:8443"
LOGIN = ApiCall("POST", "/api/session", None)
GOOD, HELD = token(NOW), held_token("ann", NOW)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("saml"), issuers=(issuer(),)) as made:
        made.issue_tokens()
        yield made


def status(served: Served, authorization: str, call: ApiCall = LOGIN, host: bytes = HOST) -> int:
    reply = served.send(served.api, call, {b"authorization": authorization.encode("latin-1"), b"host": host})
    if reply.status == 401:
        assert 'SIGN realm="VAPI endpoint"' in dict(reply.headers)["WWW-Authenticate"]
        [said] = json.loads(reply.body)["messages"]
        assert said["default_message"] == "Unable to authenticate user: the token is not valid."
    return reply.status


def signed(text: str, made: str, holder: str = "ann", **changes: str) -> str:
    """``SIGN`` of the holder, with parameters that were changed after that."""
    header = signed_header(text, holder, ADDRESS, made)
    for name, value in changes.items():
        header = re.sub(rf'(?<![a-z_]){name}="[^"]*"', f'{name}="{value}"', header)
    return header


class TestBearers:
    def test_opens_a_session_with_the_groups_of_the_token(self, served: Served) -> None:
        reply = served.send(served.api, LOGIN, {b"authorization": sign_header(GOOD).encode()})
        assert reply.status == 201
        session = served.world.inventory.get(Session, digest(json.loads(reply.body)))
        assert session is not None
        assert (session.user, session.groups, session.method) == (f"ann@{DOMAIN}", (f"operators@{DOMAIN}",), "saml")

    def test_calls_without_a_session(self, served: Served) -> None:
        listed = ApiCall("GET", "/api/vcenter/vm", None)
        reply = served.send(served.api, listed, {b"authorization": sign_header(GOOD).encode()})
        assert (reply.status, reply.body) == (200, b"[]"), "somebody who was given no role sees nothing"

    def test_on_rest(self, served: Served) -> None:
        call = ApiCall("POST", "/rest/com/vmware/cis/session", None)
        assert served.send(served.rest, call, {b"authorization": sign_header(GOOD).encode()}).status == 200

    @pytest.mark.parametrize(
        "header",
        [
            "SIGN",
            "SIGN token",
            'SIGN token=""',
            'SIGN token="x"',
            f'SIGN token="{base64.b64encode(GOOD.encode()).decode()}"',
            f'SIGN token="{zipped(GOOD)[:-20]}"',
            f'SIGN token="{base64.b64encode(gzip.compress(GOOD.encode()) + b"x").decode()}"',
            f'SIGN token="{zipped(" " * (MOST_TOKEN_BYTES + 1))}"',
            f'SIGN token="{zipped("x" * 50_000_000)}"',
            f'SIGN token="{zipped(GOOD)}", token="{zipped(GOOD)}"',
            f'SIGN token="{base64.b64encode(gzip.compress(bytes([255]))).decode()}"',
            sign_header(GOOD.replace("ann@", "bob@")),
            sign_header(token(NOW, signer="evil")),
            sign_header(token(NOW, issuer="https://evil.example")),
            sign_header(token(NOW - 20 * MINUTE)),
            sign_header(token(NOW + 20 * MINUTE)),
            sign_header(token(NOW, name="administrator@vsphere.local")),
            sign_header(token(NOW, name="VSPHERE.LOCAL\\administrator")),
            sign_header(token(NOW, name="a@b@corp.example")),
            sign_header(HELD),
        ],
        ids=range(20),
    )
    def test_refused(self, served: Served, header: str) -> None:
        assert status(served, header) == 401

    def test_the_reason_stands_in_the_log(self, served: Served, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            status(served, sign_header(token(NOW, signer="evil")))
        assert "its signature is not good" in caplog.text
        assert GOOD[:50] not in caplog.text


class TestHoldersOfKeys:
    def test_opens_a_session(self, served: Served) -> None:
        assert status(served, signed(HELD, nonce_of(NOW, "first"))) == 201

    def test_not_by_the_same_request_again(self, served: Served) -> None:
        header = signed(HELD, nonce_of(NOW, "twice"))
        assert [status(served, header), status(served, header)] == [201, 401]

    def test_a_refused_request_uses_nothing_up(self, served: Served) -> None:
        header = signed(HELD, nonce_of(NOW, "later"))
        assert status(served, header, host=b"other.example") == 401
        assert status(served, header) == 201

    @pytest.mark.parametrize(
        ("host", "port"),
        [(b"vcenter.example", "80"), (b"vcenter.example", "443"), (b"[::1]:8443", "8443"), (b"[::1]", "80")],
    )
    def test_hosts_and_ports_as_clients_sign_them(self, served: Served, host: bytes, port: str) -> None:
        name = "::1" if host.startswith(b"[") else "vcenter.example"
        nonce = nonce_of(NOW, f"{host.decode()}{port}".replace("[", "").replace("]", ""))
        header = signed_header(HELD, "ann", ("POST", "/api/session", name, port), nonce)
        assert status(served, header, host=host) == 201

    @pytest.mark.parametrize(
        "header",
        [
            signed(HELD, nonce_of(NOW, "a"), holder="bob"),
            signed(GOOD, nonce_of(NOW, "b")),
            signed(HELD, nonce_of(NOW - 11 * MINUTE, "c")),
            signed(HELD, nonce_of(NOW + 11 * MINUTE, "d")),
            signed(HELD, "x"),
            signed(HELD, "1:" + "x" * 65),
            signed(HELD, nonce_of(NOW, "e"), nonce=nonce_of(NOW, "f")),
            signed(HELD, nonce_of(NOW, "g"), bodyhash=""),
            signed(HELD, nonce_of(NOW, "h"), signature=""),
            signed(HELD, nonce_of(NOW, "i"), signature="x"),
            signed(HELD, nonce_of(NOW, "j"), signature_alg="RSA-SHA1"),
            signed(HELD, nonce_of(NOW, "k"), signature_alg="none"),
            signed(HELD, nonce_of(NOW, "l"), signature_alg="RSA-SHA512"),
            signed_header(HELD, "ann", ("GET", *ADDRESS[1:]), nonce_of(NOW, "m")),
            signed_header(HELD, "ann", ("POST", "/api/vcenter/vm", *ADDRESS[2:]), nonce_of(NOW, "n")),
            signed_header(HELD, "ann", (*ADDRESS[:2], "other.example", "8443"), nonce_of(NOW, "o")),
            signed_header(HELD, "ann", (*ADDRESS[:3], "80"), nonce_of(NOW, "p")),
            signed_header(HELD, "ann", ADDRESS, nonce_of(NOW, "q"), b"another body"),
        ],
        ids=range(18),
    )
    def test_refused(self, served: Served, header: str) -> None:
        assert status(served, header) == 401

    def test_the_body_is_part_of_what_is_signed(self, served: Served) -> None:
        address = ("POST", "/api/vcenter/folder", "vcenter.example", "8443")
        body = b'{"name": "a", "parent": "group-v1"}'
        header = signed_header(HELD, "ann", address, nonce_of(NOW, "body"), body)
        call = ApiCall("POST", "/api/vcenter/folder", body.replace(b'"a"', b'"b"'))
        assert status(served, header, call) == 401
        assert status(served, header, ApiCall("POST", "/api/vcenter/folder", body)) in (403, 404)

    def test_not_of_a_body_that_is_too_large(self, served: Served) -> None:
        body = b" " * (MOST_SIGNED_BYTES + 1)
        header = signed_header(HELD, "ann", ADDRESS, nonce_of(NOW, "large"), body)
        assert status(served, header, ApiCall("POST", "/api/session", body)) == 401

    def test_what_was_taken_is_forgotten_when_nobody_would_take_it(self, served: Served) -> None:
        assert status(served, signed(HELD, nonce_of(NOW, "kept"))) == 201
        kept = served.world.inventory.all(TakenProof)
        assert kept
        assert all(each.until > NOW for each in kept.values())


def contextual(holder: str = "ann", identity: str = "1", text: str = HELD, **timestamp: str) -> dict[str, Any]:
    """A login by JSON-RPC, signed as the SDK does."""
    security: dict[str, Any] = {
        "schemeId": SECURITY + "saml_hok_token",
        "signatureAlgorithm": "RS256",
        "timestamp": {"created": written(NOW), "expires": written(NOW + 20 * MINUTE), **timestamp},
    }
    request = invocation(SESSION, "create", security=security, identity=identity)
    value = party(holder).sign(canonical(request).encode())
    security["signature"] = {"samlToken": text, "value": value}
    return request


def outcome(served: Served, request: dict[str, Any] | bytes) -> str:
    """``"opened"``, or the name of the error."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    reply = json.loads(served.send(served.jsonrpc, ApiCall("POST", "/api", body), {}).body)
    return "opened" if "output" in reply["result"] else error_of(reply)[0]


class TestContexts:
    def test_of_a_bearer(self, served: Served) -> None:
        context = {"schemeId": SECURITY + "saml_bearer_token", "samlToken": GOOD}
        assert outcome(served, invocation(SESSION, "create", security=context)) == "opened"

    def test_of_the_holder_of_a_key_once(self, served: Served) -> None:
        request = contextual()
        assert [outcome(served, request), outcome(served, request)] == ["opened", "unauthenticated"]

    def test_white_space_and_order_do_not_matter(self, served: Served) -> None:
        request = contextual(identity="2")
        assert outcome(served, json.dumps(dict(reversed(request.items())), indent=2).encode()) == "opened"

    @pytest.mark.parametrize(
        "request_",
        [
            contextual(holder="bob", identity="3"),
            contextual(text=GOOD, identity="4"),
            contextual(identity="5", created=written(NOW + 30 * MINUTE), expires=written(NOW + 40 * MINUTE)),
            contextual(identity="6", created=written(NOW - 30 * MINUTE), expires=written(NOW - 11 * MINUTE)),
            contextual(identity="7", expires=written(NOW + 61 * MINUTE)),
            contextual(identity="8", created="now"),
            contextual(identity="9") | {"id": "10"},
            json.dumps(contextual(identity="11")).replace('"id": "11"', '"id": "11", "id": "11"').encode(),
            json.dumps(contextual(identity="12")).replace("RS256", "none").encode(),
            json.dumps(contextual(identity="13")).replace("RS256", "HS256").encode(),
            json.dumps(contextual(identity="14")).replace('"value"', '"valu"').encode(),
            json.dumps(contextual(identity="15")).replace('"opId": "test"', '"opId": "text"').encode(),
        ],
        ids=range(12),
    )
    def test_refused(self, served: Served, request_: dict[str, Any] | bytes) -> None:
        assert outcome(served, request_) == "unauthenticated"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0", "0.0E0"),
        ("-0.0", "-0.0E0"),
        ("1.5", "1.5E0"),
        ("12.50", "1.25E1"),
        ("1E5", "1.0E5"),
        ("-0.00120", "-1.2E-3"),
    ],
)
def test_canonical_doubles(text: str, expected: str) -> None:
    assert canonical_double(Decimal(text)) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
@settings(max_examples=examples(100))
def test_canonical_json_says_the_same_and_is_its_own_form(value: Any) -> None:
    text = canonical(value)
    assert text.isascii()
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text
