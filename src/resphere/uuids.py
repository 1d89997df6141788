"""UUIDs of random bits, and the texts that are UUIDs."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

UUID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""A UUID as it is written, in upper case or lower."""


def new_uuid(random_bytes: Callable[[int], bytes]) -> str:
    """One of version 4; ``random_bytes`` gives so many."""
    return str(UUID(bytes=random_bytes(16), version=4))
