"""What rides along with every change that is made for a call, wherever that is made.

A call may ask something of its changes: that an object is as its client knows it, that it is noted under a key that it
has been made, or which of many items has made it. That has to be part of the transaction itself, which handlers, tasks
and sessions commit in many places. So it goes along as the call's context does, also with the work that the call
launches::

    with riding(Unchanged(...)):
        await handler(call)
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Protocol

from resphere.contract.errors import ConcurrentChange, VapiError, message
from resphere.replica.edit import Edit


class Unmet(ConcurrentChange):
    """What a rider asks for is not so: nothing has been done."""


class Rider(Protocol):
    """One thing that a call asks of its changes. A plan may run several times, and a call may change several times."""

    def begin(self, edit: Edit) -> None:
        """Before each run of a plan: refuse, or have ``edit`` rely on what must hold until its commit.

        :raises Unmet: it does not hold.
        """

    def end(self, edit: Edit) -> None:
        """After each run of a plan that writes something: write what goes with it."""

    def committed(self, edit: Edit) -> None:
        """``edit`` is durable."""


class DryRun(VapiError):
    """A change that would have been committed, and was only tried: it is how far a dry run comes."""

    error_type = "DRY_RUN"
    api_status = 200


class OnlyTried:
    """The rider of a dry run: no change is committed."""

    def begin(self, edit: Edit) -> None:
        """Anything may be tried."""

    def end(self, edit: Edit) -> None:
        """Nothing may be done.

        :raises DryRun: always.
        """
        raise DryRun(message("resphere.dry_run", "It would be done; this was a dry run, and nothing was changed."))

    def committed(self, edit: Edit) -> None:
        """Nothing is."""


_riders: ContextVar[tuple[Rider, ...]] = ContextVar("riders", default=())


def riders() -> tuple[Rider, ...]:
    """What rides along with a change that is made now."""
    return _riders.get()


def riding(*riders: Rider) -> Riding:
    """Have these, and no others, ride along with what is changed in this context, and in what it launches."""
    return Riding(riders)


class Riding:
    """See :func:`riding`."""

    __slots__ = ("_riders", "_token")

    def __init__(self, riders: tuple[Rider, ...]) -> None:
        self._riders = riders
        self._token: Token[tuple[Rider, ...]] | None = None

    def __enter__(self) -> None:
        self._token = _riders.set(self._riders)

    def __exit__(self, *_: object) -> None:
        assert self._token is not None
        _riders.reset(self._token)
