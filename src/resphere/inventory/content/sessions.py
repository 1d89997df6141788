"""Sessions in which the files of items are changed, and read.

Bytes go to addresses and come from them, which whoever has one may use. An address is made of the session's secret, and
of nothing else that anybody could know: nothing has to be kept of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Container, Iterator
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urljoin
from uuid import UUID

import msgspec

from resphere.contract.generated import ids
from resphere.contract.generated.content_library_item import DownloadSessionModel, TransferStatus, UpdateSessionModel
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.content_library_item_downloadsession import File as DownloadContract
from resphere.contract.generated.content_library_item_updatesession import WarningBehavior
from resphere.contract.model import LocalizableMessage
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.packages import PackageSignature
from resphere.inventory.contents import CONTENT
from resphere.inventory.token_digests import token_digest
from resphere.ovf.manifest import ManifestEntry
from resphere.replica.table import OnDelete, Reference, Table

UpdateState = UpdateSessionModel.State
DownloadState = DownloadSessionModel.State
EndpointType = DownloadContract.EndpointType


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Who receives the bytes of a file: the worker of that name, in its transfer of that number."""

    worker: str
    transfer: str


class PullSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """From where the server fetches the file of that ``number``, and what its client says of who answers there."""

    number: int
    uri: str
    thumbprint: str | None = None
    certificate: str | None = None


class PushedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A file that a client sends, or the server fetches, or that has come: ``received`` then.

    ``size_bytes``, ``algorithm`` and ``checksum`` are what the client has said of it. ``number`` tells its address from
    those of others. ``taken_bytes`` is the room that it has on the storage, ``transferred_bytes`` what came so far.

    Of packages: ``awaited`` is a file that nobody has announced but the descriptor, ``archive`` the file that this one
    came in, ``is_opened`` an archive of which only its files are left, ``manifest`` what a manifest says.

    ``pulls`` counts the workers that have begun to fetch it, where no client sends it: then ``sender`` is there from
    the beginning. It comes from ``beside`` the file of that number, whose descriptor names it, or from a source of its
    own.
    """

    name: str
    number: int
    size_bytes: int | None = None
    algorithm: ItemFile.ChecksumAlgorithm | None = None
    checksum: str | None = None
    status: TransferStatus = TransferStatus.WAITING_FOR_TRANSFER
    taken_bytes: int = 0
    transferred_bytes: int = 0
    error: LocalizableMessage | None = None
    sender: Sender | None = None
    received: LibraryFile | None = None
    awaited: bool = False
    archive: str | None = None
    is_opened: bool = False
    manifest: tuple[ManifestEntry, ...] = ()

    pulls: int = 0
    beside: int | None = None

    @property
    def has_come(self) -> bool:
        """Whether all of it is there."""
        return self.is_opened or self.received is not None

    @property
    def is_pulled(self) -> bool:
        """Whether the server fetches it."""
        return self.pulls > 0

    @property
    def is_coming(self) -> bool:
        """Whether the server has yet to fetch it, or the rest of it."""
        return self.is_pulled and self.sender is not None


class UpdateSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A session that changes the files of ``item``; of its ``content_version`` when the session began.

    ``removed`` are the names of files that the item is not to have any more. ``next_number`` is that of the next file.
    It ends at ``expires``, unless something happens in it before. ``signature`` is that of the package that comes.
    ``sources`` are those of files that the server fetches, of others they mean nothing. ``completed_by`` has asked to
    complete it once the files have come that do.
    """

    kind: ClassVar[str] = "content_update_session"

    id: ids.ContentLibraryItemUpdateSessionId
    item: ids.ContentLibraryItemId
    user: str
    content_version: int
    secret: str
    expires: datetime
    state: UpdateState = UpdateState.ACTIVE
    progress: int = 0
    error: LocalizableMessage | None = None
    warning_behavior: tuple[WarningBehavior, ...] = ()
    files: tuple[PushedFile, ...] = ()
    removed: tuple[str, ...] = ()
    next_number: int = 1
    signature: PackageSignature | None = None
    sources: tuple[PullSource, ...] = ()
    completed_by: str | None = None
    client_token: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it can still change anything."""
        return self.state is UpdateState.ACTIVE

    @property
    def taken_bytes(self) -> int:
        """The room that it has on the storage of the library."""
        return sum(file.taken_bytes for file in self.files)

    @property
    def senders(self) -> tuple[Sender, ...]:
        """Who receives files at the moment."""
        return tuple([file.sender for file in self.files if file.sender is not None])

    def file(self, name: str) -> PushedFile | None:
        """The file of that name, if it is one that is changed."""
        return next((file for file in self.files if file.name == name), None)

    def source(self, file: PushedFile) -> PullSource | None:
        """From where the server fetches the file, ``None``: it does not."""
        number = file.number if file.beside is None else file.beside
        source = next((source for source in self.sources if source.number == number), None)
        if source is None or file.beside is None:
            return source
        return msgspec.structs.replace(source, number=file.number, uri=urljoin(source.uri, quote(file.name)))

    def with_source(self, source: PullSource) -> UpdateSession:
        """The session with it, and with the others of its files."""
        numbers = {file.number for file in self.files}
        kept = tuple([each for each in self.sources if each.number in numbers and each.number != source.number])
        return msgspec.structs.replace(self, sources=(*kept, source))

    def with_file(self, file: PushedFile) -> UpdateSession:
        """The session with ``file`` in the place of the one of its name, or at the end."""
        if self.file(file.name) is None:
            return msgspec.structs.replace(self, files=(*self.files, file))
        files = tuple([file if each.name == file.name else each for each in self.files])
        return msgspec.structs.replace(self, files=files)

    def ended(self, state: UpdateState, error: LocalizableMessage | None = None) -> UpdateSession:
        """The session when it is over, with nothing left of what it was to change."""
        return msgspec.structs.replace(
            self, state=state, error=error, files=(), removed=(), signature=None, sources=(), completed_by=None
        )

    def without_files(self, names: Container[str]) -> UpdateSession:
        """The session without those of the files."""
        return msgspec.structs.replace(self, files=tuple([file for file in self.files if file.name not in names]))


class DownloadSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A session that reads the ``files`` of ``item`` as they were when it began, whatever becomes of them.

    ``absent`` are those that were not here then, with their sizes in bytes: they join the others when they come, which
    they do when one of them is to be prepared. ``prepared`` are those that may be fetched, by name. ``reads_storage``:
    its maker may know where they lie.
    """

    kind: ClassVar[str] = "content_download_session"

    id: ids.ContentLibraryItemDownloadSessionId
    item: ids.ContentLibraryItemId
    user: str
    content_version: int
    secret: str
    expires: datetime
    state: DownloadState = DownloadState.ACTIVE
    progress: int = 0
    error: LocalizableMessage | None = None
    files: tuple[LibraryFile, ...] = ()
    absent: dict[str, int] = {}
    prepared: dict[str, EndpointType] = {}
    reads_storage: bool = False
    client_token: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything can still be read by it."""
        return self.state is DownloadState.ACTIVE

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a file that is not here yet."""
        return any(name in self.absent for name in self.prepared)

    def file(self, name: str) -> LibraryFile | None:
        """The file of that name."""
        return next((file for file in self.files if file.name == name), None)

    def with_item(self, item: LibraryItem) -> DownloadSession:
        """The session once the content of its item has come. Where that is a later one than it had when the session
        began, all files are of that: none goes with one of another content."""
        if item.content_version == self.content_version:
            files = (*self.files, *(file for file in item.files if file.name in self.absent))
        else:
            files = item.files
        return msgspec.structs.replace(self, files=files, absent={}, content_version=item.content_version)


AnySession = UpdateSession | DownloadSession


def address_token(session: AnySession, what: str) -> str:
    """What the address of a file has that nobody can know: a UUID, as vCenter's addresses have one."""
    made = hmac.digest(bytes.fromhex(session.secret), what.encode("utf-8", "surrogatepass"), "sha256")
    return str(UUID(bytes=made[:16], version=4))


def upload_token(session: UpdateSession, file: PushedFile) -> str:
    """That of the address to which ``file`` is sent."""
    return address_token(session, f"upload {file.number}")


def download_token(session: DownloadSession, name: str) -> str:
    """That of the address from which the file of that name is fetched."""
    return address_token(session, f"download {name}")


def _upload_addresses(session: UpdateSession) -> Iterator[str]:
    if session.is_active:
        for file in session.files:
            yield token_digest(upload_token(session, file))


def _download_addresses(session: DownloadSession) -> Iterator[str]:
    if session.is_active:
        for name in session.prepared:
            yield token_digest(download_token(session, name))


def token_keys(session: AnySession) -> tuple[str, ...]:
    """By which call it was made."""
    return () if session.client_token is None else (session.client_token,)


def _one_at_a_time(session: UpdateSession) -> tuple[str, ...]:
    return (f"content-update-session/{session.item}",) if session.is_active else ()


_OF_ITEM = Reference[Any](index="item", fields=("item",), to=(LibraryItem,), on_delete=OnDelete.CASCADE)

UPDATE_SESSIONS = Table(
    cls=UpdateSession,
    indexes={
        "item": lambda session: (session.item,),
        "user": lambda session: (session.user,),
        "address": _upload_addresses,
        "client_token": token_keys,
        CONTENT: lambda session: tuple(file.received.content for file in session.files if file.received is not None),
    },
    belongs_to="item",
    refers_to=(_OF_ITEM,),
    claims=lambda session: (
        *_one_at_a_time(session),
        *(f"content-update-session-token/{token}" for token in token_keys(session)),
    ),
    # Addresses to fetch from may let in whoever knows them.
    sealed=("secret", "sources"),
)

DOWNLOAD_SESSIONS = Table(
    cls=DownloadSession,
    indexes={
        "item": lambda session: (session.item,),
        "user": lambda session: (session.user,),
        "address": _download_addresses,
        "client_token": token_keys,
        CONTENT: lambda session: tuple(file.content for file in session.files),
    },
    # What is read changes no answer that is kept, and takes no room.
    revises=False,
    belongs_to="item",
    refers_to=(_OF_ITEM,),
    claims=lambda session: tuple(f"content-download-session-token/{token}" for token in token_keys(session)),
    sealed=("secret",),
)
