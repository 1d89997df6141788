"""Secrets at rest: parts of documents that the store gets encrypted, by a key that lies elsewhere.

AES-256 in Galois/Counter mode, with a nonce of its own for each; what is sealed for one document opens in no other.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from weakref import WeakSet

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resphere.store.base import Store, StoreError

KEY = "secrets"
NEXT_KEY = "secrets.next"
"""The key that a rotation seals by, until it takes the other one's place."""
KEY_BYTES = 32
NONCE_BYTES = 12
NONCES_AT_ONCE = 64
MARK = "sealed-1:"
"""What the texts of this form begin with."""
TAG_BYTES = 4


async def open_sealing(store: Store, random_bytes: Callable[[int], bytes], given: bytes | None = None) -> Sealing:
    """What seals by the key that is ``given``, or else by that of ``store``, which is made where it is missing. What a
    rotation that was interrupted has sealed already opens too.

    :raises StoreError: it has another, or none can be had.
    """
    key = await store.keys.get(KEY, KEY_BYTES) if given is None else given
    coming = await store.keys.find(NEXT_KEY, KEY_BYTES)
    return Sealing(key, random_bytes, () if coming is None else (coming,))


@lru_cache(maxsize=4)
def cipher(key: bytes) -> AESGCM:
    """What encrypts by a key: made ready once."""
    return AESGCM(key)


def tag_of(key: bytes) -> bytes:
    """What sealed bytes begin with, that tells by which key, and nothing of the key."""
    return blake2b(key, digest_size=TAG_BYTES, person=b"resphere").digest()


class Nonces:
    """Random nonces, many drawn at a time: who asks the system for some lets go of the interpreter each time, and the
    store's writer comes between the changes that it could have written as one group. A process that was forked has
    none of those of its parent."""

    def __init__(self) -> None:
        self._ready: list[bytes] = []
        _all.add(self)

    def take(self, random_bytes: Callable[[int], bytes]) -> bytes:
        """One that nobody has had; in any thread."""
        while True:
            try:
                return self._ready.pop()
            except IndexError:
                drawn = random_bytes(NONCES_AT_ONCE * NONCE_BYTES)
                self._ready += [drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES)]

    def forget(self) -> None:
        """Have none."""
        self._ready.clear()


_all: WeakSet[Nonces] = WeakSet()


def forget_nonces() -> None:
    """In a forked process: two that use the same ones give away what they seal."""
    for each in _all:
        each.forget()


os.register_at_fork(after_in_child=forget_nonces)


class Sealing(msgspec.Struct, frozen=True):
    """Seals and opens with ``key``, of :data:`KEY_BYTES`; ``random_bytes`` gives so many. What was sealed with one of
    the ``others`` opens too."""

    key: bytes
    random_bytes: Callable[[int], bytes]
    others: tuple[bytes, ...] = ()
    nonces: Nonces = msgspec.field(default_factory=Nonces)

    def seal(self, content: bytes, place: str) -> str:
        """``content`` as a text that says nothing, for this ``place`` in the store only."""
        nonce = self.nonces.take(self.random_bytes)
        sealed = cipher(self.key).encrypt(nonce, content, place.encode())
        return MARK + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, text: str, place: str) -> bytes:
        """What was sealed.

        :raises StoreError: as :meth:`opened`.
        """
        return self.opened(text, place)[0]

    def opened(self, text: str, place: str) -> tuple[bytes, bool]:
        """What was sealed, and whether by the present key.

        :raises StoreError: by another key, for another place, or it was changed since.
        """
        try:
            if not text.startswith(MARK):
                raise ValueError("unknown form")
            sealed = base64.b64decode(text[len(MARK) :], validate=True)
            for key in (self.key, *self.others):
                with suppress(InvalidTag):
                    content = cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
                    return content, key is self.key
        except ValueError:
            pass  # told of as a wrong key is
        raise undecryptable(place)


class BytesSealing:
    """Seals and opens as a :class:`Sealing` does, as bytes that say by which key: where many are sealed, and hardly any
    opened."""

    __slots__ = ("_encrypt", "_nonces", "_random_bytes", "_sealing", "_tag")

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._nonces, self._random_bytes = sealing.nonces, sealing.random_bytes
        self._encrypt = cipher(sealing.key).encrypt
        self._tag = tag_of(sealing.key)

    def seal(self, content: bytes, place: str) -> bytes:
        """``content`` as bytes that say nothing, for this ``place`` in the store only."""
        nonce = self._nonces.take(self._random_bytes)
        return self._tag + nonce + self._encrypt(nonce, content, place.encode())

    def has_sealed(self, sealed: bytes) -> bool:
        """Whether it was by the present key."""
        return sealed.startswith(self._tag)

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed.

        :raises StoreError: by another key, for another place, or it was changed since.
        """
        for key in (self._sealing.key, *self._sealing.others):
            if sealed.startswith(tag_of(key)):
                nonce, content = sealed[TAG_BYTES : TAG_BYTES + NONCE_BYTES], sealed[TAG_BYTES + NONCE_BYTES :]
                with suppress(InvalidTag):
                    return cipher(key).decrypt(nonce, content, place.encode())
        raise undecryptable(place)


def undecryptable(place: str) -> StoreError:
    """The refusal of what no key that is there has sealed."""
    return StoreError(
        f"{place} cannot be decrypted: the key of secrets is not the one that it was written with; "
        "`resphere secrets rotate` goes from one to another"
    )
