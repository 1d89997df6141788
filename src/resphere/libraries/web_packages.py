"""OVF packages at addresses of the web: their descriptors, then those of their files that are asked for.

async with packages.opened(source, user) as package:
    descriptor = await package.read()
    files = await package.fetch(wanted, tell)
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from datetime import datetime
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from resphere.contract.errors import UnableToAllocateResource, message
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.fetching.addresses import read_address
from resphere.fetching.errors import FetchError, Refused, Untrusted
from resphere.fetching.fetcher import Fetched, Fetcher, Wanted
from resphere.fetching.headers import Headers
from resphere.fetching.trust import AUTHORITIES, Trust
from resphere.inventory.content.items import LibraryFile
from resphere.inventory.content.packages import Part, part_of
from resphere.libraries.files import LibraryFiles
from resphere.libraries.packages import MOST_BYTES
from resphere.libraries.refusals import not_transferred
from resphere.ovf.archive import Archive, ArchiveLimits, Member
from resphere.ovf.archive import refused as archive_refused
from resphere.ovf.certificate import verify
from resphere.ovf.issues import BadPackage, Category, issue
from resphere.ovf.manifest import Algorithm, ManifestEntry, check, read_manifest
from resphere.ovf.model import File
from resphere.ovf.reading import Read, read, stored_names
from resphere.rules.content_packages import MOST_FILES

MOST_AT_ONCE = 8
"""So many packages a worker fetches at a time; others wait."""
MOST_OF_A_USER = 4
"""And of those so many for one user, so that nobody's hold up all others."""
MOST_WAITING = 200
"""So many wait at a worker."""
LOOKED_AT_BYTES = 512
"""By the first of an answer a descriptor and an archive are told apart."""
BEGINNINGS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe", b"\xfe\xff")
"""Of texts of XML, in the encodings that these have."""
PIECE_NUMBER = re.compile(r"\.[0-9]{9}")

Tell = Callable[[int, int | None], Awaitable[None]]
"""Hears how many bytes have come, of how many."""


class WebSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a package is; what is asked with, and who may answer, at the host of the address alone."""

    address: str
    headers: Headers = ()
    trust: Trust = AUTHORITIES


class Small(NamedTuple):
    """A file that is read as a whole."""

    name: str
    content: bytes


class Whereabouts(Protocol):
    """Where the files of a package are."""

    descriptor: Small
    manifest: Small | None
    certificate: Small | None
    size_bytes: int | None
    """How many bytes have to come, ``None`` where nobody knows."""

    def files(self, wanted: Sequence[File]) -> AsyncGenerator[tuple[str, AsyncIterator[bytes]], None]:
        """Those files one after the other, by name; manifest and certificate are there by the end."""


class WebPackages:
    """Opens packages: some at a time. A file has at most ``most_bytes``."""

    def __init__(self, fetcher: Fetcher, files: LibraryFiles, most_bytes: int) -> None:
        self._fetcher = fetcher
        self._files = files
        self._most_bytes = most_bytes
        self._running: Counter[str] = Counter()
        self.waiting = 0
        """So many wait for their turn."""
        self._ended = asyncio.Condition()

    @asynccontextmanager
    async def opened(self, source: WebSource, user: str) -> AsyncIterator[WebPackage]:
        """The package, within the block; what has come of it and is named by nothing goes in the end.

        :raises FetchError: it cannot be had.
        :raises BadPackage: it is none.
        :raises UnableToAllocateResource: too many wait for theirs.
        """
        async with self._turn(user), AsyncExitStack() as stack:
            answer = await stack.enter_async_context(self._fetcher.fetch(self._wanted(source)))
            stream = await stack.enter_async_context(aclosing(aiter(answer)))
            first = await _first_of(stream)
            content = await stack.enter_async_context(aclosing(_rejoined(first, stream)))
            name = unquote(urlsplit(source.address).path.rpartition("/")[2])
            package: Whereabouts
            if first.lstrip().startswith(BEGINNINGS):
                descriptor = Small(name or "descriptor.ovf", await _whole(name, Part.DESCRIPTOR, content))
                package = BesideIt(self._fetcher, source, self._most_bytes, descriptor)
            else:
                members = Archive(content, name or "package.ova", _limits(self._most_bytes)).members()
                package = await InArchive.read(await stack.enter_async_context(aclosing(members)), name, answer)
            opened = WebPackage(package, self._files)
            stack.push_async_callback(opened.give_up)
            yield opened

    def _wanted(self, source: WebSource) -> Wanted:
        return Wanted(source.address, self._most_bytes, source.trust, headers=source.headers)

    @asynccontextmanager
    async def _turn(self, user: str) -> AsyncIterator[None]:
        if self.waiting >= MOST_WAITING:
            raise UnableToAllocateResource(
                message("resphere.ovf.too_many", "Too many packages wait to be fetched; try again later.")
            )
        self.waiting += 1
        try:
            async with self._ended:
                await self._ended.wait_for(lambda: self._may_begin(user))
                self._running[user] += 1
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self._running[user] -= 1
            # Zeros are of no use, and of any number of users.
            self._running += Counter()
            async with self._ended:
                self._ended.notify_all()

    def _may_begin(self, user: str) -> bool:
        return self._running.total() < MOST_AT_ONCE and self._running[user] < MOST_OF_A_USER


class WebPackage:
    """A package while it comes."""

    def __init__(self, whereabouts: Whereabouts, files: LibraryFiles) -> None:
        self._whereabouts = whereabouts
        self._files = files
        self._come: list[LibraryFile] = []
        self._bytes = 0

    @property
    def name(self) -> str:
        """What its descriptor is called."""
        return self._whereabouts.descriptor.name

    async def read(self) -> Read:
        """What its descriptor says; large ones take a while, in a thread.

        :raises BadPackage: it is none.
        """
        name, content = self._whereabouts.descriptor
        elsewhere = isinstance(self._whereabouts, BesideIt)
        return await asyncio.to_thread(read, content, name, None, elsewhere=elsewhere)

    async def fetch(self, wanted: Sequence[File], tell: Tell) -> tuple[LibraryFile, ...]:
        """Have those of its files that are wanted come, durably.

        :raises FetchError: one cannot be had.
        :raises BadPackage: it is damaged.
        :raises UnableToAllocateResource: there is no room for them.
        """
        async with aclosing(self._whereabouts.files(wanted)) as files:
            async for name, pieces in files:
                with named(name):
                    async with aclosing(self._told(pieces, tell)) as counted:
                        self._come.append(await self._files.keep(name, counted))
        return tuple(self._come)

    async def _told(self, pieces: AsyncIterator[bytes], tell: Tell) -> AsyncGenerator[bytes, None]:
        async for piece in pieces:
            self._bytes += len(piece)
            await tell(self._bytes, self._whereabouts.size_bytes)
            yield piece

    async def require_intact(self, now: datetime, *, skip_manifest: bool, signed: bool) -> None:
        """Refuse a package of which what has come is not what its manifest says; ``signed``: or that nobody has signed.

        :raises BadPackage: it is such.
        """
        manifest, certificate = self._whereabouts.manifest, self._whereabouts.certificate
        if signed and (manifest is None or certificate is None):
            raise _unsigned(self.name)
        if manifest is not None and certificate is not None and (signed or not skip_manifest):
            # Who it is that has signed it, nobody has said anything about.
            await asyncio.to_thread(
                verify, certificate.content, certificate.name, manifest.content, manifest.name, (), now
            )
        if manifest is not None and not skip_manifest:
            await self._require_as(manifest)

    async def _require_as(self, manifest: Small) -> None:
        come = {file.name: file for file in self._come}
        entries = await asyncio.to_thread(read_manifest, manifest.content, manifest.name)
        digests: dict[tuple[str, Algorithm], str] = {}
        name, content = self._whereabouts.descriptor
        told: list[ManifestEntry] = []
        for entry in entries:
            if entry.file == name:
                made = await asyncio.to_thread(entry.algorithm.digest, content)
                digests[entry.file, entry.algorithm] = made.hexdigest()
            elif entry.file in come:
                algorithm = ItemFile.ChecksumAlgorithm(entry.algorithm.value)
                digests[entry.file, entry.algorithm] = await self._files.digest(come[entry.file], algorithm)
            else:
                # Nobody has asked for it.
                continue
            told.append(entry)
        check(told, lambda file, algorithm: digests[file, algorithm], manifest.name)

    async def give_up(self) -> None:
        """Let go of what nothing has come to name."""
        await self._files.give_up(self._come)


class BesideIt:
    """A descriptor with its files beside it, or where it says."""

    def __init__(self, fetcher: Fetcher, source: WebSource, most_bytes: int, descriptor: Small) -> None:
        self.descriptor = descriptor
        self.manifest: Small | None = None
        self.certificate: Small | None = None
        self.size_bytes: int | None = None
        self._fetcher = fetcher
        self._source = source
        self._address = read_address(source.address)
        self._most_bytes = most_bytes

    async def files(self, wanted: Sequence[File]) -> AsyncGenerator[tuple[str, AsyncIterator[bytes]], None]:
        """As the protocol says."""
        sizes = [file.size for file in wanted]
        self.size_bytes = sum(size or 0 for size in sizes) if None not in sizes else None
        self.manifest = await self._small(Part.MANIFEST)
        self.certificate = None if self.manifest is None else await self._small(Part.CERTIFICATE)
        for file in wanted:
            for number, name in enumerate(_names(file)):
                async with AsyncExitStack() as stack:
                    try:
                        with named(name):
                            answer = await stack.enter_async_context(self._fetcher.fetch(self._wanted(name)))
                    except Refused:
                        # Nobody has said how many pieces there are.
                        if number and file.size is None:
                            break
                        raise
                    yield name, await stack.enter_async_context(aclosing(aiter(answer)))

    async def _small(self, part: Part) -> Small | None:
        """The file that is called as the descriptor is, but for its end; ``None`` where there is none."""
        name = _called_as(self.descriptor.name, part)
        own = self._address.target.partition("?")[0].rpartition("/")[2]
        try:
            wanted = self._wanted(f"./{_called_as(own, part)}")
            async with self._fetcher.fetch(wanted) as answer, aclosing(aiter(answer)) as stream:
                return Small(name, await _whole(name, part, stream))
        except Refused:
            return None

    def _wanted(self, href: str) -> Wanted:
        """What is asked for at an address that the descriptor says."""
        address = self._address.hop(href)
        knows = (address.scheme, address.host, address.port)
        is_there = knows == (self._address.scheme, self._address.host, self._address.port)
        return Wanted(
            address.text,
            self._most_bytes,
            self._source.trust if address.host == self._address.host else AUTHORITIES,
            headers=self._source.headers if is_there else (),
        )


class InArchive:
    """The files of an archive, of which the descriptor is the first one."""

    def __init__(self, members: AsyncIterator[Member], descriptor: Small, size_bytes: int | None) -> None:
        self.descriptor = descriptor
        self.manifest: Small | None = None
        self.certificate: Small | None = None
        self.size_bytes = size_bytes
        self._members = members

    @classmethod
    async def read(cls, members: AsyncIterator[Member], name: str, answer: Fetched) -> InArchive:
        """The descriptor.

        :raises FetchError: it does not come to its end.
        :raises BadPackage: it is no archive, or the descriptor is not the first file of it.
        """
        first = await anext(members, None)
        if first is None or part_of(first.name) is not Part.DESCRIPTOR:
            raise archive_refused(name, "its first file is not the descriptor (.ovf)")
        content = await _whole(first.name, Part.DESCRIPTOR, first.pieces())
        return cls(members, Small(first.name, content), answer.size_bytes)

    async def files(self, wanted: Sequence[File]) -> AsyncGenerator[tuple[str, AsyncIterator[bytes]], None]:
        """As the protocol says."""
        async for member in self._members:
            part = part_of(member.name)
            if part is Part.MANIFEST:
                self.manifest = Small(member.name, await _whole(member.name, part, member.pieces()))
            elif part is Part.CERTIFICATE:
                self.certificate = Small(member.name, await _whole(member.name, part, member.pieces()))
            elif any(_is_of(member.name, file) for file in wanted):
                async with aclosing(member.pieces()) as pieces:
                    yield member.name, pieces


@contextmanager
def named(name: str) -> Iterator[None]:
    """Have what goes wrong name the file with which it did.

    :raises FetchError: it does.
    """
    try:
        yield
    except FetchError as error:
        if isinstance(error, Untrusted):
            raise
        raise error.reworded(not_transferred(name, error.message)) from error


def _called_as(descriptor: str, part: Part) -> str:
    """What the part is called that belongs to a descriptor of that name."""
    has_end = part_of(descriptor) is Part.DESCRIPTOR
    return f"{descriptor[: -len(Part.DESCRIPTOR)] if has_end else descriptor}{part}"


def _names(file: File) -> Iterable[str]:
    """What its pieces are called, as far as anybody knows how many there are."""
    if file.chunk_size is None or file.size is not None:
        return stored_names(file)
    return (f"{file.href}.{number:09}" for number in range(MOST_FILES))


def _is_of(name: str, file: File) -> bool:
    """Whether a file of that name is the one that is meant, or a piece of it."""
    for href in (file.href, unquote(file.href)):
        if name == href:
            return True
        if file.chunk_size is not None and name.startswith(href) and PIECE_NUMBER.fullmatch(name[len(href) :]):
            return True
    return False


def _limits(most_bytes: int) -> ArchiveLimits:
    return ArchiveLimits(most_members=MOST_FILES, most_bytes=most_bytes)


async def _first_of(stream: AsyncIterator[bytes]) -> bytes:
    """The first bytes of it, as many as are looked at, or more."""
    first = b""
    async for piece in stream:
        first += piece
        if len(first) >= LOOKED_AT_BYTES:
            break
    return first


async def _rejoined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    if first:
        yield first
    async for piece in rest:
        yield piece


async def _whole(name: str, part: Part, stream: AsyncIterator[bytes]) -> bytes:
    """All of a file that may not be large.

    :raises BadPackage: it is.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > MOST_BYTES[part]:
            text = "The file of the package cannot be used: it is larger than {0} bytes."
            raise BadPackage([issue(Category.VALIDATION_ERROR, name, (0, 0), "file", text, MOST_BYTES[part])])
        pieces.append(piece)
    return b"".join(pieces)


def _unsigned(descriptor: str) -> BadPackage:
    text = "The package has to be signed: with a manifest (.mf) and a certificate (.cert)."
    return BadPackage([issue(Category.VALIDATION_ERROR, descriptor, (0, 0), "unsigned", text)])
