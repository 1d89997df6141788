"""What goes wrong between a client and a server.

What a server itself refuses comes as the errors of :mod:`resphere.contract.errors`, whoever the server is:
``NotFound``, ``Unauthorized`` and so on, all of them :class:`~resphere.contract.errors.VapiError`. What is here is of
the client and of the way between the two::

    ClientError
        BadInput            the call is not what the contract says; nothing was sent
        NoAnswer            the server did not answer
            Unreachable     nothing was sent: no such host, nobody listens, no connection in time
            UntrustedServer nothing was sent: its certificate does not fit
            ConnectionLost  the call was sent, at least in part: it may have been done, or not
            TooSlow         the same: it was sent, and no answer came in time
        UnexpectedReply     what answered does not speak vSphere's API, such as a proxy
        NotFinished         a task is not over in the time that one wanted to wait
        NotOffered          the server cannot do this for the client, such as filter a list

Each says in a sentence what was wrong, with the address of the server and without a secret.
"""

from __future__ import annotations

from resphere.contract.errors import VapiError


class ClientError(Exception):
    """Base of what is here."""


class BadInput(ClientError, ValueError):
    """The call is not what the contract says, or what the client was made with is no use; nothing was sent."""


class NoAnswer(ClientError, ConnectionError):
    """The server did not answer. ``nothing_sent``: the call has certainly not been done."""

    nothing_sent = False


class Unreachable(NoAnswer):
    """There is no connection to the server."""

    nothing_sent = True


class UntrustedServer(NoAnswer):
    """The server's certificate is not one to trust."""

    nothing_sent = True


class ConnectionLost(NoAnswer):
    """The connection broke before the answer was there."""


class TooSlow(NoAnswer, TimeoutError):
    """The answer was not there in time."""


class UnexpectedReply(ClientError):
    """What answered does not speak vSphere's API; ``status`` is that of HTTP."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class NotFinished(ClientError, TimeoutError):
    """A task is not over in the time that one wanted to wait; it goes on."""


class NotOffered(ClientError):
    """The server cannot do this for the client."""


def error_with(error_type: str) -> type[VapiError]:
    """A class for errors of a type that the contract does not know: other releases have others."""
    name = "".join(word.capitalize() for word in error_type.split("_") if word.isidentifier())
    return type(name or "OtherError", (VapiError,), {"error_type": error_type})
