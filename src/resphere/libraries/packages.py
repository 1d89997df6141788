"""OVF packages looked into as they come: what their descriptors, manifests and certificates say.

What is large for documents is read in threads, and nothing is kept of it but what a session must know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

import msgspec

from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.inventory.content.items import LibraryFile
from resphere.inventory.content.packages import PackageSignature, Part, part_of
from resphere.libraries.digests import Digests
from resphere.ovf.certificate import MOST_CERTIFICATE_BYTES, verify
from resphere.ovf.documents import MOST_DESCRIPTOR_BYTES
from resphere.ovf.issues import BadPackage, Category, issue
from resphere.ovf.manifest import MOST_MANIFEST_BYTES, read_manifest
from resphere.ovf.reading import read_files, stored_names
from resphere.rules.content_names import is_file_name
from resphere.rules.content_packages import MOST_FILES, Coming
from resphere.store.base import Contents

MOST_BYTES = {
    Part.DESCRIPTOR: MOST_DESCRIPTOR_BYTES,
    Part.MANIFEST: MOST_MANIFEST_BYTES,
    Part.CERTIFICATE: MOST_CERTIFICATE_BYTES,
}

DigestKey = tuple[str, ItemFile.ChecksumAlgorithm]
"""The digest by that algorithm of the content of that name."""


class Known(msgspec.Struct, frozen=True):
    """What was found out of contents that have come: whose signature it is, and digests that nobody had made."""

    signature: PackageSignature | None = None
    digests: dict[DigestKey, str] = {}


class Wanted(msgspec.Struct, frozen=True):
    """What must be found out of contents: the signature that a manifest and a certificate are, and digests."""

    signed: tuple[LibraryFile, LibraryFile] | None = None
    digests: tuple[tuple[LibraryFile, ItemFile.ChecksumAlgorithm], ...] = ()


class PackageContents:
    """Looks into the contents of packages."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    async def look_into(self, file: LibraryFile) -> Coming:
        """A file with what it says of the others.

        :raises BadPackage: it is not what its name says.
        """
        part = part_of(file.name)
        if part not in MOST_BYTES:
            return Coming(file)
        if file.size_bytes > MOST_BYTES[part]:
            raise refused(file, f"it is larger than {MOST_BYTES[part]} bytes")
        if part is Part.DESCRIPTOR:
            content = await self._contents.read(file.content)
            return Coming(await asyncio.to_thread(_with_references, file, content))
        if part is Part.MANIFEST:
            content = await self._contents.read(file.content)
            return Coming(file, await asyncio.to_thread(read_manifest, content, file.name))
        return Coming(file)

    async def find_out(self, wanted: Wanted, known: Known, now: datetime) -> Known:
        """What is wanted, and what was known.

        :raises BadPackage: the certificate is not one of the manifest.
        """
        signature, digests = known.signature, dict(known.digests)
        if wanted.signed is not None:
            signature = await self._signature(*wanted.signed, now)
        for file, algorithm in wanted.digests:
            digests[file.content, algorithm] = await self.digest(file, algorithm)
        return Known(signature, digests)

    async def _signature(self, manifest: LibraryFile, certificate: LibraryFile, now: datetime) -> PackageSignature:
        signed = await self._contents.read(manifest.content)
        content = await self._contents.read(certificate.content)
        # Whom this server trusts is asked when somebody wants to know: it may be others by then.
        found = await asyncio.to_thread(verify, content, certificate.name, signed, manifest.name, (), now)
        return PackageSignature(
            manifest=manifest.content,
            certificate=certificate.content,
            subject=found.subject,
            issuer=found.issuer,
            self_signed=found.self_signed,
            chain=found.chain,
        )

    async def digest(self, file: LibraryFile, algorithm: ItemFile.ChecksumAlgorithm) -> str:
        """The digest of a file, of its bytes, in hexadecimal digits.

        :raises ContentMissing: it was deleted meanwhile.
        """
        digests = Digests((algorithm,), always=())
        reading = await self._contents.open(file.content)
        try:
            async for piece in reading:
                digests.update(piece)
        finally:
            await reading.close()
        return digests.result()[algorithm]


def _with_references(file: LibraryFile, content: bytes) -> LibraryFile:
    names: list[str] = []
    for named in read_files(content, file.name):
        names += stored_names(named)
    if len(names) > MOST_FILES:
        raise refused(file, f"it names more than {MOST_FILES} files")
    require_names(file.name, names)
    return msgspec.structs.replace(file, references=tuple(dict.fromkeys(names)))


def require_names(package: str, names: Iterable[str]) -> None:
    """Refuse names that no file of a library has.

    :raises BadPackage: one is such.
    """
    for name in names:
        if not is_file_name(name):
            text = "{0} is no name that a file of a content library can have."
            raise BadPackage([issue(Category.VALUE_ILLEGAL, package, (0, 0), "file_name", text, name)])


def refused(file: LibraryFile, reason: str) -> BadPackage:
    """The refusal of a file by what it is."""
    text = "The file of the package cannot be used: {0}."
    return BadPackage([issue(Category.VALIDATION_ERROR, file.name, (0, 0), "file", text, reason)])
