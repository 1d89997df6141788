"""Puts together what other identity sources take."""

from __future__ import annotations

import time
from collections.abc import Callable

from resphere.auth.accounts import LocalAccounts
from resphere.auth.by_identity_token import ByIdentityToken
from resphere.auth.federated import is_known
from resphere.auth.federation import (
    ACCESS_TOKEN,
    ID_TOKEN,
    SAML2,
    Federation,
    issues_access_tokens,
    issues_saml_tokens,
    takes_identity_tokens,
    takes_saml_tokens,
)
from resphere.auth.ldap.source import Directories
from resphere.auth.oidc.fetching import HttpFetcher
from resphere.auth.oidc.own_tokens import open_own_tokens
from resphere.auth.oidc.publishing import Published
from resphere.auth.principals import Principals
from resphere.auth.replays import Replays
from resphere.certificates.tls import Roots
from resphere.replica.replica import Replica
from resphere.server.saml import Saml
from resphere.server.saml_trust import SamlTrust
from resphere.services.call import Product
from resphere.store.base import Store


def known_sources(replica: Replica, trust: SamlTrust) -> Callable[[str], bool]:
    """Tells whether there is an identity source of an id: a directory, a provider, or the domain of an issuer of SAML
    tokens."""
    domains = frozenset(issuer.domain for issuer in trust.issuers)
    return lambda source: source in domains or is_known(replica, source)


async def open_federation(
    store: Store,
    replica: Replica,
    accounts: LocalAccounts,
    product: Product,
    trust: SamlTrust,
    saml: Saml,
    knows: Callable[[str], bool],
    roots: Roots,
    single_use: Replays | None,
    random_bytes: Callable[[int], bytes],
) -> Federation:
    """What a worker asks identity sources with. ``knows`` tells whether there is one of that id; ``roots`` vouch for
    those that name no authorities of their own, ``single_use`` remembers tokens that are exchanged once.

    :raises StoreError: the key of this server's own tokens cannot be had.
    """
    directories = Directories(roots=roots)
    published = Published(HttpFetcher(roots=roots), time.monotonic)
    issuer = f"https://{product.host_name}/openidconnect/{product.sso_domain}"
    own = await open_own_tokens(store, issuer, product.instance_uuid, random_bytes)
    by_identity_token = ByIdentityToken(replica, published, directories, own, accounts, knows)
    take = takes_identity_tokens(by_identity_token)
    return Federation(
        published,
        directories,
        Principals(replica, directories, [each.domain for each in trust.issuers]),
        by_identity_token,
        takers={ACCESS_TOKEN: take, ID_TOKEN: take, SAML2: takes_saml_tokens(saml.verifier, saml.subjects)},
        issuers={ACCESS_TOKEN: issues_access_tokens(own), SAML2: issues_saml_tokens(saml.tokens)},
        single_use=single_use,
    )
