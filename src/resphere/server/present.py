"""The present moment, for all parts of a server."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Present:
    """Makes each moment once: a busy worker asks for one ten times and more."""

    def __init__(self) -> None:
        self._latest = 0, datetime.fromtimestamp(0, UTC)

    def now(self) -> datetime:
        """The present moment, in UTC, to the millisecond."""
        # Milliseconds, as on vCenter's wire: what is stored is what is shown.
        milliseconds = time.time_ns() // 1_000_000
        known, moment = self._latest
        if milliseconds != known:
            moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
            self._latest = milliseconds, moment
        return moment


now = Present().now
