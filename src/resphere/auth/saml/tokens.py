"""The rules of vCenter's STS: who gets a token of what kind, and for how long.

Limits are the defaults of vCenter's Single Sign-On (8.0, token policy).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from resphere.access.principal import Principal
from resphere.auth.saml.assertion import GRANTED, GROUPS, SOURCE, UPN, Assertion, Confirmation, Limits
from resphere.auth.saml.documents import BadDocument
from resphere.auth.saml.refusals import (
    invalid_time_range,
    invalid_token,
    key_missing,
    may_not_act,
    not_delegable,
    not_renewable,
    unsupported_key_type,
)
from resphere.auth.saml.signing import OwnSigning
from resphere.auth.saml.solutions import ACT_AS_USERS
from resphere.auth.saml.subjects import Subjects
from resphere.auth.saml.verifying import TokenVerifier, Verified
from resphere.auth.saml.writing import PROTECTED_TRANSPORT, UNSPECIFIED, X509_CONTEXT, write_token

log = logging.getLogger(__name__)

LONGEST_BEARER = timedelta(minutes=5)
LONGEST_HOLDER_OF_KEY = timedelta(days=30)
DEFAULT_LIFETIME = timedelta(minutes=5)
MOST_RENEWALS = 10
MOST_DELEGATIONS = 10

FIRST_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"
LAST_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"
IS_SOLUTION = "http://vmware.com/schemas/attr-names/2011/07/isSolution"
CONTEXTS = {"password": PROTECTED_TRANSPORT, "ldap": PROTECTED_TRANSPORT, "token": UNSPECIFIED}
"""How callers have shown who they are, by the method that let them in; others have signed."""
FRIENDLY = {
    GROUPS: "Groups",
    FIRST_NAME: "givenName",
    LAST_NAME: "surname",
    IS_SOLUTION: "Subject Type",
    SOURCE: "Identity Source",
    GRANTED: "Granted Groups",
}


class KeyType(StrEnum):
    """What confirms that its presenter is the one that a token is about."""

    BEARER = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer"
    PUBLIC_KEY = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/PublicKey"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks of a token. ``certificate`` (DER) is of the key that it has signed the request by.

    ``act_as`` is a token of the user to act for, ``presented`` the one that has let the caller in, if it was one: what
    is issued for it is no better.
    """

    key_type: str | None = None
    certificate: bytes | None = None
    created: datetime | None = None
    expires: datetime | None = None
    renewable: bool = False
    delegatable: bool = False
    audiences: tuple[str, ...] = ()
    act_as: str | None = None
    presented: str | None = None


class Base(msgspec.Struct, frozen=True):
    """What a token may have at most."""

    audiences: tuple[tuple[str, ...], ...] = ()
    renewals: int = MOST_RENEWALS
    delegations: int = MOST_DELEGATIONS
    delegates: tuple[str, ...] = ()

    def of(self, found: Verified) -> Base:
        """What a further token of the same user may have."""
        limits = found.assertion.limits
        return Base(
            (*self.audiences, *limits.audiences),
            min(self.renewals, limits.renewals),
            min(self.delegations, limits.delegations),
            (*self.delegates, *limits.delegates),
        )


class Issued(msgspec.Struct, frozen=True):
    """A token, and what it says of itself that its receiver needs."""

    token: str
    assertion: Assertion


class SecurityTokens:
    """Issues, renews and validates tokens."""

    def __init__(
        self,
        signing: OwnSigning,
        verifier: TokenVerifier,
        subjects: Subjects,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.signing = signing
        self._verifier = verifier
        self._subjects = subjects
        self._now = now
        self._random_bytes = random_bytes

    def issue(self, caller: Principal, method: str, wanted: Wanted) -> Issued:
        """A token of the caller, or of the user that the caller acts for.

        :raises InvalidArgument: such a token cannot be.
        :raises Unauthorized: the caller may not act for the user.
        """
        confirmation = confirmation_of(wanted)
        subject, base, handed = caller, Base(), []
        if wanted.presented is not None:
            handed.append(self._handed(wanted.presented))
            base = base.of(handed[-1])
        if wanted.act_as is not None:
            handed.append(self._handed(wanted.act_as))
            subject = self._subject(handed[-1])
            base = self._acting(caller, handed[-1], subject, base)
        limits = Limits(
            audiences=(*base.audiences, *([wanted.audiences] if wanted.audiences else [])),
            renewals=base.renewals if wanted.renewable and confirmation is Confirmation.HOLDER_OF_KEY else 0,
            delegations=base.delegations if wanted.delegatable else 0,
            delegates=base.delegates,
        )
        latest = min((each.assertion.not_on_or_after for each in handed), default=None)
        begin, end = self._times(wanted, confirmation, latest)
        assertion = Assertion(
            id=self._new_id(),
            issuer=self.signing.document.issuer,
            name=subject.name,
            name_format=UPN,
            confirmation=confirmation,
            certificate=wanted.certificate if confirmation is Confirmation.HOLDER_OF_KEY else None,
            issue_instant=self._now(),
            not_before=begin,
            not_on_or_after=end,
            attributes=attributes_of(subject),
            limits=limits,
        )
        return self._write(assertion, CONTEXTS.get(method, X509_CONTEXT))

    def renew(self, token: str, wanted: Wanted, subject: Principal | None) -> Issued:
        """The token with a new time, for its ``subject`` as that is now, ``None`` where there is none any more.

        That its holder asks is known: nobody else gets this far.

        :raises UnableToRenew: it may not be renewed.
        """
        found = self._handed(token)
        assertion = found.assertion
        if assertion.confirmation is not Confirmation.HOLDER_OF_KEY or not assertion.limits.renewals:
            raise not_renewable()
        if subject is None or subject.name.casefold() != self._subject(found).name.casefold():
            raise not_renewable()
        begin, end = self._times(wanted, assertion.confirmation, None)
        renewed = replace(
            assertion,
            id=self._new_id(),
            issue_instant=self._now(),
            not_before=begin,
            not_on_or_after=end,
            attributes=attributes_of(subject),
            limits=replace(assertion.limits, renewals=assertion.limits.renewals - 1),
        )
        return self._write(renewed, X509_CONTEXT)

    def is_valid(self, token: str) -> bool:
        """Whether the token is good now."""
        try:
            self._subjects.principal(self._verifier.verify(token, self._now()))
        except BadDocument as error:
            log.info("a SAML token is not valid: %s", error)
            return False
        return True

    def _handed(self, token: str) -> Verified:
        """A token of this server that a request refers to."""
        try:
            found = self._verifier.verify(token, self._now())
        except BadDocument as error:
            log.warning("a SAML token was refused: %s", str(error))
            raise invalid_token() from None
        if not found.issuer.is_own:
            raise invalid_token()
        return found

    def _subject(self, found: Verified) -> Principal:
        try:
            return self._subjects.principal(found)
        except BadDocument as error:
            log.warning("a SAML token was refused: %s", str(error))
            raise invalid_token() from None

    def _acting(self, caller: Principal, handed: Verified, subject: Principal, base: Base) -> Base:
        """What a token of ``subject`` begins with by which ``caller`` acts."""
        _, _, domain = caller.name.rpartition("@")
        group = f"{ACT_AS_USERS}@{domain}"
        if caller.name.casefold() == subject.name.casefold() and caller.source == subject.source:
            return base.of(handed)
        if group.casefold() not in {each.casefold() for each in caller.groups}:
            raise may_not_act(group)
        limits = handed.assertion.limits
        if not limits.delegations:
            raise not_delegable()
        # How often it may be renewed is the delegate's affair, who is somebody trusted: so it is with vCenter's.
        return replace(
            base,
            audiences=(*base.audiences, *limits.audiences),
            delegations=limits.delegations - 1,
            delegates=(*limits.delegates, caller.name),
        )

    def _times(self, wanted: Wanted, confirmation: Confirmation, latest: datetime | None) -> tuple[datetime, datetime]:
        """From when until when: what is asked for, as far as the policy and ``latest`` let it be."""
        now = self._now()
        begin = max(now, wanted.created or now)
        longest = LONGEST_BEARER if confirmation is Confirmation.BEARER else LONGEST_HOLDER_OF_KEY
        ends = [wanted.expires or begin + DEFAULT_LIFETIME, begin + longest]
        end = min(ends if latest is None else [*ends, latest])
        if end <= begin or begin > now + longest:
            raise invalid_time_range()
        return begin, end

    def _write(self, assertion: Assertion, context: str) -> Issued:
        return Issued(write_token(assertion, self.signing.key, FRIENDLY, context), assertion)

    def _new_id(self) -> str:
        return f"_{self._random_bytes(16).hex()}"


def confirmation_of(wanted: Wanted) -> Confirmation:
    """How the subject of the token shall be confirmed.

    :raises InvalidArgument: it cannot.
    """
    if wanted.key_type is None:
        return Confirmation.BEARER if wanted.certificate is None else Confirmation.HOLDER_OF_KEY
    if wanted.key_type == KeyType.BEARER:
        return Confirmation.BEARER
    if wanted.key_type != KeyType.PUBLIC_KEY:
        raise unsupported_key_type(wanted.key_type)
    if wanted.certificate is None:
        raise key_missing()
    return Confirmation.HOLDER_OF_KEY


def attributes_of(user: Principal) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a token says of a user besides the name; of people, vCenter names the domain as the family."""
    name, _, domain = user.name.rpartition("@")
    groups = tuple(sorted(domain_first(group, domain) for group in user.groups))
    everyone = (f"{domain}\\Everyone",) if user.source is None else ()
    return (
        (GROUPS, (*groups, *everyone)),
        (FIRST_NAME, (name,)),
        (LAST_NAME, (domain,)),
        (IS_SOLUTION, ("false",)),
        *(() if user.source is None else ((SOURCE, (user.source,)),)),
        *(((GRANTED, tuple(sorted(user.granted))),) if user.granted else ()),
    )


def domain_first(group: str, domain: str) -> str:
    """``group@domain`` as ``domain\\group``."""
    name, at, stated = group.rpartition("@")
    return f"{stated}\\{name}" if at else f"{domain}\\{group}"
