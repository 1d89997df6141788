"""Secrets at rest: parts of documents that the store gets encrypted, by a key that lies elsewhere.

AES-256 in Galois/Counter mode, with a nonce of its own for each; what is sealed for one document opens in no other.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resphere.store.base import Store, StoreError

KEY = "secrets"
KEY_BYTES = 32
NONCE_BYTES = 12
MARK = "sealed-1:"
"""What the texts of this form begin with."""


async def open_sealing(store: Store, random_bytes: Callable[[int], bytes]) -> Sealing:
    """What seals by the key of ``store``, which is made where it is missing.

    :raises StoreError: it has another, or none can be had.
    """
    return Sealing(await store.keys.get(KEY, KEY_BYTES), random_bytes)


class Sealing(msgspec.Struct, frozen=True):
    """Seals and opens with ``key``, of :data:`KEY_BYTES`; ``random_bytes`` gives so many."""

    key: bytes
    random_bytes: Callable[[int], bytes]

    def seal(self, content: bytes, place: str) -> str:
        """``content`` as a text that says nothing, for this ``place`` in the store only."""
        nonce = self.random_bytes(NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, content, place.encode())
        return MARK + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, text: str, place: str) -> bytes:
        """What was sealed.

        :raises StoreError: by another key, for another place, or it was changed since.
        """
        try:
            if not text.startswith(MARK):
                raise ValueError("unknown form")
            sealed = base64.b64decode(text[len(MARK) :], validate=True)
            return AESGCM(self.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            raise StoreError(
                f"{place} cannot be decrypted: the key of the data directory is not the one that it was written with"
            ) from None
