"""Whether a request is in order as HTTP has it, before anybody asks what it means.

What can be read in two ways is refused, for a proxy before the server may have read it in the other one; and so is what
a page of somebody else has a browser send, which adds the cookie of a session by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

from resphere.contract.errors import InvalidRequest, Unauthorized, VapiError, message
from resphere.dialects.http import SESSION_HEADER, session_cookie

Headers = dict[bytes, bytes]

SINGLE = frozenset(
    {
        SESSION_HEADER,
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"sec-fetch-site",
        b"transfer-encoding",
        b"vapi-operation",
        b"vapi-service",
        b"vmware-use-header-authn",
    }
)
"""Headers that say one thing, and must not be given twice."""

JOINED_BY = {b"cookie": b"; "}
"""What stands between the values of a header that is given several times, unless it is a comma (RFC 9113, 8.2.3)."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({b"same-origin", b"none"})
"""``Sec-Fetch-Site`` of what a page of this server sends, or the user."""

HOST = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])(?::[0-9]{1,5})?\Z")
LONGEST_HOST = 253 + len(":65535")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[Headers, VapiError | None]:
    """The headers by name, and the refusal where one that says one thing is given twice.

    Values of others that are given several times are joined as HTTP has it.
    """
    headers: Headers = {}
    refusal: VapiError | None = None
    for name, value in pairs:
        known = headers.get(name)
        if known is None:
            headers[name] = value
        elif name in SINGLE:
            refusal = given_twice(name)
        else:
            headers[name] = known + JOINED_BY.get(name, b", ") + value
    return headers, refusal


def unsound(method: str, headers: Headers, scheme: str) -> VapiError | None:
    """The refusal of a request whose headers cannot be acted upon, ``None`` where they can."""
    host = headers.get(b"host")
    if host and not is_host(host):  # Granian has an empty one for clients of HTTP/1.0 that send none
        return InvalidRequest(
            message("resphere.host_malformed", "The header Host must be a name or an address, with a port or without.")
        )
    if method not in SAFE_METHODS and acts_by_cookie(headers) and is_foreign(headers, scheme):
        return Unauthorized(
            message(
                "resphere.foreign_page",
                "A page of another site asked for this with the cookie of a session, which only pages of this server "
                "may do. Programs send the header vmware-api-session-id.",
            )
        )
    return None


def is_host(value: bytes) -> bool:
    """Whether a ``Host`` header can stand in an address: letters, digits, dots, hyphens and underscores, or an IPv6
    address in brackets, and perhaps a port."""
    return len(value) <= LONGEST_HOST and has_form_of_host(value)


@lru_cache(maxsize=256)
def has_form_of_host(value: bytes) -> bool:
    """:func:`is_host` of what is no longer than any host; clients name the same one again and again."""
    found = HOST.match(value.decode("latin-1"))
    if found is None:
        return False
    try:
        return found["ipv6"] is None or bool(IPv6Address(found["ipv6"]).packed)
    except AddressValueError:
        return False


def acts_by_cookie(headers: Headers) -> bool:
    """Whether nothing but a cookie says who calls: that is all that a browser adds by itself."""
    if SESSION_HEADER in headers or b"authorization" in headers:
        return False
    return session_cookie(headers.get(b"cookie", b"")) is not None


def is_foreign(headers: Headers, scheme: str) -> bool:
    """Whether a browser says that a page of another site sends this. What is no browser says neither."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site.lower() not in OWN_SITES
    origin = headers.get(b"origin")
    if origin is None:
        return False
    _, separator, host = origin.decode("latin-1").lower().partition("://")
    own = headers.get(b"host", b"").decode("latin-1").lower()
    default = DEFAULT_PORTS.get(scheme, "")
    return not separator or host.removesuffix(default) != own.removesuffix(default)


def given_twice(name: bytes) -> VapiError:
    """The refusal of a header that is given twice."""
    return InvalidRequest(
        message("resphere.header_twice", "The header {0} must not be given twice.", name.decode("latin-1"))
    )
