"""How items and their files are shown, and where those lie."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.content_library import ItemModel
from resphere.contract.generated.content_library_item import CertificateVerificationInfo, CertVerificationStatus, File
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.model import Datastore
from resphere.libraries.places import place_of
from resphere.services.call import Call

SHOWN = (File.ChecksumAlgorithm.SHA1, File.ChecksumAlgorithm.SHA256)
"""The algorithms whose checksums are told, the better one first."""
COMPLIANT = frozenset((CertVerificationStatus.VERIFIED, CertVerificationStatus.INTERNAL))
FIRST = "1"
"""The version of a file that was never here."""


def model_of(item: LibraryItem, library: Library) -> ItemModel:
    """An item of ``library`` as operations show it."""
    return ItemModel(
        id=item.id,
        library_id=item.library,
        content_version=ids.ContentLibraryItemVersionId(str(item.content_version)),
        creation_time=item.created,
        description=item.description,
        last_modified_time=item.modified,
        last_sync_time=item.last_synced,
        metadata_version=str(item.metadata_version),
        name=item.name,
        cached=item.is_cached,
        size=item.size_bytes if item.is_cached else 0,
        type=item.type,
        version=str(item.version),
        source_id=item.source,
        security_compliance=is_compliant(item, library),
        certificate_verification_info=CertificateVerificationInfo(
            status=item.verification, cert_chain=item.certificates or None
        ),
    )


def is_compliant(item: LibraryItem, library: Library) -> bool:
    """Whether an item is what the security policy of its library demands: packages that are verified, or made here."""
    asks = library.security_policy is not None and item.is_package and bool(item.files)
    return not asks or item.verification in COMPLIANT


def checksum_of(file: LibraryFile) -> File.ChecksumInfo:
    """The checksum of a file: of SHA-1, as in vCenter, where its sender has announced that; else of SHA-256."""
    algorithm = next(each for each in SHOWN if each in file.digests)
    return File.ChecksumInfo(algorithm=algorithm, checksum=file.digests[algorithm])


def file_info(file: LibraryFile) -> File.Info:
    """A file as operations show it."""
    return File.Info(
        checksum_info=checksum_of(file), name=file.name, size=file.size_bytes, cached=True, version=str(file.version)
    )


def file_infos(item: LibraryItem) -> tuple[File.Info, ...]:
    """All files of an item, those of a subscribed library too that are not here, in the order of their publisher."""
    if item.remote is None:
        return tuple(map(file_info, item.files))
    here = {file.name: file for file in item.files}
    return tuple(
        file_info(here[file.name])
        if file.name in here
        else File.Info(name=file.name, size=0, cached=False, version=FIRST)
        for file in item.remote.files
    )


def storage_uris(call: Call, library: Library, item: LibraryItem, file: LibraryFile) -> tuple[str, ...]:
    """Where a file lies, as a vCenter 8.0 writes it, with the doubled slash; nowhere where the datastore is no more."""
    place = place_of(library, item, file)
    if library.datastore is not None:
        return (f"{call.referred(Datastore, library.datastore).url}/{place}?serverId={call.vcenter}",)
    if library.storage_uri is not None:
        return (f"{library.storage_uri.rstrip('/')}/{place}",)
    return ()
