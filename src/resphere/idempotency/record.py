"""What is kept of a call that was made under a key of its client's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

import msgspec

from resphere.contract.model import ErrorValue
from resphere.replica.derived import Derived
from resphere.replica.table import Table

RECORD_BYTES = 800
"""About what a record takes beside its answer, in the memory of each worker."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a call was answered: a reply as its dialect wrote it, before it was made one to a request, or an error.

    ``headers`` are those of the reply, or of the error. ``status`` of an error is the particular one that it had, 0
    where it had none.
    """

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    error: ErrorValue | None = None


class KeptReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A call that has changed something, by its user and key, see :func:`identity`.

    ``fingerprint`` tells apart what was asked for, ``owner`` is the worker that does it. ``task`` is the task in which
    it was done, ``made`` are the documents that came to be by it (``kind/id``). Without an ``answer`` it is still under
    way, was ``left`` by whoever waited for it, or its worker is dead. Of one that is ``unkept`` the answer was too long
    to be kept.
    """

    kind: ClassVar[str] = "kept_reply"

    id: str
    user: str
    fingerprint: str
    owner: str
    time: datetime
    task: str | None = None
    made: tuple[str, ...] = ()
    answer: Answer | None = None
    left: bool = False
    unkept: bool = False

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        return RECORD_BYTES + (0 if self.answer is None else len(self.answer.body))


KEPT_REPLIES = Table(
    cls=KeptReply,
    indexes={"user": lambda kept: (kept.user,)},
    revises=False,
    # Inputs and answers may hold whatever users take for secret.
    sealed=("fingerprint", "answer"),
)


def identity(user: str, key: str) -> str:
    """The id of what a user has done under a key: nobody else has it."""
    return sha256(f"{user}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()[:32]


class Sizes:
    """How much memory all records take."""

    def __init__(self) -> None:
        self.bytes = 0

    def changed(self, old: KeptReply | None, new: KeptReply | None) -> None:
        """Follow a change of the table."""
        self.bytes += (0 if new is None else new.size_bytes) - (0 if old is None else old.size_bytes)


_make: Callable[[], Sizes] = Sizes
SIZES = Derived(_make, {KeptReply: Sizes.changed})
