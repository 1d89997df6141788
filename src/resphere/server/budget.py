"""How many bytes of bodies a worker holds at a time, over all requests and replies, how many requests it waits for the
rest of, and how both are shared out."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from resphere.contract.errors import ServiceUnavailable, message

UNCOUNTED_BYTES = 4096
"""So much of each body is had by everybody: a login is not kept out by those who fill the rest."""
RETRY_SECONDS = 2
UNFINISHED_BYTES = 16 * 1024
"""What a request takes, besides its body, while the rest of that is waited for: 13 KB were measured over HTTP/2."""
LARGE_BYTES = 8 * 1024 * 1024
"""After so much was held, the memory is given back to the system once nothing is held any more."""


class Budget:
    """So many bytes for all. An address may hold as many as are still free: half of them if it is alone, so that
    there is always room for others; ``always_bytes`` however many others hold."""

    def __init__(self, most_bytes: int, emptied: Callable[[], None] = lambda: None, always_bytes: int = 0) -> None:
        self._most_bytes = most_bytes
        self._emptied = emptied
        self._always_bytes = always_bytes
        self._held_bytes = 0
        self._peak_bytes = 0
        self._by_address: dict[str, int] = {}

    @property
    def held_bytes(self) -> int:
        """What all bodies take now."""
        return self._held_bytes

    def take(self, address: str, size_bytes: int) -> None:
        """Hold more bytes for an address.

        :raises ServiceUnavailable: there is no room for them at present.
        """
        own = self._by_address.get(address, 0) + size_bytes
        if own > max(self._most_bytes - self._held_bytes, self._always_bytes):
            raise no_room()
        self._by_address[address] = own
        self._held_bytes += size_bytes
        self._peak_bytes = max(self._peak_bytes, self._held_bytes)

    def give_back(self, address: str, size_bytes: int) -> None:
        """Hold so many no more."""
        left = self._by_address[address] - size_bytes
        if left:
            self._by_address[address] = left
        else:
            del self._by_address[address]
        self._held_bytes -= size_bytes
        if not self._held_bytes:
            peak_bytes, self._peak_bytes = self._peak_bytes, 0
            if peak_bytes >= LARGE_BYTES:
                self._emptied()


class Callers(msgspec.Struct, frozen=True):
    """What some callers may have the server hold: ``bodies``, and requests that are ``unfinished``, of which each takes
    UNFINISHED_BYTES until its body has come."""

    bodies: Budget
    unfinished: Budget


class Budgets(msgspec.Struct, frozen=True):
    """Those of callers who were let in, and those of all others: strangers keep out strangers only; and that of long
    replies while they are sent."""

    known: Callers
    strangers: Callers
    replies: Budget

    def of(self, *, known: bool) -> Callers:
        """Those of a caller."""
        return self.known if known else self.strangers


class Holding:
    """What one request takes of the budgets for its body."""

    __slots__ = ("_address", "_budget", "_budgets", "_counted_bytes", "_size_bytes", "_unfinished")

    def __init__(self, budgets: Budgets, address: str) -> None:
        self._budgets = budgets
        self._address = address
        self._budget: Budget | None = None
        self._size_bytes = 0
        self._counted_bytes = 0
        self._unfinished: Budget | None = None

    def wait(self, *, known: bool) -> None:
        """The body, or more of it, is waited for.

        :raises ServiceUnavailable: too many are.
        """
        if self._unfinished is None:
            unfinished = self._budgets.of(known=known).unfinished
            unfinished.take(self._address, UNFINISHED_BYTES)
            self._unfinished = unfinished

    def arrive(self) -> None:
        """All of it has come."""
        if self._unfinished is not None:
            self._unfinished.give_back(self._address, UNFINISHED_BYTES)
            self._unfinished = None

    def grow(self, size_bytes: int, *, known: bool) -> None:
        """Take more; from whose budget is a matter of who the caller was when the body became large.

        :raises ServiceUnavailable: there is no room.
        """
        self._size_bytes += size_bytes
        more = self._size_bytes - UNCOUNTED_BYTES - self._counted_bytes
        if more > 0:
            if self._budget is None:
                self._budget = self._budgets.of(known=known).bodies
            self._budget.take(self._address, more)
            self._counted_bytes += more

    def release(self) -> None:
        """Give all of it back."""
        self.arrive()
        if self._budget is not None and self._counted_bytes:
            self._budget.give_back(self._address, self._counted_bytes)
            self._counted_bytes = 0


def no_room() -> ServiceUnavailable:
    """The refusal of a body, or of a long reply, while too many others are on their way."""
    error = ServiceUnavailable(
        message(
            "resphere.too_much_in_flight",
            "The server has too many large or unfinished requests and replies at hand. Try again in {0} seconds, fewer "
            "at a time.",
            RETRY_SECONDS,
        )
    )
    error.http(503, [("Retry-After", str(RETRY_SECONDS))])
    return error
