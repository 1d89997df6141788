"""The key of the STS: shown, made anew, and set; what is unfit is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated.vcenter_certificate_management import X509CertChain
from resphere.contract.generated.vcenter_certificate_management_vcenter import SigningCertificate
from tests.support.calls import ApiCall
from tests.support.saml import party, sign_header
from tests.support.served import Served
from tests.support.server import ADMINISTRATOR, PASSWORD
from tests.support.sts import Ask, token_of
from tests.support.world import NOW


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as made:
        made.issue_tokens()
        yield made


def header(served: Served) -> dict[bytes, bytes]:
    """What a new token logs in by."""
    text = Ask(moment=NOW, user=ADMINISTRATOR, password=PASSWORD).text.encode()
    reply = served.send(served.sts, ApiCall("POST", "/sts/STSService", text), {})
    return {b"authorization": sign_header(token_of(reply.body.decode())).encode()}


def login(served: Served, headers: dict[bytes, bytes]) -> int:
    return served.send(served.api, ApiCall("POST", "/api/session", None), headers).status


def spec(*chain: str, key: str) -> SigningCertificate.SetSpec:
    return SigningCertificate.SetSpec(signing_cert_chain=X509CertChain(cert_chain=chain), private_key=key)


def test_a_new_key_signs_and_tokens_of_the_one_before_stay_good(served: Served) -> None:
    before, earlier = served.world.call(SigningCertificate.get), header(served)
    made = served.world.call(SigningCertificate.refresh, None)
    now = served.world.call(SigningCertificate.get)
    assert now.active_cert_chain == made != before.active_cert_chain
    assert now.signing_cert_chains == (made, before.active_cert_chain)
    assert login(served, earlier) == 201
    assert login(served, header(served)) == 201


def test_a_key_of_ones_own(served: Served) -> None:
    own = party("own")
    served.world.call(SigningCertificate.set, spec(own.certificate_pem, key=own.key_pem))
    assert served.world.call(SigningCertificate.get).active_cert_chain.cert_chain == (own.certificate_pem,)
    assert login(served, header(served)) == 201
    served.world.call(SigningCertificate.set, spec(own.certificate_pem, key=own.key_pem))
    assert len(served.world.call(SigningCertificate.get).signing_cert_chains) == 2, "itself is not an earlier one"


def encrypted() -> str:
    content = party("own").key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    return content.decode()


def elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("chain", "key", "said"),
    [
        ((), party("own").key_pem, "signing_cert_chain: must have 1 to 8"),
        (("x",), party("own").key_pem, "signing_cert_chain: must be certificates"),
        ((party("own").certificate_pem,) * 9, party("own").key_pem, "signing_cert_chain: must have 1 to 8"),
        ((party("other").certificate_pem,), party("own").key_pem, "private_key: is not that"),
        ((party("own").certificate_pem, party("other").certificate_pem), party("own").key_pem, "before that of its"),
        ((party("own").certificate_pem,), "x", "private_key: must be a private key"),
        ((party("own").certificate_pem,), encrypted(), "private_key: must be a private key"),
        ((party("own").certificate_pem,), elliptic(), "private_key: must be an RSA key"),
        ((party("short", 1024).certificate_pem,), party("short", 1024).key_pem, "private_key: must be an RSA key"),
    ],
    ids=range(9),
)
def test_what_is_unfit(served: Served, chain: tuple[str, ...], key: str, said: str) -> None:
    before = served.world.call(SigningCertificate.get)
    with pytest.raises(InvalidArgument) as refusal:
        served.world.call(SigningCertificate.set, spec(*chain, key=key))
    assert said in str(refusal.value)
    assert served.world.call(SigningCertificate.get) == before
