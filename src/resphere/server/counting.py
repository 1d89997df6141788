"""What the workers of a server count in."""

from __future__ import annotations

import secrets
from functools import partial

from resphere.audit.heads import boot_id
from resphere.limits.kept import KeptFile
from resphere.limits.shared import Memories, SharedMemory
from resphere.server.settings import Settings

FAILED_LOGINS = "failed-logins"
"""The file in the data directory that counts them."""


def kept_memories(settings: Settings) -> Memories:
    """Failed logins are counted in a file, so that no restart helps who guesses. Calls are not: each of them writes,
    and a file may hold up who writes.

    :raises OSError: the file cannot be used.
    """
    file = partial(KeptFile, settings.data_dir / FAILED_LOGINS, boot_id(), secrets.token_bytes)
    return Memories(SharedMemory(secrets.token_bytes), SharedMemory(secrets.token_bytes, file=file))


def own_memories() -> Memories:
    """Those of a worker that is alone, and leaves nothing."""
    return Memories(SharedMemory(secrets.token_bytes), SharedMemory(secrets.token_bytes))
