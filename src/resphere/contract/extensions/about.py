"""What this server says of itself and hands out."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES


class About:
    """``resphere.about``: what this server is."""

    class Info(m.Struct, frozen=True, kw_only=True):
        """Product, versions and where to go from here; ``links`` maps a name to a path.

        ``capabilities`` are the areas in which the provider can do something; what needs another is refused.
        """

        __vapi_name__ = "resphere.about.info"
        product: str
        version: str
        build: str
        api_releases: tuple[str, ...]
        server: str
        server_version: str
        provider: str
        capabilities: tuple[str, ...]
        instance_uuid: str
        links: dict[str, str]

    get: ClassVar[m.Operation[[], About.Info]] = m.Operation(
        "resphere.about",
        "get",
        output=lambda: About.Info,
        api=m.Route("GET", "/api", 200),
        errors=("unauthenticated",),
        privileges=(m.Requirement(("System.View",), anywhere=True),),
        releases=ALL_RELEASES,
    )

    vcenter: ClassVar[m.Operation[[], About.Info]] = m.Operation(
        "resphere.about",
        "vcenter",
        output=lambda: About.Info,
        api=m.Route("GET", "/api/vcenter", 200),
        errors=("unauthenticated",),
        privileges=(m.Requirement(("System.View",), anywhere=True),),
        releases=ALL_RELEASES,
    )


class Certificates:
    """``resphere.certificates``: the certificate authority that clients need to trust."""

    download: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.certificates",
        "download",
        output=lambda: bytes,
        api=m.Route("GET", "/certs/download.zip", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="application/zip",
    )
