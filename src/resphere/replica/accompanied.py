"""What the changes that are made for one purpose carry along: in their own transactions, whoever makes them.

Who carries out one of many items wants to know after a crash whether it has changed anything. The context in which it
is carried out has a companion, which is called with every edit that is made there and is going to be committed::

    with accompanied(lambda edit: edit.put(Mark(id=item))):
        await handler(call, ...)

What is done beside the purpose (writing down when a session was used) is begun in a context of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from resphere.contract.errors import VapiError, message
from resphere.replica.edit import Edit

Companion = Callable[[Edit], None]

_companion: ContextVar[Companion | None] = ContextVar("companion", default=None)


class DryRun(VapiError):
    """A change that would have been committed, and was only tried: it is how far a dry run comes."""

    error_type = "DRY_RUN"
    api_status = 200


def companion() -> Companion | None:
    """What changes that are made here carry along."""
    return _companion.get()


@contextmanager
def accompanied(by: Companion) -> Iterator[None]:
    """Have every change carry ``by`` along that is made within, also by tasks that are begun there.

    Like a plan, it is called again where others were faster; what it raises is raised, and nothing is committed.
    """
    token = _companion.set(by)
    try:
        yield
    finally:
        _companion.reset(token)


def no_change(_edit: Edit) -> None:
    """The companion of a dry run.

    :raises DryRun: always.
    """
    raise DryRun(message("resphere.dry_run", "It would be done; this was a dry run, and nothing was changed."))
