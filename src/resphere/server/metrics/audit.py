"""What is counted of records for the audit log."""

from __future__ import annotations

from resphere.metrics.tally import Tally
from resphere.server.metrics.families import AUDITED

WRITTEN, LOST = ("written",), ("lost",)


class AuditMetrics:
    """Counts the records of one worker. One thread at a time writes records, and is it who counts."""

    def __init__(self, tally: Tally) -> None:
        self._records = tally.counter(AUDITED)

    def count(self, records: int, written: bool) -> None:
        """So many were written, or were not."""
        self._records.add(WRITTEN if written else LOST, records)
