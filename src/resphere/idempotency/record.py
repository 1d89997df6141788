"""What is kept of a call that was made under a key of its client's: as a note (:class:`resphere.store.base.Note`)."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import msgspec

from resphere.contract.model import ErrorValue

ID_BYTES = 16


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a call was answered: a reply as its dialect wrote it, before it was made one to a request, or an error.

    ``headers`` are those of the reply, or of the error. ``status`` of an error is the particular one that it had, 0
    where it had none.
    """

    status: int
    body: bytes = b""
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    error: ErrorValue | None = None


class KeptReply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A call that has changed something, kept by its user and key, see :func:`identity`.

    ``fingerprint`` tells apart what was asked for, ``owner`` is the worker that does it. ``task`` is the task in which
    it was done, ``made`` are the documents that came to be by it (``kind/id``). Without an ``answer`` it is still under
    way, was ``left`` by whoever waited for it, or its worker is dead. Of one that is ``unkept`` the answer was too long
    to be kept.
    """

    fingerprint: bytes
    owner: str
    task: str | None = None
    made: tuple[str, ...] = ()
    answer: Answer | None = None
    left: bool = False
    unkept: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is written of the call."""
        return self.answer is not None or self.left or self.unkept


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(KeptReply)


@lru_cache(maxsize=4096)
def whose(user: str) -> str:
    """What the ids of a user's notes begin with: it says nothing of the user to who has not got the name."""
    return digest(user)


def identity(user: str, key: str) -> str:
    """The id of what a user has done under a key: nobody else has it."""
    return f"{whose(user)}/{digest(key)}"


def digest(text: str) -> str:
    """A short name of any text."""
    return blake2b(text.encode("utf-8", "surrogateescape")).digest()[:ID_BYTES].hex()
