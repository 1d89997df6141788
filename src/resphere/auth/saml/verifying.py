"""Whether a token is good, at a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.auth.replays import Once, token_once
from resphere.auth.saml.assertion import Assertion, issuer_of, read_assertion
from resphere.auth.saml.documents import BadDocument, parse
from resphere.auth.saml.moments import CLOCK_SKEW
from resphere.auth.saml.signatures import ENVELOPED, EXCLUSIVE, verified
from resphere.auth.saml.trust import Trust, TrustedIssuer


class Verified(msgspec.Struct, frozen=True):
    """A token whose signature was good, and who signed it."""

    assertion: Assertion
    issuer: TrustedIssuer


class TokenVerifier:
    """Takes the tokens of those who are trusted. ``trust`` gives what is trusted now."""

    def __init__(self, trust: Callable[[], Trust]) -> None:
        self._trust = trust

    def verify(self, token: str, moment: datetime) -> Verified:
        """What the token says. Takes some milliseconds, and may be called in any thread.

        :raises BadDocument: it is not good, or not at that moment.
        """
        found = self.authentic(token, moment)
        require_time(found.assertion, moment)
        require_audience(found, self._trust())
        return found

    def authentic(self, token: str, moment: datetime) -> Verified:
        """What the token says, be it over or meant for others.

        :raises BadDocument: nobody who is trusted has signed it.
        """
        root = parse(token)
        name = issuer_of(root)
        issuer = self._trust().issuers.get(name)
        if issuer is None:
            raise BadDocument(f"its issuer {name!r} is not trusted")
        signed = verified(root, issuer.certificates, moment, transforms=(ENVELOPED, EXCLUSIVE))
        assertion = read_assertion(signed)
        if assertion.issuer != name:
            raise BadDocument("its issuer was not signed")
        return Verified(assertion, issuer)


def once_of(found: Verified) -> Once | None:
    """A bearer's token, which is good once where that is asked for. Of that of a key's holder, signatures are."""
    if found.assertion.certificate is not None:
        return None
    return token_once(f"{found.assertion.issuer} {found.assertion.id}", found.assertion.not_on_or_after + CLOCK_SKEW)


def require_time(assertion: Assertion, moment: datetime) -> None:
    """Refuse a token before and after its time, give or take what clocks may differ.

    :raises BadDocument: it is not its time.
    """
    if assertion.not_before is not None and moment < assertion.not_before - CLOCK_SKEW:
        raise BadDocument(f"it is not good before {assertion.not_before.isoformat()}")
    if moment >= assertion.not_on_or_after + CLOCK_SKEW:
        raise BadDocument(f"it was good until {assertion.not_on_or_after.isoformat()}")
    if moment < assertion.issue_instant - CLOCK_SKEW:
        raise BadDocument(f"it was issued at {assertion.issue_instant.isoformat()}, which is still to come")


def require_audience(found: Verified, trust: Trust) -> None:
    """Refuse a token that was made for others.

    :raises BadDocument: it was.
    """
    names = trust.audiences | frozenset(found.issuer.audiences)
    for audiences in found.assertion.limits.audiences:
        if names.isdisjoint(audiences):
            raise BadDocument(f"it was made for {', '.join(audiences) or 'nobody'}")
    if found.issuer.requires_audience and not found.assertion.limits.audiences:
        raise BadDocument("it does not say for whom it was made")
