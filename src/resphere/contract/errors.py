"""vAPI's standard errors, once, with the status that each dialect gives them.

A service raises one; a dialect renders it; nothing else writes an error body.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from resphere.contract.mentions import Knows, Mention, NamingMessage, Part, all_told, words_of
from resphere.contract.model import Dynamic, ErrorValue, LocalizableMessage, Struct
from resphere.contract.moments import plain


def message(id: str, text: str, *args: object) -> LocalizableMessage:
    """A message: ``text`` holds ``{0}``, ``{1}``... where ``args`` go.

    ``args`` are kept beside the text, so that a client can put the message into words of its own. Those that are
    objects of the inventory are given as :class:`~resphere.contract.mentions.Mention`, or as tuples of them.
    """
    return _message(id, text, args, True)


def worded(id: str, text: str, *args: object) -> LocalizableMessage:
    """A message whose ``args`` stand in its words alone, as vCenter writes some."""
    return _message(id, text, args, False)


def _message(id: str, text: str, args: tuple[object, ...], with_args: bool) -> LocalizableMessage:
    parts: tuple[Part, ...] = tuple([arg if isinstance(arg, (Mention, tuple)) else str(arg) for arg in args])
    words = words_of(parts)
    default_message, shown = text.format(*words), words if with_args else ()
    if all(isinstance(part, str) for part in parts):
        return LocalizableMessage(id=id, default_message=default_message, args=shown)
    return NamingMessage(id=id, default_message=default_message, args=shown, text=text, parts=parts)


def vim_message(id: str, text: str, *args: object) -> LocalizableMessage:
    """What vSphere's own API says of a fault (``vmsg.InvalidPowerState.summary``): only the words come through."""
    return worded(id, text, *args)


def _in_one(messages: Iterable[LocalizableMessage]) -> str:
    return "; ".join([each.default_message for each in messages])


TOKEN_SERVICE = "com.vmware.vcenter.tokenservice"  # noqa: S105 - a namespace
OAUTH = "com.vmware.oauth2.errors"
NOT_IN_OAUTH = re.compile(r'[^\x20-\x7e]|["\\]')


class VapiError(Exception):
    """Base of the standard errors.

    ``error_type`` is the name on the wire, ``api_status`` and ``rest_status`` are the HTTP statuses on ``/api`` and
    ``/rest``, ``canonical_name`` is the structure on the vAPI wire.
    """

    error_type: ClassVar[str] = "ERROR"
    api_status: ClassVar[int] = 500
    rest_status: ClassVar[int] = 400
    namespace: ClassVar[str] = "com.vmware.vapi.std.errors"
    """Where its canonical name stands."""
    oauth_error: ClassVar[str | None] = None
    """What OAuth calls it (RFC 6749, 5.2), of an operation that answers as OAuth does."""

    def __init__(self, *messages: LocalizableMessage, data: Dynamic | Struct | None = None) -> None:
        super().__init__(_in_one(messages))
        self.messages = messages
        self.data = data
        self.status: int | None = None
        """A status more particular than the class's, where HTTP itself asks for one (405, 413)."""
        self.headers: tuple[tuple[str, str], ...] = ()
        """Headers that the reply must carry (``Allow``, ``WWW-Authenticate``)."""

    @classmethod
    def canonical_name(cls) -> str:
        """``com.vmware.vapi.std.errors.not_found``."""
        return f"{cls.namespace}.{cls.error_type.lower()}"

    @property
    def oauth_description(self) -> str | None:
        """Its words as OAuth has them: in ASCII, without quotation marks and backslashes."""
        return None if self.oauth_error is None else NOT_IN_OAUTH.sub("?", str(self))

    def value(self, knows: Knows) -> ErrorValue:
        """The error as a value in a reply, for somebody who ``knows`` of some objects only."""
        return ErrorValue(error_type=self.error_type, messages=all_told(self.messages, knows), data=self.plain_data)

    @property
    def plain_data(self) -> Dynamic | None:
        """``data`` as values that JSON has."""
        return plain(self.data) if isinstance(self.data, Struct) else self.data

    def addressed(self, knows: Knows) -> VapiError:
        """The same error in the words for somebody who ``knows`` of some objects only."""
        other = type(self).__new__(type(self), *self.args)
        other.__dict__.update(self.__dict__)
        other.__cause__ = self.__cause__
        other.messages = all_told(self.messages, knows)
        other.args = (_in_one(other.messages),)
        return other

    def http(self, status: int, headers: Iterable[tuple[str, str]] = ()) -> VapiError:
        """This error with a particular HTTP status and headers."""
        self.status = status
        self.headers = tuple(headers)
        return self


class AlreadyExists(VapiError):
    """Something of that name is there already."""

    error_type = "ALREADY_EXISTS"
    api_status = 400


class AlreadyInDesiredState(VapiError):
    """The object is already as asked."""

    error_type = "ALREADY_IN_DESIRED_STATE"
    api_status = 400


class Canceled(VapiError):
    """The operation was canceled before it was done."""

    error_type = "CANCELED"
    api_status = 500


class ConcurrentChange(VapiError):
    """Others changed the same object again and again meanwhile."""

    error_type = "CONCURRENT_CHANGE"
    api_status = 409


class FeatureInUse(VapiError):
    """The feature cannot be taken away while it is used."""

    error_type = "FEATURE_IN_USE"
    api_status = 400


class InternalServerError(VapiError):
    """Unforeseen; the message holds a reference that stands in the log, and nothing else."""

    error_type = "INTERNAL_SERVER_ERROR"
    api_status = 500
    rest_status = 500


class InvalidArgument(VapiError):
    """A parameter is not what the contract or the rules allow."""

    error_type = "INVALID_ARGUMENT"
    api_status = 400


class InvalidElementConfiguration(VapiError):
    """An element cannot be part of the group as it is configured."""

    error_type = "INVALID_ELEMENT_CONFIGURATION"
    api_status = 400


class InvalidElementType(VapiError):
    """An element of that type cannot be part of the group."""

    error_type = "INVALID_ELEMENT_TYPE"
    api_status = 400


class InvalidGrant(VapiError):
    """What is to be exchanged for a token is not good: an error of vCenter's token service, not a standard one."""

    error_type = "INVALID_GRANT"
    api_status = 400
    namespace = TOKEN_SERVICE


class InvalidRequest(VapiError):
    """The request is malformed as a whole."""

    error_type = "INVALID_REQUEST"
    api_status = 400


class InvalidScope(VapiError):
    """No token is issued for such a target: an error of vCenter's token service, not a standard one."""

    error_type = "INVALID_SCOPE"
    api_status = 500
    rest_status = 500
    namespace = TOKEN_SERVICE


class NotAllowedInCurrentState(VapiError):
    """The object's state forbids the operation."""

    error_type = "NOT_ALLOWED_IN_CURRENT_STATE"
    api_status = 400


class NotFound(VapiError):
    """There is no such object, or the caller may not know of it."""

    error_type = "NOT_FOUND"
    api_status = 404
    rest_status = 404


class OperationNotFound(VapiError):
    """There is no such operation."""

    error_type = "OPERATION_NOT_FOUND"
    api_status = 404
    rest_status = 404


class ResourceBusy(VapiError):
    """The object is busy with another operation."""

    error_type = "RESOURCE_BUSY"
    api_status = 500


class ResourceInUse(VapiError):
    """The object is used by another and cannot be changed."""

    error_type = "RESOURCE_IN_USE"
    api_status = 400


class ResourceInaccessible(VapiError):
    """The object exists, but cannot be reached now."""

    error_type = "RESOURCE_INACCESSIBLE"
    api_status = 500


class ServiceUnavailable(VapiError):
    """The service cannot answer now."""

    error_type = "SERVICE_UNAVAILABLE"
    api_status = 503
    rest_status = 503


class TimedOut(VapiError):
    """The operation took too long."""

    error_type = "TIMED_OUT"
    api_status = 500
    rest_status = 504


class UnableToAllocateResource(VapiError):
    """There is not enough of a resource."""

    error_type = "UNABLE_TO_ALLOCATE_RESOURCE"
    api_status = 500


class Unauthenticated(VapiError):
    """It is not known who calls; or it is, ``proven`` by what was shown, and something else must be done first."""

    error_type = "UNAUTHENTICATED"
    api_status = 401
    rest_status = 401

    def __init__(
        self, *messages: LocalizableMessage, data: Dynamic | Struct | None = None, proven: bool = False
    ) -> None:
        super().__init__(*messages, data=data)
        self.proven = proven


class Unauthorized(VapiError):
    """The caller lacks a privilege: ``privilege``, where it is known which."""

    error_type = "UNAUTHORIZED"
    api_status = 403
    rest_status = 403

    def __init__(
        self, *messages: LocalizableMessage, data: Dynamic | Struct | None = None, privilege: str | None = None
    ) -> None:
        super().__init__(*messages, data=data)
        self.privilege = privilege


class UnexpectedInput(VapiError):
    """The input has parts that the operation does not know."""

    error_type = "UNEXPECTED_INPUT"
    api_status = 400


class Unsupported(VapiError):
    """The operation, or this use of it, is not supported."""

    error_type = "UNSUPPORTED"
    api_status = 400


class UnverifiedPeer(VapiError):
    """The other side's certificate is not trusted."""

    error_type = "UNVERIFIED_PEER"
    api_status = 400


class OAuthInvalidGrant(InvalidGrant):
    """The same, of an operation that answers as OAuth does."""

    namespace = OAUTH
    oauth_error = "invalid_grant"


class OAuthInvalidRequest(InvalidRequest):
    """The same, of an operation that answers as OAuth does."""

    namespace = OAUTH
    oauth_error = "invalid_request"


class OAuthInvalidScope(InvalidScope):
    """The same, of an operation that answers as OAuth does."""

    namespace = OAUTH
    oauth_error = "invalid_scope"


_CLASSES: tuple[type[VapiError], ...] = (VapiError, *VapiError.__subclasses__())

ERRORS: dict[str, type[VapiError]] = {cls.error_type: cls for cls in _CLASSES}
"""``error_type`` -> class."""


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as ``/api`` writes it; ``/rest`` wraps the same in ``{"type": ..., "value": ...}``.

    ``error`` and ``error_description`` are those of OAuth (RFC 6749, 5.2), whose clients look at nothing else.
    """

    error_type: str
    messages: tuple[LocalizableMessage, ...]
    data: Any = None
    challenge: str | None = None
    error: str | None = None
    error_description: str | None = None
