"""Credentials as HTTP headers carry them: the same for every dialect with paths."""

from __future__ import annotations

import base64
import binascii

from resphere.dialects.base import NO_CREDENTIALS, Credentials, Request

SESSION_HEADER = b"vmware-api-session-id"


def http_credentials(request: Request) -> Credentials:
    """The session id of the header, or else of the cookie, with the name and password of ``Basic``."""
    headers = request.headers
    value = headers.get(SESSION_HEADER)
    if value is not None:
        return Credentials(session_id=value.decode("latin-1"))
    basic = basic_credentials(headers.get(b"authorization"))
    if basic is not None:
        return basic
    for part in headers.get(b"cookie", b"").split(b";"):
        name, _, content = part.strip().partition(b"=")
        if name == SESSION_HEADER:
            return Credentials(session_id=content.decode("latin-1"))
    return NO_CREDENTIALS


def basic_credentials(header: bytes | None) -> Credentials | None:
    """Name and password of an ``Authorization: Basic`` header, ``None`` where it is none or malformed."""
    scheme, _, encoded = (header or b"").partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(user=user, password=password) if colon else None
