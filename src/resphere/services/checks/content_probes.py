"""Whether something could be fetched, asked before."""

from __future__ import annotations

from urllib.parse import urlsplit

from resphere.contract.errors import message
from resphere.contract.generated.content import SubscribedLibrary
from resphere.contract.generated.content_library_item import TransferEndpoint
from resphere.contract.model import LocalizableMessage
from resphere.fetching.errors import BadAddress, FetchError, Untrusted
from resphere.fetching.fetcher import Wanted
from resphere.fetching.trust import Trust
from resphere.services.call import Call
from resphere.services.checks.content_subscriptions import status_of

Result = SubscribedLibrary.ProbeResult
LARGEST_BYTES = 2**44


async def look_at(call: Call, given: TransferEndpoint) -> tuple[Result.Status, tuple[LocalizableMessage, ...]]:
    """What becomes of an attempt to fetch from there, of which nothing is read; words and ids as govmomi knows them of
    vCenter, followed by our own."""
    trust = Trust(
        thumbprint=given.ssl_certificate_thumbprint or None,
        certificate=given.ssl_certificate or None,
    )
    try:
        async with call.environment.fetcher.fetch(Wanted(given.uri, LARGEST_BYTES, trust)):
            return Result.Status.SUCCESS, ()
    except FetchError as error:
        return status_of(error), (in_words_of_vcenter(given.uri, error), error.message)


def in_words_of_vcenter(uri: str, error: FetchError) -> LocalizableMessage:
    """Why it cannot be fetched."""
    if isinstance(error, Untrusted):
        return message(
            "com.vmware.vdcs.cls-main.http_request_error_peer_not_authenticated",
            "The certificate of {0} is not trusted.",
            uri,
        )
    if not isinstance(error, BadAddress):
        return message("com.vmware.vdcs.cls-main.http_request_error", "The request to {0} has failed.", uri)
    if is_of_other_scheme(uri):
        return message(
            "com.vmware.vdcs.cls-main.file_probe_unsupported_uri_scheme", "The specified URI {0} is not supported.", uri
        )
    return message("com.vmware.vdcs.cls-main.invalid_url_format", "Invalid URL format for {0}.", uri)


def is_of_other_scheme(uri: str) -> bool:
    """Whether it is an address, and none of HTTP."""
    try:
        return urlsplit(uri.strip()).scheme not in ("", "http", "https")
    except ValueError:
        return False
