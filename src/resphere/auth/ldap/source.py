"""Asks directories, in threads of their own: a few at a time, none for long, the server that answered last before
others."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from resphere.auth.ldap.asking import Person, find, verify
from resphere.auth.ldap.connection import WHOLE_SECONDS, Bounds, DirectoryUnavailable, Session, connected
from resphere.auth.ldap.settings import Directory, Endpoint, LdapSource
from resphere.certificates.tls import Roots, no_roots

log = logging.getLogger(__name__)

MOST_THREADS = 8
MOST_WAITING = 64
AVOIDED_SECONDS = 30.0
"""How long a server that did not answer is asked after all others."""

A = TypeVar("A")
Question = Callable[[Session], A]


class Directories:
    """Asks the directories of a server's identity sources. ``roots`` vouch for those that name no ``ca``."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        whole_seconds: float = WHOLE_SECONDS,
        roots: Roots = no_roots,
    ) -> None:
        self._clock = clock
        self._roots = roots
        self._whole_seconds = whole_seconds
        self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="ldap")
        self._asked = 0
        self._avoided: dict[Endpoint, float] = {}

    async def verify(self, source: LdapSource, user: str, password: str) -> Person | None:
        """The user of that name and password, ``None`` where they do not belong together.

        :raises DirectoryUnavailable: no server of the directory could tell; the log has the reason.
        """
        directory = source.directory
        # Empty, it would be a login of nobody; what follows a NUL some servers pass over.
        if not password or "\0" in password:
            return None
        return await self.ask(
            source.id, directory, lambda session: verify(session, directory, source.domain, user, password)
        )

    async def find(self, name: str, directory: Directory, domain: str, user: str) -> Person | None:
        """The user of that name in ``directory``, which people call ``name``, without a password.

        :raises DirectoryUnavailable: no server of the directory could tell; the log has the reason.
        """
        return await self.ask(name, directory, lambda session: find(session, directory, domain, user))

    async def check(self, directory: Directory, endpoint: Endpoint, question: Question[A]) -> A:
        """What one server answers.

        :raises DirectoryUnavailable: it does not.
        """
        return await asyncio.to_thread(self._ask_one, directory, endpoint, question, self._bounds())

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _bounds(self) -> Bounds:
        return Bounds(self._clock, self._clock() + self._whole_seconds)

    async def ask(self, name: str, directory: Directory, question: Question[A]) -> A:
        """What ``directory``, which people call ``name``, answers.

        :raises DirectoryUnavailable: no server of the directory could tell; the log has the reason.
        """
        if self._asked >= MOST_WAITING:
            log.error("the identity source %s is asked too often at once: %d wait for it", name, self._asked)
            raise DirectoryUnavailable(f"{self._asked} questions wait already")
        self._asked += 1
        try:
            asking = partial(self._ask_any, name, directory, question, self._bounds())
            return await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(self._threads, asking), self._whole_seconds + 1
            )
        except TimeoutError:
            log.error("the identity source %s did not answer in %s seconds", name, self._whole_seconds)
            raise DirectoryUnavailable("it takes too long") from None
        finally:
            self._asked -= 1

    def _ask_any(self, name: str, directory: Directory, question: Question[A], bounds: Bounds) -> A:
        """What the first server that can answer says."""
        why = "it has no servers"
        for endpoint in sorted(directory.endpoints, key=self._avoid):
            try:
                answer = self._ask_one(directory, endpoint, question, bounds)
            except DirectoryUnavailable as error:
                why = f"{endpoint}: {error}"
                log.warning("the identity source %s: %s", name, why)
                self._avoided[endpoint] = self._clock() + AVOIDED_SECONDS
                continue
            self._avoided.pop(endpoint, None)
            return answer
        log.error("the identity source %s cannot be asked", name)
        raise DirectoryUnavailable(why)

    def _avoid(self, endpoint: Endpoint) -> bool:
        return self._avoided.get(endpoint, 0.0) > self._clock()

    def _ask_one(self, directory: Directory, endpoint: Endpoint, question: Question[A], bounds: Bounds) -> A:
        with connected(directory, endpoint, bounds, self._roots) as session:
            return question(session)
