"""The key that anchors of the audit log are signed by (Ed25519, RFC 8032), and the public keys that verify them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

KEY = "audit"
"""The name of the key among those of a store."""
KEY_BYTES = 32
PURPOSE = b"resphere audit anchor 1\n"
"""What is signed begins with this, so that no signature made for something else is taken for one."""
PUBLIC_KEYS = "keys.pem"
_END = b"-----END PUBLIC KEY-----\n"


class SigningKey(msgspec.Struct, frozen=True):
    """Signs digests."""

    private: Ed25519PrivateKey
    public_pem: bytes
    """As ``openssl`` reads it."""
    name: str
    """The first 16 hexadecimal digits of the SHA-256 of the public key's 32 bytes."""

    @classmethod
    def of(cls, seed: bytes) -> SigningKey:
        """The key of :data:`KEY_BYTES` secret bytes."""
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(private, pem, name_of(public))

    def sign(self, digest: bytes) -> bytes:
        """The signature, of 64 bytes."""
        return self.private.sign(PURPOSE + digest)


class PublicKeys(msgspec.Struct, frozen=True):
    """The public keys of a server, by their names: more than one where its key was made anew."""

    keys: dict[str, Ed25519PublicKey]

    @classmethod
    def read(cls, path: Path) -> PublicKeys:
        """The keys of a file of PEM blocks.

        :raises ValueError: it holds none, or one of another kind.
        :raises OSError: it cannot be read.
        """
        found = {}
        for block in path.read_bytes().split(_END)[:-1]:
            key = load_pem_public_key(block + _END)
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError(f"{path}: a key of another kind than Ed25519 stands in it")
            found[name_of(key)] = key
        if not found:
            raise ValueError(f"{path}: no public key (PEM) stands in it")
        return cls(found)

    def verify(self, name: str, digest: bytes, signature: bytes) -> bool:
        """Whether the key of that name, known here, has signed the digest."""
        key = self.keys.get(name)
        if key is None:
            return False
        try:
            key.verify(signature, PURPOSE + digest)
        except InvalidSignature:
            return False
        return True


def name_of(key: Ed25519PublicKey) -> str:
    """What a public key is called."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def publish(key: SigningKey, path: Path) -> None:
    """Have the public key stand in the file, after those that were there before.

    :raises OSError: it cannot be written.
    """
    if path.exists() and key.public_pem in path.read_bytes():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, key.public_pem)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
