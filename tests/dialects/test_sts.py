"""The STS: who gets which tokens, for how long, and what is refused with which fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from resphere.auth.saml.assertion import GROUPS, Assertion, Confirmation, read_assertion
from resphere.auth.saml.documents import parse
from resphere.dialects.base import Reply
from tests.support.calls import ApiCall
from tests.support.examples import examples
from tests.support.saml import nonce_of, party, sign_header, signed_header
from tests.support.served import Served
from tests.support.server import ADMINISTRATOR, PASSWORD
from tests.support.sts import BEARER, PUBLIC_KEY, WST, Ask, acting, element, lifetime, token_of
from tests.support.world import NOW

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SKEW = 10 * MINUTE
OPERATOR, OPERATOR_PASSWORD = "operator@vsphere.local", "another long password"
PATH = "/sts/STSService"
SESSION = ApiCall("POST", "/api/session", None)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("sts")) as made:
        made.issue_tokens()
        made.world.run(made.accounts.put(OPERATOR, OPERATOR_PASSWORD, "ReadOnly"))
        yield made


def ask(served: Served, text: str | bytes) -> Reply:
    body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return served.send(served.sts, ApiCall("POST", PATH, body), {b"content-type": b"text/xml"})


def administrator(**fields: Any) -> Ask:
    return Ask(**{"moment": NOW, "user": ADMINISTRATOR, "password": PASSWORD, **fields})


def issued(served: Served, asked: Ask) -> tuple[str, Assertion]:
    reply = ask(served, asked.text)
    assert reply.status == 200, reply.body
    token = token_of(reply.body.decode())
    return token, read_assertion(parse(token))


def fault(served: Served, text: str | bytes) -> str:
    """The code of the fault that a message is refused with, and what it says."""
    reply = ask(served, text)
    assert reply.status == 500, reply.body
    found = re.search(r"<faultcode [^>]*>code:(\w+)</faultcode><faultstring>(.*)</faultstring>", reply.body.decode())
    assert found is not None, reply.body
    etree.fromstring(reply.body)
    return f"{found[1]}: {found[2]}"


def login(served: Served, authorization: str) -> int:
    """The status of a login by ``Authorization``."""
    headers = {b"authorization": authorization.encode(), b"host": b"vcenter.example:8443"}
    return served.send(served.api, SESSION, headers).status


def held(token: str, holder: str, text: str) -> str:
    """``Authorization`` of the holder of a key, with a nonce of its own."""
    address = ("POST", "/api/session", "vcenter.example", "8443")
    return signed_header(token, holder, address, nonce_of(NOW, text))


class TestIssue:
    def test_of_a_bearer_for_five_minutes(self, served: Served) -> None:
        token, found = issued(served, administrator())
        assert (found.name, found.confirmation) == (ADMINISTRATOR, Confirmation.BEARER)
        assert (found.not_before, found.not_on_or_after) == (NOW, NOW + 5 * MINUTE)
        assert "vsphere.local\\Administrators" in found.values(GROUPS)
        assert (found.limits.renewals, found.limits.delegations) == (0, 0)
        assert login(served, sign_header(token)) == 201

    def test_of_the_holder_of_a_key(self, served: Served) -> None:
        token, found = issued(served, administrator(signer=party("ann"), content=lifetime(NOW, NOW + DAY)))
        assert (found.confirmation, found.certificate) == (Confirmation.HOLDER_OF_KEY, party("ann").der)
        assert found.not_on_or_after == NOW + DAY
        assert login(served, held(token, "ann", "issue")) == 201

    def test_of_a_bearer_though_the_message_is_signed(self, served: Served) -> None:
        _, found = issued(served, administrator(signer=party("ann"), content=element("KeyType", BEARER)))
        assert found.confirmation is Confirmation.BEARER

    @pytest.mark.parametrize(("signer", "longest"), [(None, 5 * MINUTE), ("ann", 30 * DAY)])
    def test_no_longer_than_the_policy_lets_it_be(self, served: Served, signer: str | None, longest: timedelta) -> None:
        by = party(signer) if signer else None
        _, found = issued(served, administrator(signer=by, content=lifetime(NOW, NOW + 365 * DAY)))
        assert found.not_on_or_after == NOW + longest

    def test_renewable_and_delegatable(self, served: Served) -> None:
        content = '<wst:Renewing Allow="true" OK="false"/>' + element("Delegatable", "true")
        _, found = issued(served, administrator(signer=party("ann"), content=content))
        assert (found.limits.renewals, found.limits.delegations) == (10, 10)

    def test_for_an_audience(self, served: Served) -> None:
        def asked(address: str) -> str:
            return (
                '<wst:Participants><wst:Primary><a:EndpointReference xmlns:a="http://www.w3.org/2005/08/addressing">'
                f"<a:Address>{address}</a:Address></a:EndpointReference></wst:Primary></wst:Participants>"
            )

        here, found = issued(served, administrator(content=asked("https://vcenter.example")))
        assert found.limits.audiences == (("https://vcenter.example",),)
        assert login(served, sign_header(here)) == 201
        elsewhere, _ = issued(served, administrator(content=asked("https://other.example")))
        assert login(served, sign_header(elsewhere)) == 401

    def test_by_a_token_of_the_holder_of_a_key(self, served: Served) -> None:
        content = lifetime(NOW, NOW + DAY)
        token, first = issued(served, administrator(signer=party("ann"), content=content))
        asked = Ask(
            moment=NOW, token=token, signer=party("ann"), token_signs=True, content=lifetime(NOW, NOW + 9 * DAY)
        )
        _, second = issued(served, asked)
        assert (second.name, second.certificate) == (first.name, party("ann").der)
        assert second.not_on_or_after == first.not_on_or_after, "no longer than the one that was shown"

    def test_by_a_bearers_token(self, served: Served) -> None:
        token, first = issued(served, administrator())
        _, second = issued(served, Ask(moment=NOW, token=token))
        assert second.confirmation is Confirmation.BEARER
        assert second.not_on_or_after == first.not_on_or_after

    def test_govmomis_name_of_the_token_type(self, served: Served) -> None:
        issued(served, administrator(content=element("TokenType", "oasis:names:tc:SAML:2.0:assertion")))

    def test_a_domain_in_the_path_changes_nothing(self, served: Served) -> None:
        call = ApiCall("POST", f"{PATH}/vsphere.local", administrator().text.encode())
        assert served.send(served.sts, call, {}).status == 200


class TestRefusedIssue:
    @pytest.mark.parametrize(
        "asked",
        [
            administrator(password="wrong"),
            administrator(user="nobody@vsphere.local"),
            Ask(moment=NOW),
            Ask(moment=NOW, signer=party("ann")),
        ],
        ids=["password", "user", "nobody", "a certificate of nobody's"],
    )
    def test_who_shows_nothing_good(self, served: Served, asked: Ask) -> None:
        assert fault(served, asked.text) == "FailedAuthentication: Invalid credentials"

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (element("KeyType", PUBLIC_KEY), "InvalidRequest"),
            (element("KeyType", f"{WST}/SymmetricKey"), "InvalidRequest"),
            (element("TokenType", "urn:oasis:names:tc:SAML:1.0:assertion"), "BadRequest"),
            (lifetime(NOW, NOW - MINUTE), "InvalidTimeRange"),
            (lifetime(NOW - DAY, NOW - MINUTE), "InvalidTimeRange"),
            (lifetime(NOW + DAY, NOW + 2 * DAY), "InvalidTimeRange"),
            (element("Lifetime", ""), "BadRequest"),
            (element("Delegatable", "perhaps"), "BadRequest"),
            (element("KeyType", BEARER) * 2, "BadRequest"),
            (acting("<a/>"), "BadRequest"),
        ],
    )
    def test_what_cannot_be(self, served: Served, content: str, code: str) -> None:
        assert fault(served, administrator(content=content).text).startswith(f"{code}: ")

    @pytest.mark.parametrize("offset", [-SKEW - 2 * MINUTE, SKEW + MINUTE], ids=str)
    def test_messages_of_another_time(self, served: Served, offset: timedelta) -> None:
        assert fault(served, administrator(moment=NOW + offset).text).startswith("MessageExpired: ")

    @pytest.mark.parametrize("offset", [-SKEW, SKEW], ids=str)
    def test_clocks_may_differ_by_ten_minutes(self, served: Served, offset: timedelta) -> None:
        issued(served, administrator(moment=NOW + offset))

    def test_a_key_that_is_too_short(self, served: Served) -> None:
        asked = administrator(signer=party("short", 1024), content=element("KeyType", PUBLIC_KEY))
        assert "1024 bits" in fault(served, asked.text)

    def test_the_token_of_a_holder_without_the_key(self, served: Served) -> None:
        token, _ = issued(served, administrator(signer=party("ann")))
        assert fault(served, Ask(moment=NOW, token=token).text).startswith("FailedAuthentication")
        other = Ask(moment=NOW, token=token, signer=party("bob"), token_signs=True)
        assert fault(served, other.text).startswith("FailedAuthentication")

    def test_a_token_beside_a_password_names_no_key(self, served: Served) -> None:
        token, _ = issued(served, administrator(signer=party("ann")))
        _, found = issued(served, administrator(token=token))
        assert found.certificate is None


def test_guesses_are_slowed_as_at_logins(served: Served) -> None:
    """The name that is guessed at is nobody else's in these tests, and neither are the limits of its address."""
    guess = Ask(moment=NOW, user="guessed@vsphere.local", password="wrong").text
    said = [ask(served, guess) for _ in range(30)]
    assert said[0].status == 500
    assert said[-1].status == 429
    assert "Retry-After" in dict(said[-1].headers)


SIGNED = administrator(signer=party("ann"), content=element("KeyType", PUBLIC_KEY)).text
BODY = SIGNED[SIGNED.index("<soap:Body ") : SIGNED.index("</soap:Envelope>")]
FALSE_BODY = BODY.replace("_body", "_other")

ALTERED: dict[str, Callable[[], str]] = {
    "the body": lambda: SIGNED.replace("PublicKey", "PublicKez"),
    "the timestamp": lambda: SIGNED.replace(":05.000Z</wsu:Created>", ":06.000Z</wsu:Created>"),
    "the certificate": lambda: re.sub(
        r"(<wsse:BinarySecurityToken [^>]*>)[^<]*",
        lambda match: match[1] + "".join(party("bob").certificate_pem.splitlines()[1:-1]),
        SIGNED,
    ),
    "another body beside the signed one": lambda: SIGNED.replace(BODY, FALSE_BODY + BODY),
    "the signed body in the header": lambda: SIGNED.replace(BODY, FALSE_BODY).replace(
        "</wsse:Security>", f"</wsse:Security>{BODY}"
    ),
    "two elements of one id": lambda: SIGNED.replace(BODY, BODY.replace("PublicKey", "PublicKez")).replace(
        "</wsse:Security>", f"</wsse:Security>{BODY}"
    ),
    "an unsigned timestamp": lambda: SIGNED.replace('"_time"', '"_time2"'),
    "no reference to the body": lambda: re.sub(r'<ds:Reference URI="#_body">.*?</ds:Reference>', "", SIGNED),
    "a comment": lambda: SIGNED.replace("<wst:KeyType>", "<wst:KeyType><!-- -->"),
    "an entity": lambda: '<!DOCTYPE a [<!ENTITY b "c">]>' + SIGNED,
    "a reference outside": lambda: SIGNED.replace('URI="#_time"', 'URI="http://evil.example/"'),
}


@pytest.mark.parametrize("altered", ALTERED.values(), ids=ALTERED.keys())
def test_altered_messages_get_no_token(served: Served, altered: Callable[[], str]) -> None:
    assert altered() != SIGNED
    fault(served, altered())


class TestActAs:
    @pytest.fixture
    def handed(self, served: Served) -> str:
        """A token of the operator that may be handed on."""
        asked = Ask(moment=NOW, user=OPERATOR, password=OPERATOR_PASSWORD, content=element("Delegatable", "true"))
        return issued(served, asked)[0]

    def test_for_oneself_with_a_key(self, served: Served, handed: str) -> None:
        content = acting(handed) + element("Delegatable", "true") + lifetime(NOW, NOW + DAY)
        asked = Ask(moment=NOW, user=OPERATOR, password=OPERATOR_PASSWORD, signer=party("ann"), content=content)
        _, found = issued(served, asked)
        assert (found.name, found.certificate) == (OPERATOR, party("ann").der)
        assert found.not_on_or_after == NOW + 5 * MINUTE, "no longer than the token that was handed on"

    def test_not_for_others(self, served: Served, handed: str) -> None:
        said = fault(served, administrator(content=acting(handed)).text)
        assert said == "RequestFailed: Acting for other users needs membership of ActAsUsers@vsphere.local."

    def test_not_by_an_altered_token(self, served: Served, handed: str) -> None:
        content = acting(handed.replace("operator", "administrator"))
        assert fault(served, administrator(content=content).text).startswith("InvalidSecurityToken")


class TestRenew:
    @pytest.fixture
    def held(self, served: Served) -> str:
        """A token of the holder of a key that may be renewed."""
        content = '<wst:Renewing Allow="true"/>' + lifetime(NOW, NOW + DAY)
        return issued(served, administrator(signer=party("ann"), content=content))[0]

    def renewal(self, token: str, signer: str = "ann") -> Ask:
        content = element("RenewTarget", token) + lifetime(NOW, NOW + 2 * DAY)
        return Ask(moment=NOW, kind="Renew", content=content, signer=party(signer))

    def test_by_its_holder(self, served: Served, held: str) -> None:
        _, found = issued(served, self.renewal(held))
        before = read_assertion(parse(held))
        assert found.not_on_or_after == NOW + 2 * DAY
        assert (found.name, found.certificate) == (before.name, before.certificate)
        assert found.limits.renewals == 9
        assert found.id != before.id

    def test_not_by_others(self, served: Served, held: str) -> None:
        assert fault(served, self.renewal(held, "bob").text).startswith("FailedAuthentication")
        unsigned = Ask(moment=NOW, kind="Renew", content=element("RenewTarget", held))
        assert fault(served, unsigned.text).startswith("FailedAuthentication")

    def test_not_where_it_may_not_be(self, served: Served) -> None:
        token, _ = issued(served, administrator(signer=party("ann")))
        assert fault(served, self.renewal(token).text).startswith("UnableToRenew")

    def test_not_a_bearers(self, served: Served) -> None:
        token, _ = issued(served, administrator())
        unsigned = Ask(moment=NOW, kind="Renew", content=element("RenewTarget", token))
        assert fault(served, unsigned.text).startswith("UnableToRenew")


class TestValidate:
    def status(self, served: Served, token: str) -> str:
        asked = Ask(moment=NOW, kind="Validate", content=element("ValidateTarget", token))
        reply = ask(served, asked.text)
        assert reply.status == 200, reply.body
        found = re.search(r"<wst:Code>(.*)</wst:Code>", reply.body.decode())
        assert found is not None
        return found[1]

    def test_of_a_good_one(self, served: Served) -> None:
        assert self.status(served, issued(served, administrator())[0]) == f"{WST}/status/valid"

    def test_of_an_altered_one(self, served: Served) -> None:
        token = issued(served, administrator())[0].replace("administrator", "administratos")
        assert self.status(served, token) == f"{WST}/status/invalid"


class TestProtocol:
    def test_the_description_names_the_address(self, served: Served) -> None:
        reply = served.send(served.sts, ApiCall("GET", f"{PATH}?wsdl", None), {b"host": b"vc.example"})
        assert reply.status == 200
        assert b'location="https://vc.example/sts/STSService"' in reply.body
        etree.fromstring(reply.body)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_other_methods(self, served: Served, method: str) -> None:
        reply = served.send(served.sts, ApiCall(method, PATH, b""), {})
        assert (reply.status, dict(reply.headers)["Allow"]) == (405, "GET, OPTIONS, POST")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{}",
            "<a/>",
            b"\xff",
            b"\xff\xfe<\x00a\x00/\x00>\x00",
            administrator().text.replace(
                "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
            ),
            administrator(kind="Cancel").text,
            re.sub(r"<wsu:Timestamp .*</wsu:Timestamp>", "", administrator().text),
            administrator().text.replace("<wsse:Password>", '<wsse:Password Type="urn:PasswordDigest">'),
            administrator(content=" " * 300_000).text,
        ],
        ids=["nothing", "JSON", "XML", "no UTF-8", "UTF-16", "SOAP 1.2", "kind", "no time", "digest", "large"],
    )
    def test_what_is_no_request(self, served: Served, text: str | bytes) -> None:
        assert fault(served, text).startswith("BadRequest: ")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # of altered certificates
@given(st.integers(0, len(SIGNED) - 1), st.characters(), st.sampled_from(["put", "insert", "drop"]))
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_altered_message_is_a_500_of_ours(served: Served, place: int, character: str, how: str) -> None:
    rest = SIGNED[place + 1 :] if how != "insert" else SIGNED[place:]
    text = SIGNED[:place] + ("" if how == "drop" else character) + rest
    reply = ask(served, text)
    if reply.status == 200:
        found = read_assertion(parse(token_of(reply.body.decode())))
        # The rest of a certificate is not signed by its own key.
        assert found.name == ADMINISTRATOR
        assert found.certificate is not None
        key = x509.load_der_x509_certificate(found.certificate).public_key()
        assert key == party("ann").certificate.public_key()
    else:
        assert "RequestFailed" not in reply.body.decode()
