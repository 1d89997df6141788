"""JSON Web Tokens: what one shows before anything of it is believed, and whether it is good (RFC 7519, 8725)."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from resphere.auth.oidc.publishing import PublicKey

LONGEST_TOKEN = 16 * 1024
TYPES = frozenset({"jwt", "at+jwt"})
"""What may stand in ``typ``: others are for something else than to let somebody in."""
NOT_TAKEN = ("crit", "jku", "jwk", "x5u")
"""Parts of a header that say by which key, or by which further rules, it should be believed."""


class BadToken(Exception):
    """Why a token lets nobody in: for the log, never for the caller."""


class Shown(msgspec.Struct, frozen=True):
    """What a token says of itself. Nothing of it is believed yet."""

    text: str
    algorithm: str
    kid: str | None
    issuer: str


def is_token(text: str) -> bool:
    """Whether ``text`` has the form of a signed token, good or not."""
    return text.count(".") == 2 and text.startswith("ey")


def shown(text: str) -> Shown:
    """What a token says of itself.

    :raises BadToken: nothing that could be good.
    """
    if len(text) > LONGEST_TOKEN:
        raise BadToken(f"it has more than {LONGEST_TOKEN} characters")
    if not is_token(text):
        raise BadToken("it has no form of a signed token")
    head, payload, _ = text.split(".")
    header, claims = part(head, "header"), part(payload, "payload")
    for name in NOT_TAKEN:
        if name in header:
            raise BadToken(f"its header has {name}")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in TYPES:
        raise BadToken(f"it is of the type {kind!r}")
    algorithm, kid, issuer = header.get("alg"), header.get("kid"), claims.get("iss")
    if not isinstance(algorithm, str):
        raise BadToken("it does not say how it is signed")
    if kid is not None and not isinstance(kid, str):
        raise BadToken("the id of its key is no text")
    if not isinstance(issuer, str):
        raise BadToken("it does not say who issued it")
    return Shown(text, algorithm, kid, issuer)


def part(encoded: str, name: str) -> dict[str, Any]:
    """A part of a token that is an object."""
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(data, type=dict[str, Any])
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadToken(f"its {name} cannot be read: {error}") from error


def claims_of(token: Shown, key: PublicKey, algorithms: Collection[str]) -> dict[str, Any]:
    """The claims of a token whose signature is good.

    :raises BadToken: it is not.
    """
    if token.algorithm not in algorithms:
        raise BadToken(f"it is signed by {token.algorithm}, which is not allowed")
    try:
        checked = jws.deserialize_compact(token.text, key, algorithms=[token.algorithm])
        return msgspec.json.decode(checked.payload or b"", type=dict[str, Any])
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise BadToken(f"its signature is not good: {str(error) or type(error).__name__}") from error


class Expected(msgspec.Struct, frozen=True):
    """What the claims of a good token are."""

    issuers: Collection[str]
    audiences: Collection[str]
    required: Mapping[str, str]
    skew_seconds: int


def require_good(claims: Mapping[str, Any], expected: Expected, moment: datetime) -> None:
    """Refuse claims that are not those of a good token now.

    :raises BadToken: says which.
    """
    if claims.get("iss") not in expected.issuers:
        raise BadToken("it is of another issuer")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and each in expected.audiences for each in named):
        raise BadToken(f"it is for {audience!r}")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise BadToken("it has no subject")
    if "cnf" in claims:
        raise BadToken("it is bound to a key, and would be good for nobody without that")
    for name, wanted in expected.required.items():
        if claims.get(name) != wanted:
            raise BadToken(f"its claim {name} is {claims.get(name)!r}, not {wanted!r}")
    now, skew = moment.timestamp(), expected.skew_seconds
    expires = seconds(claims, "exp")
    if expires is None:
        raise BadToken("it never expires")
    if now >= expires + skew:
        raise BadToken(f"it expired {now - expires:.0f} seconds ago")
    for name in ("nbf", "iat"):
        begins = seconds(claims, name)
        if begins is not None and begins > now + skew:
            raise BadToken(f"its {name} lies {begins - now:.0f} seconds ahead")


def seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """A moment among the claims, in seconds since 1970.

    :raises BadToken: it is none.
    """
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadToken(f"its {name} is no number")
    return float(value)
