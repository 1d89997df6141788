"""What is said of subscriptions in specifications, and how publishers that cannot be reached are refused."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable
from typing import TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, ResourceInaccessible, message
from resphere.contract.generated.content import SubscribedLibrary
from resphere.contract.generated.content_library import SubscriptionInfo
from resphere.fetching.addresses import read_address
from resphere.fetching.errors import BadAddress, FetchError, Refused, TimedOut, Unreachable, Untrusted
from resphere.fetching.trust import Trust, read_pins
from resphere.inventory.content.libraries import SUBSCRIBER, Library, Subscription
from resphere.libraries.vcsp import LibraryDocument
from resphere.rules.content_names import is_unicode
from resphere.services.call import Call
from resphere.services.checks.content_libraries import LONGEST_PASSWORD

T = TypeVar("T")
Method = SubscriptionInfo.AuthenticationMethod
Status = SubscribedLibrary.ProbeResult.Status
LONGEST_CERTIFICATE = 65_536


class Terms(msgspec.Struct, frozen=True):
    """A subscription, and the password that the publisher asks for."""

    subscription: Subscription
    password: str | None


def new_terms(call: Call, given: SubscriptionInfo | None, before: Library | None = None) -> Terms:
    """How a library subscribes from now on; what is not given stays as it was ``before``.

    :raises InvalidArgument: the address is none, or what goes with it is missing or wrong.
    """
    old = None if before is None else before.subscription
    if given is None:
        if old is None or before is None:
            raise invalid("is required")
        return Terms(old, before.subscription_password)
    require_text(given)
    url = given.subscription_url
    if url is None:
        if old is None:
            raise invalid("subscription_url: is required")
        url = old.url
    moved = old is None or url != old.url
    # What was to be shown by one publisher says nothing of another one.
    kept = None if moved else old
    subscription = Subscription(
        url=url.strip(),
        of_this_server=is_of_this_server(call, url) if kept is None else kept.of_this_server,
        automatic=chosen(given.automatic_sync_enabled, old is not None and old.automatic),
        on_demand=chosen(given.on_demand, old is not None and old.on_demand),
        thumbprint=shown(given.ssl_thumbprint, None if kept is None else kept.thumbprint),
        certificate=shown(given.ssl_certificate, None if kept is None else kept.certificate),
        number=1 if old is None else old.number + moved,
    )
    require_sound(subscription)
    return Terms(subscription, password_of(given, None if before is None or moved else before.subscription_password))


def require_text(given: SubscriptionInfo) -> None:
    """Refuse halves of characters, which nobody could be asked with.

    :raises InvalidArgument: naming the field.
    """
    for name in ("subscription_url", "password", "ssl_thumbprint", "ssl_certificate"):
        text = getattr(given, name)
        if text is not None and not is_unicode(text):
            raise invalid(f"{name}: has halves of characters")


def chosen(given: bool | None, before: bool) -> bool:
    """What is given, or else what was."""
    return before if given is None else given


def shown(given: str | None, before: str | None) -> str | None:
    """What a publisher is to show; an empty text: it need not."""
    return before if given is None else given or None


def password_of(given: SubscriptionInfo, before: str | None) -> str | None:
    """The password that the publisher asks for.

    :raises InvalidArgument: it is missing, or is that of a name that nobody has there.
    """
    method = given.authentication_method
    if method is None:
        method = Method.NONE if before is None and given.password is None else Method.BASIC
    if method is Method.NONE:
        return None
    if given.user_name not in (None, SUBSCRIBER):
        raise invalid(f"user_name: must be {SUBSCRIBER}, or unset")
    password = before if given.password is None else given.password
    if not password or len(password) > LONGEST_PASSWORD:
        raise invalid(f"password: must have 1 to {LONGEST_PASSWORD} characters with BASIC authentication")
    return password


def require_sound(subscription: Subscription) -> None:
    """Refuse an address from which nothing can be fetched, and what is no thumbprint or certificate.

    :raises InvalidArgument: it is one.
    """
    if subscription.certificate is not None and len(subscription.certificate) > LONGEST_CERTIFICATE:
        raise invalid(f"ssl_certificate: must not be longer than {LONGEST_CERTIFICATE} characters")
    try:
        if not subscription.of_this_server:
            read_address(subscription.url)
        read_pins(Trust(thumbprint=subscription.thumbprint, certificate=subscription.certificate))
    except BadAddress as error:
        raise InvalidArgument(
            message("resphere.content.subscription", "subscription_info: {0}", error.message.default_message),
            error.message,
        ) from None


def is_of_this_server(call: Call, url: str) -> bool:
    """Whether an address is one at which this server publishes libraries, as the caller has reached it."""
    return url.strip().startswith(f"{call.origin}/cls/vcsp/lib/")


def invalid(fault: str) -> InvalidArgument:
    """The refusal of how a library shall subscribe."""
    return InvalidArgument(message("resphere.content.subscription", f"subscription_info: {fault}."))


async def require_published(call: Call, terms: Terms) -> LibraryDocument:
    """What the publisher says of its library.

    :raises ResourceInaccessible: it cannot be read.
    """
    return await reached(call.environment.library_sync.publisher(terms.subscription, terms.password).library())


async def reached(reading: Awaitable[T]) -> T:
    """What is read of a publisher.

    :raises ResourceInaccessible: it cannot be read; why is its second message.
    """
    try:
        return await reading
    except FetchError as error:
        raise ResourceInaccessible(
            message(
                "resphere.content.publisher",
                "Connection to the publisher of the library failed: {0}",
                error.message.default_message,
            ),
            error.message,
        ) from None


def status_of(error: FetchError) -> Status:
    """What became of a look at a publisher, in the contract's words."""
    if isinstance(error, Refused):
        return {401: Status.INVALID_CREDENTIALS, 403: Status.INVALID_CREDENTIALS, 404: Status.RESOURCE_NOT_FOUND}.get(
            error.status, Status.UNKNOWN_ERROR
        )
    if isinstance(error, Unreachable) and has_no_host(error):
        return Status.HOST_NOT_FOUND
    kinds: tuple[tuple[type[FetchError], Status], ...] = (
        (BadAddress, Status.INVALID_URL),
        (TimedOut, Status.TIMED_OUT),
        (Untrusted, Status.CERTIFICATE_ERROR),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), Status.UNKNOWN_ERROR)


def has_no_host(error: BaseException | None) -> bool:
    """Whether an error comes from a name that nobody has."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__
    return False


def pem_of(certificate: bytes) -> str:
    """A certificate (DER) as text."""
    return ssl.DER_cert_to_PEM_cert(certificate)
