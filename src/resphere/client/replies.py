"""Replies as values of the contract, whatever release they come from.

A reply is read strictly first, which is quick. Where that fails it comes from a server that knows more or less than the
contract: fields that the contract has not are passed over, required ones that are missing are ``None``, and values that
an enumeration has not become members of it that are equal to their text.
"""

from __future__ import annotations

import threading
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import msgspec

from resphere.client.errors import UnexpectedReply, error_with
from resphere.client.steps import Response
from resphere.contract import errors as e
from resphere.contract.model import ErrorValue, LocalizableMessage, Struct
from resphere.contract.type_forms import inner_of_optional, plain_type

W = TypeVar("W", bound=StrEnum)

OF_STATUS: dict[int, type[e.VapiError]] = {
    400: e.InvalidRequest,
    401: e.Unauthenticated,
    403: e.Unauthorized,
    404: e.OperationNotFound,
    405: e.OperationNotFound,
    409: e.ConcurrentChange,
    412: e.ConcurrentChange,
    413: e.InvalidRequest,
    415: e.InvalidRequest,
    429: e.ServiceUnavailable,
    500: e.InternalServerError,
    501: e.Unsupported,
    502: e.ServiceUnavailable,
    503: e.ServiceUnavailable,
    504: e.TimedOut,
}
"""What a reply means that holds no error of vAPI's: a proxy's page, or nothing. 404 says that there is no such address,
and not that there is no such object, which a server says by itself."""
STANDARD = "com.vmware.vapi.std.errors."
LONGEST_SHOWN = 200


# What msgspec knows of a structure it learns once, for all, and not safely in two threads at a time.
_learning = threading.RLock()


@cache
def decoder_of(expected: Any) -> msgspec.json.Decoder[Any]:
    """What reads documents of the type strictly."""
    with _learning:
        return msgspec.json.Decoder(expected)


def converted(value: Any, expected: Any, *, strict: bool = True) -> Any:
    """``msgspec.convert``, in any thread.

    :raises msgspec.ValidationError: it is no such value.
    """
    decoder_of(expected)
    return msgspec.convert(value, expected, strict=strict)


def value_in(response: Response, expected: Any) -> Any:
    """The value of the type that a document holds.

    :raises UnexpectedReply: it holds none.
    """
    try:
        return decoder_of(expected).decode(response.content)
    except msgspec.ValidationError:
        return lenient(document_in(response), expected, response)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise not_vsphere(response) from None


def document_in(response: Response) -> Any:
    """Whatever JSON the reply holds.

    :raises UnexpectedReply: it holds none.
    """
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise not_vsphere(response) from None


def not_vsphere(response: Response) -> UnexpectedReply:
    """The complaint about a good reply that is none of vSphere's API."""
    kind = response.headers.get("content-type", "nothing that says what it is").partition(";")[0]
    return UnexpectedReply(
        f"The answer ({response.status}, {kind}) is none of vSphere's API: {shown(response)}", response.status
    )


def shown(response: Response) -> str:
    """The beginning of a body, in one line."""
    words = " ".join(response.content[: 4 * LONGEST_SHOWN].decode("utf-8", "replace").split())
    return words[:LONGEST_SHOWN] + ("..." if len(words) > LONGEST_SHOWN else "") or "(empty)"


# --- whatever the release --------------------------------------------------------------------------------------------


def lenient(value: Any, expected: Any, response: Response) -> Any:
    """A document's value as one of the type, as far as it can be.

    :raises UnexpectedReply: it is something else altogether.
    """
    try:
        return as_near(value, expected)
    except (msgspec.ValidationError, TypeError, AttributeError, RecursionError) as error:
        words = f"The answer is not what the contract says, nor near to it: {error}; it begins with {shown(response)}"
        raise UnexpectedReply(words, response.status) from None


def as_near(value: Any, expected: Any) -> Any:
    """The value of the type that is nearest."""
    inner = inner_of_optional(expected)
    if inner is not None:
        return None if value is None else as_near(value, inner)
    plain = plain_type(expected)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin in (tuple, frozenset):
        return origin(as_near(item, arguments[0]) for item in listed(value))
    if origin is dict and arguments[1] is not Any:
        return {as_near(key, arguments[0]): as_near(item, arguments[1]) for key, item in value.items()}
    if isinstance(plain, type) and issubclass(plain, Struct):
        return structure_near(value, plain)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return word_near(value, plain)
    return converted(value, expected, strict=False)


def listed(value: Any) -> list[Any]:
    """The items of a list."""
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value


def structure_near(value: Mapping[str, Any], struct: type[Struct]) -> Struct:
    """A structure with those of its fields that are given."""
    if struct is ErrorValue and isinstance(value, str):
        # So vCenter 7.0's own description of its API has errors in values.
        return ErrorValue(error_type="ERROR", messages=(message_of({"default_message": value}),))
    if not isinstance(value, Mapping):
        raise TypeError(f"{struct.__vapi_name__} was expected, not {type(value).__name__}")
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        if field.encode_name in value:
            given = value[field.encode_name]
            values[field.name] = None if given is None else as_near(given, field.type)
        elif field.required:
            values[field.name] = None
    return struct(**values)


def word_near(value: Any, words: type[W]) -> W:
    """A value of an enumeration, be it one that the contract has not."""
    if not isinstance(value, str):
        raise TypeError(f"a value of {words.__name__} was expected, not {type(value).__name__}")
    try:
        return words(value)
    except ValueError:
        member = str.__new__(words, value)
        member._name_ = member._value_ = value
        return member


# --- errors ----------------------------------------------------------------------------------------------------------


def failure_in(response: Response) -> e.VapiError | None:
    """The error that a reply tells, ``None`` where it tells none: vAPI's, in either of its two forms, or what its
    status means.

    :raises UnexpectedReply: it is neither good nor an error.
    """
    if response.is_good:
        return None
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        body = None
    told = told_in(body) if isinstance(body, dict) else None
    error = unworded(response) if told is None else told
    return error.http(response.status, tuple(response.headers.items()))


def told_in(body: dict[str, Any]) -> e.VapiError | None:
    """The error in a body of ``/api`` (``{"error_type": ...}``) or ``/rest`` (``{"type": ..., "value": ...}``)."""
    if isinstance(body.get("type"), str) and isinstance(body.get("value"), dict):
        error_type = body["type"].removeprefix(STANDARD).rpartition(".")[2].upper()
        return error_of(body["value"].get("error_type") or error_type, body["value"])
    if isinstance(body.get("error_type"), str):
        return error_of(body["error_type"], body)
    return None


def error_of(error_type: str, fields: Mapping[str, Any]) -> e.VapiError:
    """An error by its type and its fields as plain JSON has them."""
    kind = e.ERRORS.get(error_type) or error_with(error_type)
    messages = fields.get("messages")
    data = fields.get("data")
    return kind(
        *(message_of(each) for each in (messages if isinstance(messages, list) else ()) if isinstance(each, dict)),
        data=data if isinstance(data, dict) else None,
    )


def message_of(value: Mapping[str, Any]) -> LocalizableMessage:
    """A message; some of vCenter's lack a part."""
    args = value.get("args")
    return LocalizableMessage(
        id=str(value.get("id", "")),
        default_message=str(value.get("default_message") or value.get("localized") or value.get("id", "")),
        args=tuple(map(str, args)) if isinstance(args, list) else (),
        localized=value.get("localized") if isinstance(value.get("localized"), str) else None,
    )


def unworded(response: Response) -> e.VapiError:
    """What a reply means that holds no error of vAPI's.

    :raises UnexpectedReply: its status means nothing here, such as a redirection.
    """
    status = response.status
    kind = OF_STATUS.get(status)
    if kind is None and status < 400:
        where = response.headers.get("location", "somewhere else")
        raise UnexpectedReply(f"The answer ({status}) leads to {where}: the address is not that of the API.", status)
    if kind is None:
        kind = e.InvalidRequest if status < 500 else e.InternalServerError
    words = f"The answer has status {status} and no error of vSphere's: {shown(response)}"
    return kind(LocalizableMessage(id="resphere.client.unworded", default_message=words, args=()))
