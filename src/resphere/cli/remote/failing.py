"""What goes wrong at a server or on the way there: a sentence, and the status that a command ends with."""

from __future__ import annotations

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.output import printable
from resphere.client.errors import BadInput, ClientError, NoAnswer, NotFinished, NotOffered
from resphere.contract import errors
from resphere.contract.errors import VapiError

FAILURES = (VapiError, ClientError, Ended, OSError)
STATUSES: dict[type[Exception], Exit] = {
    errors.NotFound: Exit.NOT_FOUND,
    errors.Unauthenticated: Exit.NOT_ALLOWED,
    errors.Unauthorized: Exit.NOT_ALLOWED,
    errors.OperationNotFound: Exit.UNSUPPORTED,
    errors.Unsupported: Exit.UNSUPPORTED,
    errors.AlreadyExists: Exit.CONFLICT,
    errors.AlreadyInDesiredState: Exit.CONFLICT,
    errors.ConcurrentChange: Exit.CONFLICT,
    errors.FeatureInUse: Exit.CONFLICT,
    errors.NotAllowedInCurrentState: Exit.CONFLICT,
    errors.ResourceBusy: Exit.CONFLICT,
    errors.ResourceInUse: Exit.CONFLICT,
    NoAnswer: Exit.UNREACHABLE,
    NotOffered: Exit.UNSUPPORTED,
    BadInput: Exit.CALLED_WRONGLY,
    NotFinished: Exit.FAILED,
}


def status_of(error: Exception) -> Exit:
    """The status of a failure."""
    if isinstance(error, Ended):
        return error.status
    return next((status for cls, status in STATUSES.items() if isinstance(error, cls)), Exit.FAILED)


def told(error: Exception) -> str:
    """A failure in words."""
    if isinstance(error, VapiError):
        words = printable(str(error)) or "the server gives no reason"
        return f"{words.rstrip('.')} ({error.error_type})"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return printable(str(error))
