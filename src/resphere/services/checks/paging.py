"""Page tokens: where a list goes on."""

from __future__ import annotations

import base64
from typing import TypeVar

import msgspec

from resphere.contract.errors import InvalidArgument, message

T = TypeVar("T")


def token(state: object) -> str:
    """Where the next page begins, as an opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(state)).decode().rstrip("=")


def state_of(text: str, type: type[T]) -> T:
    """What :func:`token` was made of.

    :raises ValueError: it is no such text.
    """
    padded = text.encode() + b"=" * (-len(text) % 4)
    return msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=type)


def parse(text: str, type: type[T]) -> T:
    """The same, for filters with a ``page``.

    :raises InvalidArgument: it is no such text.
    """
    try:
        return state_of(text, type)
    except ValueError:
        raise InvalidArgument(
            message("resphere.page", "{0}: must be the text that a former page gave as next.", "filter.page")
        ) from None
