"""The file of SAML issuers that are trusted, and of solution users."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.auth.saml.solutions import SolutionUser
from resphere.auth.saml.trust import TrustedIssuer
from resphere.server.saml_trust import TrustError, read_trust
from tests.support.saml import DOMAIN, ISSUER, party

ENTRY = f"issuers:\n  - name: {ISSUER}\n    certificates: [idp.pem]\n    domain: {DOMAIN}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file goes, beside certificates."""
    for name in ("idp", "backup"):
        (tmp_path / f"{name}.pem").write_text(party(name).certificate_pem)
    (tmp_path / "short.pem").write_text(party("short", 1024).certificate_pem)
    (tmp_path / "key.pem").write_text(party("idp").key_pem)
    return tmp_path / "trust.yaml"


def test_issuers_and_solution_users(file: Path) -> None:
    file.write_text(
        ENTRY
        + "    audiences: [mine]\n    requires_audience: true\n    user_attribute: upn\n    group_attribute: groups\n"
        + "solution_users:\n  - user: backup@vsphere.local\n    certificate: backup.pem\n    act_as: true\n"
    )
    found = read_trust(file)
    assert found.issuers == (
        TrustedIssuer(
            name=ISSUER,
            certificates=(party("idp").certificate,),
            domain=DOMAIN,
            user_attribute="upn",
            group_attribute="groups",
            audiences=("mine",),
            requires_audience=True,
        ),
    )
    assert found.solution_users == (SolutionUser("backup@vsphere.local", party("backup").certificate, True),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "line"),
        ("[]", "must have keys"),
        ("issuer: []", "there is no key issuer; did you mean issuers?"),
        (ENTRY.replace("domain:", "domian:"), "in issuers[0]"),
        (ENTRY.replace(f"    domain: {DOMAIN}\n", ""), "domain"),
        (ENTRY.replace(DOMAIN, "vsphere.local"), "must not be vsphere.local"),
        (ENTRY.replace(DOMAIN, "VSPHERE.local"), "must not be vsphere.local"),
        (ENTRY.replace(DOMAIN, "ann@corp.example"), "must be a domain"),
        (ENTRY.replace("[idp.pem]", "[]"), "certificates"),
        (ENTRY.replace("idp.pem", "none.pem"), "cannot read"),
        (ENTRY.replace("idp.pem", "key.pem"), "holds no PEM certificate that can be read"),
        (ENTRY.replace("idp.pem", "short.pem"), "2048 bits"),
        (ENTRY + ENTRY.partition("\n")[2], "two issuers have one name"),
        ("solution_users:\n  - user: a\n", "certificate"),
    ],
)
def test_refused(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(TrustError) as refusal:
        read_trust(file)
    assert said in str(refusal.value)
    assert str(file) in str(refusal.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TrustError, match="No such file"):
        read_trust(tmp_path / "none.yaml")


def test_the_example_of_the_documentation(file: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "authentication-saml.md"
    example = page.read_text().partition("```yaml\n")[2].partition("```")[0]
    for name in ("idp-2026", "idp-2027"):
        (file.parent / f"{name}.pem").write_text(party("idp").certificate_pem)
    file.write_text(example)
    found = read_trust(file)
    assert [len(each.certificates) for each in found.issuers] == [2]
    assert [each.user for each in found.solution_users] == ["backup@vsphere.local"]
