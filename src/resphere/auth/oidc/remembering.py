"""Keeps what was fetched: for a while as it is, longer where it cannot be had again, and asks no more often than bounds
allow, whoever wants it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from resphere.auth.oidc.fetching import ProviderUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

FRESH_SECONDS = 3600.0
STALE_SECONDS = 86_400.0
"""How long what was fetched is good where the provider does not answer."""
AGAIN_SECONDS = 30.0
"""Between two fetches, whatever the reason: a token with a key that nobody has costs no more than one."""


class Remembered(Generic[T]):
    """One thing that is fetched; ``clock`` gives rising seconds."""

    def __init__(self, what: str, fetch: Callable[[], Awaitable[T]], clock: Callable[[], float]) -> None:
        self._what = what
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._value: T | None = None
        self._fetched = 0.0
        self._tried: float | None = None
        self._why = ""

    async def get(self, good: Callable[[T], bool] = lambda _: True) -> T:
        """The thing; fetched again where it is old or not ``good``, but for a fetch of a moment ago.

        :raises ProviderUnavailable: it cannot be had.
        """
        value = self._known()
        if value is not None and good(value) and self._age() < FRESH_SECONDS:
            return value
        async with self._lock:
            value = self._known()
            if value is not None and good(value) and self._age() < FRESH_SECONDS:
                return value
            if self._tried is None or self._clock() - self._tried >= AGAIN_SECONDS:
                await self._try()
        value = self._known()
        if value is None:
            raise ProviderUnavailable(self._why)
        return value

    def _known(self) -> T | None:
        return self._value if self._age() < STALE_SECONDS else None

    def _age(self) -> float:
        return self._clock() - self._fetched

    async def _try(self) -> None:
        self._tried = self._clock()
        try:
            self._value = await self._fetch()
        except ProviderUnavailable as error:
            self._why = str(error)
            log.warning("%s cannot be fetched: %s", self._what, error)
            return
        self._fetched = self._clock()
