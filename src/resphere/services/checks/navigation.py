"""What may be done at an address of ``/rest``, whoever asks for it in whichever way."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated.vapi_rest_navigation import OperationModel
from resphere.contract.metamodel.navigation import operations_at
from resphere.services.call import Call
from resphere.services.checks.metadata import described, served_by


def required_at(call: Call, url: str, base: str) -> tuple[OperationModel, ...]:
    """The operations of a URL, with links that begin with ``base``.

    :raises NotFound: nothing stands there.
    """
    found = operations_at(served_by(call), url, base, described())
    if not found:
        words = "Unable to find operations for URL: {0}."
        raise NotFound(message("com.vmware.vapi.rest.operationsForUrlNotFound", words, url))
    return found
