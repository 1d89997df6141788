"""Issuers of SAML tokens and holders of keys for tests: keys, certificates, tokens, and signed requests."""

from __future__ import annotations

import base64
import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from resphere.auth.saml.assertion import GROUPS, UPN, Assertion, Confirmation, Limits
from resphere.auth.saml.tokens import FRIENDLY
from resphere.auth.saml.trust import TrustedIssuer
from resphere.auth.saml.writing import SigningKey, write_token

YEAR = timedelta(days=365)
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DOMAIN = "corp.example"
ISSUER = "https://idp.corp.example/metadata"


class Party(msgspec.Struct, frozen=True):
    """Somebody with a key and a certificate of it."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def certificate_pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def sign(self, message: bytes) -> str:
        """A signature, in Base64."""
        return base64.b64encode(self.key.sign(message, PKCS1v15(), SHA256())).decode()


@cache
def party(name: str, bits: int = 2048) -> Party:
    """A key of that name, the same in a whole run. Its certificate is good from 2020 to 2049."""
    key = generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    return Party(key, certificate)


def issuer(**fields: Any) -> TrustedIssuer:
    """A trusted issuer of the domain ``corp.example``."""
    given = {"name": ISSUER, "certificates": (party("idp").certificate,), "domain": DOMAIN, **fields}
    return TrustedIssuer(**given)


def assertion(moment: datetime = NOON, **fields: Any) -> Assertion:
    """What a token of ann of ``corp.example`` says, for a bearer, for five minutes from ``moment`` on."""
    given = {
        "id": "_token",
        "issuer": ISSUER,
        "name": f"ann@{DOMAIN}",
        "name_format": UPN,
        "confirmation": Confirmation.BEARER,
        "certificate": None,
        "issue_instant": moment,
        "not_before": moment,
        "not_on_or_after": moment + 5 * MINUTE,
        "attributes": ((GROUPS, (f"{DOMAIN}\\Operators",)),),
        "limits": Limits(),
        **fields,
    }
    return Assertion(**given)


def token(moment: datetime = NOON, signer: str = "idp", **fields: Any) -> str:
    """A token, signed."""
    by = party(signer)
    return write_token(assertion(moment, **fields), SigningKey(by.key, by.certificate), FRIENDLY)


def held_token(holder: str, moment: datetime = NOON, signer: str = "idp", **fields: Any) -> str:
    """A token for the holder of a key."""
    return token(moment, signer, confirmation=Confirmation.HOLDER_OF_KEY, certificate=party(holder).der, **fields)


def sign_header(text: str) -> str:
    """``Authorization`` of a bearer."""
    return f'SIGN token="{zipped(text)}"'


def zipped(text: str) -> str:
    """A token as the header has it."""
    return base64.b64encode(gzip.compress(text.encode())).decode()


def signed_header(text: str, holder: str, address: tuple[str, str, str, str], nonce: str, body: bytes = b"") -> str:
    """``Authorization`` of the holder of a key; ``address`` is method, path, host and port."""
    digest = hashlib.sha256(body).digest()
    message = "\n".join((nonce, *address, "")).encode() + digest + b"\n"
    parameters = {
        "token": zipped(text),
        "nonce": nonce,
        "bodyhash": base64.b64encode(digest).decode(),
        "signature_alg": "RSA-SHA256",
        "signature": party(holder).sign(message),
    }
    return "SIGN " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())


def nonce_of(moment: datetime, text: str = "4711") -> str:
    """A nonce of that moment."""
    return f"{int(moment.timestamp() * 1000)}:{text}"
