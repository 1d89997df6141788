"""The page that browsers find at ``/``: what this is, which release, how to log in, where to go."""

from __future__ import annotations

from html import escape
from string import Template

from resphere.auth.accounts import ADMINISTRATOR
from resphere.contract.extensions.openapi import Explorer
from resphere.contract.model import Asset
from resphere.services.call import Call, Product
from resphere.services.checks.certificates import done
from resphere.services.registry import implements
from resphere.services.resphere.explorer.files import MEDIA_TYPES, OURS, PAGE_HEADERS, names_of_addresses
from resphere.services.resphere.making import made_once

CERTIFICATES = (
    '        <li><a href="/certs/download.zip">CA certificates</a> '
    "<span>A zip file with what clients need to trust this server</span></li>"
)
TRUST = (
    "      <p>With <code>-k</code> curl does not look who answers. The server's "
    '<a href="/certs/download.zip">certificates of authorities</a> let it: unpack them,\n'
    "        and say <code>--cacert</code> with a file of <code>certs/lin</code> in its place.</p>"
)


@implements(Explorer.start)
async def start(call: Call) -> Asset:
    """The page at the root for browsers: what this server is, how to log in, where to go."""
    has_authority = await done(call.environment.certificates.archive) is not None
    return await made_once(page, call.environment.product, call.origin, has_authority)


def page(product: Product, origin: str, has_authority: bool) -> Asset:
    """The page of a server that is reached at ``origin``; ``has_authority``: clients can be handed what to trust."""
    scheme, _, host = origin.partition("://")
    text = Template((OURS / "start.html").read_text(encoding="utf-8")).substitute(
        names_of_addresses(),
        administrator=escape(ADMINISTRATOR),
        build=escape(product.build),
        certificates=CERTIFICATES if has_authority else "",
        host=escape(host),
        insecure="k" if scheme == "https" else "",
        origin=escape(origin),
        provider=escape(product.provider),
        releases=escape(", ".join(product.api_releases)),
        server_version=escape(product.server_version),
        trust=TRUST if has_authority else "",
        version=escape(product.version),
    )
    return Asset(text.encode(), MEDIA_TYPES[".html"], (*PAGE_HEADERS, ("Vary", "Accept")))
