"""``com.vmware.content.library.item.downloadsession.file``: the files of a download session, and their addresses."""

from __future__ import annotations

import msgspec

from resphere.access.refusals import no_privileges
from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import TransferEndpoint
from resphere.contract.generated.content_library_item_downloadsession import File
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.sessions import DownloadSession, EndpointType, download_token
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
    return tuple(info(call, session, file) for file in session.files)


@implements(File.get)
async def get(call: Call, download_session_id: SessionId, file_name: str) -> File.Info:
    """One of them.

    :raises InvalidArgument: there is none of that name.
    """
    session = require_session(call, DownloadSession, download_session_id)
    return info(call, session, require_file(session, file_name))


@implements(File.prepare)
async def prepare(
    call: Call, download_session_id: SessionId, file_name: str, endpoint_type: EndpointType | None
) -> File.Info:
    """Have a file be at an address: it is when this answers. ``DIRECT``: where it lies on the storage.

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
        new = msgspec.structs.replace(
            current,
            prepared={**current.prepared, file_name: wanted},
            expires=call.environment.library_files.until(),
        )
        edit.put(new)
        return new

    prepared = await call.unfiltered.change(plan)
    return info(call, prepared, require_file(prepared, file_name))


def require_file(session: DownloadSession, name: str) -> LibraryFile:
    """The session's file of that name.

    :raises InvalidArgument: there is none.
    """
    file = session.file(name)
    if file is None:
        raise InvalidArgument(
            message("resphere.content.no_file", "file_name: there is no file {0} in the library item.", name)
        )
    return file


def info(call: Call, session: DownloadSession, file: LibraryFile) -> File.Info:
    """A file as operations show it."""
    kind = session.prepared.get(file.name)
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


def address(call: Call, session: DownloadSession, file: LibraryFile, kind: EndpointType) -> TransferEndpoint | None:
    """Where a file is to be had; nowhere directly where its datastore is no more."""
    if kind is EndpointType.HTTPS:
        return endpoint(call, download_token(session, file.name), file.name)
    item = require(call.inventory, LibraryItem, session.item)
    uris = storage_uris(call, require(call.inventory, Library, item.library), item, file)
    return TransferEndpoint(uri=uris[0]) if uris else None
