"""Authentication by a token of an identity provider, or by one that this vCenter has exchanged for such a token."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from resphere.access.principal import Principal, canonical_name
from resphere.auth.accounts import LocalAccounts
from resphere.auth.authentication import Identity, required
from resphere.auth.credentials import Credentials
from resphere.auth.federated import unavailable, vouched_domains
from resphere.auth.ldap.connection import DirectoryUnavailable
from resphere.auth.ldap.source import Directories
from resphere.auth.oidc.fetching import ProviderUnavailable
from resphere.auth.oidc.own_tokens import OwnTokens
from resphere.auth.oidc.people import subject_of
from resphere.auth.oidc.providers import DISCOVERY, MOST_SKEW_SECONDS, Endpoints, IdentityProvider
from resphere.auth.oidc.publishing import Published
from resphere.auth.oidc.tokens import BadToken, Expected, Shown, claims_of, is_token, require_good, shown
from resphere.auth.replays import Once, token_once
from resphere.replica.replica import Replica

log = logging.getLogger(__name__)


class Taken(msgspec.Struct, frozen=True):
    """Whom a good token names, and until when it is good; ``once`` is the token itself, for servers that take it once.
    ``bound``: it is good only for who holds a key."""

    principal: Principal
    until: datetime
    once: Once | None
    bound: bool = False


class ByIdentityToken:
    """Takes a JSON Web Token, in ``Authorization: Bearer`` or a security context."""

    name: ClassVar[str] = "oidc"

    def __init__(
        self,
        replica: Replica,
        published: Published,
        directories: Directories,
        own: OwnTokens,
        accounts: LocalAccounts,
        knows: Callable[[str], bool],
    ) -> None:
        self._replica = replica
        self._published = published
        self._directories = directories
        self._own = own
        self._accounts = accounts
        self._knows = knows

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """The user whom the token names."""
        if credentials.bearer is None or not is_token(credentials.bearer):
            return None
        try:
            taken = await self.take(credentials.bearer, moment)
        except BadToken as refusal:
            raise required() from refusal
        return Identity(taken.principal, self.name, once=taken.once)

    async def take(self, text: str, moment: datetime) -> Taken:
        """Whom a token names.

        :raises BadToken: it is not good.
        :raises ServiceUnavailable: its issuer cannot be asked for what it takes to tell.
        """
        token = shown(text)
        if token.issuer == self._own.issuer:
            return self._own_taken(token, moment)
        try:
            async for provider, endpoints in self._candidates(token):
                return await self._taken(provider, endpoints, token, moment)
        except (ProviderUnavailable, DirectoryUnavailable) as error:
            log.warning("a token cannot be checked: %s", error)
            raise unavailable() from error
        raise BadToken(f"its issuer {token.issuer!r} is no identity provider")

    async def _candidates(self, token: Shown) -> AsyncIterator[tuple[IdentityProvider, Endpoints]]:
        """The provider that signs by the name in the token. That of another one that cannot be asked is no reason."""
        for provider in self._replica.all(IdentityProvider).values():
            try:
                endpoints = await self._published.endpoints(provider)
            except ProviderUnavailable:
                if (provider.discovery_endpoint or "").removesuffix(DISCOVERY).rstrip("/") == token.issuer.rstrip("/"):
                    raise
                continue
            if token.issuer in endpoints.issuers:
                yield provider, endpoints

    async def _taken(self, provider: IdentityProvider, endpoints: Endpoints, token: Shown, moment: datetime) -> Taken:
        if token.algorithm not in provider.algorithms:
            raise BadToken(f"{provider.shown_name}: it is signed by {token.algorithm}, which is not allowed")
        key = await self._published.key(provider, token.kid, token.algorithm)
        if key is None:
            raise BadToken(f"{provider.shown_name} has no key {token.kid!r} for {token.algorithm}")
        claims = claims_of(token, key.key, provider.algorithms)
        expected = Expected(
            endpoints.issuers, provider.accepted_audiences, provider.required_claims, provider.clock_skew_seconds
        )
        require_good(claims, expected, moment)
        subject = subject_of(provider, claims, vouched_domains(self._replica, provider.id))
        groups = subject.groups
        if provider.directory is not None:
            groups |= await self._groups_in_directory(provider, subject.user, subject.domain)
        principal = Principal(subject.name, groups, provider.id, granted=subject.granted)
        return Taken(principal, until(claims), once_of(token, until(claims)))

    async def _groups_in_directory(self, provider: IdentityProvider, user: str, domain: str) -> frozenset[str]:
        assert provider.directory is not None
        person = await self._directories.find(provider.shown_name, provider.directory, domain, user)
        if person is None:
            raise BadToken(f"{provider.shown_name}: its directory does not know {user}@{domain}")
        return frozenset(f"{group}@{domain}" for group in person.groups)

    def _own_taken(self, token: Shown, moment: datetime) -> Taken:
        claims = self._own.claims(token, moment)
        return Taken(self._present(self._own.principal(claims)), until(claims), once_of(token, until(claims)))

    def _present(self, principal: Principal) -> Principal:
        """Who a token of ours was issued to, as that is now."""
        if principal.source is None:
            # As the account is now.
            account = self._accounts.principal(canonical_name(principal.name))
            if account is None:
                raise BadToken(f"its user {principal.name} has no account any more")
            return account
        if not self._knows(principal.source):
            raise BadToken(f"the identity source of its user {principal.name} is no more")
        return principal


def once_of(token: Shown, until: datetime) -> Once:
    """A token by what its issuer has signed: of signatures there may be several that are good."""
    return token_once(token.text.rpartition(".")[0], until + timedelta(seconds=MOST_SKEW_SECONDS))


def until(claims: dict[str, Any]) -> datetime:
    """When a good token expires."""
    return datetime.fromtimestamp(float(claims["exp"]), UTC)
