"""Who calls: asked of one method after the other, by what the request shows of its caller.

A :class:`Method` knows one kind of credentials. Which are asked is a matter of the operation: what opens a session
takes a name with a password and whatever else proves an identity, all other operations take a session.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from resphere.access.principal import Principal
from resphere.auth.credentials import BadProof, Credentials
from resphere.auth.replays import Once, Replays
from resphere.auth.sessions import Session
from resphere.auth.tokens import ApiToken
from resphere.contract.errors import Unauthenticated, message

AUTHENTICATION_FAILED = "vapi.security.authentication.invalid"
AUTHENTICATION_REQUIRED = "com.vmware.vapi.endpoint.method.authentication.required"


class Identity(msgspec.Struct, frozen=True, gc=False):
    """Somebody who was let in: by which ``method``, and in which ``session`` or by which API ``token``, where there is
    one. ``must_change``: the password must be changed before anything else. ``once`` is the token of an issuer that has
    let the caller in, for servers at which it opens no second session.
    """

    principal: Principal
    method: str
    session: Session | None = None
    token: ApiToken | None = None
    must_change: bool = False
    once: Once | None = None


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


def as_told(principal: Principal) -> Principal:
    """The principal with no other groups than a method tells of."""
    return principal


class Authentication(msgspec.Struct, frozen=True):
    """The methods of a server, in the order in which they are asked."""

    at_login: tuple[Method, ...]
    """Of operations that open a session."""
    at_calls: tuple[Method, ...]
    """Of all others."""
    joined: Callable[[Principal], Principal] = as_told
    """Gives principals of other identity sources the local groups that they are in."""
    single_use: Replays | None = None
    """Remembers the tokens that have opened a session, where none may open a second one."""

    async def identify(
        self, credentials: Credentials, moment: datetime, *, login: bool, changes_password: bool = False
    ) -> Identity:
        """Who calls; ``login``: an operation that takes what opens a session.

        :raises Unauthenticated: nothing lets the caller in, or the password must be changed, and the operation does
            something else.
        """
        for method in self.at_login if login else self.at_calls:
            identity = await method.identify(credentials, moment)
            if identity is None:
                continue
            if identity.must_change and not changes_password:
                raise change_first()
            if login and self.single_use is not None and identity.once is not None:
                await self._use(self.single_use, identity.once)
            if identity.principal.source is None:
                return identity
            return msgspec.structs.replace(identity, principal=self.joined(identity.principal))
        if credentials.unaccepted is not None:
            raise not_accepted(credentials.unaccepted)
        raise required()

    async def _use(self, single_use: Replays, once: Once) -> None:
        try:
            await single_use.take(once)
        except BadProof as error:
            raise required() from error

    async def lets_in(self, credentials: Credentials, moment: datetime) -> bool:
        """Whether they would let somebody in who calls, and opens no session."""
        try:
            await self.identify(credentials, moment, login=False)
        except Unauthenticated:
            return False
        return True


def required() -> Unauthenticated:
    """The refusal of callers who show nothing, or a session that is none."""
    return Unauthenticated(message(AUTHENTICATION_REQUIRED, "Authentication required."))


def change_first() -> Unauthenticated:
    """The refusal of a good password that must be changed before anything else."""
    return Unauthenticated(
        message(
            "resphere.password.change_first",
            "The password must be changed before the next login: POST /api/resphere/password with the present one in "
            "the Authorization header, and the new one in the body.",
        ),
        proven=True,
    )


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
