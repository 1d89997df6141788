"""TLS to other servers: who may vouch for them."""

from __future__ import annotations

import ssl
from collections.abc import Callable

Roots = Callable[[], str]
"""Reads the roots (PEM) that this server is told to trust besides those of the operating system.

:raises OSError: they cannot be read.
:raises ValueError: they are no certificates.
"""


def no_roots() -> str:
    """None but those of the operating system."""
    return ""


def client_context(ca: str | None, roots: Roots = no_roots) -> ssl.SSLContext:
    """TLS 1.2 or later, with certificate and name checked. ``ca`` (PEM) are the only authorities that may vouch for the
    other side; where it is ``None``, those of the operating system and the ``roots``. Reads files.

    :raises OSError: those cannot be read, or hold nothing that can be trusted.
    :raises ValueError: likewise.
    """
    context = ssl.create_default_context(cadata=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None and (more := roots()):
        context.load_verify_locations(cadata=more)
    return context
