"""``resphere.appliance.support_bundles``: the archives of support bundles."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.support_bundles import SupportBundles
from resphere.contract.generated import ids
from resphere.contract.model import ByteStream, Part
from resphere.inventory.appliance.support_bundles import BundleRecord
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(SupportBundles.download)
async def download(call: Call, bundle: ids.ApplianceSupportbundleId) -> ByteStream:
    """The archive of a support bundle, a compressed tar file.

    :raises NotFound: there is none of that id, or no more.
    """
    record = call.get(BundleRecord, bundle)
    there = record is not None and record.expires is not None and record.expires > call.environment.now()
    content = record.content if record is not None and there else None
    stream = None if content is None else await call.environment.bundles.open(content)
    if stream is None:
        raise NotFound(
            message("resphere.appliance.bundle_gone", "There is no archive of the support bundle {0}.", bundle)
        )
    name = f'attachment; filename="support-bundle-{bundle}.tgz"'
    return Part(stream, 200, (("Content-Disposition", name),))
