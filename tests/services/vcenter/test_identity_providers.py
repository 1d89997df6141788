"""Identity providers by the API, in every dialect: of OAuth 2, with an Active Directory, and what none is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.auth.oidc.providers import IdentityProvider
from resphere.certificates.files import ensure_certificates
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_certificate_management import X509CertChain
from resphere.contract.generated.vcenter_identity import FederationType, Providers
from resphere.contract.model import Secret
from tests.support.served import Failure, Served

Asked = Any
BY = ("by_api", "by_rest", "by_jsonrpc")
OAUTH2 = Providers.Oauth2CreateSpec(
    auth_endpoint="https://idp.example.com/auth",
    token_endpoint="https://idp.example.com/token",
    public_key_uri="https://idp.example.com/keys",
    client_id="vcenter",
    client_secret="known to two",
    claim_map={"perms": {"external": ("Administrators",)}},
    issuer="https://idp.example.com",
    authentication_method=Providers.Oauth2AuthenticationMethod.CLIENT_SECRET_POST,
    auth_query_params={"prompt": ("login",)},
)
SPEC = Providers.CreateSpec(config_tag=Providers.ConfigType.Oauth2, oauth2=OAUTH2, name="corp")

BAD_OAUTH2: tuple[dict[str, Any], ...] = (
    {"client_secret": ""},
    {"client_id": ""},
    {"public_key_uri": "http://idp.example.com/keys"},
    {"public_key_uri": "file:///etc/passwd"},
    {"token_endpoint": ""},
    {"claim_map": {"others": {}}},
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def of_issuer(issuer: str, **given: Any) -> Providers.CreateSpec:
    return msgspec.structs.replace(SPEC, oauth2=msgspec.structs.replace(OAUTH2, issuer=issuer), **given)


def create(served: Served, spec: Providers.CreateSpec, by: str = "by_api") -> Any:
    return getattr(served, by)(Providers.create, Providers.CreateInput(spec=spec))


def get(served: Served, id: str, by: str = "by_api") -> Any:
    return getattr(served, by)(Providers.get, Providers.GetInput(provider=ids.VcenterIdentityProvidersId(id)))


def update(served: Served, id: str, by: str = "by_api", **given: Any) -> Any:
    usual: dict[str, Any] = {"config_tag": Providers.ConfigType.Oauth2, "oauth2": Providers.Oauth2UpdateSpec()}
    spec = Providers.UpdateSpec(**(usual | given))
    provider = ids.VcenterIdentityProvidersId(id)
    return getattr(served, by)(Providers.update, Providers.UpdateInput(provider=provider, spec=spec))


def listed(served: Served, by: str = "by_api") -> Any:
    return getattr(served, by)(Providers.list, Providers.list.input())


@pytest.mark.parametrize("by", BY)
def test_one_comes_is_seen_changes_and_goes(served: Served, by: str) -> None:
    id = create(served, SPEC, by)
    [summary] = listed(served, by)
    assert (summary.provider, summary.name, summary.is_default) == (id, "corp", True)
    assert summary.oauth2.authentication_header == ""
    info = get(served, id, by)
    assert info.oauth2 == Providers.Oauth2Info(
        **{**{name: getattr(OAUTH2, name) for name in OAUTH2.__struct_fields__}, "client_secret": ""}
    )
    assert update(served, id, by, name="renamed", domain_names=frozenset({"Corp.example.com"})) in (None, b"")
    info = get(served, id, by)
    assert (info.name, info.domain_names) == ("renamed", {"corp.example.com"})
    kept = served.world.inventory.all(IdentityProvider)[id]
    assert kept.client_secret == "known to two"
    delete = Providers.DeleteInput(provider=id)
    assert getattr(served, by)(Providers.delete, delete) in (None, b"")
    assert get(served, id, by).error_type == "NOT_FOUND"
    assert getattr(served, by)(Providers.delete, delete).error_type == "NOT_FOUND"
    assert update(served, id, by).error_type == "NOT_FOUND"


def test_one_is_the_default(served: Served) -> None:
    first = create(served, of_issuer("https://one.example.com"))
    second = create(served, of_issuer("https://two.example.com"))
    third = create(served, of_issuer("https://three.example.com", is_default=True))
    assert {each.provider: each.is_default for each in listed(served)} == {first: False, second: False, third: True}
    update(served, second, make_default=True)
    update(served, first, make_default=False)
    assert {each.provider: each.is_default for each in listed(served)} == {first: False, second: True, third: False}


def test_what_an_update_leaves_out_stays(served: Served) -> None:
    spec = of_issuer("https://idp.example.com", upn_claim="upn", groups_claim="groups")
    id = create(served, msgspec.structs.replace(spec, federation_type=FederationType.DIRECT_FEDERATION))
    before = get(served, id)
    update(served, id)
    assert get(served, id) == before
    update(served, id, reset_upn_claim=True, groups_claim="roles")
    after = get(served, id)
    assert (after.upn_claim, after.groups_claim) == (None, "roles")
    update(served, id, oauth2=Providers.Oauth2UpdateSpec(client_secret="another"))
    assert served.world.inventory.all(IdentityProvider)[id].client_secret == "another"


def test_two_that_sign_by_one_name(served: Served) -> None:
    create(served, SPEC)
    assert create(served, SPEC).error_type == "ALREADY_EXISTS"
    other = create(served, of_issuer("https://other.example.com"))
    taken = update(served, other, oauth2=Providers.Oauth2UpdateSpec(issuer="https://idp.example.com"))
    assert isinstance(taken, Failure)
    assert taken.error_type == "INVALID_ARGUMENT"
    assert len(listed(served)) == 2


def directory(ca: str | None, *servers: str) -> Providers.ActiveDirectoryOverLdap:
    return Providers.ActiveDirectoryOverLdap(
        user_name="reader@corp.example.com",
        password=Secret("reads what there is"),
        users_base_dn="dc=corp,dc=example,dc=com",
        groups_base_dn="dc=corp,dc=example,dc=com",
        server_endpoints=servers,
        cert_chain=None if ca is None else X509CertChain(cert_chain=(ca,)),
    )


@pytest.mark.parametrize("by", BY)
def test_an_active_directory_is_asked_for_groups(served: Served, by: str, tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "tls", (), lambda: datetime.now(UTC))
    assert files.ca_certificate is not None
    ca = files.ca_certificate.read_text().strip()
    over_ldap = directory(ca, "ldaps://dc1.corp.example.com")
    spec = msgspec.structs.replace(SPEC, idm_protocol=Providers.IdmProtocol.LDAP, active_directory_over_ldap=over_ldap)
    id = create(served, spec, by)
    info = get(served, id, by)
    assert info.active_directory_over_ldap == msgspec.structs.replace(over_ldap, password=Secret(""))
    kept = served.world.inventory.all(IdentityProvider)[id].directory
    assert kept is not None
    assert (kept.bind_password, kept.unencrypted) == ("reads what there is", False)


@pytest.mark.parametrize(
    "spec",
    [
        of_issuer("https://idp.example.com", domain_names=frozenset({"vsphere.local"})),
        of_issuer("https://idp.example.com", upn_claim=""),
        of_issuer(
            "https://idp.example.com",
            idm_protocol=Providers.IdmProtocol.LDAP,
            active_directory_over_ldap=directory(None, "ldaps://dc1.corp.example.com"),
        ),
        of_issuer(
            "https://idp.example.com",
            idm_protocol=Providers.IdmProtocol.LDAP,
            active_directory_over_ldap=directory("bm90IG9uZQ==", "ldaps://dc1.corp.example.com"),
        ),
        of_issuer("https://idp.example.com", idm_protocol=Providers.IdmProtocol.SCIM, idm_endpoints=()),
        *(msgspec.structs.replace(SPEC, oauth2=msgspec.structs.replace(OAUTH2, **given)) for given in BAD_OAUTH2),
        Providers.CreateSpec(
            config_tag=Providers.ConfigType.Oidc,
            oidc=Providers.OidcCreateSpec(
                discovery_endpoint="https://169.254.169.254/latest/meta-data",
                client_id="x",
                client_secret="y",
                claim_map={},
            ),
        ),
    ],
)
def test_what_is_no_provider(served: Served, spec: Providers.CreateSpec) -> None:
    refused = create(served, spec)
    assert refused.error_type == "INVALID_ARGUMENT"
    assert listed(served) == ()


def test_an_update_of_another_type(served: Served) -> None:
    id = create(served, SPEC)
    other = update(served, id, config_tag=Providers.ConfigType.Oidc, oauth2=None, oidc=Providers.OidcUpdateSpec())
    assert other.error_type == "INVALID_ARGUMENT"
    assert "config_tag must be Oauth2" in other.texts[0]
