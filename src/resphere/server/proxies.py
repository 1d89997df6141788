"""What a trusted proxy says of the client in front of it; what anybody else says of that is not read.

Of the two ways to say it one is read, as a setting says: a proxy that writes one of them hands the other on as the
client wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from resphere.auth.certificate_forms import FORMS
from resphere.auth.credentials import ShownCertificate
from resphere.dialects.base import Request

X_FORWARDED, FORWARDED = "x-forwarded", "forwarded"
HEADERS = (X_FORWARDED, FORWARDED)
SCHEMES = ("http", "https")
PAIR = re.compile(r'\s*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)=("(?:[^"\\]|\\.)*"|[^",;]*)\s*\Z')
SPLIT_PAIRS = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*\Z)')
SPLIT_HOPS = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*\Z)')
MOST_HOPS = 32

AnyAddress = IPv4Address | IPv6Address
AnyNetwork = IPv4Network | IPv6Network


class Hop(msgspec.Struct, frozen=True):
    """What one proxy says: who has connected to it, by which scheme and for which host; each if it says so."""

    client: AnyAddress | None = None
    scheme: str | None = None
    host: str | None = None


class TrustedProxies(msgspec.Struct, frozen=True):
    """The ``networks`` whose addresses are those of proxies, and the ``headers`` that these write."""

    networks: tuple[AnyNetwork, ...]
    headers: str = X_FORWARDED
    certificate_form: str | None = None
    """How they hand on the certificate that a client has shown them: one of ``FORMS``."""

    def seen_through(self, request: Request) -> Request:
        """The request as the first of them has got it."""
        if not self.networks:
            return request
        peer = address_of(request.client)
        if peer is None or not self._trusts(peer):
            return request
        hops = forwarded_hops(request) if self.headers == FORWARDED else x_forwarded_hops(request)
        client = peer
        # The last one was written by the proxy that has connected, the one before by whom that has got it from.
        for hop in reversed(hops):
            if hop.client is None:
                break
            client = hop.client
            if not self._trusts(client):
                break
        last = hops[-1] if hops else Hop()
        headers = request.headers if last.host is None else {**request.headers, b"host": last.host.encode("latin-1")}
        return msgspec.structs.replace(
            request,
            client=str(client),
            scheme=last.scheme or request.scheme,
            headers=headers,
            certificate=self._certificate(request),
        )

    def _trusts(self, address: AnyAddress) -> bool:
        return any(address in network for network in self.networks)

    def _certificate(self, request: Request) -> ShownCertificate | None:
        if self.certificate_form is None:
            return None
        value = request.header(self.certificate_form.encode("ascii"))
        beside = FORMS[self.certificate_form].beside
        chain = None if beside is None else request.header(beside.encode("ascii"))
        return ShownCertificate(self.certificate_form, value, chain) if value else None


def networks(given: Iterable[str]) -> tuple[AnyNetwork, ...]:
    """The networks that texts name, such as ``10.0.0.0/8`` or ``192.0.2.7``.

    :raises ValueError: one names none.
    """
    return tuple(ip_network(text) for text in given)


def address_of(text: str) -> AnyAddress | None:
    """The address, one of IPv4 as such; ``None`` where it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def node_address(text: str) -> AnyAddress | None:
    """The address of a node, with a port or without: ``192.0.2.7:80``, ``[2001:db8::1]:80``."""
    if text.startswith("["):
        return address_of(text[1:].partition("]")[0])
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return address_of(text)


def x_forwarded_hops(request: Request) -> list[Hop]:
    """What ``X-Forwarded-For`` has; the last one has ``-Proto`` and ``-Host`` too, as the nearest proxy wrote them."""
    clients = values(request.header(b"x-forwarded-for"))
    hops = [Hop(node_address(text)) for text in clients] or [Hop()]
    schemes, hosts = values(request.header(b"x-forwarded-proto")), values(request.header(b"x-forwarded-host"))
    hops[-1] = Hop(hops[-1].client, known_scheme(schemes[-1] if schemes else None), hosts[-1] if hosts else None)
    return hops


def forwarded_hops(request: Request) -> list[Hop]:
    """What ``Forwarded`` has (RFC 7239)."""
    hops = []
    for text in SPLIT_HOPS.split(request.header(b"forwarded") or "")[-MOST_HOPS:]:
        fields = {}
        for pair in SPLIT_PAIRS.split(text):
            found = PAIR.match(pair)
            if found is not None:
                fields[found[1].lower()] = unquoted(found[2])
        hops.append(Hop(node_address(fields.get("for", "")), known_scheme(fields.get("proto")), fields.get("host")))
    return hops


def values(header: str | None) -> list[str]:
    """The values of a list, the last ones where there are many."""
    return [text.strip() for text in (header or "").split(",") if text.strip()][-MOST_HOPS:]


def known_scheme(text: str | None) -> str | None:
    """The scheme, if it is one."""
    lower = text.lower() if text is not None else None
    return lower if lower in SCHEMES else None


def unquoted(text: str) -> str:
    """A value of RFC 7239 without quotes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') and len(text) > 1 else text
