"""Decides what a group of transactions does to the stored documents, without touching them.

An engine looks up the :class:`Facts` its group depends on, puts the transactions one after another to a
:class:`GroupState`, and writes what that holds in the end. Each transaction sees those before it; a refused one leaves
no trace. Pure and without any engine's words, so that every engine decides alike.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

import msgspec

from resphere.store.base import Conflict, Entry, Note, Taking, Transaction, Write

Key = tuple[str, str]
"""A document's address: kind and id."""

MAXIMUM_BODY_BYTES = 64 * 1024 * 1024


def check_form(transaction: Transaction) -> None:
    """Refuse what no engine could store, before it can spoil a group.

    :raises ValueError: a document is written twice, a body is larger than :data:`MAXIMUM_BODY_BYTES`, something is
        taken of twice or less than nothing, an id noted twice, or a name has a NUL character or half a surrogate pair.
    """
    if len(transaction.writes) > 1 and len({(write.kind, write.id) for write in transaction.writes}) < len(
        transaction.writes
    ):
        raise ValueError("a transaction writes each document once at most")
    for write in transaction.writes:
        check_text(write.kind, write.id, *(write.claims or ()))
        if write.body is not None and len(write.body) > MAXIMUM_BODY_BYTES:
            raise ValueError(f"{write.kind}/{write.id} has {len(write.body)} bytes, more than {MAXIMUM_BODY_BYTES}")
    for check in transaction.checks:
        check_text(check.kind, check.id)
    check_text(*transaction.vacant)
    if transaction.takings:
        check_takings(transaction.takings)
    if transaction.notes:
        check_notes(transaction.notes)


def check_takings(takings: tuple[Taking, ...]) -> None:
    """:raises ValueError: a name stands twice or cannot be stored, or an amount is negative."""
    check_text(*(taking.name for taking in takings))
    if len({taking.name for taking in takings}) < len(takings):
        raise ValueError("a transaction takes of each thing once at most")
    if any(taking.amount < 0 for taking in takings):
        raise ValueError("nobody takes less than nothing")


def check_notes(notes: tuple[Note, ...]) -> None:
    """:raises ValueError: an id stands twice or cannot be stored, or a body is larger than
    :data:`MAXIMUM_BODY_BYTES`."""
    check_text(*[note.id for note in notes])
    if len(notes) > 1 and len({note.id for note in notes}) < len(notes):
        raise ValueError("a transaction notes something under each id once at most")
    for note in notes:
        if len(note.body) > MAXIMUM_BODY_BYTES:
            raise ValueError(f"the note {note.id} has {len(note.body)} bytes, more than {MAXIMUM_BODY_BYTES}")


def check_text(*texts: str) -> None:
    """:raises ValueError: one has a NUL character or half a surrogate pair."""
    for text in texts:
        if "\0" in text:
            raise ValueError(f"a name in the store has no NUL character: {text!r}")
        if not text.isascii():
            text.encode()  # UnicodeEncodeError is a ValueError


def rewrites_claims(write: Write) -> bool:
    """Whether the claims that the document held until now count: it gets others or goes."""
    return write.body is None or write.claims is not None


TAKINGS_KEPT = 10_000
"""What was taken so many transactions ago is forgotten: nobody plans on so old a state."""
TAKINGS_FORGOTTEN_EVERY = 1_000


class Needed(msgspec.Struct, frozen=True):
    """What an engine has to look up for a group: documents by their ``keys``, ``claims``, the claims of documents that
    are ``rewritten``, and what was taken after ``since``; ``None``: the group takes nothing."""

    keys: list[Key]
    claims: list[str]
    rewritten: list[Key]
    since: int | None


def needed_for(transactions: Iterable[Transaction]) -> Needed:
    """What the :class:`Facts` of a group are made of."""
    keys: dict[Key, None] = {}
    claims: dict[str, None] = {}
    rewritten: dict[Key, None] = {}
    since: int | None = None
    for transaction in transactions:
        for taking in transaction.takings:
            since = taking.since if since is None else min(since, taking.since)
        for check in transaction.checks:
            keys[check.kind, check.id] = None
        for write in transaction.writes:
            keys[write.kind, write.id] = None
            if rewrites_claims(write):
                rewritten[write.kind, write.id] = None
                claims.update(dict.fromkeys(write.claims or ()))
    return Needed(list(keys), list(claims), list(rewritten), since)


class Facts(msgspec.Struct, frozen=True):
    """What is stored, as far as a group depends on it.

    ``revisions`` names every document that the group writes or checks, where it exists. ``holders`` has every claim
    that the group names and every claim of a document for which :func:`rewrites_claims`, where held.
    ``stored_claim(prefix, besides)`` finds a stored claim that begins with ``prefix`` and is not in ``besides``.
    ``taken`` has ``(sequence, name, amount)`` of all that was taken after the earliest ``since`` in the group; what was
    taken up to ``forgotten`` may be missing. ``noted`` has the sequences of the latest notes, by their ids: at least of
    all that were noted after the earliest ``noted_since``.
    """

    revisions: dict[Key, int]
    holders: dict[str, Key]
    stored_claim: Callable[[str, Container[str]], str | None]
    taken: list[tuple[int, str, int]] = []
    forgotten: int = 0
    noted: Mapping[str, int] = {}


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """A document's final state in the group: its new revision, and its body or ``None`` where it goes."""

    revision: int
    body: bytes | None


class GroupState:
    """The state that a group of transactions arrives at.

    ``sequence`` is the last one given out. ``documents`` are in the order of their last change; only the last state of
    each matters, as no reader can see into the middle of a group.
    """

    def __init__(self, facts: Facts, sequence: int) -> None:
        self.sequence = sequence
        self.documents: dict[Key, Outcome] = {}
        self._facts = facts
        self.taken: list[tuple[int, str, int]] = []
        """``(sequence, name, amount)`` of what the group takes."""
        self.entries: list[Entry] = []
        """What the group adds to the journal."""
        self.notes: list[tuple[int, Note]] = []
        """What the group notes, with the sequence of each."""
        self._noted: dict[str, int] = {}
        self._revisions = dict(facts.revisions)
        self._takers: dict[str, list[tuple[int, int]]] = {}
        for taken_at, name, amount in facts.taken:
            self._takers.setdefault(name, []).append((taken_at, amount))
        self._holders: dict[str, Key | None] = dict(facts.holders)
        self._held: dict[Key, set[str]] = {}
        for claim, key in facts.holders.items():
            self._held.setdefault(key, set()).add(claim)

    def add(self, transaction: Transaction) -> int:
        """GroupState ``transaction`` on top of those before it and return its sequence.

        :raises Conflict: an assumption does not hold; the state is as before.
        """
        for check in transaction.checks:
            self._expect(check.kind, check.id, check.expected)
        for write in transaction.writes:
            if write.expected is not None:
                self._expect(write.kind, write.id, write.expected)
        moved = self._moved_claims(transaction.writes)
        for prefix in transaction.vacant:
            if self._taken(prefix, moved):
                raise Conflict("vacant", prefix)
        for taking in transaction.takings:
            if not self._is_there(taking):
                raise Conflict("taking", taking.name)
        for note in transaction.notes:
            self._require_unnoted(note.id, transaction.noted_since)
        self.sequence += 1
        self._settle_takings(transaction.takings)
        self._settle_documents(transaction.writes)
        self._settle_claims(moved)
        self.entries += transaction.entries
        for note in transaction.notes:
            self.notes.append((self.sequence, note))
            self._noted[note.id] = self.sequence
        return self.sequence

    def moved_claims(self) -> tuple[list[str], list[tuple[str, str, str]]]:
        """The claims whose stored holder loses them, and ``(claim, kind, id)`` of those that get a new one."""
        lost: list[str] = []
        gained: list[tuple[str, str, str]] = []
        for claim, holder in self._holders.items():
            before = self._facts.holders.get(claim)
            if before == holder:
                continue
            if before is not None:
                lost.append(claim)
            if holder is not None:
                gained.append((claim, *holder))
        return lost, gained

    def _expect(self, kind: str, id: str, expected: int) -> None:
        if self._revisions.get((kind, id), 0) != expected:
            raise Conflict("revision", f"{kind}/{id}")

    def _require_unnoted(self, id: str, since: int) -> None:
        noted = self._noted.get(id) or self._facts.noted.get(id, 0)
        if noted > since:
            raise Conflict("note", id)

    def _moved_claims(self, writes: Iterable[Write]) -> dict[str, Key | None]:
        # All releases come first: a claim may go from one document to another within a transaction.
        moved: dict[str, Key | None] = {}
        taking: list[tuple[Key, tuple[str, ...]]] = []
        for write in writes:
            if not rewrites_claims(write):
                continue
            key = (write.kind, write.id)
            moved.update(dict.fromkeys(self._held.get(key, ())))
            if write.body is not None and write.claims:
                taking.append((key, write.claims))
        for key, claims in taking:
            for claim in claims:
                holder = moved[claim] if claim in moved else self._holders.get(claim)
                if holder is not None and holder != key:
                    raise Conflict("claim", claim)
                moved[claim] = key
        return moved

    def _is_there(self, taking: Taking) -> bool:
        if taking.since < self._facts.forgotten:
            return False
        takers = self._takers.get(taking.name, ())
        return sum(amount for sequence, amount in takers if sequence > taking.since) <= taking.spare

    def _taken(self, prefix: str, moved: dict[str, Key | None]) -> bool:
        known = {**self._holders, **moved}
        if any(holder is not None and claim.startswith(prefix) for claim, holder in known.items()):
            return True
        return self._facts.stored_claim(prefix, known) is not None

    def _settle_takings(self, takings: Iterable[Taking]) -> None:
        for taking in takings:
            if taking.amount:
                self.taken.append((self.sequence, taking.name, taking.amount))
                self._takers.setdefault(taking.name, []).append((self.sequence, taking.amount))

    def _settle_documents(self, writes: Iterable[Write]) -> None:
        for write in writes:
            key = (write.kind, write.id)
            if write.body is None and not self._revisions.get(key):
                continue  # nobody need hear that what never was is gone
            self.documents.pop(key, None)
            self.documents[key] = Outcome(self.sequence, write.body)
            self._revisions[key] = 0 if write.body is None else self.sequence

    def _settle_claims(self, moved: dict[str, Key | None]) -> None:
        for claim, holder in moved.items():
            before = self._holders.get(claim)
            if before is not None:
                self._held[before].discard(claim)
            if holder is not None:
                self._held.setdefault(holder, set()).add(claim)
            self._holders[claim] = holder
