"""Who calls: asked of one method after the other, by what the request shows of its caller.

A :class:`Method` knows one kind of credentials. Which are asked is a matter of the operation: what opens a session
takes a name with a password and whatever else proves an identity, all other operations take a session.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from resphere.access.principal import Principal
from resphere.auth.credentials import Credentials
from resphere.auth.sessions import Session
from resphere.contract.errors import Unauthenticated, message

AUTHENTICATION_FAILED = "vapi.security.authentication.invalid"
AUTHENTICATION_REQUIRED = "com.vmware.vapi.endpoint.method.authentication.required"


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Somebody who was let in: by which ``method``, and in which ``session``, where there is one."""

    principal: Principal
    method: str
    session: Session | None = None


class Method(Protocol):
    """One way to show who calls, for instance :class:`~resphere.auth.by_password.ByPassword`::

    class ByPassword:
        name = "password"

        async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
            if credentials.user is None or credentials.password is None:
                return None
            ...
    """

    @property
    def name(self) -> str:
        """As the audit trail shows it."""

    async def identify(self, credentials: Credentials, moment: datetime) -> Identity | None:
        """Who calls; ``None`` where the credentials hold nothing of this kind, so that the next method is asked.

        :raises Unauthenticated: they do, and it is not good. It tells the caller nothing more than that. What it is
            raised from says why, in the audit trail alone (``raise failed() from BadToken("expired")``).
        """


class Authentication(msgspec.Struct, frozen=True):
    """The methods of a server, in the order in which they are asked."""

    at_login: tuple[Method, ...]
    """Of operations that open a session."""
    at_calls: tuple[Method, ...]
    """Of all others."""

    async def identify(self, credentials: Credentials, moment: datetime, *, login: bool) -> Identity:
        """Who calls.

        :raises Unauthenticated: nothing lets the caller in.
        """
        for method in self.at_login if login else self.at_calls:
            identity = await method.identify(credentials, moment)
            if identity is not None:
                return identity
        if credentials.unaccepted is not None:
            raise not_accepted(credentials.unaccepted)
        raise required()


def required() -> Unauthenticated:
    """The refusal of callers who show nothing, or a session that is none."""
    return Unauthenticated(message(AUTHENTICATION_REQUIRED, "Authentication required."))


def failed() -> Unauthenticated:
    """The refusal of a name and password that do not belong together."""
    return Unauthenticated(
        message(AUTHENTICATION_FAILED, "Unable to authenticate user: the name or password is not correct.")
    )


def not_accepted(kind: str) -> Unauthenticated:
    """The refusal of credentials of a kind that cannot let anybody in, good or not."""
    return Unauthenticated(
        message(
            "resphere.authentication.kind_not_accepted",
            "This server does not accept credentials of the kind {0} yet: log in with a user name and a password.",
            kind,
        )
    )
