"""Identity providers of OpenID Connect or OAuth 2: what is known of them, as vCenter's API has it and beyond."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from urllib.parse import urlsplit

import msgspec

from resphere.auth.ldap.settings import Directory, require_certificates
from resphere.auth.names import LOCAL_DOMAIN, is_domain
from resphere.replica.table import Table

DISCOVERY = "/.well-known/openid-configuration"
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
"""How a provider may sign. None of a shared secret, and not ``none``."""
CLOCK_SKEW_SECONDS = 60
MOST_SKEW_SECONDS = 600
LONGEST_TEXT = 4096


class ConfigType(StrEnum):
    """How a provider was described: by the address of its metadata, or by all its addresses."""

    OAUTH2 = "Oauth2"
    OIDC = "Oidc"


class Endpoints(msgspec.Struct, frozen=True):
    """Where a provider is asked, and by which name it signs; ``access_token_issuer`` is another, as AD FS has it."""

    issuer: str
    authorization: str
    token: str
    keys: str
    logout: str | None = None
    access_token_issuer: str | None = None

    @property
    def issuers(self) -> tuple[str, ...]:
        """By which names it signs."""
        return (self.issuer,) if self.access_token_issuer is None else (self.issuer, self.access_token_issuer)


class IdentityProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider whose tokens let its users in.

    ``endpoints`` are missing where its metadata was not fetched yet. Tokens are for one of ``audiences``, or else for
    ``client_id``. Users are named by ``upn_claim``, their groups by ``groups_claim``; vCenter's own names of both where
    they are ``None``. ``domain_names`` are the only domains whose users it may vouch for, where there are any.
    ``groups`` says in which groups of this vCenter those in a group of the provider are. ``directory`` is asked for
    further groups. ``declared``: it stands in the file of identity sources, and is changed there.
    """

    kind: ClassVar[str] = "identity_provider"

    id: str
    config: ConfigType
    client_id: str
    name: str = ""
    client_secret: str | None = None
    discovery_endpoint: str | None = None
    endpoints: Endpoints | None = None
    authentication_method: str = "CLIENT_SECRET_BASIC"
    audiences: tuple[str, ...] = ()
    domain_names: tuple[str, ...] = ()
    upn_claim: str | None = None
    groups_claim: str | None = None
    claim_map: dict[str, dict[str, tuple[str, ...]]] = {}
    required_claims: dict[str, str] = {}
    algorithms: tuple[str, ...] = ALGORITHMS
    clock_skew_seconds: int = CLOCK_SKEW_SECONDS
    ca: str | None = None
    directory: Directory | None = None
    idm_protocol: str | None = None
    idm_endpoints: tuple[str, ...] = ()
    org_ids: tuple[str, ...] = ()
    auth_query_params: dict[str, tuple[str, ...]] = {}
    config_query_params: dict[str, tuple[str, ...]] = {}
    federation_type: str | None = None
    is_default: bool = False
    declared: bool = False

    def __post_init__(self) -> None:
        for name in ("client_id", "upn_claim", "groups_claim", "discovery_endpoint"):
            value = getattr(self, name)
            if value is not None and not 0 < len(value) <= LONGEST_TEXT:
                raise ValueError(f"{name} must have from 1 to {LONGEST_TEXT} characters")
        self._require_addresses()
        for domain in self.domain_names:
            if not is_domain(domain) or domain == LOCAL_DOMAIN:
                raise ValueError(f"domain_names must be domains other than {LOCAL_DOMAIN}, in lower case, not {domain}")
        unknown = [each for each in self.algorithms if each not in ALGORITHMS]
        if unknown or not self.algorithms:
            raise ValueError(f"algorithms must be some of {', '.join(ALGORITHMS)}, not {', '.join(unknown) or 'none'}")
        if not 0 <= self.clock_skew_seconds <= MOST_SKEW_SECONDS:
            raise ValueError(f"clock_skew_seconds must be from 0 to {MOST_SKEW_SECONDS}, not {self.clock_skew_seconds}")
        if self.ca is not None:
            require_certificates(self.ca)

    def _require_addresses(self) -> None:
        if (self.config is ConfigType.OIDC) != (self.discovery_endpoint is not None):
            raise ValueError("a provider of OpenID Connect, and no other, has a discovery_endpoint")
        if self.discovery_endpoint is not None:
            require_address("discovery_endpoint", self.discovery_endpoint)
        elif self.endpoints is None:
            raise ValueError("a provider of OAuth 2 has addresses of its own")
        if self.endpoints is not None:
            require_address("auth_endpoint", self.endpoints.authorization)
            require_address("token_endpoint", self.endpoints.token)
            require_address("public_key_uri", self.endpoints.keys)

    @property
    def accepted_audiences(self) -> tuple[str, ...]:
        """For whom its tokens are."""
        return self.audiences or (self.client_id,)

    @property
    def shown_name(self) -> str:
        """What logs call it."""
        return self.name or self.id


IDENTITY_PROVIDERS = Table(
    cls=IdentityProvider,
    claims=lambda provider: tuple(f"identity-issuer/{each}" for each in issuers_known(provider)),
    revises=False,
    sealed=("client_secret", "directory"),
)


def issuers_known(provider: IdentityProvider) -> tuple[str, ...]:
    """By which names it signs, as far as that is known: no two providers may have one in common."""
    return provider.endpoints.issuers if provider.endpoints is not None else ()


def require_address(name: str, address: str) -> None:
    """Refuse what is no address that may be fetched: ``https:``, or ``http:`` on this machine itself.

    :raises ValueError: it is none.
    """
    try:
        split = urlsplit(address)
        split.port  # noqa: B018 - it is read when it is asked for
    except ValueError:
        raise ValueError(f"{name} must be an address such as https://idp.example.com/") from None
    if split.username is not None or split.fragment or not split.hostname or not address.isascii():
        raise ValueError(f"{name} must be an address such as https://idp.example.com/")
    if any(character <= " " or character == "\x7f" for character in address):
        raise ValueError(f"{name} must be an address such as https://idp.example.com/")
    if split.scheme == "http" and split.hostname in ("localhost", "127.0.0.1", "::1"):
        return
    if split.scheme != "https":
        raise ValueError(f"{name} must begin with https://")
