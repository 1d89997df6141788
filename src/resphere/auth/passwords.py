"""Passwords at rest: argon2id, with its parameters in the text; and scrypt, which earlier releases wrote."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

_SALT_BYTES = 16
_argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=_SALT_BYTES)
"""OWASP's recommendation (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane."""

SCRYPT = "scrypt"
_SCRYPT_LIMIT_BYTES = 64 * 1024 * 1024
_NO_SCRYPT = "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""Nobody's password gives this key."""

THREADS = 2


def hash_password(password: str, random_bytes: Callable[[int], bytes]) -> str:
    """``$argon2id$v=19$m=...,t=...,p=...$<salt>$<key>``."""
    return _argon2.hash(encoded(password), salt=random_bytes(_SALT_BYTES))


def verify_password(password: str, stored: str) -> bool:
    """Whether ``password`` is the one behind ``stored``.

    :raises ValueError: ``stored`` is not of a form that a release has written.
    """
    if stored.startswith(f"{SCRYPT}$"):
        return _verify_scrypt(password, stored)
    try:
        return _argon2.verify(stored, encoded(password))
    except VerifyMismatchError:
        return False
    except (InvalidHashError, VerificationError):
        raise ValueError(f"unknown password scheme {stored.lstrip('$').partition('$')[0]}") from None


def is_outdated(stored: str) -> bool:
    """Whether the digest is to be made anew as soon as the password is known again."""
    return stored.startswith(f"{SCRYPT}$") or _argon2.check_needs_rehash(stored)


def encoded(password: str) -> bytes:
    """The bytes of a password, whatever characters it has."""
    return password.encode("utf-8", "surrogateescape")


def _verify_scrypt(password: str, stored: str) -> bool:
    _, cost, block_size, parallelism, salt, key = stored.split("$")
    derived = hashlib.scrypt(
        encoded(password),
        salt=base64.b64decode(salt),
        n=int(cost),
        r=int(block_size),
        p=int(parallelism),
        maxmem=_SCRYPT_LIMIT_BYTES,
        dklen=32,
    )
    return hmac.compare_digest(derived, base64.b64decode(key))


class Digests:
    """Makes and checks digests in a few threads of their own: however many wait, nothing else does. ``check`` is what
    takes the time, :func:`verify_password`."""

    def __init__(
        self, random_bytes: Callable[[int], bytes], check: Callable[[str, str], bool] = verify_password
    ) -> None:
        self._random_bytes = random_bytes
        self._check = check
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="digests")
        self._nobody = hash_password("", random_bytes)

    async def make(self, password: str) -> str:
        """The digest of a password."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, hash_password, password, self._random_bytes)

    async def verify(self, password: str, stored: str | None, *, beside_scrypt: bool = False) -> bool:
        """Whether the password is the one behind ``stored``; it is no one's where there is none, and that takes as
        long. ``beside_scrypt``: there are others of earlier releases, so that each takes as long as both kinds.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify, password, stored, beside_scrypt)

    async def is_any(self, password: str, stored: tuple[str, ...]) -> bool:
        """Whether the password is the one behind any of them."""
        for each in stored:
            if await self.verify(password, each):
                return True
        return False

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _verify(self, password: str, stored: str | None, beside_scrypt: bool) -> bool:
        good = self._check(password, stored or self._nobody)
        if beside_scrypt:
            of_scrypt = stored is not None and stored.startswith(f"{SCRYPT}$")
            self._check(password, self._nobody if of_scrypt else _NO_SCRYPT)
        return good and stored is not None
