"""``resphere.certificates``: whom to trust."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.about import Certificates
from resphere.services.call import Call
from resphere.services.checks.certificates import done
from resphere.services.registry import implements


@implements(Certificates.download)
async def download(call: Call) -> bytes:
    """The certificates of trusted authorities, the server's own first, as vCenter's ``/certs/download.zip`` has them.

    :raises NotFound: there are none: the server uses a certificate that it was given, or no TLS.
    """
    archive = await done(call.environment.certificates.archive)
    if archive is None:
        raise NotFound(message("resphere.certificates.none", "This server has no certificate authority of its own."))
    return archive
