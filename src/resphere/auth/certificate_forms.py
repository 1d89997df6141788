"""How proxies hand on a certificate that a client has shown to them: one header and one reader for each form."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

import msgspec
from cryptography import x509

from resphere.auth.credentials import ShownCertificate
from resphere.certificates.chains import read_certificates

MOST_CHARACTERS = 64 * 1024
PAIR = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)')
"""A field of Envoy's header; names of the certificate have commas and semicolons, and are in quotes."""
ONCE = ("cert", "chain")


class Form(msgspec.Struct, frozen=True):
    """``read`` gives the client's certificate and those that it has sent with it, from what the header holds;
    ``beside`` is a header with the latter alone.

    Raises ValueError where a value is not of the form, ChainError where it holds no certificate.
    """

    read: Callable[[ShownCertificate], tuple[x509.Certificate, ...]]
    beside: str | None = None


def shown_certificates(shown: ShownCertificate) -> list[x509.Certificate]:
    """The client's certificate, and those that it has sent with it.

    :raises ValueError: the header is not of its form.
    :raises ChainError: it holds no certificate.
    """
    if len(shown.value) + len(shown.chain or "") > MOST_CHARACTERS:
        raise ValueError(f"the header is longer than {MOST_CHARACTERS} characters")
    return list(FORMS[shown.header].read(shown))


def from_rfc_9440(shown: ShownCertificate) -> tuple[x509.Certificate, ...]:
    """``:<base64>:``, and a list of these in a header beside it."""
    items = [shown.value, *(shown.chain.split(",") if shown.chain else ())]
    return tuple(byte_sequence(item.strip()) for item in items)


def byte_sequence(item: str) -> x509.Certificate:
    """A certificate in DER, as structured fields have bytes."""
    if len(item) < 2 or not item.startswith(":") or not item.endswith(":"):
        raise ValueError("the header is no byte sequence")
    try:
        return x509.load_der_x509_certificate(base64.b64decode(item[1:-1], validate=True))
    except binascii.Error as error:
        raise ValueError("the header is no Base64") from error


def from_escaped_pem(shown: ShownCertificate) -> tuple[x509.Certificate, ...]:
    """PEM, percent-encoded: nginx's ``$ssl_client_escaped_cert``, Apache's ``%{escape:%{SSL_CLIENT_CERT}}``."""
    found = read_certificates(unquote(shown.value))
    if len(found) != 1:
        # Two headers in one: the proxy has added its own to the client's, which comes first.
        raise ValueError(f"the header holds {len(found)} certificates, and must hold one")
    return found


def from_envoy(shown: ShownCertificate) -> tuple[x509.Certificate, ...]:
    """``By=...;Hash=...;Cert="<percent-encoded PEM>";Chain="..."``, of one proxy.

    Each proxy that appends to it adds an element, behind a comma; Envoy puts some names of a certificate there as they
    are, which may have commas. So what has several elements, or a certificate twice, might be the client's own doing.
    """
    fields: dict[str, str] = {}
    at = 0
    while True:
        found = PAIR.match(shown.value, at)
        if found is None:
            raise ValueError("the header is not of the form of Envoy")
        name = found[1].lower()
        if name in ONCE and name in fields:
            raise ValueError(f"the header has {found[1]} twice")
        fields[name] = found[2].strip('"')
        at = found.end()
        if at == len(shown.value):
            break
        if shown.value[at] == ",":
            raise ValueError("the header has several elements; the nearest proxy must replace those before its own")
        if shown.value[at] != ";":
            raise ValueError("the header is not of the form of Envoy")
        at += 1
    pem = fields.get("chain") or fields.get("cert")
    if not pem:
        raise ValueError("the header has neither Cert nor Chain")
    return read_certificates(unquote(pem))


FORMS: Mapping[str, Form] = {
    "client-cert": Form(from_rfc_9440, beside="client-cert-chain"),
    "x-ssl-client-cert": Form(from_escaped_pem),
    "x-forwarded-client-cert": Form(from_envoy),
}
"""By the name of the header."""
