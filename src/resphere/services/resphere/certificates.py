"""``resphere.certificates``: whom to trust."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.extensions.about import Certificates
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Certificates.download)
async def download(call: Call) -> bytes:
    """The CA's certificate in the archive layout of vCenter's ``/certs/download.zip``.

    :raises NotFound: the server uses a certificate that it was given, or no TLS.
    """
    archive = call.environment.ca_archive
    if archive is None:
        raise NotFound(message("resphere.certificates.none", "This server has no certificate authority of its own."))
    return archive
