"""What is counted of each commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from resphere.metrics.tally import Tally
from resphere.server.metrics.families import COMMIT_DURATIONS, COMMITS
from resphere.store.base import Conflict

COMMITTED, CONFLICT, FAILED = ("committed",), ("conflict",), ("failed",)


class CommitMetrics:
    """Counts the commits of one worker; ``clock`` gives rising seconds."""

    def __init__(self, tally: Tally, clock: Callable[[], float]) -> None:
        self._commits = tally.counter(COMMITS)
        self._durations = tally.histogram(COMMIT_DURATIONS)
        self._clock = clock

    async def measured(self, commit: Awaitable[int]) -> int:
        """Wait for a commit."""
        began, outcome = self._clock(), FAILED
        try:
            sequence = await commit
            outcome = COMMITTED
        except Conflict:
            outcome = CONFLICT
            raise
        finally:
            self._commits.add(outcome)
            self._durations.observe(self._clock() - began)
        return sequence
