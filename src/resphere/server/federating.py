"""Puts together what other identity sources take."""

from __future__ import annotations

import time
from collections.abc import Callable

from resphere.auth.accounts import LocalAccounts
from resphere.auth.by_identity_token import ByIdentityToken
from resphere.auth.federation import ACCESS_TOKEN, Federation, issues_access_tokens
from resphere.auth.ldap.source import Directories
from resphere.auth.oidc.fetching import HttpFetcher
from resphere.auth.oidc.own_tokens import open_own_tokens
from resphere.auth.oidc.publishing import Published
from resphere.replica.replica import Replica
from resphere.services.call import Product
from resphere.store.base import Store


async def open_federation(
    store: Store, replica: Replica, accounts: LocalAccounts, product: Product, random_bytes: Callable[[int], bytes]
) -> Federation:
    """What a worker asks identity sources with.

    :raises StoreError: the key of this server's own tokens cannot be had.
    """
    directories = Directories()
    published = Published(HttpFetcher(), time.monotonic)
    issuer = f"https://{product.host_name}/openidconnect/{product.sso_domain}"
    own = await open_own_tokens(store, issuer, product.instance_uuid, random_bytes)
    by_identity_token = ByIdentityToken(replica, published, directories, own, accounts)
    return Federation(published, directories, by_identity_token, {ACCESS_TOKEN: issues_access_tokens(own)})
