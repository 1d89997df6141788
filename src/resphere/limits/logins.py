"""Failed logins slow down the next ones: whoever guesses, and nobody else.

Failures are counted for a name at an address, for the address, and for the name at all addresses from which its user
has not logged in before. So one who guesses passwords of one user, of many, or with the help of many addresses gets
slower and slower; but users who come from where they have logged in before are held up by nothing but failures with
their own name at their own address, and by those not for long. Names that nobody has are counted like all others.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from resphere.contract.errors import Unauthenticated
from resphere.limits.known import Known
from resphere.limits.policy import Logins
from resphere.limits.rates import Counted, State
from resphere.limits.refusals import too_many, too_many_failures, too_many_of_one
from resphere.limits.turns import Full, NoRoom, Turns


class LoginThrottle:
    """Lets logins through to where passwords are checked; see :class:`~resphere.limits.policy.Logins`."""

    def __init__(self, policy: Logins, state: State, known: Known, now_ns: Callable[[], int]) -> None:
        self._policy = policy
        self._state = state
        self._known = known
        self._now_ns = now_ns
        self._turns = Turns(
            per_party=policy.at_once_per_address,
            total=policy.at_once,
            waiting_per_party=policy.waiting_per_address,
            waiting=policy.waiting,
        )
        self._of_pair = policy.strikes(policy.free)
        self._of_known_pair = policy.strikes(policy.free, policy.longest_known_seconds)
        self._of_address = policy.strikes(policy.free_per_address)
        self._of_name = policy.strikes(policy.free_per_name)

    async def attempt(self, name: str, address: str, *, alone: bool = True) -> Attempt:
        """Wait until somebody may try to log in, as ``name`` from there; what it enters is the trying itself::

            with await throttle.attempt(name, address):
                ...  # raises Unauthenticated

        Names are given as they are written in one way only. ``alone``: name and password are all that is shown, so that
        who is let in has the password.

        :raises ServiceUnavailable: too many have failed, or wait.
        """
        try:
            await self._turns.enter(address)
        except NoRoom as error:
            raise self._no_room(error) from None
        try:
            counted = self._counted(name, address)
            wait_ns = self._state.attempt(counted, self._now_ns())
            if wait_ns:
                raise too_many_failures(self._policy, wait_ns)
        except BaseException:
            self._turns.leave(address)
            raise
        return Attempt(self, name, address, counted, alone)

    def _counted(self, name: str, address: str) -> tuple[Counted, ...]:
        pair = f"pair\n{address}\n{name}"
        if self._known.knows(name, address):
            return (Counted(pair, self._of_known_pair),)
        return (
            Counted(pair, self._of_pair),
            Counted(f"address\n{address}", self._of_address),
            Counted(f"name\n{name}", self._of_name),
        )

    def _no_room(self, error: NoRoom) -> Exception:
        return too_many_of_one("address", self._policy.waiting_per_address) if error.full is Full.PARTY else too_many()

    def ended(self, attempt: Attempt, error: BaseException | None) -> None:
        """What became of an attempt."""
        self._turns.leave(attempt.address)
        now_ns = self._now_ns()
        if isinstance(error, Unauthenticated) and not error.proven:
            self._state.fail(attempt.counted, now_ns)
        elif error is None or isinstance(error, Unauthenticated):
            self._state.withdraw(attempt.counted, now_ns)
            if attempt.alone:
                self._state.forget(attempt.counted[0].key)
                self._known.note(attempt.name, attempt.address)
        elif isinstance(error, Exception):
            self._state.withdraw(attempt.counted, now_ns)


class Attempt:
    """One attempt to log in, as a context."""

    __slots__ = ("_throttle", "address", "alone", "counted", "name")

    def __init__(
        self, throttle: LoginThrottle, name: str, address: str, counted: tuple[Counted, ...], alone: bool
    ) -> None:
        self._throttle = throttle
        self.name = name
        self.address = address
        self.counted = counted
        self.alone = alone

    def __enter__(self) -> Attempt:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._throttle.ended(self, error)
