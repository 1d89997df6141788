"""Whose tokens are believed, and what is believed of them."""

from __future__ import annotations

import msgspec
from cryptography import x509

from resphere.auth.saml.assertion import GROUPS


class TrustedIssuer(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer of tokens: ``name`` as it stands in them, and the certificates by which it signs, any of them.

    It may speak of users and groups of ``domain`` alone. Users are named by their ``NameID``, or by the attribute
    ``user_attribute``; groups by the values of ``group_attribute``. ``audiences`` are what it may call this server
    besides the server's own name; ``requires_audience``: tokens that name none were not made for anybody in
    particular, and are not taken.
    """

    name: str
    certificates: tuple[x509.Certificate, ...]
    domain: str
    user_attribute: str | None = None
    group_attribute: str = GROUPS
    audiences: tuple[str, ...] = ()
    requires_audience: bool = False
    is_own: bool = False


class Trust(msgspec.Struct, frozen=True):
    """The issuers of a server, by name, and what the server itself is called in audiences."""

    issuers: dict[str, TrustedIssuer]
    audiences: frozenset[str]
