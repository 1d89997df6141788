"""What the workers of a server count in."""

from __future__ import annotations

import secrets
from functools import partial

import msgspec

from resphere.audit.heads import boot_id
from resphere.limits.kept import KeptFile
from resphere.limits.shared import SharedMemory
from resphere.metrics.shared import SharedMetrics
from resphere.server.draining import Draining
from resphere.server.settings import Settings


class Memories(msgspec.Struct, frozen=True):
    """What workers count in: calls and ``failures`` to log in, for their limits; and metrics. And whether the server is
    about to end."""

    calls: SharedMemory
    failures: SharedMemory
    metrics: SharedMetrics
    draining: Draining


FAILED_LOGINS = "failed-logins"
"""The file in the data directory that counts them."""


SLOTS_BESIDE = 8
"""Of the memory for metrics, besides two for each worker: one that ends has its slot while its successor starts."""


def kept_memories(settings: Settings) -> Memories:
    """Failed logins are counted in a file, so that no restart helps who guesses. Calls are not: each of them writes,
    and a file may hold up who writes.

    :raises OSError: the file cannot be used.
    """
    file = partial(KeptFile, settings.data_dir / FAILED_LOGINS, boot_id(), secrets.token_bytes)
    metrics = SharedMetrics(2 * settings.workers + SLOTS_BESIDE)
    return Memories(
        SharedMemory(secrets.token_bytes), SharedMemory(secrets.token_bytes, file=file), metrics, Draining()
    )


def own_memories() -> Memories:
    """Those of a worker that is alone, and leaves nothing."""
    return Memories(SharedMemory(secrets.token_bytes), SharedMemory(secrets.token_bytes), SharedMetrics(1), Draining())
