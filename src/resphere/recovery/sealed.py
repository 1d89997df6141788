"""Streams that a password seals: nobody reads them without it, and nobody changes, shortens or mixes them unnoticed.

The key comes from the password by scrypt. The stream is cut into chunks of :data:`CHUNK_BYTES`, each sealed by AES-256
in Galois/Counter mode under a nonce that counts them and says which is the last (the construction STREAM of Hoang,
Reyhanitabar, Rogaway and Vizár), so that a chunk that is missing, moved or of another stream does not open. The head,
which has the salt and the costs of scrypt, is authenticated with each. One chunk is in memory at a time.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MARK = b"RESPHERE-SEALED\x01"
"""What such a stream begins with."""
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
SALT_BYTES = 16
CHECK_BYTES = 16
KEY_BYTES = 32
PREFIX_BYTES = 7
LOG2_COST, BLOCK, PARALLEL = 15, 8, 3
"""Costs of scrypt: 32 MiB, a quarter of a second."""
MOST_LOG2_COST, MOST_BLOCK, MOST_PARALLEL = 20, 16, 8
"""What is taken of a head at most, which anybody may have written: a gigabyte would be twice this."""
HEAD = struct.Struct(f">{len(MARK)}sBBB{SALT_BYTES}s{PREFIX_BYTES}s{CHECK_BYTES}s")
NONCE = struct.Struct(f">{PREFIX_BYTES}sIB")
MOST_CHUNKS = 2**32

RandomBytes = Callable[[int], bytes]


class Sink(Protocol):
    """Takes bytes."""

    def write(self, piece: bytes, /) -> object:
        """Take all of them."""


class Source(Protocol):
    """Gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many, none at the end."""


class SealError(ValueError):
    """A sealed stream that does not open; the message says why."""


class WrongPassword(SealError):
    """It was sealed by another password."""


def is_sealed(head: bytes) -> bool:
    """Whether a stream that begins so is sealed."""
    return head.startswith(MARK)


def derived(password: str, salt: bytes, log2_cost: int, block: int, parallel: int) -> tuple[bytes, bytes]:
    """The key, and what tells a wrong password before anything is opened."""
    kdf = Scrypt(salt=salt, length=KEY_BYTES + CHECK_BYTES, n=2**log2_cost, r=block, p=parallel)
    both = kdf.derive(password.encode())
    return both[:KEY_BYTES], both[KEY_BYTES:]


class SealingSink:
    """Seals what is written to it, into ``to``. Nothing is whole before :meth:`finish`."""

    def __init__(self, to: Sink, password: str, random_bytes: RandomBytes) -> None:
        salt, self._prefix = random_bytes(SALT_BYTES), random_bytes(PREFIX_BYTES)
        key, check = derived(password, salt, LOG2_COST, BLOCK, PARALLEL)
        self._head = HEAD.pack(MARK, LOG2_COST, BLOCK, PARALLEL, salt, self._prefix, check)
        self._cipher = AESGCM(key)
        self._to = to
        self._waiting = bytearray()
        self._count = 0
        to.write(self._head)

    def write(self, piece: bytes) -> int:
        """Take a piece."""
        self._waiting += piece
        # A chunk is sealed when it is known not to be the last one.
        while len(self._waiting) > CHUNK_BYTES:
            chunk = bytes(self._waiting[:CHUNK_BYTES])
            del self._waiting[:CHUNK_BYTES]
            self._seal(chunk, last=False)
        return len(piece)

    def finish(self) -> None:
        """Write the last chunk, which is the stream's end."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        if self._count >= MOST_CHUNKS:
            raise SealError("it is larger than 4 PiB")
        nonce = NONCE.pack(self._prefix, self._count, last)
        self._to.write(self._cipher.encrypt(nonce, chunk, self._head))
        self._count += 1


class OpenedSource:
    """Opens a sealed stream: reads what was sealed, and fails where that was changed or cut off."""

    def __init__(self, source: Source, password: str) -> None:
        """:raises WrongPassword: it is another one. :raises SealError: the stream is none of this form."""
        self._source = source
        self._head = exactly(source, HEAD.size)
        if len(self._head) < HEAD.size or not is_sealed(self._head):
            raise SealError("it is not sealed")
        _, log2_cost, block, parallel, salt, self._prefix, check = HEAD.unpack(self._head)
        usable = 1 <= log2_cost <= MOST_LOG2_COST and 1 <= block <= MOST_BLOCK and 1 <= parallel <= MOST_PARALLEL
        if not usable or 2**log2_cost * block > 2**MOST_LOG2_COST * 8:
            raise SealError("its head is damaged")
        key, right = derived(password, salt, log2_cost, block, parallel)
        if not hmac.compare_digest(right, check):
            raise WrongPassword("the password is not the one that it was encrypted with")
        self._cipher = AESGCM(key)
        self._count = 0
        self._opened = memoryview(b"")
        self._next = exactly(source, CHUNK_BYTES + TAG_BYTES)
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes of what was sealed.

        :raises SealError: it was damaged, or cut off.
        """
        if size < 0:
            pieces = []
            while piece := self.read(CHUNK_BYTES):
                pieces.append(piece)
            return b"".join(pieces)
        while not self._opened and not self._ended:
            self._open()
        piece = bytes(self._opened[:size])
        self._opened = self._opened[len(piece) :]
        return piece

    def _open(self) -> None:
        chunk, self._next = self._next, exactly(self._source, CHUNK_BYTES + TAG_BYTES)
        last = not self._next
        try:
            opened = self._cipher.decrypt(NONCE.pack(self._prefix, self._count, last), chunk, self._head)
        except (InvalidTag, ValueError):
            raise SealError(f"chunk {self._count} is damaged, or what follows it is missing") from None
        self._count += 1
        self._ended = last
        self._opened = memoryview(opened)


def exactly(source: Source, size: int) -> bytes:
    """So many bytes, or all that are left."""
    pieces = []
    while size and (piece := source.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
