"""The signature of a JSON-RPC request in its own security context: over the request without it, canonicalized.

As the official SDK makes it (``vmware.vapi.security.sso``, 8.0.3 and 9.1.1), by draft-staykov-hu-json-canonical-form.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

from resphere.auth.credentials import BadProof, Shown
from resphere.auth.saml.documents import BadDocument
from resphere.auth.saml.keys import require_signature
from resphere.auth.saml.moments import CLOCK_SKEW, read_moment
from resphere.auth.saml.request_proof import MOST_SIGNED_BYTES

ALGORITHMS = {"RS256": SHA256(), "RS384": SHA384(), "RS512": SHA512()}
LONGEST_VALIDITY = timedelta(hours=1)
"""The official SDK signs for 20 minutes."""


class JsonProof(msgspec.Struct, frozen=True):
    """``body`` is the request, whose security context has the signature."""

    body: bytes

    async def verify(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        """See :class:`~resphere.auth.credentials.KeyProof`."""
        if len(self.body) > MOST_SIGNED_BYTES:
            raise BadProof(f"a signed body must not have more than {MOST_SIGNED_BYTES} bytes")
        # Of the largest, it takes some 100 ms.
        return await asyncio.to_thread(self._verify, certificate, moment)

    def _verify(self, certificate: x509.Certificate, moment: datetime) -> Shown:
        try:
            request = json.loads(self.body, parse_float=Decimal, parse_constant=no_number, object_pairs_hook=once)
            context = request["params"]["ctx"]["securityCtx"]
            value = context.pop("signature")["value"]
            algorithm = ALGORITHMS.get(context["signatureAlgorithm"])
            timestamp = context["timestamp"]
            created, expires = read_moment(timestamp["created"]), read_moment(timestamp["expires"])
            message = canonical(request).encode("ascii")
        except BadDocument as error:
            raise BadProof(f"the timestamp: {error}") from None
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise BadProof(f"the security context holds no signature: {type(error).__name__} {error}") from None
        if algorithm is None or not isinstance(value, str):
            raise BadProof("the signature algorithm is not accepted")
        if not created - CLOCK_SKEW <= moment < expires + CLOCK_SKEW or expires - created > LONGEST_VALIDITY:
            raise BadProof(f"it was signed at {created.isoformat()} to be good until {expires.isoformat()}")
        require_signature(certificate, value, message, algorithm)
        return Shown(message, expires + CLOCK_SKEW)


def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with those members.

    :raises ValueError: one stands there twice: others may read another of the two.
    """
    made = dict(members)
    if len(made) != len(members):
        raise ValueError("a member stands there twice")
    return made


def no_number(name: str) -> Any:
    """Refuse what is no JSON.

    :raises ValueError: always.
    """
    raise ValueError(f"{name} is no JSON")


def canonical(value: Any) -> str:
    """The one text of a JSON value: no white space, members in the order of their names' code points, ASCII."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(each) for each in value) + "]"
    return canonical_double(value) if isinstance(value, Decimal) else json.dumps(value)


def canonical_double(value: Decimal) -> str:
    """A number with a fraction or an exponent as XML Schema's canonical form of a double: ``1.25E1``."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "JSON has no infinite numbers"
    text = "".join(map(str, digits)).lstrip("0")
    minus = "-" if sign else ""
    if not text:
        return f"{minus}0.0E0"
    power = len(text) - 1 + exponent
    return f"{minus}{text[0]}.{text[1:].rstrip('0') or '0'}E{power}"
