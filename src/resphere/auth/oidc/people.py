"""Whom the claims of a good token name, and in which groups: never anybody for whom the provider cannot vouch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from resphere.auth.names import LOCAL_DOMAIN, LONGEST_NAME, fits, is_domain, split_name
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.oidc.tokens import BadToken

UPN_CLAIM = "acct"
GROUP_CLAIMS = ("group_names", "group_ids")
"""What names users and groups where a provider has no claims of its own for that: those of VMware's cloud services
(``com.vmware.vcenter.identity.providers.create_spec``)."""
PERMISSIONS = "perms"
"""The claim that ``claim_map`` maps, and the only key that it may have."""
EMAIL, EMAIL_VERIFIED = "email", "email_verified"
MOST_GROUPS = 1000


class Subject(msgspec.Struct, frozen=True):
    """Whom a token names: a ``user`` of a ``domain`` (lower case), and the full names of the groups it tells of."""

    user: str
    domain: str
    groups: frozenset[str]
    granted: frozenset[str]
    """Those of this vCenter that stand for some of them."""

    @property
    def name(self) -> str:
        """As this vCenter knows the user."""
        return f"{self.user}@{self.domain}"


def subject_of(provider: IdentityProvider, claims: Mapping[str, Any], others: Collection[str]) -> Subject:
    """Whom good claims name; ``others`` are domains for which other sources vouch.

    :raises BadToken: nobody whom the provider can vouch for.
    """
    claim = provider.upn_claim or UPN_CLAIM
    value = claims.get(claim)
    if not isinstance(value, str):
        raise BadToken(f"its claim {claim}, which names the user, is no text")
    if claim == EMAIL and claims.get(EMAIL_VERIFIED) is not True:
        raise BadToken("its address of mail was not verified")
    name = split_name(value)
    domain = name.domain
    if domain is None:
        if len(provider.domain_names) != 1:
            raise BadToken(f"its claim {claim} names no domain, and the provider has not one alone")
        domain = provider.domain_names[0]
    if not fits(name.user) or not is_domain(domain):
        raise BadToken(f"its claim {claim} is {value!r}, which can be no user")
    if domain == LOCAL_DOMAIN:
        raise BadToken(f"it names a user of {LOCAL_DOMAIN}")
    if provider.domain_names and domain not in provider.domain_names:
        raise BadToken(f"its user is of {domain}, for which the provider may not vouch")
    if not provider.domain_names and domain in others:
        raise BadToken(f"its user is of {domain}, for which another identity source vouches")
    told = groups_told(provider, claims)
    trusted = provider.domain_names or (domain,)
    groups = {full for each in told if (full := full_name(each, domain, trusted)) is not None}
    return Subject(name.user, domain, frozenset(groups), frozenset(mapped(provider, claims, told)))


def groups_told(provider: IdentityProvider, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups as the token names them.

    :raises BadToken: there are too many: the missing ones may be those that forbid.
    """
    names = GROUP_CLAIMS if provider.groups_claim is None else (provider.groups_claim,)
    found = tuple(group for name in names for group in texts(claims, name))
    if len(found) > MOST_GROUPS:
        raise BadToken(f"it tells of more than {MOST_GROUPS} groups")
    return found


def texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The texts of a claim: one, or a list of them."""
    value = claims.get(name)
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str) and 0 < len(each) <= LONGEST_NAME)


def full_name(group: str, domain: str, trusted: Collection[str]) -> str | None:
    """A group's name with its domain, ``None`` where the provider cannot vouch for that."""
    name = split_name(group)
    of = domain if name.domain is None else name.domain
    return f"{name.user}@{of}" if fits(name.user) and of in trusted else None


def mapped(provider: IdentityProvider, claims: Mapping[str, Any], told: Collection[str]) -> Iterator[str]:
    """The groups of this vCenter that whoever manages it gives to those in groups of the provider."""
    known = provider.claim_map.get(PERMISSIONS, {})
    for group in {*told, *texts(claims, PERMISSIONS)}:
        for local in known.get(group, ()):
            yield local if split_name(local).domain is not None else f"{local}@{LOCAL_DOMAIN}"
