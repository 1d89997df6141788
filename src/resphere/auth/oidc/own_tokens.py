"""Tokens of this vCenter's own, as its token service hands them out: short-lived, signed, good at no other server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from resphere.access.principal import Principal
from resphere.auth.oidc.tokens import BadToken, Expected, Shown, claims_of, require_good
from resphere.store.base import Store

KEY = "tokens"
KEY_BYTES = 32
ALGORITHM = "Ed25519"
LIFETIME = timedelta(hours=1)
SKEW_SECONDS = 60


class Issued(msgspec.Struct, frozen=True):
    """A token, and for how long it is good."""

    text: str
    lifetime: timedelta


async def open_own_tokens(store: Store, issuer: str, audience: str, random_bytes: Callable[[int], bytes]) -> OwnTokens:
    """The tokens of the server whose store that is, which all its workers take.

    :raises StoreError: their key cannot be had.
    """
    return OwnTokens(await store.keys.get(KEY, KEY_BYTES), issuer, audience, random_bytes)


class OwnTokens:
    """Issues and takes tokens; ``issuer`` and ``audience`` say whose they are."""

    def __init__(self, secret: bytes, issuer: str, audience: str, random_bytes: Callable[[int], bytes]) -> None:
        self.issuer = issuer
        self._audience = audience
        self._random_bytes = random_bytes
        self._private = OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(secret))
        self._public = OKPKey.import_key(self._private.public_key)

    def issue(self, principal: Principal, moment: datetime, until: datetime | None = None) -> Issued:
        """A token for ``principal``, good for an hour, but not beyond ``until``."""
        ends = moment + LIFETIME if until is None else min(moment + LIFETIME, until)
        claims = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": principal.name,
            "iat": int(moment.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": self._random_bytes(16).hex(),
            "source": principal.source,
            "groups": sorted(principal.groups),
            "granted": sorted(principal.granted),
        }
        text = jwt.encode({"alg": ALGORITHM, "typ": "at+jwt"}, claims, self._private, algorithms=[ALGORITHM])
        return Issued(text, ends - moment)

    def claims(self, token: Shown, moment: datetime) -> dict[str, Any]:
        """The claims of a token of ours.

        :raises BadToken: it is not good.
        """
        claims = claims_of(token, self._public, (ALGORITHM,))
        require_good(claims, Expected((self.issuer,), (self._audience,), {}, SKEW_SECONDS), moment)
        return claims

    def principal(self, claims: dict[str, Any]) -> Principal:
        """Whom a token with such claims was issued to.

        :raises BadToken: they are not of the form in which we write them.
        """
        try:
            groups = msgspec.convert(claims["groups"], frozenset[str])
            granted = msgspec.convert(claims["granted"], frozenset[str])
            source = msgspec.convert(claims["source"], str | None)
        except (KeyError, msgspec.ValidationError) as error:
            raise BadToken("it is not of the form in which this server writes") from error
        return Principal(claims["sub"], groups, source, granted=granted)
