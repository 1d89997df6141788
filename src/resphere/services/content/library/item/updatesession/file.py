"""``com.vmware.content.library.item.updatesession.file``: the files of an item as an update session makes them."""

from __future__ import annotations

import re

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids
from resphere.contract.generated.content import SubscribedLibrary
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.content_library_item import TransferEndpoint, TransferStatus
from resphere.contract.generated.content_library_item_updatesession import File
from resphere.fetching.trust import thumbprint_of
from resphere.inventory.content.items import ALGORITHMS, LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.sessions import PushedFile, UpdateSession, upload_token
from resphere.replica.edit import Edit
from resphere.rules.content_names import require_file_name
from resphere.rules.content_packages import (
    depending_on,
    is_kept,
    missing,
    require_few,
    require_in_order,
    staying,
)
from resphere.services.call import Call
from resphere.services.checks.content import require, require_changeable
from resphere.services.checks.content_items import checksum_of
from resphere.services.checks.content_libraries import STATES_SINCE
from resphere.services.checks.content_probes import look_at
from resphere.services.checks.content_pulls import origin_of, require_same, source_endpoint, with_pulled
from resphere.services.checks.content_sessions import (
    endpoint,
    require_active,
    require_now,
    require_open_for_changes,
    require_session,
)
from resphere.services.checks.content_subscriptions import pem_of
from resphere.services.content.subscribed_library import certificate_at
from resphere.services.registry import implements

SessionId = ids.ContentLibraryItemUpdateSessionId
SourceType = File.SourceType
LARGEST_BYTES = 2**44
DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}
"""How many hexadecimal digits a checksum has."""


@implements(File.add)
async def add(call: Call, update_session_id: SessionId, file_spec: File.AddSpec) -> File.Info:
    """Announce a file that is to be sent, or that is fetched from now on; one that was announced before begins anew.

    :raises InvalidArgument: name, size or checksum are none, or it is to come in another way, or from where nothing is
        fetched.
    :raises NotAllowedInCurrentState: the session is not active, or there are very many files, or there is no room, or
        it is a package whose descriptor was added before its manifest or certificate, or that has one already.
    :raises Unauthorized: it is to come from a datastore, and the caller may not know where files of libraries lie.
    """
    require_file_name(file_spec.name)
    require_size(file_spec.size)
    algorithm, checksum = announced_checksum(file_spec.checksum_info)
    require_session(call, UpdateSession, update_session_id)
    origin = await origin_of(call, file_spec)

    def plan(edit: Edit) -> UpdateSession:
        session = require_now(call, edit, UpdateSession, update_session_id)
        require_active(session, "add")
        require_open_for_changes(session)
        item = require(edit, LibraryItem, session.item)
        library = require(edit, Library, item.library)
        edit.rely_on(library)
        require_changeable(library)
        file = PushedFile(
            name=file_spec.name,
            number=session.next_number,
            size_bytes=file_spec.size,
            algorithm=algorithm,
            checksum=checksum,
        )
        if item.is_package:
            require_in_order(session, file.name)
        left = session.without_files(depending_on(session, file.name))
        new = left.with_file(file) if origin is None else with_pulled(call, edit, left, file, origin)
        require_few(item, new)
        new = msgspec.structs.replace(
            new,
            next_number=session.next_number + 1,
            removed=tuple(name for name in session.removed if name != file.name),
            expires=call.environment.library_files.until(),
        )
        edit.put(new)
        return new

    if origin is not None and origin.file is not None:
        await require_same(call, origin.file, file_spec.size, algorithm, checksum)
    session = await call.unfiltered.change(plan)
    return info(call, session, file_spec.name)


@implements(File.list)
async def list_files(call: Call, update_session_id: SessionId) -> tuple[File.Info, ...]:
    """The files that the item will have: those that are sent, and those that stay as they are."""
    session = require_session(call, UpdateSession, update_session_id)
    return tuple(info(call, session, name) for name in names_of(call, session))


@implements(File.get)
async def get(call: Call, update_session_id: SessionId, file_name: str) -> File.Info:
    """One of them.

    :raises InvalidArgument: there is none of that name.
    """
    session = require_session(call, UpdateSession, update_session_id)
    if file_name not in names_of(call, session):
        raise no_file(file_name)
    return info(call, session, file_name)


@implements(File.remove)
async def remove(call: Call, update_session_id: SessionId, file_name: str) -> None:
    """Have the item be without a file, or not get one.

    :raises InvalidArgument: there is none of that name.
    """
    require_session(call, UpdateSession, update_session_id)

    def plan(edit: Edit) -> None:
        session = require_now(call, edit, UpdateSession, update_session_id)
        item = require(edit, LibraryItem, session.item)
        present = item.file(file_name) is not None and file_name not in session.removed
        if not session.is_active or (session.file(file_name) is None and not present):
            raise no_file(file_name)
        edit.put(
            msgspec.structs.replace(
                session.without_files({file_name, *depending_on(session, file_name)}),
                removed=(*session.removed, file_name) if present else session.removed,
                # What was to be complete is another thing now.
                completed_by=None,
                expires=call.environment.library_files.until(),
            )
        )

    await call.settle(plan)


@implements(File.validate)
async def validate(call: Call, update_session_id: SessionId) -> File.ValidationResult:
    """Which files are not right yet, while the session is active, and which ones a package lacks.

    :raises NotAllowedInCurrentState: it is not.
    """
    session = require_session(call, UpdateSession, update_session_id)
    require_active(session, "validate")
    item = require(call.inventory, LibraryItem, session.item)
    invalid = tuple(
        File.ValidationError(name=file.name, error_message=file.error)
        for file in session.files
        if file.error is not None
    )
    coming = frozenset(file.name for file in session.files if not file.has_come and file.error is None)
    absent = coming | missing(item, session)
    return File.ValidationResult(has_errors=bool(invalid or absent), missing_files=absent, invalid_files=invalid)


def names_of(call: Call, session: UpdateSession) -> tuple[str, ...]:
    """The files that are sent, and those of the item that stay."""
    item = require(call.inventory, LibraryItem, session.item)
    coming = tuple([file.name for file in session.files])
    there = {*coming, *(file.name for file in staying(item, session))}
    return tuple(dict.fromkeys((*(file.name for file in item.files if file.name in there), *coming)))


def info(call: Call, session: UpdateSession, name: str) -> File.Info:
    """A file of the session as operations show it."""
    file = session.file(name)
    if file is None:
        present = require(call.inventory, LibraryItem, session.item).file(name)
        if present is None:
            raise no_file(name)
        return staying_info(present)
    source = session.source(file)
    return File.Info(
        name=file.name,
        source_type=SourceType.PUSH if source is None else SourceType.PULL,
        source_endpoint=None if source is None else source_endpoint(source),
        size=file.transferred_bytes if file.has_come else None,
        checksum_info=None if file.received is None else checksum_of(file.received),
        upload_endpoint=endpoint(call, upload_token(session, file), file.name) if source is None else None,
        bytes_transferred=file.transferred_bytes,
        status=file.status,
        error_message=file.error,
        keep_in_storage=is_kept(require(call.inventory, LibraryItem, session.item), name),
    )


def staying_info(file: LibraryFile) -> File.Info:
    """A file of the item that is not changed."""
    return File.Info(
        name=file.name,
        source_type=SourceType.NONE,
        size=file.size_bytes,
        checksum_info=checksum_of(file),
        bytes_transferred=file.size_bytes,
        status=TransferStatus.READY,
        keep_in_storage=True,
    )


def require_size(size: int | None) -> None:
    """Refuse a size that no file has.

    :raises InvalidArgument: it is none.
    """
    if size is not None and not 0 <= size <= LARGEST_BYTES:
        raise InvalidArgument(
            message("resphere.content.size", "size: must be from 0 to {0}, not {1}.", LARGEST_BYTES, size)
        )


def announced_checksum(
    given: ItemFile.ChecksumInfo | None,
) -> tuple[ItemFile.ChecksumAlgorithm | None, str | None]:
    """Algorithm and checksum that a client has announced, SHA-1 where it names none; an empty one is none.

    :raises InvalidArgument: it is no checksum of that algorithm.
    """
    if given is None or not given.checksum:
        return None, None
    algorithm = given.algorithm or ItemFile.ChecksumAlgorithm.SHA1
    checksum = given.checksum.strip().lower()
    digits = DIGITS[ALGORITHMS[algorithm]]
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", checksum):
        raise InvalidArgument(
            message(
                "resphere.content.checksum",
                "checksum_info: a checksum of {0} has {1} hexadecimal digits.",
                algorithm,
                digits,
            )
        )
    return algorithm, checksum


def no_file(name: str) -> InvalidArgument:
    """The refusal of a file that there is not."""
    return InvalidArgument(
        message("resphere.content.no_file", "file_name: there is no file {0} in the library item.", name)
    )


@implements(File.probe)
async def probe(call: Call, source_endpoint: TransferEndpoint) -> SubscribedLibrary.ProbeResult:
    """Whether a file could be fetched from there; what is wrong is part of the answer. No document of vCenter's has
    this: govc asks for it where it cannot reach the address itself."""
    status, messages = await look_at(call, source_endpoint)
    shown = await certificate_at(call, source_endpoint.uri)
    later = STATES_SINCE in call.environment.product.api_releases
    return SubscribedLibrary.ProbeResult(
        status=status,
        ssl_thumbprint=None if shown is None else thumbprint_of(shown),
        ssl_certificate=None if shown is None or not later else pem_of(shown),
        error_messages=messages,
    )
