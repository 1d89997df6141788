"""Names of fields in refusals, where a rule's own specification stands inside another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from resphere.contract.errors import VapiError
from resphere.contract.mentions import NamingMessage
from resphere.contract.model import LocalizableMessage

SPEC = "spec"


@contextmanager
def within(field: str) -> Iterator[None]:
    """Have refusals of ``spec.count`` say ``spec.<field>.count``: what they speak of is that field of the caller's."""
    try:
        yield
    except VapiError as error:
        error.messages = tuple([_within(each, field) for each in error.messages])
        raise


def _within(message: LocalizableMessage, field: str) -> LocalizableMessage:
    message = msgspec.structs.replace(message, default_message=_inside(message.default_message, field))
    if isinstance(message, NamingMessage):
        message = msgspec.structs.replace(message, text=_inside(message.text, field))
    return message


def _inside(text: str, field: str) -> str:
    rest = text.removeprefix(SPEC)
    return f"{SPEC}.{field}{rest}" if rest != text and rest[:1] in (".", ":") else text
