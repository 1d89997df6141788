"""The store's rules in a few plain dictionaries, to compare engines with."""

from __future__ import annotations

from dataclasses import dataclass, field

from resphere.store.base import Changes, Note, Snapshot, Transaction

Key = tuple[str, str]
Documents = dict[Key, tuple[int, bytes]]
"""Revision and body by kind and id."""


@dataclass
class Model:
    documents: Documents = field(default_factory=dict)
    claims: dict[str, Key] = field(default_factory=dict)
    past: dict[int, Documents] = field(default_factory=lambda: {0: {}})
    """All documents as they were at each sequence."""
    takings: list[tuple[int, str, int]] = field(default_factory=list)
    """Sequence, name and amount."""
    notes: list[tuple[int, Note]] = field(default_factory=list)
    """With the sequence of each."""

    def revision(self, key: Key) -> int:
        return self.documents.get(key, (0, b""))[0]

    def conflict(self, transaction: Transaction) -> tuple[str, str] | None:
        """Why ``transaction`` must be refused now: the conflict's reason and subject."""
        assumed = [(check.kind, check.id, check.expected) for check in transaction.checks]
        assumed += [(w.kind, w.id, w.expected) for w in transaction.writes if w.expected is not None]
        for kind, id, expected in assumed:
            if expected != self.revision((kind, id)):
                return "revision", f"{kind}/{id}"
        return (
            self._claim_conflict(transaction, self._released(transaction))
            or self._taking_conflict(transaction)
            or self._note_conflict(transaction)
        )

    def apply(self, transaction: Transaction, sequence: int) -> None:
        """Take ``transaction`` over, which has no conflict and was committed as ``sequence``."""
        self.claims = self._released(transaction)
        for write in transaction.writes:
            key = (write.kind, write.id)
            if write.body is None:
                self.documents.pop(key, None)
                continue
            self.documents[key] = (sequence, write.body)
            self.claims.update(dict.fromkeys(write.claims or (), key))
        self.takings += [(sequence, taking.name, taking.amount) for taking in transaction.takings]
        self.notes += [(sequence, note) for note in transaction.notes]
        self.past[sequence] = dict(self.documents)

    def _released(self, transaction: Transaction) -> dict[str, Key]:
        rewritten = {(write.kind, write.id) for write in transaction.writes if write.body is None}
        rewritten |= {(write.kind, write.id) for write in transaction.writes if write.claims is not None}
        return {claim: key for claim, key in self.claims.items() if key not in rewritten}

    def _taking_conflict(self, transaction: Transaction) -> tuple[str, str] | None:
        for taking in transaction.takings:
            others = [a for sequence, name, a in self.takings if name == taking.name and sequence > taking.since]
            if sum(others) > taking.spare:
                return "taking", taking.name
        return None

    def _note_conflict(self, transaction: Transaction) -> tuple[str, str] | None:
        for note in transaction.notes:
            if any(sequence > transaction.noted_since and other.id == note.id for sequence, other in self.notes):
                return "note", note.id
        return None

    def _claim_conflict(self, transaction: Transaction, claims: dict[str, Key]) -> tuple[str, str] | None:
        for write in transaction.writes:
            for claim in write.claims or () if write.body is not None else ():
                if claims.setdefault(claim, (write.kind, write.id)) != (write.kind, write.id):
                    return "claim", claim
        for prefix in transaction.vacant:
            if any(claim.startswith(prefix) for claim in claims):
                return "vacant", prefix
        return None


def documents_of(snapshot: Snapshot) -> Documents:
    return {(document.kind, document.id): (document.revision, document.body) for document in snapshot.documents}


def replay(documents: Documents, changes: Changes) -> Documents:
    """``documents`` with ``changes`` on top."""
    result = dict(documents)
    for change in changes.changes:
        if change.body is None:
            result.pop((change.kind, change.id), None)
        else:
            result[change.kind, change.id] = (change.sequence, change.body)
    return result
