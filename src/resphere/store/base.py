"""The store's interface: durable documents and one change log.

A store keeps opaque documents, addressed by ``(kind, id)``, and numbers every committed transaction with
one rising ``sequence``. It knows nothing of what the documents mean; ``inventory`` gives them types.

Kinds, ids, claims and names of counters and takings are any text without NUL characters and halves of surrogate pairs.

Everything above this package is written against :class:`Store`; nothing in it is particular to one engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

import msgspec

LOG_ROWS_KEPT = 100_000
"""So many changes of documents a log keeps at least, where nobody says otherwise."""


class Document(msgspec.Struct, frozen=True, gc=False):
    """One stored document; ``revision`` is the sequence of the transaction that wrote it last."""

    kind: str
    id: str
    revision: int
    body: bytes


class Write(msgspec.Struct, frozen=True, gc=False):
    """One document's part of a transaction.

    ``body`` is the whole new content, ``None`` deletes. ``expected`` is the revision that must be current when
    the transaction commits: 0 = the document must not exist, ``None`` = do not check. ``claims`` are the unique
    keys which the document holds from now on (replacing those it held); ``None`` leaves them. A deleted document
    gives up its claims, whatever ``claims`` says. To delete what does not exist is no change.
    """

    kind: str
    id: str
    body: bytes | None
    expected: int | None = None
    claims: tuple[str, ...] | None = None


class Check(msgspec.Struct, frozen=True, gc=False):
    """A document that a transaction relies on without writing it: its revision must still be ``expected``.

    As in :class:`Write`, 0 = the document must not exist.
    """

    kind: str
    id: str
    expected: int


class Taking(msgspec.Struct, frozen=True, gc=False):
    """How much of something limited, called ``name``, a transaction takes.

    Its maker knew all that was committed up to the sequence ``since``, and that besides its own ``amount`` there was
    ``spare``: transactions after ``since`` must not have taken more than that. So many can take of the same thing at
    once without a conflict, as long as there is enough for all. Who takes nothing, and has nothing to spare, asks that
    nobody has taken any.
    """

    name: str
    amount: int
    since: int
    spare: int


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What the journal keeps of a transaction; ``at`` is when that was, in milliseconds of Unix time."""

    at: int
    body: bytes


class Journal(msgspec.Struct, frozen=True):
    """A part of the journal: ``(number, body)`` of entries without a gap, in order. ``first`` and ``last`` are the
    numbers of the oldest entry that is kept and of the latest, 0 where there was none yet."""

    first: int
    last: int
    entries: tuple[tuple[int, bytes], ...]


class Note(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is kept under an id for some time, beside the documents: written with nearly every transaction, read as good
    as never, and forgotten by its age. ``at`` is when that was, in milliseconds of Unix time.

    An engine writes the notes of many transactions in one go, and looks none up by its id: whoever needs that has them
    all. A later note of an id takes the place of the one before.
    """

    id: str
    at: int
    body: bytes


class Transaction(msgspec.Struct, frozen=True):
    """What commits together or not at all.

    ``writes`` name each document once at most. A claim may pass from one of them to another. ``vacant`` are claim
    prefixes of which no claim may exist (after the transaction's own writes). ``takings`` have each name once at most.
    ``entries`` are appended to the journal, which numbers them from 1 on, without a gap. ``notes`` have each id once at
    most; their maker knew all that were committed up to the sequence ``noted_since``: nobody must have noted anything
    under one of these ids after that.
    """

    writes: tuple[Write, ...]
    checks: tuple[Check, ...] = ()
    vacant: tuple[str, ...] = ()
    takings: tuple[Taking, ...] = ()
    entries: tuple[Entry, ...] = ()
    notes: tuple[Note, ...] = ()
    noted_since: int = 0


class Change(msgspec.Struct, frozen=True, gc=False):
    """One document's latest state, as the change log reports it; ``body`` is ``None`` where it is gone."""

    sequence: int
    kind: str
    id: str
    body: bytes | None


class Changes(msgspec.Struct, frozen=True):
    """All that changed after a sequence: each document once, in the order of its last change, and every note.

    ``complete`` is false where the log no longer reaches back that far: the reader must load afresh.
    """

    sequence: int
    changes: tuple[Change, ...]
    complete: bool = True
    notes: tuple[Note, ...] = ()


class Snapshot(msgspec.Struct, frozen=True):
    """Every document as of ``sequence``, and every note, in order."""

    sequence: int
    documents: Sequence[Document]
    notes: Sequence[Note] = ()


class Conflict(Exception):
    """A transaction's assumption no longer holds: a revision, a claim held by another, a prefix not vacant, others have
    taken more than there was to spare, or noted something under the same id.

    Nothing of the transaction was stored. ``reason`` is ``revision``, ``claim``, ``vacant``, ``taking`` or ``note``;
    ``subject`` names the document (``kind/id``), claim, prefix, what was taken of, or the note's id.
    """

    def __init__(self, reason: str, subject: str) -> None:
        super().__init__(f"{reason}: {subject}")
        self.reason = reason
        self.subject = subject


class StoreError(Exception):
    """The store cannot do its work (disk full, file unreadable, wrong schema); the message says what and where."""


class InUse(StoreError):
    """Another server has it; the message says which."""


class StoreMissing(StoreError):
    """There is no store, and none was to be made."""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A unique key, and the document that holds it."""

    claim: str
    kind: str
    id: str


class ContentMissing(StoreError):
    """There is no content of that name (any more)."""


class NoRoom(StoreError):
    """There is no room for so large a content."""


class ContentsUnreachable(StoreError):
    """Where contents lie cannot be reached, or refuses; the message says where and why."""


class Liveness(Protocol):
    """A process's own sign of life, and what it sees of others'; it ends with the process, however that ends.

    Names are given to one process only, and never again::

        own = await store.liveness("4711-8f2e")
        own.is_alive("4711-8f2e")  # True
        own.is_alive("4242-77aa")  # False once that process is dead
        await own.release()
    """

    @property
    def name(self) -> str:
        """The own name."""

    def is_alive(self, name: str) -> bool:
        """Whether the process of that name still runs. Who is dead stays dead; a death may be noticed seconds late,
        and one who came after all that this process has read of the store may be unknown.

        Costs microseconds, and never waits: it is asked while changes are planned.
        """

    async def release(self) -> None:
        """Be seen as dead from now on, in an orderly end. To do so again is no error."""


Look = Callable[[bytes | bytearray | memoryview], None]
"""Looks at what is written, piece after piece, of any size: in threads, and no two of them at a time."""
Judge = Callable[[], None]


def blindly(piece: bytes | bytearray | memoryview) -> None:
    """Look at nothing."""


def as_it_is() -> None:
    """Refuse nothing."""


class Writing(Protocol):
    """A content in the making: ``async with`` it; what was not finished at the end of that is deleted."""

    @property
    def name(self) -> str:
        """What it can be read by when it is finished."""

    @property
    def size_bytes(self) -> int:
        """How much has been written."""

    async def __aenter__(self) -> Writing: ...

    async def write(self, piece: bytes) -> None:
        """Add to it.

        :raises NoRoom: it does not fit.
        """

    async def finish(self, *, settled: bool = True, check: Judge = as_it_is) -> None:
        """Make it durable under its name; where it is not to be ``settled``, :meth:`Contents.settle` does so.

        ``check`` may refuse it before, by raising something: when all of it was looked at.

        :raises NoRoom: it does not fit.
        """

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Reading(Protocol):
    """An opened content, to be read once, piece by piece. Whoever has it closes it."""

    @property
    def size_bytes(self) -> int:
        """How much there is."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces; each is read when it is asked for."""

    async def close(self) -> None:
        """Let go of it."""


class Contents(Protocol):
    """Contents that are too large for documents, each written once and then only read or deleted.

    One is durable under its name before any document names it, so that no document ever names what is not there::

        async with contents.write() as writing:
            await writing.write(b"any number of pieces")
            await writing.finish()
        await store.commit(Transaction((Write("file", "f-1", writing.name.encode()),)))

    One that no document names is either still in the making, which its maker knows, or was left behind by a process
    that died.
    """

    def write(self, look: Look = blindly) -> Writing:
        """Begin a new content, of which ``look`` is shown everything by the time that it is finished."""

    async def open(self, name: str, first_byte: int = 0, size_bytes: int | None = None) -> Reading:
        """Begin to read a content; from now on it can be read to its end, even when it is deleted meanwhile.

        Of a part it begins at ``first_byte`` and has ``size_bytes``, or all that follows; no more than there is.

        :raises ContentMissing: there is none.
        """

    async def read(self, name: str) -> bytes:
        """All of a content that is known to be small.

        :raises ContentMissing: there is none.
        """

    async def settle(self, names: Collection[str]) -> None:
        """Make contents durable that were finished without: of many together that takes a fraction of the time.

        :raises NoRoom: they do not fit.
        :raises ContentMissing: one was deleted.
        """

    async def place(self, name: str, path: Path) -> None:
        """Have a file at ``path``, in folders that are made, with the bytes of a content: without copying them where
        that can be. Nobody may write to it.

        :raises ContentMissing: there is none.
        :raises OSError: it cannot be made.
        """

    def delete(self, name: str) -> None:
        """Have a content deleted, soon and without being waited for; none is fine."""

    async def left_behind(self) -> list[str]:
        """What nobody writes: finished contents of processes that died, and what they had not finished."""

    async def sizes(self) -> dict[str, int]:
        """Every finished content by its name, and how many bytes it has: for those who look at all."""


class Keys(Protocol):
    """Keys to seal documents with, kept apart from the documents: whoever gets those alone gets no key.

    ::

        key = await store.keys.get("secrets", 32)
    """

    async def get(self, name: str, size_bytes: int) -> bytes:
        """The key of that name, which is made at first and then the same for everybody.

        :raises StoreError: what is kept is none, or it cannot be read or made.
        """

    async def find(self, name: str, size_bytes: int) -> bytes | None:
        """The key of that name, if there is one.

        :raises StoreError: what is kept is none, or it cannot be read.
        """

    async def replace(self, name: str, by: str) -> None:
        """Have the key ``by`` take the place of ``name``, whoever is killed meanwhile; it has no name of its own then.

        :raises StoreError: it cannot.
        """

    async def forget(self, name: str) -> None:
        """Delete the key of that name; none is fine.

        :raises StoreError: it cannot be deleted.
        """


class Store(Protocol):
    """Durable documents with one change log, shared by any number of processes.

    One process writes, and any other reads what is new::

        store = await open_store(url)
        await store.commit(Transaction((Write("vm", "vm-7", b"{}", expected=0, claims=("name/web",)),)))

        changes = await store.changes_since(0)  # one change, of vm/vm-7
        await store.close()
    """

    @property
    def epoch(self) -> str:
        """A random name made with the store.

        Two stores never share it, so sequences of one are not taken for another's.
        """

    def version(self) -> int | None:
        """A number that differs from the last call's when anybody may have committed since. Costs microseconds.

        ``None`` where that cannot be known without waiting: then :meth:`changes_since` tells.
        """

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` called, on the event loop that runs, as soon as anybody has committed; the result ends that.

        Many commits may be told as one, and what is no news as one; and some not at all, as when a process dies just
        then: whoever must know asks for the :meth:`version` now and then.
        """

    async def load(self) -> Snapshot:
        """Every document, consistent as of one sequence."""

    async def document(self, kind: str, id: str) -> Document | None:
        """One document, ``None`` where there is none."""

    async def changes_since(self, sequence: int) -> Changes:
        """What changed after ``sequence``, read as of one moment: whole transactions only.

        That moment is not before the call: all that was acknowledged to anybody until then is there. Of a document that
        came and went since ``sequence``, it may say that it is gone.
        """

    async def journal(self, after: int, most: int) -> Journal:
        """The first ``most`` entries of the journal with a number above ``after``, of those that are kept.

        It has the entries of a transaction as soon as :meth:`changes_since` tells what that wrote.
        """

    async def trim_journal(self, before: int, most_bytes: int, most: int) -> int:
        """Forget the oldest entries, some ``most`` of them: those from before a moment (in milliseconds of Unix time),
        and what is too much for so many bytes. The latest stays, and so may those that were added at the same time as
        one that stays. Returns how many went: 0 when there are no more.
        """

    async def forget_notes(self, before: int, through: int = 0) -> int:
        """Forget the oldest notes, some hundreds of them: those of before a moment (in milliseconds of Unix time), and
        those of transactions up to the sequence ``through``; what was written with one that stays, or after it, stays.
        Returns how many went: 0 when there are no more.
        """

    async def reserve(self, counter: str, count: int) -> range:
        """Take ``count`` numbers of a durable counter for good; no other caller gets them. Counters start at 1.

        Costs a commit, so take many at a time. Of a caller that is cancelled meanwhile the numbers may be gone.

        :raises ValueError: ``count`` is below 1.
        """

    async def commit(self, transaction: Transaction) -> int:
        """Make ``transaction`` durable and return its sequence.

        Returns only after the data is on disk (invariant 1). Concurrent calls share one disk flush (group commit).
        A caller that is cancelled while it waits does not call the transaction back: it may be stored or not.

        :raises Conflict: an assumption of the transaction does not hold; the others of its group are untouched.
        :raises StoreError: nothing was stored.
        :raises ValueError: no store takes such a transaction: a document twice, a body above 64 MiB, an unfit name.
        """

    async def liveness(self, name: str) -> Liveness:
        """Show this process to be alive, under a name that no other ever has."""

    async def contents(self, collection: str, liveness: Liveness) -> Contents:
        """The large contents of that collection, which all processes share; new ones are made as ``liveness`` says."""

    @property
    def keys(self) -> Keys:
        """The keys of this store."""

    async def claims(self) -> tuple[Claim, ...]:
        """Every claim that is held, as of one moment: for those who check a store."""

    async def compact(self) -> None:
        """Write it anew, so that nothing is left in it of what was deleted or overwritten.

        Others who use the store may have to wait meanwhile.

        :raises StoreError: there is no room for that, or somebody does not let go of it.
        """

    async def close(self) -> None:
        """Finish what was handed in, then release files and threads. Any later call raises :class:`StoreError`.

        To close again is no error.
        """
