"""Between providers as vCenter's API writes them and as they are kept."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec import UNSET, UnsetType

from resphere.auth.ldap.settings import Directory, DirectoryKind
from resphere.auth.oidc.people import PERMISSIONS
from resphere.auth.oidc.providers import ConfigType, Endpoints, IdentityProvider
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_certificate_management import X509CertChain
from resphere.contract.generated.vcenter_identity import FederationType, Providers
from resphere.contract.model import Secret

T = TypeVar("T")
LONGEST_SECRET = 4096
BASIC = "Authorization: Basic"
"""All that is told of how this server would show itself to a provider: vCenter adds the secret."""


def created(id: str, spec: Providers.CreateSpec) -> IdentityProvider:
    """The provider of a new specification, without what its metadata says.

    :raises ValueError: it is none.
    """
    common: dict[str, object] = {
        "id": id,
        "name": spec.name or "",
        "org_ids": texts(spec.org_ids),
        "domain_names": domains(spec.domain_names),
        "auth_query_params": spec.auth_query_params or {},
        "idm_protocol": None if spec.idm_protocol is None else spec.idm_protocol.value,
        "idm_endpoints": endpoints_of(spec.idm_endpoints),
        "directory": directory_of(spec.active_directory_over_ldap),
        "upn_claim": spec.upn_claim,
        "groups_claim": spec.groups_claim,
        "federation_type": None if spec.federation_type is None else spec.federation_type.value,
    }
    if spec.oidc is not None:
        own: dict[str, object] = {
            "config": ConfigType.OIDC,
            "discovery_endpoint": spec.oidc.discovery_endpoint,
            "client_id": spec.oidc.client_id,
            "client_secret": secret(spec.oidc.client_secret),
            "claim_map": claim_map(spec.oidc.claim_map),
        }
    elif spec.oauth2 is not None:
        own = {
            "config": ConfigType.OAUTH2,
            "endpoints": Endpoints(
                issuer=spec.oauth2.issuer,
                authorization=spec.oauth2.auth_endpoint,
                token=spec.oauth2.token_endpoint,
                keys=spec.oauth2.public_key_uri,
            ),
            "client_id": spec.oauth2.client_id,
            "client_secret": secret(spec.oauth2.client_secret),
            "claim_map": claim_map(spec.oauth2.claim_map),
            "authentication_method": spec.oauth2.authentication_method.value,
            "config_query_params": spec.oauth2.auth_query_params or {},
        }
    else:
        raise ValueError("one of oidc and oauth2 must be given, as config_tag says")
    return made(common | own)


def updated(provider: IdentityProvider, spec: Providers.UpdateSpec) -> IdentityProvider:
    """The provider with what a specification changes.

    :raises ValueError: it is none then.
    """
    if spec.config_tag.value != provider.config.value:
        raise ValueError(f"config_tag must be {provider.config.value}, as the provider was created")
    changes: dict[str, object] = {
        "name": given(spec.name),
        "org_ids": UNSET if spec.org_ids is None else texts(spec.org_ids),
        "is_default": True if spec.make_default else UNSET,
        "domain_names": UNSET if spec.domain_names is None else domains(spec.domain_names),
        "auth_query_params": given(spec.auth_query_params),
        "upn_claim": None if spec.reset_upn_claim else given(spec.upn_claim),
        "groups_claim": None if spec.reset_groups_claim else given(spec.groups_claim),
        "federation_type": UNSET if spec.federation_type is None else spec.federation_type.value,
    }
    if spec.idm_protocol is not None:
        changes |= {
            "idm_protocol": spec.idm_protocol.value,
            "idm_endpoints": endpoints_of(spec.idm_endpoints),
            "directory": directory_of(spec.active_directory_over_ldap),
        }
    changes |= of_oidc(spec.oidc) if spec.oidc is not None else {}
    changes |= of_oauth2(provider, spec.oauth2) if spec.oauth2 is not None else {}
    kept = {field: getattr(provider, field) for field in provider.__struct_fields__}
    return made(kept | {name: value for name, value in changes.items() if value is not UNSET})


def of_oidc(spec: Providers.OidcUpdateSpec) -> dict[str, object]:
    """What it changes."""
    return {
        "discovery_endpoint": given(spec.discovery_endpoint),
        "client_id": given(spec.client_id),
        "client_secret": UNSET if spec.client_secret is None else secret(spec.client_secret),
        "claim_map": UNSET if spec.claim_map is None else claim_map(spec.claim_map),
    }


def of_oauth2(provider: IdentityProvider, spec: Providers.Oauth2UpdateSpec) -> dict[str, object]:
    """What it changes."""
    before = provider.endpoints
    assert before is not None, provider.id
    method = spec.authentication_method
    return {
        "endpoints": Endpoints(
            issuer=spec.issuer or before.issuer,
            authorization=spec.auth_endpoint or before.authorization,
            token=spec.token_endpoint or before.token,
            keys=spec.public_key_uri or before.keys,
        ),
        "client_id": given(spec.client_id),
        "client_secret": UNSET if spec.client_secret is None else secret(spec.client_secret),
        "claim_map": UNSET if spec.claim_map is None else claim_map(spec.claim_map),
        "authentication_method": UNSET if method is None else method.value,
        "config_query_params": given(spec.auth_query_params),
    }


def made(fields: Mapping[str, object]) -> IdentityProvider:
    """The provider of those fields.

    :raises ValueError: they are none.
    """
    return IdentityProvider(**fields)  # type: ignore[arg-type]


def given(value: T | None) -> T | UnsetType:
    """A value that changes one, unless it is not given."""
    return UNSET if value is None else value


def texts(values: Iterable[str] | None) -> tuple[str, ...]:
    """A set, in an order that is always the same."""
    return tuple(sorted(values or ()))


def domains(values: Iterable[str] | None) -> tuple[str, ...]:
    """Names of domains, in lower case."""
    return texts({value.casefold() for value in values or ()})


def endpoints_of(values: tuple[str, ...] | None) -> tuple[str, ...]:
    """The endpoints of identity management: kept, and never asked."""
    if values is not None and not values:
        raise ValueError("idm_endpoints must not be empty")
    return values or ()


def secret(value: str) -> str:
    """A secret that can be kept."""
    if not 0 < len(value) <= LONGEST_SECRET:
        raise ValueError(
            f"client_secret must have from 1 to {LONGEST_SECRET} characters; an update without it leaves it as it is"
        )
    return value


def claim_map(value: dict[str, dict[str, tuple[str, ...]]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """A map of claims: vCenter knows that of one."""
    if unknown := sorted(set(value) - {PERMISSIONS}):
        raise ValueError(f"claim_map has {unknown[0]}: the only claim that can be mapped is {PERMISSIONS}")
    return value


def directory_of(spec: Providers.ActiveDirectoryOverLdap | None) -> Directory | None:
    """The directory that is asked for groups. Without certificates all its servers are asked without TLS, as vCenter
    says: such a specification may have no ``ldaps:`` endpoint.
    """
    if spec is None:
        return None
    unencrypted = spec.cert_chain is None
    if unencrypted and any(not each.startswith("ldap://") for each in spec.server_endpoints):
        raise ValueError("cert_chain must be given where a server is asked by ldaps:")
    return Directory(
        servers=spec.server_endpoints,
        users_base_dn=spec.users_base_dn,
        groups_base_dn=spec.groups_base_dn,
        type=DirectoryKind.ACTIVE_DIRECTORY,
        ca=None if spec.cert_chain is None else pem_of(spec.cert_chain.cert_chain),
        unencrypted=unencrypted,
        bind_name=spec.user_name,
        bind_password=spec.password,
    )


def pem_of(chain: Iterable[str]) -> str:
    """Certificates in PEM, which may be given as their base64 alone.

    :raises ValueError: they are neither.
    """
    found = []
    for each in chain:
        body = each.strip()
        if not body.startswith("-----BEGIN"):
            try:
                b64decode(body, validate=False)
            except binascii.Error:
                raise ValueError("cert_chain must hold certificates in base64") from None
            body = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"
        found.append(body)
    return "\n".join(found) + "\n"


def summary_of(provider: IdentityProvider, endpoints: Endpoints) -> Providers.Summary:
    """What everybody may know."""
    basic = provider.authentication_method == Providers.Oauth2AuthenticationMethod.CLIENT_SECRET_BASIC.value
    header = BASIC if basic else ""
    oidc = oauth2 = None
    if provider.config is ConfigType.OIDC:
        oidc = Providers.OidcSummary(
            discovery_endpoint=provider.discovery_endpoint,
            logout_endpoint=endpoints.logout,
            auth_endpoint=endpoints.authorization,
            token_endpoint=endpoints.token,
            client_id=provider.client_id,
            authentication_header=header,
            auth_query_params=provider.config_query_params,
        )
    else:
        oauth2 = Providers.Oauth2Summary(
            auth_endpoint=endpoints.authorization,
            token_endpoint=endpoints.token,
            client_id=provider.client_id,
            authentication_header=header,
            auth_query_params=provider.config_query_params,
        )
    return Providers.Summary(
        provider=ids.VcenterIdentityProvidersId(provider.id),
        name=provider.name,
        config_tag=Providers.ConfigType(provider.config.value),
        oauth2=oauth2,
        oidc=oidc,
        is_default=provider.is_default,
        domain_names=frozenset(provider.domain_names),
        auth_query_params=provider.auth_query_params,
        federation_type=federation_of(provider),
    )


def told_of(provider: IdentityProvider, endpoints: Endpoints | None) -> Providers.Info:
    """What whoever manages providers may know; addresses are empty where its metadata cannot be had."""
    known = endpoints or Endpoints(issuer="", authorization="", token="", keys="")
    protocol = None if provider.idm_protocol is None else Providers.IdmProtocol(provider.idm_protocol)
    of_endpoints = protocol not in (None, Providers.IdmProtocol.LDAP)
    oidc = oauth2 = None
    if provider.config is ConfigType.OIDC:
        oidc = Providers.OidcInfo(
            discovery_endpoint=provider.discovery_endpoint or "",
            logout_endpoint=known.logout,
            auth_endpoint=known.authorization,
            token_endpoint=known.token,
            public_key_uri=known.keys,
            client_id=provider.client_id,
            client_secret="",
            claim_map=provider.claim_map,
            issuer=known.issuer,
            authentication_method=Providers.Oauth2AuthenticationMethod(provider.authentication_method),
            auth_query_params=provider.config_query_params,
        )
    else:
        oauth2 = Providers.Oauth2Info(
            auth_endpoint=known.authorization,
            token_endpoint=known.token,
            public_key_uri=known.keys,
            client_id=provider.client_id,
            client_secret="",
            claim_map=provider.claim_map,
            issuer=known.issuer,
            authentication_method=Providers.Oauth2AuthenticationMethod(provider.authentication_method),
            auth_query_params=provider.config_query_params,
        )
    return Providers.Info(
        name=provider.name,
        org_ids=frozenset(provider.org_ids),
        config_tag=Providers.ConfigType(provider.config.value),
        oauth2=oauth2,
        oidc=oidc,
        is_default=provider.is_default,
        domain_names=frozenset(provider.domain_names),
        auth_query_params=provider.auth_query_params,
        idm_protocol=protocol,
        idm_endpoints=provider.idm_endpoints if of_endpoints and provider.idm_endpoints else None,
        active_directory_over_ldap=told_of_directory(provider.directory),
        upn_claim=provider.upn_claim,
        groups_claim=provider.groups_claim,
        federation_type=federation_of(provider),
    )


def told_of_directory(directory: Directory | None) -> Providers.ActiveDirectoryOverLdap | None:
    """How a directory is asked, without the password."""
    if directory is None:
        return None
    return Providers.ActiveDirectoryOverLdap(
        user_name=directory.bind_name or "",
        password=Secret(""),
        users_base_dn=directory.users_base_dn,
        groups_base_dn=directory.groups_base_dn,
        server_endpoints=directory.servers,
        cert_chain=None if directory.ca is None else X509CertChain(cert_chain=certificates_in(directory.ca)),
    )


def certificates_in(pem: str) -> tuple[str, ...]:
    """Each certificate of a text of several."""
    end = "-----END CERTIFICATE-----"
    return tuple(f"{each.strip()}\n{end}" for each in pem.split(end) if each.strip())


def federation_of(provider: IdentityProvider) -> FederationType | None:
    """The type of federation."""
    return None if provider.federation_type is None else FederationType(provider.federation_type)
