"""Operations refuse with nothing but what their contract declares: handlers that are watched see to it in tests.

An error that its operation does not declare fails the test in which it was answered, even where somebody caught it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from resphere.contract.errors import (
    Canceled,
    ConcurrentChange,
    InternalServerError,
    InvalidArgument,
    InvalidRequest,
    NotFound,
    Unauthenticated,
    Unauthorized,
    VapiError,
)
from resphere.contract.lookup import operation_at, place_of
from resphere.contract.model import AnyOperation, Handler
from resphere.replica.riders import DryRun
from resphere.services.registry import Implementation
from resphere.tasks.record import Task

OF_ANY_OPERATION = (
    InvalidArgument,
    InvalidRequest,
    InternalServerError,
    Unauthenticated,
    Unauthorized,
    ConcurrentChange,
)
"""What any operation may answer without declaring it: what the vAPI infrastructure says of input, sessions, privileges
and the unforeseen, and that others changed the same object again and again."""

EXCUSED = {
    ("com.vmware.vcenter.utilization.connections.list", "unsupported"): "declares no error at all, and has no subject",
    ("com.vmware.vcenter.utilization.proxies.list", "unsupported"): "declares no error at all, and has no subject",
}
"""Undeclared errors that are answered all the same, and why."""


def may_answer(operation: AnyOperation) -> frozenset[str]:
    """The errors that the operation may answer, as contracts write them (``not_found``).

    What a path names may always be gone, though a few operations of VMs' storage do not declare it.
    """
    named = operation.api is not None and "{" in operation.api.path
    always = (*OF_ANY_OPERATION, NotFound) if named else OF_ANY_OPERATION
    return frozenset((*operation.errors, *(error.error_type.lower() for error in always)))


class Witness:
    """Sees what handlers raise."""

    def __init__(self) -> None:
        self.undeclared: list[str] = []
        """What no test may let pass, in words."""

    def refusal(self, operation: AnyOperation, error: str, *more: str) -> None:
        """Note that ``operation`` answered ``error``, which must be one of its own or of ``more``.

        :raises AssertionError: it is not.
        """
        name = error.lower()
        if error == DryRun.error_type:
            return  # no answer to anybody: the end of a dry run
        if name not in may_answer(operation) and name not in more and (operation.id, name) not in EXCUSED:
            words = f"{operation.id} answered {error}, but declares only {', '.join(operation.errors)}"
            self.undeclared.append(words)
            raise AssertionError(words)

    def failures(self, tasks: Iterable[Task]) -> None:
        """Look at how tasks ended; any may be canceled.

        :raises AssertionError: with an error that their operation does not declare.
        """
        for task in tasks:
            place = place_of(task.service, task.operation)
            if task.error is not None and place is not None:
                self.refusal(operation_at(place), task.error.error_type, Canceled.error_type.lower())


WITNESS = Witness()
"""The witness of this process."""


def watched(implementations: Mapping[str, Implementation], witness: Witness = WITNESS) -> dict[str, Implementation]:
    """The same implementations, each seen by ``witness`` when it raises."""
    return {
        id: msgspec.structs.replace(each, handler=_watched(each.operation, each.handler, witness))
        for id, each in implementations.items()
    }


def _watched(operation: AnyOperation, handler: Handler, witness: Witness) -> Handler:
    async def seen(*args: Any, **kwargs: Any) -> Any:
        try:
            return await handler(*args, **kwargs)
        except VapiError as error:
            witness.refusal(operation, error.error_type)
            raise

    return seen
