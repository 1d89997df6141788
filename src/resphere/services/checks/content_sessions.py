"""What update and download sessions have in common: how they are found, refused, prolonged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, VapiError, message
from resphere.contract.extensions.content_transfers import PATH
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import TransferEndpoint
from resphere.contract.model import LocalizableMessage
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.checks.content import WORDS, is_gone, not_found, require

S = TypeVar("S", UpdateSession, DownloadSession)

SECRET_BYTES = 32
MOST_PROGRESS = 100
MOST_SESSIONS = 1000
"""Of each of both kinds, active, that a user may have at a time."""
LONGEST_ERROR = 2000


def new_session_id(call: Call) -> str:
    """An id as vCenter's sessions have it: two UUIDs."""
    return f"{call.new_uuid()}:{call.new_uuid()}"


def new_secret(call: Call) -> str:
    """What the addresses of a session are made of."""
    return call.environment.random_bytes(SECRET_BYTES).hex()


def require_session(call: Call, cls: type[S], id: str) -> S:
    """The session of that id: who knows it may use it, as long as it sees the item.

    :raises NotFound: there is none, or nothing has happened in it for too long.
    """
    return require_now(call, call.inventory, cls, id)


def require_now(call: Call, among: Lookup, cls: type[S], id: str) -> S:
    """The same as ``among`` shows it: inside of a change."""
    session = require(among, cls, id)
    if call.environment.library_files.is_over(session):
        raise not_found(cls, id)
    return session


def require_active(session: UpdateSession | DownloadSession, verb: str) -> None:
    """Refuse what can be done in an active session only.

    :raises NotAllowedInCurrentState: with the verb and the state as arguments, and what is said of a failure.
    """
    if not session.is_active:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.session_state",
                "The operation {0} is not allowed in a session whose state is {1}.",
                verb,
                session.state,
            ),
            *(() if session.error is None else (session.error,)),
        )


def require_open_for_changes(session: UpdateSession) -> None:
    """Refuse to change what a session does that is to be complete as it is.

    :raises NotAllowedInCurrentState: it is only waited for what it fetches.
    """
    if session.completed_by is not None:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.completing",
                "The session is to be complete once its files have been fetched: nothing else changes in it.",
            )
        )


async def change_session(call: Call, cls: type[S], id: str, verb: str, changed: Callable[[S], S]) -> None:
    """Have an active session be as ``changed`` makes it, and go on from now.

    :raises NotAllowedInCurrentState: it is not active.
    """
    require_session(call, cls, id)

    def plan(edit: Edit) -> None:
        session = require_now(call, edit, cls, id)
        require_active(session, verb)
        edit.put(msgspec.structs.replace(changed(session), expires=call.environment.library_files.until()))

    await call.unfiltered.change(plan)


async def keep_alive(call: Call, cls: type[S], id: str, progress: int | None) -> None:
    """Have an active session go on, and say how far the client is: in percent, which only grows.

    :raises InvalidArgument: that is no percentage.
    :raises NotAllowedInCurrentState: it is not active.
    """
    await change_session(
        call,
        cls,
        id,
        "keep_alive",
        lambda session: msgspec.structs.replace(session, progress=progressed(session.progress, progress)),
    )


def own_sessions(call: Call, cls: type[S], item: str | None) -> tuple[str, ...]:
    """The ids of the caller's own sessions, on an item or on any.

    :raises NotFound: there is no such item.
    """
    found = call.by(cls, "user", call.session.user)
    if item is not None:
        require(call.inventory, LibraryItem, item)
    files = call.environment.library_files
    return tuple(
        session.id
        for session in found.values()
        if item in (None, session.item) and not files.is_over(session) and not is_gone(call.inventory, session)
    )


def require_few(call: Call, edit: Edit, cls: type[S], refusal: type[VapiError]) -> None:
    """Refuse another session of a user who has very many: each is kept with the names of its files.

    :raises VapiError: ``refusal``, as the operation declares it.
    """
    held = call.unfiltered.by(cls, "user", call.session.user)
    files = call.environment.library_files
    count = len(held)
    if count >= MOST_SESSIONS:
        count = sum(session.is_active and not files.is_over(session) for session in held.values())
    if not edit.take(f"{cls.kind}/{call.session.user}", 1, MOST_SESSIONS - count):
        raise refusal(
            message(
                "resphere.content.sessions",
                "The limit of {0} active sessions of the kind {1} of the same user is reached: end some, or wait until "
                "they expire.",
                MOST_SESSIONS,
                WORDS[cls],
            )
        )


def progressed(present: int, given: int | None) -> int:
    """How far a client has come, which only grows.

    :raises InvalidArgument: that is no percentage.
    """
    if given is None:
        return present
    if not 0 <= given <= MOST_PROGRESS:
        raise InvalidArgument(
            message("resphere.content.progress", "progress: must be from 0 to {0}, not {1}.", MOST_PROGRESS, given)
        )
    return max(present, given)


def said_by_client(text: str) -> LocalizableMessage:
    """What a client says of its failure; govmomi says nothing.

    :raises InvalidArgument: that is too long.
    """
    if len(text) > LONGEST_ERROR:
        raise InvalidArgument(
            message(
                "resphere.content.client_error",
                "client_error_message: must not be longer than {0} characters.",
                LONGEST_ERROR,
            )
        )
    words = text or "The client has given no reason."
    return LocalizableMessage(id="resphere.content.failed_by_client", default_message=words, args=())


def endpoint(call: Call, token: str, name: str) -> TransferEndpoint:
    """The address of a file, where the caller has reached this server."""
    path = PATH.format(token=token, file_name=quote(name, safe=""))
    return TransferEndpoint(uri=f"{call.origin}{path}")


def version_id(version: int) -> ids.ContentLibraryItemVersionId:
    """A version as it is shown."""
    return ids.ContentLibraryItemVersionId(str(version))
