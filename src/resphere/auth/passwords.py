"""Passwords at rest: scrypt from the standard library, with its parameters in the text."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

COST = 2**14
BLOCK_SIZE = 8
PARALLELISM = 1
_LIMIT_BYTES = 64 * 1024 * 1024


def hash_password(password: str, random_bytes: Callable[[int], bytes]) -> str:
    """``scrypt$<cost>$<block size>$<parallelism>$<salt>$<key>``, base64."""
    salt = random_bytes(16)
    key = _derive(password, salt, COST, BLOCK_SIZE, PARALLELISM)
    parts = [str(COST), str(BLOCK_SIZE), str(PARALLELISM), _text(salt), _text(key)]
    return "$".join(["scrypt", *parts])


def verify_password(password: str, stored: str) -> bool:
    """Whether ``password`` is the one behind ``stored``.

    :raises ValueError: ``stored`` is not of the form that :func:`hash_password` makes.
    """
    scheme, cost, block_size, parallelism, salt, key = stored.split("$")
    if scheme != "scrypt":
        raise ValueError(f"unknown password scheme {scheme}")
    derived = _derive(password, base64.b64decode(salt), int(cost), int(block_size), int(parallelism))
    return hmac.compare_digest(derived, base64.b64decode(key))


def _derive(password: str, salt: bytes, cost: int, block_size: int, parallelism: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogateescape"),
        salt=salt,
        n=cost,
        r=block_size,
        p=parallelism,
        maxmem=_LIMIT_BYTES,
        dklen=32,
    )


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
