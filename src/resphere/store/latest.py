"""What a change log tells of documents that changed more than once."""

from __future__ import annotations

from resphere.store.base import Change, Changes
from resphere.store.planning import Key


def latest_of(log: Changes) -> Changes:
    """Each document's last change only, in the order of these."""
    latest: dict[Key, Change] = {}
    for change in log.changes:
        key = (change.kind, change.id)
        latest.pop(key, None)
        latest[key] = change
    if len(latest) == len(log.changes):
        return log
    return Changes(log.sequence, tuple(latest.values()), log.complete, log.notes)
