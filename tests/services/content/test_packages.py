"""OVF packages in update sessions: looked into as they come."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, UnableToAllocateResource, VapiError
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, LocalLibrary, TrustedCertificates
from resphere.contract.generated.content_library import Item, ItemModel
from resphere.contract.generated.content_library_item import (
    CertVerificationStatus,
    File,
    TransferStatus,
    UpdateSession,
    UpdateSessionModel,
)
from resphere.contract.generated.content_library_item_updatesession import File as PushedFile
from resphere.contract.generated.content_library_item_updatesession import PreviewInfo, WarningBehavior, WarningType
from resphere.ovf.certificate import Signature, verify
from resphere.rules import content_packages
from resphere.rules.space import free_space
from resphere.services.checks.content_libraries import OVF_DEFAULT_POLICY
from resphere.store.base import NoRoom
from resphere.store.contents import FolderContents
from tests.services.content.libraries import (
    UpdateId,
    add_item,
    add_library,
    announce,
    begin,
    datastores,
    fetch,
    kept,
    put_files,
    send,
    where,
)
from tests.services.vcenter.building import refused
from tests.support.examples import examples
from tests.support.packages import archive, descriptor, issued, manifest, signed
from tests.support.transfers import Pieces
from tests.support.world import World

State = PreviewInfo.State
READY, ERROR, WAITING = TransferStatus.READY, TransferStatus.ERROR, TransferStatus.WAITING_FOR_TRANSFER
SELF_SIGNED, EXPIRED, NOT_YET, UNTRUSTED = (
    WarningType.SELF_SIGNED_CERTIFICATE,
    WarningType.EXPIRED_CERTIFICATE,
    WarningType.NOT_YET_VALID_CERTIFICATE,
    WarningType.UNTRUSTED_CERTIFICATE,
)
NOT_RECEIVED = "com.vmware.vdcs.cls-main.update_session_file_not_received"
INCOMPLETE = "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files"
DISK = bytes(range(256)) * 300
OTHER_DISK = DISK[::-1]
FILES = {"a.ovf": descriptor("a.vmdk"), "a.vmdk": DISK}
KEY = ec.generate_private_key(ec.SECP256R1())


def new_package(world: World, **fields: Any) -> ids.ContentLibraryItemId:
    return add_item(world, add_library(world, **fields), type="ovf")


def own_certificate(**fields: Any) -> x509.Certificate:
    return issued("me", KEY, "me", KEY, **fields)


def with_metadata(
    files: Mapping[str, bytes], *certificates: x509.Certificate, algorithm: str = "SHA256"
) -> dict[str, bytes]:
    """The files after their manifest, which is signed by the first of the certificates if there is one."""
    of_files = manifest(files, algorithm)
    signature = {"a.cert": signed(KEY, *certificates, manifest=of_files)} if certificates else {}
    return {"a.mf": of_files, **signature, **files}


def push(world: World, session: UpdateId, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        send(world, announce(world, session, name), data)


def preview(world: World, session: UpdateId) -> PreviewInfo:
    found = world.call(UpdateSession.get, session).preview_info
    assert found is not None
    return found


def statuses(world: World, session: UpdateId) -> dict[str, TransferStatus]:
    return {file.name: file.status for file in world.call(PushedFile.list, session)}


def names(world: World, item: ids.ContentLibraryItemId) -> list[str]:
    return [file.name for file in world.call(File.list, item)]


def free(world: World) -> int:
    return free_space(world.inventory, datastores(world)[0])


def refusal_of_complete(world: World, session: UpdateId) -> tuple[int, str]:
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(UpdateSession.complete, session)
    return refused(error)


def ignore(world: World, session: UpdateId, *types: WarningType) -> None:
    behavior = tuple(WarningBehavior(type=type, ignored=True) for type in types)
    world.call(UpdateSession.update, session, UpdateSessionModel(warning_behavior=behavior))


def require_failed(world: World, session: UpdateId, room: int, culprits: Iterable[str]) -> str:
    """See that the session has failed, and has left nothing; returns what is said of it."""
    found = world.call(UpdateSession.get, session)
    assert (found.state, found.preview_info) == (UpdateSessionModel.State.ERROR, None)
    assert found.error_message is not None
    assert found.error_message.id == "resphere.content.import_failed"
    assert {name for name, status in statuses(world, session).items() if status is ERROR} == set(culprits)
    assert (free(world), kept(world)) == (room, [])
    with pytest.raises(NotAllowedInCurrentState):
        world.call(UpdateSession.complete, session)
    return found.error_message.default_message


# --- descriptors --------------------------------------------------------------------------------------------------


def test_the_preview_of_a_package(world: World) -> None:
    session = begin(world, new_package(world))
    assert preview(world, session) == PreviewInfo(state=State.UNAVAILABLE)
    push(world, session, {"a.vmdk": DISK})
    assert preview(world, session) == PreviewInfo(state=State.UNAVAILABLE)
    address = announce(world, session, "a.ovf")
    assert preview(world, session) == PreviewInfo(state=State.PREPARING)
    send(world, address, FILES["a.ovf"])
    assert preview(world, session) == PreviewInfo(state=State.AVAILABLE, warnings=())
    with pytest.raises(InvalidArgument):
        send(world, announce(world, session, "a.ovf", size=5), b"x")
    assert preview(world, session) == PreviewInfo(state=State.UNAVAILABLE)


def test_what_is_no_package_is_not_looked_into(world: World) -> None:
    item = add_item(world, add_library(world), type="file")
    session = begin(world, item)
    push(world, session, {"a.ovf": b"none", "b.ovf": b"", "a.mf": b"none", "a.cert": b"none", "a.ova": b"none"})
    assert preview(world, session) == PreviewInfo(state=State.NOT_APPLICABLE)
    world.call(UpdateSession.complete, session)
    assert names(world, item) == ["a.ovf", "b.ovf", "a.mf", "a.cert", "a.ova"]


@pytest.mark.parametrize("order", [("a.ovf", "a.vmdk", "notes.txt"), ("notes.txt", "a.vmdk", "a.ovf")])
def test_files_come_in_any_order(world: World, order: tuple[str, ...]) -> None:
    item = new_package(world)
    session = begin(world, item)
    files = {**FILES, "notes.txt": b"notes"}
    push(world, session, {name: files[name] for name in order})
    world.call(UpdateSession.complete, session)
    assert set(names(world, item)) == set(files)
    assert {name: fetch(world, item, name) for name in files} == files


def test_what_a_descriptor_names_is_awaited(world: World) -> None:
    item = new_package(world)
    session = begin(world, item)
    push(world, session, {"b.vmdk": DISK, "a.ovf": descriptor("a.vmdk", "b.vmdk", "c.vmdk")})
    assert statuses(world, session) == {"b.vmdk": READY, "a.ovf": READY, "a.vmdk": WAITING, "c.vmdk": WAITING}
    result = world.call(PushedFile.validate, session)
    assert result.has_errors
    assert result.missing_files == {"a.vmdk", "c.vmdk"}
    assert refusal_of_complete(world, session) == (400, NOT_RECEIVED)
    # It can be sent to the address that is there, or to one of its own.
    info = world.call(PushedFile.get, session, "a.vmdk")
    assert info.upload_endpoint is not None
    send(world, where(info.upload_endpoint), DISK)
    push(world, session, {"c.vmdk": DISK})
    assert world.call(PushedFile.validate, session).has_errors is False
    world.call(UpdateSession.complete, session)
    assert sorted(names(world, item)) == ["a.ovf", "a.vmdk", "b.vmdk", "c.vmdk"]


def test_what_is_removed_is_missing(world: World) -> None:
    session = begin(world, new_package(world))
    push(world, session, {"a.ovf": descriptor("a.vmdk", "b.vmdk")})
    for name in ("a.vmdk", "b.vmdk"):
        world.call(PushedFile.remove, session, name)
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(UpdateSession.complete, session)
    assert refused(error) == (400, INCOMPLETE)
    assert error.value.messages[0].args == ("a.vmdk b.vmdk ", "")
    assert world.call(PushedFile.validate, session).missing_files == {"a.vmdk", "b.vmdk"}
    world.call(PushedFile.remove, session, "a.ovf")
    world.call(UpdateSession.complete, session)


def test_another_descriptor_awaits_other_files(world: World) -> None:
    session = begin(world, new_package(world))
    push(world, session, {"a.ovf": descriptor("a.vmdk", "b.vmdk"), "b.vmdk": DISK})
    push(world, session, {"a.ovf": descriptor("c.vmdk")})
    assert statuses(world, session) == {"a.ovf": READY, "b.vmdk": READY, "c.vmdk": WAITING}
    world.call(PushedFile.remove, session, "a.ovf")
    assert statuses(world, session) == {"b.vmdk": READY}


def test_one_descriptor_a_package(world: World) -> None:
    session = begin(world, new_package(world))
    for name in ("a.ovf", "A.MF"):
        if name == "a.ovf":
            announce(world, session, name)
        for second in ("b.OVF", "b.ova") if name == "a.ovf" else ("a.mf", "a.cert"):
            with pytest.raises(NotAllowedInCurrentState):
                announce(world, session, second)
    other = begin(world, new_package(world))
    announce(world, other, "a.mf")
    with pytest.raises(NotAllowedInCurrentState) as error:
        announce(world, other, "b.mf")
    assert refused(error) == (400, "resphere.content.second_of_package")


@pytest.mark.parametrize("leading", ["a.ovf", "a.ova"])
@pytest.mark.parametrize("late", ["a.mf", "a.cert"])
def test_metadata_come_before_the_descriptor(world: World, leading: str, late: str) -> None:
    session = begin(world, new_package(world))
    announce(world, session, leading)
    with pytest.raises(NotAllowedInCurrentState) as error:
        announce(world, session, late)
    assert refused(error) == (400, "resphere.content.metadata_after_descriptor")
    world.call(PushedFile.remove, session, leading)
    announce(world, session, late)
    announce(world, session, leading)
    announce(world, session, late)


@pytest.mark.parametrize(
    ("content", "id"),
    [
        (b"", "resphere.ovf.unreadable"),
        (b"<Envelope/>", "resphere.ovf.no_envelope"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Envelope/>', "resphere.ovf.unreadable"),
        (descriptor("../a.vmdk"), "resphere.ovf.href"),
        (descriptor("http://example.org/a.vmdk"), "resphere.ovf.href"),
        (descriptor("a.vmdk", "a.vmdk"), "resphere.ovf.repeated"),
        (descriptor("x" * 230), "resphere.ovf.file_name"),
        (descriptor(*(f"{number}.vmdk" for number in range(1001))), "resphere.ovf.file"),
        (b"<Envelope>" + b" " * (4 << 20), "resphere.ovf.file"),
    ],
)
def test_what_is_no_descriptor_fails_the_session(world: World, content: bytes, id: str) -> None:
    item, room = new_package(world), free(world)
    session = begin(world, item)
    push(world, session, {"a.vmdk": DISK})
    with pytest.raises(InvalidArgument) as error:
        push(world, session, {"a.ovf": content})
    assert refused(error) == (400, id)
    assert error.value.messages[0].default_message in require_failed(world, session, room, ["a.ovf"])
    assert world.call(PushedFile.get, session, "a.ovf").error_message == error.value.messages[0]
    assert names(world, item) == []


def test_a_package_of_very_many_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_packages, "MOST_FILES", 3)
    session = begin(world, new_package(world))
    push(world, session, {"notes.txt": b"notes"})
    with pytest.raises(NotAllowedInCurrentState) as error:
        push(world, session, {"a.ovf": descriptor("1", "2", "3")})
    assert refused(error) == (400, "resphere.content.files")
    assert statuses(world, session) == {"notes.txt": READY, "a.ovf": ERROR}
    push(world, session, {"a.ovf": descriptor("1")})


def test_an_item_that_has_a_package(world: World) -> None:
    """What stays satisfies a descriptor; another descriptor takes the place of the one there is."""
    item = new_package(world)
    session = begin(world, item)
    push(world, session, {"notes.txt": b"notes", **FILES})
    world.call(UpdateSession.complete, session)
    session = begin(world, item)
    push(world, session, {"a.ovf": descriptor("a.vmdk", "b.vmdk")})
    assert statuses(world, session) == {"a.ovf": READY, "notes.txt": READY, "a.vmdk": READY, "b.vmdk": WAITING}
    push(world, session, {"b.vmdk": DISK})
    world.call(UpdateSession.complete, session)
    session = begin(world, item)
    world.call(PushedFile.remove, session, "b.vmdk")
    assert world.call(PushedFile.validate, session).missing_files == {"b.vmdk"}
    assert refusal_of_complete(world, session) == (400, INCOMPLETE)
    push(world, session, {"c.ovf": descriptor("b.vmdk", "c.vmdk"), "b.vmdk": OTHER_DISK, "c.vmdk": DISK})
    world.call(UpdateSession.complete, session)
    assert names(world, item) == ["notes.txt", "b.vmdk", "c.ovf", "c.vmdk"]
    assert fetch(world, item, "b.vmdk") == OTHER_DISK


# --- manifests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("late", [False, True])
def test_a_manifest_that_fits(world: World, algorithm: str, late: bool) -> None:
    item, room = new_package(world), free(world)
    session = begin(world, item)
    files = with_metadata(FILES, algorithm=algorithm)
    push(world, session, {"a.vmdk": DISK, **files} if late else files)
    infos = {file.name: file.keep_in_storage for file in world.call(PushedFile.list, session)}
    assert infos == {"a.mf": False, "a.ovf": True, "a.vmdk": True}
    world.call(UpdateSession.complete, session)
    assert sorted(names(world, item)) == ["a.ovf", "a.vmdk"]
    assert kept(world) == sorted(len(data) for data in FILES.values())
    assert free(world) == room - sum(len(data) for data in FILES.values())


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA512"])
@pytest.mark.parametrize("first", ["a.mf", "a.vmdk"])
def test_a_file_that_is_another_one(world: World, algorithm: str, first: str) -> None:
    room = free(world)
    session = begin(world, new_package(world))
    files = {**with_metadata(FILES, algorithm=algorithm), "a.vmdk": OTHER_DISK}
    push(world, session, {first: files.pop(first)})
    with pytest.raises(InvalidArgument) as error:
        push(world, session, files)
    assert refused(error) == (400, "resphere.ovf.manifest_mismatch")
    text = "The checksum(s) from the provided manifest file do not match the content of file(s): a.vmdk"
    assert error.value.messages[0].default_message == text
    assert text in require_failed(world, session, room, ["a.vmdk"])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"none", "The provided manifest file is invalid: Invalid OVF manifest entry: none"),
        (b"MD5(a.ovf)= 00", "The provided manifest file is invalid: Invalid OVF checksum algorithm: MD5"),
        (b"\xff", "The provided manifest file is invalid: it is not text in UTF-8"),
        (b" " * ((1 << 20) + 1), "The file of the package cannot be used: it is larger than 1048576 bytes."),
    ],
)
def test_what_is_no_manifest_fails_the_session(world: World, content: bytes, text: str) -> None:
    room = free(world)
    session = begin(world, new_package(world))
    with pytest.raises(InvalidArgument) as error:
        push(world, session, {"a.mf": content})
    assert error.value.messages[0].default_message == text
    require_failed(world, session, room, ["a.mf"])


def test_a_manifest_of_files_that_there_are_not(world: World) -> None:
    session = begin(world, new_package(world))
    push(world, session, {"a.mf": manifest({**FILES, "b.vmdk": b""}), **FILES})
    assert world.call(PushedFile.validate, session).missing_files == {"b.vmdk"}
    assert refusal_of_complete(world, session) == (400, INCOMPLETE)
    push(world, session, {"b.vmdk": b""})
    world.call(UpdateSession.complete, session)


def test_a_manifest_that_came_before_goes_when_its_files_change(world: World) -> None:
    """That of a package that was made here is kept."""
    item = add_item(world, add_library(world), type="file")
    put_files(world, item, a_ovf=FILES["a.ovf"], a_vmdk=DISK, a_mf=manifest(FILES))
    world.call(Item.update, item, ItemModel(type="ovf"))
    session = begin(world, item)
    world.call(UpdateSession.complete, session)
    assert sorted(names(world, item)) == ["a.mf", "a.ovf", "a.vmdk"]
    session = begin(world, item)
    push(world, session, {"a.vmdk": OTHER_DISK})
    assert statuses(world, session) == {"a.ovf": READY, "a.vmdk": READY}
    world.call(UpdateSession.complete, session)
    assert sorted(names(world, item)) == ["a.ovf", "a.vmdk"]


# --- certificates -------------------------------------------------------------------------------------------------


def trust(world: World, certificate: x509.Certificate) -> None:
    text = certificate.public_bytes(Encoding.PEM).decode()
    world.call(TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=text))


def warnings(world: World, session: UpdateId) -> dict[WarningType, bool]:
    found = preview(world, session).warnings
    assert found is not None
    return {warning.type: warning.ignored for warning in found}


def test_a_signed_package(world: World) -> None:
    item = new_package(world)
    session = begin(world, item)
    certificate = own_certificate()
    push(world, session, with_metadata(FILES, certificate))
    found = preview(world, session)
    assert found.certificate_info is not None
    info, pem = found.certificate_info, certificate.public_bytes(Encoding.PEM).decode()
    assert (info.issuer, info.subject, info.self_signed, info.x509) == ("/CN=me", "/CN=me", True, pem)
    assert found.cert_chain == (pem,)
    assert [(each.message.id, each.message.default_message) for each in found.warnings or ()] == [
        ("com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_SELF_SIGNED", "The certificate is self-signed."),
        ("com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_UNTRUSTED", "The certificate is not trusted."),
    ]
    assert refusal_of_complete(world, session) == (400, "resphere.content.warnings")
    ignore(world, session, SELF_SIGNED)
    assert warnings(world, session) == {SELF_SIGNED: True, UNTRUSTED: False}
    assert refusal_of_complete(world, session) == (400, "resphere.content.warnings")
    ignore(world, session, SELF_SIGNED, UNTRUSTED)
    world.call(UpdateSession.complete, session)
    assert sorted(names(world, item)) == ["a.ovf", "a.vmdk"]
    told = world.call(Item.get, item).certificate_verification_info
    assert told is not None
    assert (told.status, told.cert_chain) == (CertVerificationStatus.UNTRUSTED, (pem,))


def test_what_may_be_ignored_from_the_beginning(world: World) -> None:
    behavior = tuple(WarningBehavior(type=type, ignored=True) for type in (SELF_SIGNED, UNTRUSTED))
    spec = UpdateSessionModel(library_item_id=new_package(world), warning_behavior=behavior)
    session = world.call(UpdateSession.create, None, spec)
    push(world, session, with_metadata(FILES, own_certificate()))
    assert warnings(world, session) == {SELF_SIGNED: True, UNTRUSTED: True}
    world.call(UpdateSession.complete, session)


def test_trust_counts_as_of_now(world: World) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = issued("authority", authority_key, "authority", authority_key, is_authority=True)
    item = new_package(world)
    session = begin(world, item)
    push(world, session, with_metadata(FILES, issued("me", KEY, "authority", authority_key)))
    assert warnings(world, session) == {UNTRUSTED: False}
    trust(world, authority)
    assert warnings(world, session) == {}
    world.call(UpdateSession.complete, session)
    told = world.call(Item.get, item).certificate_verification_info
    assert told is not None
    assert told.status is CertVerificationStatus.VERIFIED


@pytest.mark.parametrize(
    ("dates", "type"),
    [({"end": datetime(2025, 1, 1, tzinfo=UTC)}, EXPIRED), ({"begin": datetime(2030, 1, 1, tzinfo=UTC)}, NOT_YET)],
)
def test_dates(world: World, dates: dict[str, datetime], type: WarningType) -> None:
    certificate = own_certificate(**dates)
    trust(world, certificate)
    session = begin(world, new_package(world))
    push(world, session, with_metadata(FILES, certificate))
    assert set(warnings(world, session)) == {SELF_SIGNED, type}


@pytest.mark.parametrize("first", ["a.mf", "a.cert"])
def test_a_signature_of_something_else_fails_the_session(world: World, first: str) -> None:
    room = free(world)
    session = begin(world, new_package(world))
    metadata = {"a.mf": manifest(FILES), "a.cert": signed(KEY, own_certificate(), manifest=b"other")}
    push(world, session, {first: metadata.pop(first)})
    with pytest.raises(InvalidArgument) as error:
        push(world, session, metadata)
    assert refused(error) == (400, "resphere.ovf.certificate")
    require_failed(world, session, room, metadata)


def test_a_certificate_without_a_manifest(world: World) -> None:
    session = begin(world, new_package(world))
    push(world, session, {"a.cert": signed(KEY, own_certificate(), manifest=b""), **FILES})
    found = preview(world, session)
    assert (found.state, found.certificate_info) == (State.AVAILABLE, None)
    assert world.call(PushedFile.validate, session).missing_files == {"a.mf"}
    assert refusal_of_complete(world, session) == (400, INCOMPLETE)


def test_a_manifest_that_is_sent_anew_is_looked_at_anew(world: World) -> None:
    session = begin(world, new_package(world))
    push(world, session, {"a.mf": manifest(FILES), "a.cert": signed(KEY, own_certificate(), manifest=manifest(FILES))})
    address = announce(world, session, "a.mf")
    push(world, session, FILES)
    assert preview(world, session).state is State.PREPARING
    assert refusal_of_complete(world, session) == (400, NOT_RECEIVED)
    with pytest.raises(InvalidArgument) as error:
        send(world, address, manifest({**FILES}) + b"\n")
    assert refused(error) == (400, "resphere.ovf.certificate")


def test_a_signature_is_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def counted(content: bytes, file: str, *rest: Any) -> Signature:
        looked.append(file)
        return verify(content, file, *rest)

    monkeypatch.setattr("resphere.libraries.packages.verify", counted)
    session = begin(world, new_package(world))
    push(world, session, with_metadata(FILES, own_certificate()))
    assert len(looked) == 1
    push(world, session, {"a.vmdk": DISK})
    assert len(looked) == 1


def test_manifest_and_certificate_come_at_the_same_time(world: World) -> None:
    """Neither has seen the other when it began to come."""
    session = begin(world, new_package(world))
    files = {"a.mf": manifest(FILES), "a.cert": signed(KEY, own_certificate(), manifest=manifest(FILES))}
    addresses = {name: announce(world, session, name) for name in files}

    async def both() -> None:
        await asyncio.gather(
            *(world.begin(ContentTransfers.upload, *addresses[name], None, Pieces([files[name]])) for name in files)
        )

    world.run(both())
    push(world, session, FILES)
    assert set(warnings(world, session)) == {SELF_SIGNED, UNTRUSTED}


def test_a_session_fails_while_something_comes(world: World) -> None:
    room = free(world)
    session = begin(world, new_package(world))
    address, of_manifest = announce(world, session, "a.vmdk"), announce(world, session, "a.mf")

    class Slow:
        size_bytes = None

        async def __aiter__(self) -> Any:
            yield b"first"
            with pytest.raises(InvalidArgument):
                await world.begin(ContentTransfers.upload, *of_manifest, None, Pieces([b"none"]))
            yield b"second"

        async def close(self) -> None:
            """Nothing holds anything."""

    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(ContentTransfers.upload, *address, None, Slow())
    assert refused(error) == (400, "resphere.content.overtaken")
    require_failed(world, session, room, ["a.mf"])


# --- archives -----------------------------------------------------------------------------------------------------


def test_an_archive_is_taken_apart(world: World) -> None:
    item, room = new_package(world), free(world)
    session = begin(world, item)
    files = {**FILES, "notes.txt": b"notes", "a.mf": manifest(FILES, "SHA512")}
    content = archive({name: files[name] for name in ("a.ovf", "a.mf", "a.vmdk", "notes.txt")})
    address = announce(world, session, "a.ova")
    assert preview(world, session).state is State.PREPARING
    send(world, address, content, announced=len(content))
    assert preview(world, session) == PreviewInfo(state=State.AVAILABLE, warnings=())
    infos = {file.name: file for file in world.call(PushedFile.list, session)}
    assert set(infos) == {"a.ova", *files}
    assert {info.status for info in infos.values()} == {READY}
    assert (infos["a.ova"].size, infos["a.ova"].keep_in_storage) == (len(content), False)
    assert infos["a.vmdk"].checksum_info is not None
    assert infos["a.vmdk"].checksum_info.checksum == hashlib.sha256(DISK).hexdigest()
    assert kept(world) == sorted(len(data) for data in files.values())
    assert free(world) == room - sum(len(data) for data in files.values())
    assert world.call(PushedFile.validate, session).has_errors is False
    world.call(UpdateSession.complete, session)
    del files["a.mf"]
    assert {name: fetch(world, item, name) for name in names(world, item)} == files
    assert free(world) == room - sum(len(data) for data in files.values())


def test_a_signed_archive(world: World) -> None:
    item = new_package(world)
    session = begin(world, item)
    metadata = with_metadata(FILES, own_certificate())
    ordered = {name: metadata[name] for name in ("a.ovf", "a.mf", "a.cert", "a.vmdk")}
    push(world, session, {"a.ova": archive(ordered)})
    assert warnings(world, session) == {SELF_SIGNED: False, UNTRUSTED: False}
    assert refusal_of_complete(world, session) == (400, "resphere.content.warnings")
    ignore(world, session, SELF_SIGNED, UNTRUSTED)
    world.call(UpdateSession.complete, session)
    assert names(world, item) == ["a.ovf", "a.vmdk"]


def test_an_archive_is_sent_again(world: World) -> None:
    item, room = new_package(world), free(world)
    session = begin(world, item)
    address = announce(world, session, "a.ova")
    send(world, address, archive({"b.ovf": descriptor("b.vmdk"), "b.vmdk": b"", "b.txt": b""}))
    send(world, address, archive(FILES))
    assert set(statuses(world, session)) == {"a.ova", *FILES}
    announce(world, session, "a.ova")
    assert (statuses(world, session), free(world), kept(world)) == ({"a.ova": WAITING}, room, [])
    push(world, session, {"a.ova": archive(FILES)})
    world.call(PushedFile.remove, session, "a.ova")
    assert (statuses(world, session), free(world), kept(world)) == ({}, room, [])


def test_an_archive_takes_the_place_of_the_package_there_is(world: World) -> None:
    item = new_package(world)
    for name in ("first", "second"):
        session = begin(world, item)
        files = {f"{name}.ovf": descriptor(f"{name}.vmdk"), f"{name}.vmdk": DISK}
        push(world, session, {f"{name}.ova": archive(files)})
        world.call(UpdateSession.complete, session)
        assert names(world, item) == list(files)


def test_an_archive_without_a_file_that_its_descriptor_names(world: World) -> None:
    session = begin(world, new_package(world))
    push(world, session, {"a.ova": archive({"a.ovf": FILES["a.ovf"]})})
    assert refusal_of_complete(world, session) == (400, NOT_RECEIVED)
    push(world, session, {"a.vmdk": DISK})
    world.call(UpdateSession.complete, session)


GOOD = archive(FILES)
BAD_ARCHIVES = {
    "empty": b"",
    "no tar": b"none" * 1000,
    "cut off": GOOD[: len(GOOD) // 2],
    "no descriptor": archive({"a.vmdk": DISK}),
    "two descriptors": archive({**FILES, "b.ovf": FILES["a.ovf"]}),
    "a traversal": archive({**FILES, "../b": b""}),
    "a folder": archive({**FILES, "b/c": b""}),
    "a long name": archive({**FILES, "x" * 90 + "ä" * 70: b""}),
    "an archive": archive({**FILES, "b.ova": b""}),
    "two manifests": archive({**FILES, "a.mf": b"", "b.mf": b""}),
    "a bad descriptor": archive({"a.ovf": b"none", "a.vmdk": DISK}),
    "a bad manifest": archive({**FILES, "a.mf": b"none"}),
    "another disk": archive({**FILES, "a.vmdk": OTHER_DISK, "a.mf": manifest(FILES)}),
    "a bad signature": archive({**with_metadata(FILES, own_certificate()), "a.mf": manifest({})}),
}


@pytest.mark.parametrize("content", BAD_ARCHIVES.values(), ids=BAD_ARCHIVES)
def test_a_bad_archive_fails_the_session(world: World, content: bytes) -> None:
    room = free(world)
    session = begin(world, new_package(world))
    with pytest.raises(InvalidArgument) as error:
        push(world, session, {"a.ova": content})
    assert error.value.messages[0].id.startswith("resphere.ovf.")
    require_failed(world, session, room, ["a.ova"])


def test_an_archive_of_very_many_files(world: World) -> None:
    room = free(world)
    session = begin(world, new_package(world))
    content = archive({**FILES, **{f"{number}.txt": b"" for number in range(1000)}})
    with pytest.raises(InvalidArgument) as error:
        push(world, session, {"a.ova": content})
    assert refused(error) == (400, "resphere.ovf.archive")
    require_failed(world, session, room, ["a.ova"])


def test_files_of_an_archive_that_do_not_reach_the_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    room = free(world)
    session = begin(world, new_package(world))

    async def full(contents: FolderContents, names: Collection[str]) -> None:
        assert len(names) == len(FILES)
        raise NoRoom("full")

    monkeypatch.setattr(FolderContents, "settle", full)
    address = announce(world, session, "a.ova", size=len(archive(FILES)))
    with pytest.raises(UnableToAllocateResource):
        send(world, address, archive(FILES))
    assert (statuses(world, session), kept(world), free(world)) == ({"a.ova": ERROR}, [], room)
    # It may come once more.
    monkeypatch.undo()
    send(world, address, archive(FILES))
    world.call(UpdateSession.complete, session)


def test_the_checksum_of_an_archive(world: World) -> None:
    session = begin(world, new_package(world))
    content = archive(FILES)
    for data, is_good in ((b"x", False), (content, True)):
        info = File.ChecksumInfo(algorithm=File.ChecksumAlgorithm.MD5, checksum=hashlib.md5(data).hexdigest())
        address = announce(world, session, "a.ova", checksum_info=info, size=len(content))
        if is_good:
            send(world, address, content)
        else:
            with pytest.raises(InvalidArgument) as error:
                send(world, address, content)
            assert refused(error) == (400, "resphere.content.other_checksum")
            assert (statuses(world, session), kept(world)) == ({"a.ova": ERROR}, [])
    world.call(UpdateSession.complete, session)


def test_a_datastore_that_fills_up_while_an_archive_comes(world: World) -> None:
    session = begin(world, new_package(world))
    content = archive(FILES)
    store = datastores(world)[0]
    world.change(store, other_used=store.other_used + free(world) - len(content) + 1)
    room = free(world)
    address = announce(world, session, "a.ova")
    with pytest.raises(VapiError) as error:
        send(world, address, content, announced=len(content))
    assert (error.value.status, error.value.messages[0].id) == (507, "resphere.vm.disk.no_room")
    assert (statuses(world, session), free(world), kept(world)) == ({"a.ova": ERROR}, room, [])


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4096), put=st.binary(min_size=1, max_size=600), at=st.integers(0, 4096))
def test_any_archive_is_taken_apart_or_refused(world: World, cut: int, put: bytes, at: int) -> None:
    session = begin(world, add_item(world, add_library(world), type="ovf"))
    room = free(world)
    content = archive({"a.ovf": FILES["a.ovf"], "a.mf": manifest({"b": b"b"}), "b": b"b"})[: 4096 - cut]
    content = content[:at] + put + content[at + len(put) :]
    try:
        push(world, session, {"a.ova": content})
    except InvalidArgument:
        require_failed(world, session, room, ["a.ova"])
    else:
        assert statuses(world, session)["a.ova"] is READY
        world.call(UpdateSession.cancel, session)
        assert (free(world), kept(world)) == (room, [])


# --- strict verification ------------------------------------------------------------------------------------------


def test_a_library_that_demands_verification(world: World) -> None:
    library = add_library(world, security_policy_id=OVF_DEFAULT_POLICY)
    item = add_item(world, library, type="ovf")
    certificate = own_certificate()
    half = {"a.mf": manifest({"a.ovf": FILES["a.ovf"]}), **FILES}
    half = {"a.cert": signed(KEY, certificate, manifest=half["a.mf"]), **half}
    ignored = (SELF_SIGNED, UNTRUSTED)
    for files in (FILES, with_metadata(FILES), with_metadata(FILES, certificate), half):
        session = begin(world, item)
        ignore(world, session, *ignored)
        push(world, session, files)
        assert refusal_of_complete(world, session) == (400, "resphere.content.not_verified")
        world.call(UpdateSession.cancel, session)
        assert names(world, item) == []
    trust(world, certificate)
    for files, id in ((half, "resphere.content.not_verified"), (with_metadata(FILES, certificate), None)):
        session = begin(world, item)
        ignore(world, session, *ignored)
        push(world, session, files)
        if id is not None:
            assert refusal_of_complete(world, session) == (400, id)
            world.call(UpdateSession.cancel, session)
        else:
            world.call(UpdateSession.complete, session)
    found = world.call(Item.get, item)
    assert (found.security_compliance, names(world, item)) == (True, ["a.ovf", "a.vmdk"])
    assert found.certificate_verification_info is not None
    assert found.certificate_verification_info.status is CertVerificationStatus.VERIFIED
    session = begin(world, item)
    push(world, session, {"a.vmdk": OTHER_DISK})
    assert refusal_of_complete(world, session) == (400, "resphere.content.not_verified")
    other = add_item(world, library, name="other", type="iso")
    put_files(world, other, disc_iso=DISK)
    assert world.call(Item.get, other).security_compliance is True


def test_packages_that_come_otherwise_to_such_a_library(world: World) -> None:
    plain, strict = add_library(world), add_library(world, security_policy_id=OVF_DEFAULT_POLICY)
    trust(world, own := own_certificate())
    items = {name: add_item(world, plain, type="ovf", name=name) for name in ("signed", "unsigned")}
    for name, files, is_taken in (("signed", with_metadata(FILES, own), True), ("unsigned", FILES, False)):
        item = items[name]
        session = begin(world, item)
        ignore(world, session, SELF_SIGNED)
        push(world, session, files)
        world.call(UpdateSession.complete, session)
        assert world.call(Item.get, item).security_compliance is True
        spec = ItemModel(library_id=strict)
        if is_taken:
            made = world.call(Item.get, world.call(Item.copy, None, item, spec))
            assert made.security_compliance is True
        else:
            with pytest.raises(InvalidArgument) as error:
                world.call(Item.copy, None, item, spec)
            assert refused(error) == (400, "resphere.content.not_compliant")
    world.call(LocalLibrary.update, plain, LibraryModel(security_policy_id=ids.ContentLibraryId(OVF_DEFAULT_POLICY)))
    assert [world.call(Item.get, item).security_compliance for item in items.values()] == [True, False]
