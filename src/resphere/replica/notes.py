"""Notes in memory: small contents that are kept for some time under an id, beside the documents.

They stay sealed, as the store has them, until somebody asks for one: hardly anybody does. What stands in an id before
the first ``/`` says whose the note is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resphere.replica.sealing import BytesSealing, Sealing
from resphere.store.base import Note, StoreError

NOTE_BYTES = 450
"""About what a note takes beside its body, in the memory of each worker."""
KIND = "note"
"""What stands in place of a document's kind where notes are named."""


class Notes:
    """Every note by its id, the longest unchanged first."""

    __slots__ = ("_by_id", "_of", "_sealing", "by_other_keys", "size_bytes")

    def __init__(self, sealing: Sealing | None) -> None:
        self._sealing = None if sealing is None else BytesSealing(sealing)
        self.by_other_keys = False
        """Whether the store has any that another key than the present one has sealed, be it only until now."""
        self._by_id: dict[str, Note] = {}
        self._of: dict[str, int] = {}
        self.size_bytes = 0
        """About how much memory all take."""

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Note]:
        return iter(self._by_id.values())

    def get(self, id: str) -> Note | None:
        """The note of that id, as the store has it."""
        return self._by_id.get(id)

    def count(self, whose: str) -> int:
        """How many somebody has."""
        return self._of.get(whose, 0)

    def take(self, notes: Iterable[Note]) -> None:
        """Keep these too, each in place of the one of its id."""
        by_id, of, sealing = self._by_id, self._of, self._sealing
        for note in notes:
            if sealing is not None and not sealing.has_sealed(note.body):
                self.by_other_keys = True
            id = note.id
            before = by_id.pop(id, None)
            if before is None:
                whose = id.partition("/")[0]
                of[whose] = of.get(whose, 0) + 1
                self.size_bytes += NOTE_BYTES + len(note.body)
            else:
                self.size_bytes += len(note.body) - len(before.body)
            by_id[id] = note

    def forget(self, notes: Iterable[Note]) -> None:
        """Keep these no longer, but where others have taken their places."""
        for note in notes:
            if self._by_id.get(note.id) is not note:
                continue
            del self._by_id[note.id]
            whose = note.id.partition("/")[0]
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]
            self.size_bytes -= NOTE_BYTES + len(note.body)

    def sealed(self, id: str, content: bytes) -> bytes:
        """A note's content as the store gets it.

        :raises StoreError: there is no key.
        """
        return self._key(id).seal(content, f"{KIND}/{id}")

    def opened(self, note: Note) -> bytes:
        """The content of a note.

        :raises StoreError: it cannot be decrypted.
        """
        return self._key(note.id).open(note.body, f"{KIND}/{note.id}")

    def _key(self, id: str) -> BytesSealing:
        if self._sealing is None:
            raise StoreError(f"{KIND}/{id} is encrypted, and there is no key")
        return self._sealing
