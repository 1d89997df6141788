"""``com.vmware.content.library.item.download_session``: sessions in which the files of an item are read."""

from __future__ import annotations

import msgspec

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import DownloadSession as Contract
from resphere.contract.generated.content_library_item import DownloadSessionModel
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.sessions import DownloadSession, DownloadState
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks import content_sessions
from resphere.services.checks.content import call_key, made_before, require, require_given
from resphere.services.checks.content_sessions import (
    change_session,
    new_secret,
    new_session_id,
    own_sessions,
    require_few,
    require_now,
    require_session,
    said_by_client,
)
from resphere.services.registry import implements

SessionId = ids.ContentLibraryItemDownloadSessionId
READ_STORAGE = "ContentLibrary.ReadStorage"


@implements(Contract.create)
async def create(call: Call, client_token: str | None, create_spec: DownloadSessionModel) -> SessionId:
    """Begin a session on an item; the same call once more answers the same.

    Whatever becomes of the item, its files can be read as they are now.

    :raises InvalidArgument: no item is named, the token is none, or the caller has very many sessions.
    :raises NotFound: there is no such item.
    """
    key = call_key(call, client_token)
    item_id = require_given("library_item_id", create_spec.library_item_id)
    id, secret = SessionId(new_session_id(call)), new_secret(call)
    files = call.environment.library_files
    reads_storage = call.view.holds(READ_STORAGE, None)

    def plan(edit: Edit) -> SessionId:
        before = made_before(call.unfiltered, DownloadSession, key)
        if before is not None and not files.is_over(before):
            return before.id
        if before is not None:
            edit.delete(DownloadSession, before.id)
        item = require(edit, LibraryItem, item_id)
        # Its bytes are there as long as it has them.
        edit.rely_on(item)
        require_few(call, edit, DownloadSession, InvalidArgument)
        edit.put(
            DownloadSession(
                id=id,
                item=item.id,
                user=call.session.user,
                content_version=item.content_version,
                secret=secret,
                expires=files.until(),
                files=item.files,
                absent=item.absent,
                reads_storage=reads_storage,
                client_token=key,
            )
        )
        return id

    return await call.settle(plan)


@implements(Contract.list)
async def list_sessions(call: Call, library_item_id: SessionId | None) -> tuple[str, ...]:
    """The ids of the caller's own sessions, on an item or on any."""
    return own_sessions(call, DownloadSession, library_item_id)


@implements(Contract.get)
async def get(call: Call, download_session_id: SessionId) -> DownloadSessionModel:
    """One of them."""
    session = require_session(call, DownloadSession, download_session_id)
    return DownloadSessionModel(
        id=session.id,
        library_item_id=session.item,
        library_item_content_version=str(session.content_version),
        error_message=session.error,
        client_progress=session.progress,
        state=session.state,
        expiration_time=session.expires,
    )


@implements(Contract.keep_alive)
async def keep_alive(call: Call, download_session_id: SessionId, progress: int | None) -> None:
    """Have the session go on, and say how far the client is: in percent, which only grows.

    :raises InvalidArgument: that is no percentage.
    """
    await content_sessions.keep_alive(call, DownloadSession, download_session_id, progress)


@implements(Contract.cancel)
async def cancel(call: Call, download_session_id: SessionId) -> None:
    """End the session: its addresses are good no more."""
    await change_session(
        call,
        DownloadSession,
        download_session_id,
        "cancel",
        lambda session: msgspec.structs.replace(
            session, state=DownloadState.CANCELED, files=(), absent={}, prepared={}
        ),
    )


@implements(Contract.fail)
async def fail(call: Call, download_session_id: SessionId, client_error_message: str) -> None:
    """End the session as failed, in the client's own words.

    :raises InvalidArgument: they are too many.
    """
    error = said_by_client(client_error_message)
    await change_session(
        call,
        DownloadSession,
        download_session_id,
        "fail",
        lambda session: msgspec.structs.replace(
            session, state=DownloadState.ERROR, error=error, files=(), absent={}, prepared={}
        ),
    )


@implements(Contract.delete)
async def delete(call: Call, download_session_id: SessionId) -> None:
    """Forget the session, in whatever state it is."""
    require_session(call, DownloadSession, download_session_id)
    await call.settle(
        lambda edit: edit.delete(DownloadSession, require_now(call, edit, DownloadSession, download_session_id).id)
    )
