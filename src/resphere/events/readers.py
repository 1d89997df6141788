"""Who reads events as a stream, or waits for some: so many at once, of each user and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from resphere.contract.errors import ServiceUnavailable, VapiError, message

TOO_MANY_REQUESTS = 429
RETRY_SECONDS = "5"


class Readers:
    """Those of one worker."""

    def __init__(self, most: int, most_of_user: int) -> None:
        self._most = most
        self._most_of_user = most_of_user
        self._reading: Counter[str] = Counter()
        self._all = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return self._all

    def require_room(self, user: str) -> None:
        """Refuse one more than may be.

        :raises VapiError: with status 429 where it is the user's own doing, else 503.
        """
        if self._reading[user] >= self._most_of_user:
            raise refusal(
                "resphere.events.too_many_of_user",
                "{0} streams of events of this user are open at this worker. Close some.",
                self._most_of_user,
                TOO_MANY_REQUESTS,
            )
        if self._all >= self._most:
            raise refusal("resphere.events.too_many", "{0} streams of events are open at this worker.", self._most, 503)

    @contextmanager
    def seat(self, user: str) -> Iterator[None]:
        """One more, as long as this lasts."""
        self._reading[user] += 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._reading[user] -= 1
            if not self._reading[user]:
                del self._reading[user]


def refusal(id: str, text: str, most: int, status: int) -> VapiError:
    """Of one more."""
    return ServiceUnavailable(message(id, text, most)).http(status, [("Retry-After", RETRY_SECONDS)])
