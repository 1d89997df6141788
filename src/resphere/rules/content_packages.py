"""What vCenter decides of the OVF packages that update sessions make: which files are of one, and whether they fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import msgspec

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated.content_library_item import CertVerificationStatus, TransferStatus
from resphere.contract.generated.content_library_item import File as ItemFile
from resphere.contract.generated.content_library_item_updatesession import WarningType
from resphere.contract.model import LocalizableMessage
from resphere.inventory.content.items import LibraryFile, LibraryItem
from resphere.inventory.content.packages import LEADING, METADATA, PackageSignature, Part, part_of
from resphere.inventory.content.sessions import PushedFile, UpdateSession, UpdateState
from resphere.ovf.issues import BadPackage
from resphere.ovf.manifest import Algorithm, ManifestEntry, check

MOST_FILES = 1000
"""That an item has."""


class Coming(msgspec.Struct, frozen=True):
    """A file that has come, with what its manifest says where it is one."""

    file: LibraryFile
    manifest: tuple[ManifestEntry, ...] = ()


# --- what a session has -------------------------------------------------------------------------------------------


def staying(item: LibraryItem, session: UpdateSession) -> Iterator[LibraryFile]:
    """The files of the item that the session neither replaces nor removes. A manifest or certificate that a package has
    is one of its files as they are, and goes when any of them changes."""
    replaced = {*session.removed, *(file.name for file in session.files)}
    for file in item.files:
        if file.name not in replaced and not (replaced and item.is_package and part_of(file.name) in METADATA):
            yield file


def merged(item: LibraryItem, session: UpdateSession) -> Iterator[LibraryFile]:
    """The files of the item once the session is complete: those that came in the places of those that they replace."""
    stay = {file.name for file in staying(item, session)}
    new = {file.name: file.received for file in session.files if file.received is not None and is_kept(item, file.name)}
    for present in item.files:
        coming = new.pop(present.name, None)
        if coming is not None:
            yield msgspec.structs.replace(coming, version=present.version + 1)
        elif present.name in stay:
            yield present
    yield from new.values()


def is_kept(item: LibraryItem, name: str) -> bool:
    """Whether a file that comes stays in the item; of packages that is all but archives and metadata."""
    return not item.is_package or part_of(name) not in (*METADATA, Part.ARCHIVE)


def manifest_of(session: UpdateSession) -> PushedFile | None:
    """The manifest of the package that comes."""
    return _come(session, Part.MANIFEST)


def signed_by(session: UpdateSession) -> tuple[LibraryFile, LibraryFile] | None:
    """Manifest and certificate of the package that comes, where both have come."""
    manifest, certificate = manifest_of(session), _come(session, Part.CERTIFICATE)
    if manifest is None or certificate is None or manifest.received is None or certificate.received is None:
        return None
    return manifest.received, certificate.received


def signature_of(session: UpdateSession) -> PackageSignature | None:
    """By whom the package that comes is signed, where its signature was looked at."""
    signed, signature = signed_by(session), session.signature
    if signed is None or signature is None:
        return None
    looked_at = (signature.manifest, signature.certificate)
    return signature if looked_at == tuple([file.content for file in signed]) else None


def _come(session: UpdateSession, part: Part) -> PushedFile | None:
    return next((file for file in session.files if file.received is not None and part_of(file.name) is part), None)


# --- files come and go --------------------------------------------------------------------------------------------


def require_in_order(session: UpdateSession, name: str) -> None:
    """Refuse to announce a file that a package cannot get any more: metadata after the descriptor (as vCenter 7.0
    documents it), or a second descriptor, manifest or certificate.

    :raises NotAllowedInCurrentState: saying which.
    """
    part = part_of(name)
    if part is None:
        return
    alike = LEADING if part in LEADING else {part}
    others = [file for file in session.files if file.name != name and file.archive != name]
    for file in others:
        if part_of(file.name) in alike:
            raise NotAllowedInCurrentState(
                message(
                    "resphere.content.second_of_package",
                    "An OVF package has one descriptor or archive, one manifest and one certificate; this one has {0}.",
                    file.name,
                )
            )
        if part in METADATA and part_of(file.name) in LEADING and session.file(name) is None:
            raise NotAllowedInCurrentState(
                message(
                    "resphere.content.metadata_after_descriptor",
                    "{0} must be added before {1}: manifest and certificate of an OVF package come before its "
                    "descriptor.",
                    name,
                    file.name,
                )
            )


def depending_on(session: UpdateSession, name: str) -> frozenset[str]:
    """The files that the session has only because of another one: those that came in an archive, those that a
    descriptor names and nobody has begun to send."""
    gone = {name, *(file.name for file in session.files if file.archive == name)}
    if any(file.received is not None and part_of(file.name) is Part.DESCRIPTOR for file in _named(session, gone)):
        gone.update(file.name for file in session.files if file.awaited)
    return frozenset(gone - {name})


def _named(session: UpdateSession, names: Collection[str]) -> Iterator[PushedFile]:
    return (file for file in session.files if file.name in names)


def with_come(
    session: UpdateSession, item: LibraryItem, file: PushedFile, coming: tuple[Coming, ...], *, is_archive: bool
) -> UpdateSession:
    """The session when ``file`` has come: as it is, or as the files of an archive. What a descriptor names is
    awaited from then on, and another descriptor that the item has goes, with what only that names.

    :raises NotAllowedInCurrentState: there are very many files.
    """
    if not is_archive:
        (one,) = coming
        session = session.with_file(_ready(file, one))
    else:
        opened = msgspec.structs.replace(file, status=TransferStatus.READY, sender=None, taken_bytes=0, is_opened=True)
        session = _with_members(session.with_file(opened), file.name, coming)
    if item.is_package:
        for one in coming:
            if part_of(one.file.name) is Part.DESCRIPTOR:
                session = _with_awaited(session, item, file, one.file)
    require_few(item, session)
    return session


def require_few(item: LibraryItem, session: UpdateSession) -> None:
    """Refuse more files than an item may have.

    :raises NotAllowedInCurrentState: there are.
    """
    if len({*(each.name for each in session.files), *(each.name for each in item.files)}) > MOST_FILES:
        raise NotAllowedInCurrentState(
            message("resphere.content.files", "A library item has at most {0} files.", MOST_FILES)
        )


def _ready(file: PushedFile, coming: Coming) -> PushedFile:
    size = coming.file.size_bytes
    return msgspec.structs.replace(
        file,
        status=TransferStatus.READY,
        sender=None,
        taken_bytes=size,
        transferred_bytes=size,
        received=coming.file,
        manifest=coming.manifest,
    )


def _with_members(session: UpdateSession, archive: str, coming: tuple[Coming, ...]) -> UpdateSession:
    parts = {part_of(one.file.name) for one in coming} - {None}
    files = {file.name: file for file in session.files if file.name == archive or part_of(file.name) not in parts}
    for number, one in enumerate(coming, session.next_number):
        files[one.file.name] = _ready(PushedFile(name=one.file.name, number=number, archive=archive), one)
    return msgspec.structs.replace(session, files=tuple(files.values()), next_number=session.next_number + len(coming))


def _with_awaited(
    session: UpdateSession, item: LibraryItem, come: PushedFile, descriptor: LibraryFile
) -> UpdateSession:
    """The session with what the descriptor, which came as ``come``, names and is not there; fetched from beside it
    where the server has fetched it by HTTP."""
    others = [file for file in staying(item, session) if part_of(file.name) is Part.DESCRIPTOR]
    left = {*(other.name for other in others), *(name for other in others for name in other.references)}
    left -= {descriptor.name, *descriptor.references}
    removed = [file.name for file in staying(item, session) if file.name in left]
    session = msgspec.structs.replace(session, removed=(*session.removed, *removed))
    there = {*(file.name for file in staying(item, session)), *(file.name for file in session.files)}
    awaited = [name for name in descriptor.references if name not in there]
    files = [
        PushedFile(name=name, number=number, awaited=True) for number, name in enumerate(awaited, session.next_number)
    ]
    source = session.source(come)
    if source is not None and is_http(source.uri) and come.name == descriptor.name:
        files = [msgspec.structs.replace(file, sender=come.sender, pulls=1, beside=come.number) for file in files]
    return msgspec.structs.replace(
        session, files=(*session.files, *files), next_number=session.next_number + len(files)
    )


def is_http(uri: str) -> bool:
    """Whether other addresses are relative to that one."""
    return urlsplit(uri).scheme.lower() in ("http", "https")


# --- whether they fit ---------------------------------------------------------------------------------------------


def digests_lacking(session: UpdateSession) -> Iterator[tuple[LibraryFile, ItemFile.ChecksumAlgorithm]]:
    """The files that have come and of whose digests the manifest tells one that nobody has made yet."""
    come = {file.name: file.received for file in session.files}
    for entry in _entries(session):
        file, algorithm = come.get(entry.file), ItemFile.ChecksumAlgorithm(entry.algorithm.value)
        if file is not None and algorithm not in file.digests:
            yield file, algorithm


def with_digests(
    session: UpdateSession, digests: Mapping[tuple[str, ItemFile.ChecksumAlgorithm], str]
) -> UpdateSession:
    """The session with digests that were made of contents, by the names of these."""
    if not digests:
        return session
    more: dict[str, dict[ItemFile.ChecksumAlgorithm, str]] = {}
    for (content, algorithm), digest in digests.items():
        more.setdefault(content, {})[algorithm] = digest
    files: list[PushedFile] = []
    for file in session.files:
        received = file.received
        if received is not None and received.content in more:
            received = msgspec.structs.replace(received, digests={**received.digests, **more[received.content]})
            file = msgspec.structs.replace(file, received=received)
        files.append(file)
    return msgspec.structs.replace(session, files=tuple(files))


def mismatches(item: LibraryItem, session: UpdateSession) -> dict[str, LocalizableMessage]:
    """The files that are other ones than the manifest tells of, with what is said of each; those that have not come are
    none."""
    manifest, found = manifest_of(session), _by_name(item, session)
    faults: dict[str, LocalizableMessage] = {}
    for entry in _entries(session):
        file = found.get(entry.file)
        if file is None or manifest is None:
            continue
        try:
            check([entry], partial(_digest_of, file), manifest.name)
        except BadPackage as bad:
            faults[entry.file] = bad.issues[0].message
    return faults


def _digest_of(file: LibraryFile, _name: str, algorithm: Algorithm) -> str:
    # Of what nobody has made a digest of, it is not known to be the right one.
    return file.digests.get(ItemFile.ChecksumAlgorithm(algorithm.value), "")


def missing(item: LibraryItem, session: UpdateSession) -> frozenset[str]:
    """The files that a package needs, and that are neither there nor announced."""
    if not item.is_package:
        return frozenset()
    files = list(merged(item, session))
    needed = {name for file in files if part_of(file.name) is Part.DESCRIPTOR for name in file.references}
    needed.update(entry.file for entry in _entries(session))
    known = {*(file.name for file in files), *(file.name for file in session.files)}
    certificate = _come(session, Part.CERTIFICATE)
    if certificate is not None and not any(part_of(name) is Part.MANIFEST for name in known):
        needed.add(f"{PurePosixPath(certificate.name).stem}{Part.MANIFEST}")
    return frozenset(needed - known)


def uncovered(item: LibraryItem, session: UpdateSession) -> frozenset[str]:
    """The files of the package of which the manifest says nothing."""
    return frozenset({file.name for file in merged(item, session)} - {entry.file for entry in _entries(session)})


def verification(item: LibraryItem, session: UpdateSession, warnings: Iterable[WarningType]) -> CertVerificationStatus:
    """What is known of who has made the package once the session is complete, with these warnings of its signature."""
    if signature_of(session) is None or uncovered(item, session):
        return CertVerificationStatus.NOT_AVAILABLE
    # Who has signed for themselves may be trusted all the same.
    good = set(warnings) <= {WarningType.SELF_SIGNED_CERTIFICATE}
    return CertVerificationStatus.VERIFIED if good else CertVerificationStatus.UNTRUSTED


def refused(session: UpdateSession, faults: Mapping[str, LocalizableMessage]) -> UpdateSession:
    """The session when the package that came is none: it has failed, and has nothing but what is said of the files."""
    culprits = [failed(file, faults[file.name]) for file in _named(session, faults)]
    return msgspec.structs.replace(import_failed(session, next(iter(faults.values()))), files=tuple(culprits))


def import_failed(session: UpdateSession, why: LocalizableMessage) -> UpdateSession:
    """The session as one that has failed, in the words with which a vCenter 7.0 begins."""
    text = "The import of library item {0} has failed. Reason: {1}"
    return session.ended(
        UpdateState.ERROR, message("resphere.content.import_failed", text, session.item, why.default_message)
    )


def failed(file: PushedFile, why: LocalizableMessage | None) -> PushedFile:
    """The file, of which nothing has come."""
    return msgspec.structs.replace(
        file,
        status=TransferStatus.ERROR,
        sender=None,
        taken_bytes=0,
        transferred_bytes=0,
        error=why,
        received=None,
        awaited=False,
        is_opened=False,
        manifest=(),
    )


def _entries(session: UpdateSession) -> tuple[ManifestEntry, ...]:
    manifest = manifest_of(session)
    return () if manifest is None else manifest.manifest


def _by_name(item: LibraryItem, session: UpdateSession) -> dict[str, LibraryFile]:
    come: Iterable[LibraryFile] = (file.received for file in session.files if file.received is not None)
    return {file.name: file for file in (*staying(item, session), *come)}
