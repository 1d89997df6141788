"""What can go wrong with a change of the inventory."""

from __future__ import annotations


class ConcurrentChange(Exception):
    """What a change relies on is altered by others again and again, or was altered for good; nothing was stored.

    ``subject`` names the document (``kind/id``), claim or prefix that was in the way.
    """

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} was changed by others meanwhile")
        self.subject = subject

    def __reduce__(self) -> tuple[type[ConcurrentChange], tuple[str]]:
        return ConcurrentChange, (self.subject,)
