"""What proxies write of a client's certificate, and what a client writes in their stead."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from resphere.auth.certificate_forms import FORMS, MOST_CHARACTERS, shown_certificates
from resphere.auth.credentials import ShownCertificate
from resphere.certificates.chains import ChainError
from resphere.certificates.issuing import authority_subject, issue_authority, new_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE, OTHER = (issue_authority(authority_subject(name), new_key(), NOW).certificate for name in ("one", "other"))


def pem(*certificates: x509.Certificate) -> str:
    return quote(b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode())


def sequence(certificate: x509.Certificate) -> str:
    return f":{base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}:"


def read(header: str, value: str, chain: str | None = None) -> list[x509.Certificate]:
    return shown_certificates(ShownCertificate(header, value, chain))


@pytest.mark.parametrize(
    ("header", "value", "chain", "found"),
    [
        ("client-cert", sequence(ONE), None, [ONE]),
        ("client-cert", sequence(ONE), f"{sequence(OTHER)}, {sequence(ONE)}", [ONE, OTHER, ONE]),
        ("x-ssl-client-cert", pem(ONE), None, [ONE]),
        # Apache leaves more characters as they are.
        ("x-ssl-client-cert", pem(ONE).replace("%2B", "+").replace("%3D", "="), None, [ONE]),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}"', None, [ONE]),
        ("x-forwarded-client-cert", f'By=spiffe://a;Hash=0a;Cert="{pem(ONE)}";Subject="CN=a,O=b;c"', None, [ONE]),
        ("x-forwarded-client-cert", f'Hash=0a;Cert="{pem(ONE)}";Chain="{pem(ONE, OTHER)}"', None, [ONE, OTHER]),
        ("x-forwarded-client-cert", f'Subject="CN=\\"a\\"";Cert="{pem(ONE)}"', None, [ONE]),
        ("x-forwarded-client-cert", f'Subject="";Cert="{pem(ONE)}";DNS=a;DNS=b', None, [ONE]),
    ],
)
def test_each_form(header: str, value: str, chain: str | None, found: list[x509.Certificate]) -> None:
    assert read(header, value, chain) == found


@pytest.mark.parametrize(
    ("header", "value", "why"),
    [
        ("client-cert", "", "no byte sequence"),
        ("client-cert", ":", "no byte sequence"),
        ("client-cert", "AAAA", "no byte sequence"),
        ("client-cert", ":?:", "no Base64"),
        ("client-cert", ":AAAA:", "parsing"),
        # Twice: what the client wrote comes first.
        ("client-cert", f"{sequence(ONE)}, {sequence(OTHER)}", "no Base64"),
        ("x-ssl-client-cert", f"{pem(ONE)}, {pem(OTHER)}", "2 certificates"),
        ("x-ssl-client-cert", "(null)", "no certificate"),
        ("x-forwarded-client-cert", "Hash=0a", "neither Cert nor Chain"),
        ("x-forwarded-client-cert", 'Cert=""', "neither Cert nor Chain"),
        ("x-forwarded-client-cert", f"{pem(ONE)}", "not of the form"),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}', "not of the form"),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}"x', "not of the form"),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}";', "not of the form"),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}",Cert="{pem(OTHER)}"', "several elements"),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}";Cert="{pem(OTHER)}"', "Cert twice"),
        # Names of a certificate that its client has chosen, as Envoy writes them: another's certificate in them.
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}";URI=a;Cert={pem(OTHER)}', "Cert twice"),
        ("x-forwarded-client-cert", f'Cert="{pem(ONE)}";URI=a,Cert={pem(OTHER)}', "several elements"),
        # An open quote of the client's before what the proxy adds.
        ("x-forwarded-client-cert", f'By=",Hash=0a;Cert="{pem(ONE)}"', "not of the form"),
        *((header, "x" * (MOST_CHARACTERS + 1), "longer") for header in FORMS),
    ],
)
def test_what_is_not_of_the_form_lets_nobody_in(header: str, value: str, why: str) -> None:
    with pytest.raises((ValueError, ChainError), match=why):
        read(header, value)


def test_a_name_with_a_certificate_in_it_is_a_name() -> None:
    value = f'Hash=0a;Cert="{pem(ONE)}";Subject="O=x,Cert={pem(OTHER)},CN=y"'
    assert read("x-forwarded-client-cert", value) == [ONE]


@given(st.sampled_from(sorted(FORMS)), st.text() | st.text('=;,"\\Certhain:%0A-'), st.none() | st.text())
def test_anything_else_is_refused_by_a_sentence(header: str, value: str, chain: str | None) -> None:
    with pytest.raises((ValueError, ChainError)):
        read(header, value, chain)
