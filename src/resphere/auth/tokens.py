"""API tokens: what programs show in place of a name and password, narrower than who has made them.

The store holds a digest of the token, never the token itself.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from resphere.access.principal import Scope
from resphere.auth.accesses import Accesses, Field
from resphere.auth.sessions import Session
from resphere.contract.errors import AlreadyExists, InvalidArgument, ServiceUnavailable, message
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Table

PREFIX = "rsp_"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_BYTES = 32
SECRET_CHARACTERS = 43
CHECKSUM_CHARACTERS = 6
CHARACTERS = len(PREFIX) + SECRET_CHARACTERS + CHECKSUM_CHARACTERS
LONGEST_NAME = 80
MOST_OF_OWNER = 100
USUAL_LIFETIME = timedelta(days=90)
SHOWN_AFTER = timedelta(days=7)
"""For so long an expired token can still be looked at."""
WRITE_AFTER = timedelta(minutes=1)


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """An API token of the account ``owner``; ``id`` is the digest of what the client holds. Times are aware, in UTC.

    ``privileges`` and ``objects`` are its scope: unset is all that the owner has.
    """

    kind: ClassVar[str] = "api_token"

    id: str
    name: str
    owner: str
    created_time: datetime
    expiration_time: datetime
    privileges: tuple[str, ...] | None = None
    objects: tuple[str, ...] | None = None
    last_used_time: datetime | None = None

    @property
    def handle(self) -> str:
        """What people call the token, who do not hold it."""
        return self.id[:16]

    @property
    def scope(self) -> Scope:
        """What of the owner's rights it has."""
        return Scope(
            None if self.privileges is None else frozenset(self.privileges),
            None if self.objects is None else frozenset(self.objects),
        )


API_TOKENS = Table(
    cls=ApiToken,
    indexes={"owner": lambda token: (token.owner,), "handle": lambda token: (token.handle,)},
    claims=lambda token: (f"api_token/{token.owner}/{token.name.casefold()}",),
    revises=False,
)

LAST_USE = Field(
    ApiToken,
    lambda token: token.last_used_time,
    lambda token, moment: msgspec.structs.replace(token, last_used_time=moment),
)


class NewToken(msgspec.Struct, frozen=True):
    """A token and what the client is to hold, which is told this once."""

    token: ApiToken
    secret: str


class Tokens:
    """Makes, finds and revokes API tokens."""

    def __init__(
        self,
        replica: Replica,
        longest: timedelta,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._replica = replica
        self._longest = longest
        self._now = now
        self._random_bytes = random_bytes
        self._accesses = Accesses(replica, LAST_USE, WRITE_AFTER)

    async def make(self, owner: str, name: str, scope: Scope, expiration_time: datetime | None) -> NewToken:
        """A token of the account ``owner``, durable.

        Without ``expiration_time`` it is good for 90 days, or for as long as tokens may be.

        :raises AlreadyExists: the owner has a token of that name.
        :raises InvalidArgument: it would be good for too long, or be expired.
        :raises ServiceUnavailable: the owner has too many.
        """
        now = self._now()
        if expiration_time is None:
            expiration_time = now + min(USUAL_LIFETIME, self._longest)
        elif not now < expiration_time <= now + self._longest:
            raise InvalidArgument(
                message(
                    "resphere.token.expiration_time",
                    "expiration_time: must lie ahead, by {0} days at most.",
                    self._longest.days,
                )
            )
        secret = written(self._random_bytes(SECRET_BYTES))
        token = ApiToken(
            id=digest(secret),
            name=name,
            owner=owner,
            created_time=now,
            expiration_time=expiration_time,
            privileges=None if scope.privileges is None else tuple(sorted(scope.privileges)),
            objects=None if scope.objects is None else tuple(sorted(scope.objects)),
        )

        def plan(edit: Edit) -> None:
            others = self._replica.by(ApiToken, "owner", owner).values()
            if any(other.name.casefold() == name.casefold() for other in others):
                raise AlreadyExists(message("resphere.token.name_taken", "There is a token {0} already.", name))
            if len(others) >= MOST_OF_OWNER:
                raise ServiceUnavailable(
                    message(
                        "resphere.token.too_many",
                        "There are {0} tokens of {1} already, as many as one user may have.",
                        len(others),
                        owner,
                    )
                )
            edit.put(token)

        await self._replica.change(plan)
        return NewToken(token, secret)

    def find(self, secret: str, now: datetime) -> ApiToken | None:
        """The token that ``secret`` is, expired or not; counts as a use at that moment where it is not."""
        token = self._replica.get(ApiToken, digest(secret)) if is_written_right(secret) else None
        if token is not None and self.is_good(token, now):
            self._accesses.note(token, now)
        return token

    def get(self, id: str) -> ApiToken | None:
        """The token of that id."""
        return self._replica.get(ApiToken, id)

    def is_good(self, token: ApiToken, now: datetime) -> bool:
        """Whether the token is not expired. One made ahead of the clock, which went back since, may be."""
        return token.created_time - now < self._longest and now < token.expiration_time

    def of_owner(self, owner: str) -> list[ApiToken]:
        """The tokens of an account."""
        return list(self._replica.by(ApiToken, "owner", owner).values())

    def all(self) -> list[ApiToken]:
        """The tokens of everybody."""
        return list(self._replica.all(ApiToken).values())

    def by_handle(self, handle: str) -> ApiToken | None:
        """The token that people call so."""
        return next(iter(self._replica.by(ApiToken, "handle", handle).values()), None)

    def last_used(self, token: ApiToken) -> datetime | None:
        """The latest use that this worker knows of."""
        return self._accesses.last(token)

    async def revoke(self, *tokens: ApiToken) -> None:
        """End tokens at once, for every worker, and the sessions that they have opened."""

        def plan(edit: Edit) -> None:
            for token in tokens:
                remove(edit, self._replica, token.id)

        await self._replica.change(plan)
        self._accesses.forget(token.id for token in tokens)

    async def sweep(self) -> int:
        """Delete what is expired for long; returns how many."""
        now = self._now()
        gone = [each for each in self.all() if now - each.expiration_time >= SHOWN_AFTER]
        if gone:
            await self.revoke(*gone)
        self._accesses.forget_missing()
        return len(gone)

    async def finish(self) -> None:
        """Wait for what is being written."""
        await self._accesses.finish()


def remove(edit: Edit, replica: Replica, id: str) -> None:
    """Remove a token and the sessions that it has opened, as part of a change."""
    if edit.get(ApiToken, id) is not None:
        edit.delete(ApiToken, id)
    for session in list(replica.by(Session, "token", id)):
        if edit.get(Session, session) is not None:
            edit.delete(Session, session)


def written(secret: bytes) -> str:
    """A token as the client holds it: a prefix and a checksum, by which scanners for secrets know it."""
    body = in_base_62(int.from_bytes(secret, "big"), SECRET_CHARACTERS)
    return f"{PREFIX}{body}{checksum(body)}"


def is_written_right(text: str) -> bool:
    """Whether ``text`` may be a token at all, by its form and checksum."""
    if len(text) != CHARACTERS or not text.startswith(PREFIX) or not text.isascii():
        return False
    body = text[len(PREFIX) : -CHECKSUM_CHARACTERS]
    return text[-CHECKSUM_CHARACTERS:] == checksum(body)


def checksum(body: str) -> str:
    """The CRC-32 of a token's body."""
    return in_base_62(zlib.crc32(body.encode("ascii")), CHECKSUM_CHARACTERS)


def in_base_62(number: int, length: int) -> str:
    """A number in so many digits."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(DIGITS))
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))


def digest(secret: str) -> str:
    """What the store keeps of a token."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
