"""From where the server fetches files into an update session, and which of that is good."""

from __future__ import annotations

import msgspec

from resphere.access.refusals import no_privileges
from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, UnableToAllocateResource, message
from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.content_library_item import TransferEndpoint, TransferStatus
from resphere.contract.generated.content_library_item_updatesession import File
from resphere.fetching.errors import FetchError
from resphere.fetching.trust import Trust, read_pins
from resphere.inventory.content.items import LibraryFile, LibraryItem, stored_name
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.sessions import PullSource, PushedFile, UpdateSession
from resphere.libraries.places import file_at, on_datastore
from resphere.libraries.refusals import no_file_there, other_checksum, other_size
from resphere.replica.edit import Edit
from resphere.rules.admission import admit
from resphere.services.call import Call
from resphere.services.checks.content import require
from resphere.services.content.library.item.download_session import READ_STORAGE
from resphere.store.base import ContentMissing

MOST_CERTIFICATES_CHARACTERS = 64 * 1024
"""Of those of a session together, which is written anew while its files come."""


class Origin(msgspec.Struct, frozen=True):
    """From where a file is fetched: an address, or, of a library on a datastore, the ``file`` of ``item`` there."""

    uri: str
    thumbprint: str | None = None
    certificate: str | None = None
    item: ids.ContentLibraryItemId | None = None
    file: LibraryFile | None = None


async def origin_of(call: Call, spec: File.AddSpec) -> Origin | None:
    """From where the file is to be fetched, ``None``: it is sent.

    :raises InvalidArgument: from where nothing is fetched, or it is to come in another way.
    :raises Unauthorized: from a datastore, and the caller may not know where files of libraries lie.
    """
    if spec.source_type is File.SourceType.PUSH:
        return None
    given = spec.source_endpoint
    if spec.source_type is not File.SourceType.PULL or given is None:
        raise InvalidArgument(
            message(
                "resphere.content.source_type",
                "source_type: must be {0}, or {1} with a source_endpoint.",
                File.SourceType.PUSH,
                File.SourceType.PULL,
            )
        )
    if on_datastore(given.uri):
        return origin_there(call, given.uri)
    origin = Origin(given.uri, given.ssl_certificate_thumbprint or None, given.ssl_certificate or None)
    try:
        call.environment.fetcher.require_allowed(origin.uri)
        read_pins(Trust(thumbprint=origin.thumbprint, certificate=origin.certificate))
    except FetchError as error:
        raise InvalidArgument(error.message) from None
    return origin


def origin_there(call: Call, uri: str) -> Origin:
    """The file of a library that lies there.

    :raises InvalidArgument: there is none.
    :raises Unauthorized: the caller may not know where they lie.
    """
    if not call.view.holds(READ_STORAGE, None):
        raise no_privileges(READ_STORAGE, None, call.vcenter)
    found = file_at(call.inventory, uri)
    if found is None:
        raise InvalidArgument(no_file_there())
    item, file = found
    return Origin(uri, item=item.id, file=file)


async def require_same(
    call: Call,
    file: LibraryFile,
    size: int | None,
    algorithm: ItemFile.ChecksumAlgorithm | None,
    checksum: str | None,
) -> None:
    """Refuse a file that is not what was announced.

    :raises InvalidArgument: it has another size or checksum, or is no more.
    """
    if size not in (None, file.size_bytes):
        raise other_size(file.size_bytes, size or 0)
    if algorithm is None or checksum is None:
        return
    try:
        found = await call.environment.library_files.digest(file, algorithm)
    except ContentMissing:
        raise InvalidArgument(no_file_there()) from None
    if found != checksum:
        raise other_checksum(algorithm, found, checksum)


def with_pulled(call: Call, edit: Edit, session: UpdateSession, file: PushedFile, origin: Origin) -> UpdateSession:
    """The session with a file that is fetched from now on, by this worker, or that is there already.

    :raises InvalidArgument: the file on the datastore is no more, or the session has too much of certificates.
    :raises NotAllowedInCurrentState: there is no room for it.
    """
    files = call.environment.library_files
    source = PullSource(
        number=file.number, uri=origin.uri, thumbprint=origin.thumbprint, certificate=origin.certificate
    )
    begun = msgspec.structs.replace(file, sender=files.new_sender(), pulls=1)
    item = require(edit, LibraryItem, session.item)
    # Files of packages are looked into as they come.
    if origin.file is not None and not item.is_package:
        begun = shared(call, edit, file, origin)
        library = require(edit, Library, item.library)
        before = session.file(file.name)
        more = begun.taken_bytes - (0 if before is None else before.taken_bytes)
        if library.datastore is not None and more > 0:
            try:
                admit(call.unfiltered, edit, {library.datastore: more})
            except UnableToAllocateResource as error:
                raise NotAllowedInCurrentState(*error.messages) from error
    new = session.with_file(begun).with_source(source)
    if sum(len(each.certificate or "") for each in new.sources) > MOST_CERTIFICATES_CHARACTERS:
        raise InvalidArgument(
            message(
                "resphere.content.long_certificate",
                "source_endpoint.ssl_certificate: those of a session have at most {0} characters together.",
                MOST_CERTIFICATES_CHARACTERS,
            )
        )
    return new


def shared(call: Call, edit: Edit, file: PushedFile, origin: Origin) -> PushedFile:
    """The file as one that has come: both have its bytes.

    :raises InvalidArgument: it is no more.
    """
    item = None if origin.item is None else edit.get(LibraryItem, origin.item)
    if item is None or origin.file is None or origin.file not in item.files:
        raise InvalidArgument(no_file_there())
    # Its bytes are there as long as it has them.
    edit.rely_on(item)
    size = origin.file.size_bytes
    copied = stored_name(file.name, call.new_uuid())
    return msgspec.structs.replace(
        file,
        pulls=1,
        status=TransferStatus.READY,
        taken_bytes=size,
        transferred_bytes=size,
        received=msgspec.structs.replace(origin.file, name=file.name, stored_name=copied, version=1),
    )


def source_endpoint(source: PullSource) -> TransferEndpoint:
    """From where a file is fetched, as operations show it."""
    return TransferEndpoint(
        uri=source.uri, ssl_certificate_thumbprint=source.thumbprint, ssl_certificate=source.certificate
    )
