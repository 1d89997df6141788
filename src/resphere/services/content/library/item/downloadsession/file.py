"""``com.vmware.content.library.item.downloadsession.file``: the files of a download session, and their addresses."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from resphere.access.refusals import no_privileges
from resphere.contract.errors import InvalidArgument, ResourceInaccessible, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import TransferEndpoint
from resphere.contract.generated.content_library_item_downloadsession import File
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.sessions import DownloadSession, EndpointType, UpdateSession, download_token
from resphere.libraries.on_demand import ask_for, require_coming
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.checks.content_items import checksum_of, storage_uris
from resphere.services.checks.content_sessions import endpoint, require_now, require_session
from resphere.services.content.library.item.download_session import READ_STORAGE
from resphere.services.registry import implements

SessionId = ids.ContentLibraryItemDownloadSessionId
Status = File.PrepareStatus


@implements(File.list)
async def list_files(call: Call, download_session_id: SessionId) -> tuple[File.Info, ...]:
    """The files that the item had when the session began."""
    session = require_session(call, DownloadSession, download_session_id)
    return tuple(info(call, session, name) for name in sorted(names_of(session)))


@implements(File.get)
async def get(call: Call, download_session_id: SessionId, file_name: str) -> File.Info:
    """One of them.

    :raises InvalidArgument: there is none of that name.
    """
    session = require_session(call, DownloadSession, download_session_id)
    require_file(session, file_name)
    return info(call, session, file_name)


@implements(File.prepare)
async def prepare(
    call: Call, download_session_id: SessionId, file_name: str, endpoint_type: EndpointType | None
) -> File.Info:
    """Have a file be at an address: it is when this answers, unless the file has to come from the publisher of the
    library, with the other files of its item. ``DIRECT``: where it lies on the storage.

    :raises InvalidArgument: there is none of that name.
    :raises Unauthorized: who has begun the session must not know where files lie.
    """
    wanted = endpoint_type or EndpointType.HTTPS
    session = require_session(call, DownloadSession, download_session_id)
    require_file(session, file_name)
    if wanted is EndpointType.DIRECT and not session.reads_storage:
        raise no_privileges(READ_STORAGE, None, call.vcenter)

    def plan(edit: Edit) -> DownloadSession:
        current = require_now(call, edit, DownloadSession, download_session_id)
        require_file(current, file_name)
        if file_name in current.absent:
            current = having_come(call, edit, current)
        new = msgspec.structs.replace(
            current,
            prepared={**current.prepared, file_name: wanted},
            expires=call.environment.library_files.until(),
        )
        edit.put(new)
        return new

    prepared = await call.unfiltered.change(plan)
    return info(call, prepared, file_name)


def having_come(call: Call, edit: Edit, session: DownloadSession) -> DownloadSession:
    """The session with what came since it began; what has not is asked for."""
    item = require(edit, LibraryItem, session.item)
    if item.is_cached:
        # Its bytes are there as long as it has them.
        edit.rely_on(item)
        return session.with_item(item)
    # Why nothing comes of a library that takes nothing now is told with the file.
    with suppress(ResourceInaccessible):
        ask_for(edit, call.environment.library_sync, item.id)
    return session


def names_of(session: DownloadSession) -> tuple[str, ...]:
    """The names of its files."""
    return (*(file.name for file in session.files), *session.absent)


def require_file(session: DownloadSession, name: str) -> None:
    """Refuse a name that no file of the session has.

    :raises InvalidArgument: none has.
    """
    if name not in names_of(session):
        raise InvalidArgument(
            message("resphere.content.no_file", "file_name: there is no file {0} in the library item.", name)
        )


def info(call: Call, session: DownloadSession, name: str) -> File.Info:
    """A file as operations show it."""
    file, kind = session.file(name), session.prepared.get(name)
    if file is None:
        return coming(call, session, name, is_asked=kind is not None)
    if kind is None:
        return File.Info(name=file.name, size=file.size_bytes, bytes_transferred=0, status=Status.UNPREPARED)
    return File.Info(
        name=file.name,
        size=file.size_bytes,
        bytes_transferred=file.size_bytes,
        status=Status.PREPARED,
        download_endpoint=address(call, session, file, kind),
        checksum_info=checksum_of(file),
    )


def coming(call: Call, session: DownloadSession, name: str, *, is_asked: bool) -> File.Info:
    """A file that is not here: how far it is, or why it does not come."""
    status, transferred, error = Status.UNPREPARED, 0, None
    if is_asked:
        for update in call.unfiltered.by(UpdateSession, "item", session.item).values():
            file = update.file(name)
            transferred = 0 if file is None else file.transferred_bytes
        status = Status.PREPARING
        try:
            require_coming(call.unfiltered, session.item)
        except ResourceInaccessible as refusal:
            status, error = Status.ERROR, refusal.messages[0]
    size = session.absent.get(name, 0)
    return File.Info(name=name, size=size, bytes_transferred=transferred, status=status, error_message=error)


def address(call: Call, session: DownloadSession, file: LibraryFile, kind: EndpointType) -> TransferEndpoint | None:
    """Where a file is to be had; nowhere directly where its datastore is no more."""
    if kind is EndpointType.HTTPS:
        return endpoint(call, download_token(session, file.name), file.name)
    item = require(call.inventory, LibraryItem, session.item)
    uris = storage_uris(call, require(call.inventory, Library, item.library), item, file)
    return TransferEndpoint(uri=uris[0]) if uris else None
