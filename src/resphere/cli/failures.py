"""What commands fail of, in words."""

from __future__ import annotations

from resphere.certificates.files import TlsError
from resphere.server.archive import ArchiveError
from resphere.store.base import StoreError

FORESEEN = (ValueError, OSError, ArchiveError, TlsError, StoreError)
"""What says what was wrong; anything else is a fault of ours."""


def told(error: BaseException) -> str:
    """What went wrong in words: of a file its name and the reason, without the system's number for it."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
