"""How many files and connections a process may have open.

Granian 2.8 does nothing else any more once it cannot accept a connection for want of descriptors, not even close
others: it should not come to that. What it does not count are connections whose TLS handshake is not finished; where
those are many, ``connections/gate.py`` has it accept no more for a while.
"""

from __future__ import annotations

import resource

LEAST = 256
MOST = 65_536
KEPT = 128
"""What a worker needs besides its connections: libraries, logs, the store, and files that are being transferred."""


def raise_limit() -> int:
    """Let this process and those that it starts open as many files as the system allows; returns how many.

    :raises OSError: too few for a server.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if limit < LEAST:
        raise OSError(f"at most {limit} files may be open here, and a server needs {LEAST}: see `ulimit -n`")
    if soft == resource.RLIM_INFINITY or soft >= limit:
        return limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def most_connections(limit: int, workers: int, most: int) -> int:
    """How many connections each of the workers, which have ``most`` together, may have at a time, where a process may
    open ``limit`` files."""
    return min(most // workers or 1, limit - KEPT)
