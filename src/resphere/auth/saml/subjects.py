"""Whom a token is about, in terms of this server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from resphere.access.principal import Principal, canonical_name
from resphere.auth.accounts import LocalAccounts
from resphere.auth.saml.assertion import GRANTED, GROUPS, SOURCE, Assertion
from resphere.auth.saml.documents import BadDocument
from resphere.auth.saml.trust import TrustedIssuer
from resphere.auth.saml.verifying import Verified

log = logging.getLogger(__name__)


class Subjects:
    """Finds users by what tokens say of them. ``knows`` tells whether there is an identity source of that id."""

    def __init__(self, accounts: LocalAccounts, knows: Callable[[str], bool]) -> None:
        self._accounts = accounts
        self._knows = knows

    def principal(self, found: Verified) -> Principal:
        """The user. One with a local account is as the account is now, whatever the token says.

        :raises BadDocument: the issuer may not speak of such a user, or there is none any more.
        """
        assertion, issuer = found.assertion, found.issuer
        sources = assertion.values(SOURCE)
        if issuer.is_own and sources:
            return self._federated(assertion, sources[0])
        name = user_name(assertion, issuer)
        if issuer.is_own:
            principal = self._accounts.principal(name)
            if principal is None:
                raise BadDocument(f"its subject {name!r} has no account any more")
            return principal
        return Principal(name, frozenset(group_names(assertion, issuer)), issuer.domain)

    def _federated(self, assertion: Assertion, source: str) -> Principal:
        """A user of another identity source, whom this server's STS has let in: with the groups of then."""
        if not self._knows(source):
            raise BadDocument(f"there is no identity source {source!r} any more")
        groups = (canonical_name(group) for group in assertion.values(GROUPS))
        granted = frozenset(assertion.values(GRANTED))
        return Principal(assertion.name, frozenset(groups), source, granted=granted)


def group_names(assertion: Assertion, issuer: TrustedIssuer) -> Iterator[str]:
    """The groups of the user, ``group@domain``; those of other domains are not the issuer's to give."""
    for name in assertion.values(issuer.group_attribute):
        try:
            yield in_domain(name, issuer.domain)
        except BadDocument as error:
            log.info("a group of a SAML token does not count: %s", error)


def user_name(assertion: Assertion, issuer: TrustedIssuer) -> str:
    """The user's name, ``user@domain``.

    :raises BadDocument: it is of a domain of which the issuer may not speak, or missing.
    """
    if issuer.user_attribute is None:
        return in_domain(assertion.name, issuer.domain)
    values = assertion.values(issuer.user_attribute)
    if len(values) != 1:
        raise BadDocument(f"it has {len(values)} of the attribute {issuer.user_attribute!r}")
    return in_domain(values[0], issuer.domain)


def in_domain(name: str, domain: str) -> str:
    """``user``, ``DOMAIN\\user`` and ``user@domain`` as ``user@domain``.

    :raises BadDocument: it is of another domain, or no name.
    """
    canonical = canonical_name(name)
    user, at, stated = canonical.rpartition("@")
    if not at:
        user, stated = canonical, domain.casefold()
    if not user or not user.isprintable() or "@" in user or stated != domain.casefold():
        raise BadDocument(f"{name[:100]!r} is no name of the domain {domain}")
    return f"{user}@{stated}"
