"""The archives of support bundles, as vCenter's appliance gives them out."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES


class SupportBundles:
    """``resphere.appliance.support_bundles``: what the ``url`` of a support bundle leads to."""

    class DownloadInput(m.Struct, frozen=True, kw_only=True):
        bundle: ids.ApplianceSupportbundleId

    download: ClassVar[m.Operation[[ids.ApplianceSupportbundleId], m.ByteStream]] = m.Operation(
        "resphere.appliance.support_bundles",
        "download",
        input=DownloadInput,
        output=lambda: m.ByteStream,
        api=m.Route("GET", "/appliance/support-bundle/{bundle}", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="application/gzip",
        privileges=(m.Requirement(("Global.Diagnostics",)),),
    )
