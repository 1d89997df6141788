"""The passwords of published content libraries, by which their subscribers are let in: those have no accounts."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from resphere.auth.authentication import failed, required
from resphere.auth.credentials import Credentials
from resphere.auth.passwords import Digests
from resphere.inventory.content.libraries import SUBSCRIBER, Library
from resphere.replica.replica import Replica

MOST_REMEMBERED = 4096


class LibraryPasswords:
    """Tells whether a subscriber has the password of a library.

    One that was good is remembered for as long as the library has it: who subscribes asks for each file with it, and
    to check a password takes long on purpose. What is remembered is no password, and of no use to another process.
    """

    def __init__(self, inventory: Replica, random_bytes: Callable[[int], bytes]) -> None:
        self._inventory = inventory
        self._digests = Digests(random_bytes)
        self._key = random_bytes(32)
        self._good: dict[str, bytes] = {}

    def to_check(self, library: str, shown: Credentials) -> str | None:
        """The name by which attempts to find that library's password are counted, where this is one of them; ``None``
        where there is nothing to find out."""
        digest = self._digest(library)
        if digest is None or shown.password is None or self._is_known(digest, shown):
            return None
        return f"{SUBSCRIBER}\n{library}"

    async def require(self, library: str, shown: Credentials) -> None:
        """Let in who shows the password of the library, and everybody where it has none, or is not published.

        :raises Unauthenticated: it is not shown.
        """
        digest = self._digest(library)
        if digest is None or self._is_known(digest, shown):
            return
        if shown.user is None or shown.password is None:
            raise required()
        good = await self._digests.verify(shown.password, digest)
        if not good or shown.user != SUBSCRIBER:
            raise failed()
        if len(self._good) >= MOST_REMEMBERED:
            self._good.clear()
        self._good[digest] = self._remembered(digest, shown.password)

    def close(self) -> None:
        """Let go of the threads."""
        self._digests.close()

    def _digest(self, library: str) -> str | None:
        found = self._inventory.get(Library, library)
        return found.publishing.password_digest if found is not None and found.publishing.published else None

    def _is_known(self, digest: str, shown: Credentials) -> bool:
        known = self._good.get(digest)
        if known is None or shown.password is None or shown.user != SUBSCRIBER:
            return False
        return hmac.compare_digest(known, self._remembered(digest, shown.password))

    def _remembered(self, digest: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{digest}\n{password}".encode("utf-8", "surrogateescape"), "sha256")
