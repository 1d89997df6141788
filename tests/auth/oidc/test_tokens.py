"""Good tokens let in, and no others: forged, expired, foreign, oversized, of another kind, or confused."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from resphere.access.principal import Principal
from resphere.auth.accounts import LocalAccounts
from resphere.auth.by_identity_token import ByIdentityToken, once_of
from resphere.auth.credentials import Credentials
from resphere.auth.federated import is_known
from resphere.auth.ldap.settings import Directory, DirectoryKind, LdapSource
from resphere.auth.ldap.source import Directories
from resphere.auth.oidc.own_tokens import OwnTokens
from resphere.auth.oidc.publishing import Published
from resphere.auth.oidc.tokens import LONGEST_TOKEN, BadToken, is_token, shown
from resphere.auth.wiring import WIRING
from resphere.contract.errors import ServiceUnavailable, Unauthenticated
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import KEY_BYTES, Sealing
from resphere.replica.table import Stored
from tests.replica.worlds import run
from tests.support.tokens import EC, ED, OTHER_RSA, RSA, Issuer, claims, encoded, provider, raw, signed
from tests.support.world import NOW

SECONDS = NOW.timestamp()
OWN = OwnTokens(bytes(32), "https://vc.example.com/openidconnect/vsphere.local", "vc", lambda size: bytes(size))


def identified(
    token: str, path: Path, *sources: Stored, issuer: Issuer | None = None, moment: float = 0.0
) -> Principal | None:
    """Whom a token lets in, at ``moment`` seconds after now; refused where it is not good."""
    found: list[Principal | None] = []

    async def ask(replica: Replica) -> None:
        def plan(edit: Edit) -> None:
            for source in sources or (provider(),):
                edit.put(source)

        await replica.change(plan)
        method = ByIdentityToken(
            replica,
            Published(issuer or Issuer(), lambda: 0.0),
            Directories(),
            OWN,
            LocalAccounts(replica, secrets.token_bytes),
            lambda source: is_known(replica, source),
        )
        identity = await method.identify(Credentials(bearer=token), NOW + timedelta(seconds=moment))
        found.append(None if identity is None else identity.principal)

    sealing = Sealing(bytes(KEY_BYTES), secrets.token_bytes)
    run(ask, path / "store.db", tables=WIRING.tables, sealing=sealing)
    return found[0]


def reason(token: str, path: Path, *sources: Stored, issuer: Issuer | None = None, moment: float = 0.0) -> str:
    """Why a token lets nobody in: what the audit trail is told, and not the caller."""
    with pytest.raises(Unauthenticated) as refusal:
        identified(token, path, *sources, issuer=issuer, moment=moment)
    [told] = refusal.value.messages
    assert (told.id, told.args) == ("com.vmware.vapi.endpoint.method.authentication.required", ())
    assert isinstance(refusal.value.__cause__, BadToken)
    return str(refusal.value.__cause__)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS512"), (EC, "ES256"), (ED, "Ed25519")],
    ids=["RS256", "PS512", "ES256", "Ed25519"],
)
def test_a_good_token_lets_in(key: RSAKey, algorithm: str, tmp_path: Path) -> None:
    principal = identified(signed(claims(SECONDS), key, algorithm), tmp_path)
    assert principal == Principal("alice@corp.example.com", frozenset({"developers@corp.example.com"}), "idp")


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"exp": SECONDS - 61}, "expired 61 seconds ago"),
        ({"exp": None}, "never expires"),
        ({"exp": "tomorrow"}, "exp is no number"),
        ({"exp": True}, "exp is no number"),
        ({"nbf": SECONDS + 61}, "nbf lies 61 seconds ahead"),
        ({"iat": SECONDS + 61}, "iat lies 61 seconds ahead"),
        ({"aud": "another"}, "for 'another'"),
        ({"aud": ["another", 5]}, "for ['another', 5]"),
        ({"aud": None}, "for None"),
        ({"sub": None}, "no subject"),
        ({"sub": ""}, "no subject"),
        ({"cnf": {"jkt": "x"}}, "bound to a key"),
        ({"upn": None}, "names the user"),
        ({"upn": 5}, "names the user"),
        ({"upn": ""}, "can be no user"),
        ({"upn": "@corp.example.com"}, "can be no user"),
        ({"upn": "alice\n@corp.example.com"}, "can be no user"),
        ({"upn": "administrator@vsphere.local"}, "a user of vsphere.local"),
        ({"upn": "VSPHERE.LOCAL\\administrator"}, "a user of vsphere.local"),
        ({"upn": "administrator@vsphere.local@corp.example.com"}, "can be no user"),
        ({"upn": "alice@other.example.com"}, "may not vouch"),
        ({"groups": [f"g{number}" for number in range(1001)]}, "more than 1000 groups"),
        ({"iss": "https://evil.example.com"}, "no identity provider"),
    ],
)
def test_claims_that_let_nobody_in(given: dict[str, Any], part: str, tmp_path: Path) -> None:
    assert part in reason(signed(claims(SECONDS, **given)), tmp_path)


@pytest.mark.parametrize("given", [{"exp": SECONDS - 59}, {"nbf": SECONDS + 59}, {"iat": SECONDS + 59}])
def test_clocks_may_differ_a_little(given: dict[str, Any], tmp_path: Path) -> None:
    assert identified(signed(claims(SECONDS, **given)), tmp_path) is not None


def public_as_secret() -> str:
    """Signed with what everybody knows of the key, as if it were a secret."""
    begun = raw({"alg": "HS256", "kid": "rsa"}, claims(SECONDS)).rpartition(".")[0]
    return f"{begun}.{encoded(hmac.digest(RSA.as_pem(private=False), begun.encode(), 'sha256'))}"


def swapped(token: str) -> str:
    """Another's claims under a good signature."""
    head, _, signature = token.split(".")
    forged = raw({}, claims(SECONDS, upn="bob@corp.example.com")).split(".")[1]
    return ".".join((head, forged, signature))


FORGED: dict[str, tuple[Callable[[], str], str]] = {
    "unsigned": (lambda: raw({"alg": "none"}, claims(SECONDS)), "signed by none"),
    "unsigned in other letters": (lambda: raw({"alg": "nOnE"}, claims(SECONDS)), "signed by nOnE"),
    "a shared secret": (public_as_secret, "signed by HS256"),
    "another key of that id": (lambda: signed(claims(SECONDS), OTHER_RSA), "signature is not good"),
    "other claims": (lambda: swapped(signed(claims(SECONDS))), "signature is not good"),
    "no signature": (lambda: signed(claims(SECONDS)).rpartition(".")[0] + ".", "signature is not good"),
    "an unknown key": (lambda: signed(claims(SECONDS), kid="unknown"), "has no key 'unknown'"),
    "another kind of key": (lambda: signed(claims(SECONDS), EC, "ES256", kid="rsa"), "has no key 'rsa' for ES256"),
    "a key of its own": (
        lambda: signed(claims(SECONDS), OTHER_RSA, jwk=OTHER_RSA.as_dict(private=False)),
        "its header has jwk",
    ),
    "keys at an address of its own": (lambda: signed(claims(SECONDS), jku="https://evil.example/"), "has jku"),
    "certificates at an address": (lambda: signed(claims(SECONDS), x5u="https://evil.example/"), "has x5u"),
    "further rules": (lambda: raw({"alg": "RS256", "crit": ["b64"], "b64": False}, claims(SECONDS)), "has crit"),
    "for a logout": (lambda: signed(claims(SECONDS), typ="logout+jwt"), "of the type 'logout+jwt'"),
    "an id that is no text": (lambda: raw({"alg": "RS256", "kid": 7}, claims(SECONDS)), "is no text"),
    "no algorithm": (lambda: raw({"kid": "rsa"}, claims(SECONDS)), "does not say how it is signed"),
    "no issuer": (lambda: signed(claims(SECONDS, iss=None)), "does not say who issued it"),
    "too long": (lambda: signed(claims(SECONDS, more="x" * LONGEST_TOKEN)), "more than 16384 characters"),
    "deep": (lambda: raw(b'{"alg":' + b"[" * 5000, {}), "header cannot be read"),
    "deep claims": (lambda: raw({"alg": "RS256"}, b'{"iss":' + b"[" * 5000), "payload cannot be read"),
    "no object": (lambda: raw({"alg": "RS256"}, [1]), "payload cannot be read"),
    "no text": (lambda: raw(b'{"alg":"\xff"}', {}), "header cannot be read"),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_tokens(name: str, tmp_path: Path) -> None:
    make, part = FORGED[name]
    assert part in reason(make(), tmp_path)


@pytest.mark.parametrize("token", ["", "abc", "a.b", "rsph_0123456789", "a.b.c.d", "Zm9v.YmFy.YmF6"])
def test_what_is_no_token_is_left_to_other_methods(token: str, tmp_path: Path) -> None:
    assert identified(token, tmp_path) is None


@given(st.text(), st.text(), st.text())
def test_nothing_that_is_written_like_one_raises_anything_else(head: str, payload: str, signature: str) -> None:
    text = f"ey{head}.{payload}.{signature}"
    if is_token(text):
        with pytest.raises(BadToken):
            shown(text)


def test_a_provider_may_take_fewer_algorithms(tmp_path: Path) -> None:
    only = provider(algorithms=("ES256",))
    assert "signed by RS256" in reason(signed(claims(SECONDS)), tmp_path, only)


def test_claims_may_be_required(tmp_path: Path) -> None:
    strict = provider(required_claims={"tid": "ours"})
    assert "its claim tid is None" in reason(signed(claims(SECONDS)), tmp_path / "1", strict)
    assert identified(signed(claims(SECONDS, tid="ours")), tmp_path / "2", strict) is not None


def test_addresses_of_mail_name_users_where_they_were_verified(tmp_path: Path) -> None:
    by_mail = provider(upn_claim="email")
    mail = "alice@corp.example.com"
    assert "not verified" in reason(signed(claims(SECONDS, email=mail)), tmp_path / "1", by_mail)
    unverified = signed(claims(SECONDS, email=mail, email_verified="true"))
    assert "not verified" in reason(unverified, tmp_path / "2", by_mail)
    assert identified(signed(claims(SECONDS, email=mail, email_verified=True)), tmp_path / "3", by_mail) is not None


def test_groups_are_of_domains_for_which_the_provider_vouches(tmp_path: Path) -> None:
    told = ["developers", "ops@corp.example.com", "CORP.EXAMPLE.COM\\web"]
    told += ["Administrators@vsphere.local", "x@other.com"]
    principal = identified(signed(claims(SECONDS, groups=told)), tmp_path)
    assert principal is not None
    assert principal.groups == {"developers@corp.example.com", "ops@corp.example.com", "web@corp.example.com"}


def test_groups_are_mapped_to_those_of_this_vcenter(tmp_path: Path) -> None:
    mapping = {"perms": {"developers": ("Administrators",), "external/admins": ("Operators@vsphere.local",)}}
    token = signed(claims(SECONDS, perms=["external/admins", "nothing"]))
    principal = identified(token, tmp_path, provider(claim_map=mapping))
    assert principal is not None
    assert principal.granted == {"Administrators@vsphere.local", "Operators@vsphere.local"}


def test_vcenter_s_own_claims_are_the_usual_ones(tmp_path: Path) -> None:
    token = signed(claims(SECONDS, upn=None, acct="bob", group_names=["a"], group_ids="b"))
    principal = identified(token, tmp_path, provider(upn_claim=None, groups_claim=None))
    assert principal == Principal(
        "bob@corp.example.com", frozenset({"a@corp.example.com", "b@corp.example.com"}), "idp"
    )


def test_a_domain_of_another_source_is_not_taken_for_granted(tmp_path: Path) -> None:
    anywhere = provider(domain_names=())
    directory = Directory(
        servers=("ldaps://dc.example.com",),
        users_base_dn="dc=example,dc=com",
        groups_base_dn="dc=example,dc=com",
        type=DirectoryKind.ACTIVE_DIRECTORY,
        bind_name="reader",
        bind_password="reads",
    )
    other = LdapSource(id="corp", domain="corp.example.com", directory=directory)
    assert identified(signed(claims(SECONDS)), tmp_path / "1", anywhere) is not None
    assert "another identity source vouches" in reason(signed(claims(SECONDS)), tmp_path / "2", anywhere, other)


def test_a_provider_that_is_down_says_nothing_of_the_token(tmp_path: Path) -> None:
    issuer = Issuer()
    issuer.down = True
    with pytest.raises(ServiceUnavailable):
        identified(signed(claims(SECONDS)), tmp_path / "1", issuer=issuer)
    # Tokens of others are not its business.
    foreign = signed(claims(SECONDS, iss="https://evil.example.com"))
    assert "no identity provider" in reason(foreign, tmp_path / "2", issuer=issuer)


def test_tokens_of_our_own(tmp_path: Path) -> None:
    alice = Principal("alice@corp.example.com", frozenset({"developers@corp.example.com"}), "idp")
    token = OWN.issue(alice, NOW).text
    assert identified(token, tmp_path / "1") == alice
    assert "expired" in reason(token, tmp_path / "2", moment=3661)
    gone = OWN.issue(msgspec.structs.replace(alice, source="gone"), NOW).text
    assert "is no more" in reason(gone, tmp_path / "3")
    unknown = OWN.issue(Principal("nobody@vsphere.local"), NOW).text
    assert "has no account" in reason(unknown, tmp_path / "4")
    other = OwnTokens(bytes([1] * 32), OWN.issuer, "vc", lambda size: bytes(size))
    assert "signature is not good" in reason(other.issue(alice, NOW).text, tmp_path / "5")
    elsewhere = OwnTokens(bytes(32), OWN.issuer, "another vCenter", lambda size: bytes(size))
    assert "it is for 'another vCenter'" in reason(elsewhere.issue(alice, NOW).text, tmp_path / "6")


def test_a_token_with_another_signature_is_the_same_token() -> None:
    """Of a signature by an elliptic curve there are two that are good."""
    head, payload, signature = signed(claims(SECONDS), EC, "ES256").split(".")
    one, other = (shown(f"{head}.{payload}.{each}") for each in (signature, signature[::-1]))
    assert once_of(one, NOW) == once_of(other, NOW)
    assert once_of(one, NOW) != once_of(shown(signed(claims(SECONDS, sub="another"), EC, "ES256")), NOW)
