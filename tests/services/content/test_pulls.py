"""Files that the server fetches into update sessions."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.access.privileges import PRIVILEGES
from resphere.access.roles import READ_ONLY, Role
from resphere.access.view import RootView
from resphere.certificates.files import TlsFiles
from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, Unauthorized
from resphere.contract.generated.content_library import Item
from resphere.contract.generated.content_library_item import (
    File,
    Storage,
    TransferEndpoint,
    TransferStatus,
    UpdateSession,
    UpdateSessionModel,
)
from resphere.contract.generated.content_library_item_updatesession import File as PulledFile
from resphere.contract.generated.content_library_item_updatesession import PreviewInfo
from resphere.fetching.allowed import read_rules
from resphere.fetching.fetcher import Bounds, Fetcher
from resphere.fetching.trust import thumbprint_of
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.sessions import Sender
from resphere.inventory.content.sessions import UpdateSession as Session
from resphere.inventory.content.templates import ItemChange
from resphere.inventory.model import ROOT_FOLDER
from resphere.libraries import pulling
from resphere.libraries.pulling import Pulls
from resphere.rules.space import free_space
from resphere.services.call import Call
from resphere.services.content.library.item.update_session import finish
from resphere.services.content.library.item.updatesession.file import add
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
)
from tests.support.packages import archive, descriptor
from tests.support.rest_calls import rest_call
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served
from tests.support.server import wait_until
from tests.support.sources import Gate, Serving, Site, answers, certificate_files, secured, sends
from tests.support.world import NOW, Caller, World

DATA = bytes(range(256)) * 300
Algorithm = File.ChecksumAlgorithm
State = UpdateSessionModel.State
PULL = PulledFile.SourceType.PULL


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def new_item(world: World, **fields: Any) -> Any:
    return add_item(world, add_library(world), **fields)


def pull(world: World, session: UpdateId, name: str, uri: str, **fields: Any) -> PulledFile.Info:
    """Have a file fetched; what is of the endpoint goes there."""
    of_endpoint = {key: fields.pop(key) for key in tuple(fields) if key.startswith("ssl_")}
    spec = PulledFile.AddSpec(
        name=name, source_type=PULL, source_endpoint=TransferEndpoint(uri=uri, **of_endpoint), **fields
    )
    return world.call(PulledFile.add, session, spec)


def status(world: World, session: UpdateId, name: str) -> PulledFile.Info:
    return world.call(PulledFile.get, session, name)


def state(world: World, session: UpdateId) -> UpdateSessionModel:
    return world.call(UpdateSession.get, session)


def until_begun(world: World, gate: Gate) -> None:
    assert world.run(asyncio.to_thread(gate.begun.wait, 60))


def until_noted(world: World, found: Callable[[], bool]) -> None:
    """Let the world go on until something is so."""
    wait_until(lambda: (world.run(asyncio.sleep(0)), found())[1], "what is waited for")


def settled(world: World) -> None:
    world.run(asyncio.wait_for(world.pulls.settled(), 60))


def fetching(world: World, *rules: str, **bounds: Any) -> None:
    """Fetch from there, within those bounds."""
    fetcher = Fetcher(read_rules(rules or ("127.0.0.1",)), bounds=Bounds(**bounds))
    world.environment = msgspec.structs.replace(world.environment, fetcher=fetcher)
    world.run(world.pulls.close())
    world.pulls = Pulls(
        world.inventory,
        world.environment.library_files,
        world.environment.library_receiving,
        fetcher,
        1 << 20,
        lambda one: finish(world.environment, one),
    )


def free(world: World) -> int:
    return free_space(world.inventory, datastores(world)[0])


# --- what comes ------------------------------------------------------------------------------------------------------


def test_a_file_is_fetched(world: World) -> None:
    item = new_item(world, type="iso")
    session, before = begin(world, item), free(world)
    with Site({"/disc.iso": DATA}) as site:
        checksum = File.ChecksumInfo(algorithm=Algorithm.SHA256, checksum=hashlib.sha256(DATA).hexdigest())
        uri = site.url("/disc.iso")
        info = pull(world, session, "disc.iso", uri, size=len(DATA), checksum_info=checksum)
        assert (info.source_type, info.source_endpoint) == (PULL, TransferEndpoint(uri=uri))
        assert (info.status, info.upload_endpoint) == (TransferStatus.WAITING_FOR_TRANSFER, None)
        settled(world)
    info = status(world, session, "disc.iso")
    assert (info.status, info.bytes_transferred, info.size) == (TransferStatus.READY, len(DATA), len(DATA))
    assert free(world) == before - len(DATA)
    assert not world.call(PulledFile.validate, session).has_errors
    preview = state(world, session).preview_info
    assert preview is not None
    assert preview.state is PreviewInfo.State.NOT_APPLICABLE
    world.call(UpdateSession.complete, session)
    assert state(world, session).state is State.DONE
    assert fetch(world, item, "disc.iso") == DATA
    world.call(UpdateSession.delete, session)


def test_a_session_is_complete_once_its_files_have_come(world: World) -> None:
    """As govc asks: complete at once, then look again and again until it is no more active."""
    item = new_item(world)
    session, gate = begin(world, item), Gate(DATA)
    send(world, announce(world, session, "sent"), b"sent")
    with Site({"/a": gate, "/b": DATA}) as site:
        pull(world, session, "a", site.url("/a"))
        pull(world, session, "b", site.url("/b"))
        world.call(UpdateSession.complete, session)
        until_begun(world, gate)
        assert state(world, session).state is State.ACTIVE
        until_noted(world, lambda: status(world, session, "a").status is TransferStatus.TRANSFERRING)
        assert world.call(Item.get, item).content_version == "1"
        for refused in (
            lambda: world.call(UpdateSession.complete, session),
            lambda: announce(world, session, "late"),
            lambda: pull(world, session, "late", site.url("/b")),
        ):
            with pytest.raises(NotAllowedInCurrentState, match="fetched"):
                refused()
        gate.open()
        settled(world)
    done = state(world, session)
    assert (done.state, done.client_progress) == (State.DONE, 100)
    assert world.call(Item.get, item).content_version == "2"
    assert sorted(kept(world)) == sorted([4, len(DATA), len(DATA)])
    assert fetch(world, item, "a") == fetch(world, item, "b") == DATA
    assert [change.user for change in world.inventory.all(ItemChange).values()] == [Caller().user]


def test_what_has_not_been_sent_keeps_it_from_being_complete(world: World) -> None:
    session = begin(world, new_item(world))
    announce(world, session, "never sent")
    gate = Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        with pytest.raises(NotAllowedInCurrentState, match="never sent"):
            world.call(UpdateSession.complete, session)
        gate.open()
        settled(world)
    assert state(world, session).state is State.ACTIVE


def test_progress_counts_as_something_that_happens(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    session, gate = begin(world, new_item(world)), Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        until_begun(world, gate)
        later = NOW + timedelta(hours=1)
        world.environment = msgspec.structs.replace(world.environment, now=lambda: later)
        assert state(world, session).state is State.ACTIVE
        world.run(world.pulls.tend())
        expires = state(world, session).expiration_time
        assert expires is not None
        assert expires > later
        gate.open()
        settled(world)
    assert status(world, session, "a").status is TransferStatus.READY


def test_a_queue_of_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of them at a time, and fewer of one user."""
    monkeypatch.setattr(pulling, "MOST_OF_A_USER", 2)
    session, gates = begin(world, new_item(world)), [Gate(b"%d" % number * 100) for number in range(5)]
    with Site({f"/{number}": gate for number, gate in enumerate(gates)}) as site:
        for number in range(5):
            pull(world, session, f"file {number}", site.url(f"/{number}"))
        until_begun(world, gates[0])
        until_begun(world, gates[1])
        assert len(site.asked) == 2
        world.call(PulledFile.remove, session, "file 3")
        world.call(UpdateSession.complete, session)
        for gate in gates:
            gate.open()
        settled(world)
        assert sorted(path for _, path in site.asked) == ["/0", "/1", "/2", "/4"]
    assert state(world, session).state is State.DONE


# --- what does not come ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "fields", "why"),
    [
        (answers(404), {}, "status 404"),
        (answers(302, Location="http://169.254.169.254/latest/"), {}, "--fetch-from"),
        (answers(302, Location="/disc.iso"), {}, "redirects"),
        (sends(DATA, len(DATA) + 1), {}, "without sending complete"),
        (sends(DATA), {"size": len(DATA) - 1}, "bytes, and"),
        (sends(DATA), {"size": len(DATA) + 1}, "bytes, and"),
        (sends(DATA), {"checksum_info": File.ChecksumInfo(checksum="0" * 40)}, "checksum"),
        (sends(bytes((1 << 20) + 1)), {}, "more than 1048576 bytes"),
        (sends(b"", 1 << 62), {}, "more than 1048576 bytes"),
    ],
)
@pytest.mark.parametrize("completing", [False, True])
def test_what_does_not_come(world: World, answer: Serving, fields: Any, why: str, completing: bool) -> None:
    fetching(world)
    item = new_item(world)
    session, before = begin(world, item), free(world)
    send(world, announce(world, session, "sent"), b"sent")
    with Site({"/disc.iso": answer}) as site:
        pull(world, session, "disc.iso", site.url("/disc.iso"), **fields)
        if completing:
            world.call(UpdateSession.complete, session)
        settled(world)
    ended = state(world, session)
    assert ended.state is State.ERROR
    assert ended.error_message is not None
    assert ended.error_message.default_message.startswith(
        f"The import of library item {item} has failed. Reason: Error transferring file disc.iso"
    )
    assert why in ended.error_message.default_message
    info = status(world, session, "disc.iso")
    assert (info.source_type, info.status) == (PULL, TransferStatus.ERROR)
    assert info.error_message is not None
    assert why in info.error_message.default_message
    assert (free(world), kept(world)) == (before, [])
    with pytest.raises(NotAllowedInCurrentState) as refusal:
        world.call(UpdateSession.complete, session)
    assert [each.args for each in refusal.value.messages[:1]] == [("complete", "ERROR")]
    assert world.call(Item.get, item).content_version == "1"
    world.call(UpdateSession.delete, session)
    begin(world, item)


def test_who_stops_in_the_middle(world: World) -> None:
    fetching(world, idle_seconds=0.2)
    session, gate = begin(world, new_item(world)), Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        settled(world)
        gate.open()
    error = state(world, session).error_message
    assert error is not None
    assert "sent nothing for 0.2 seconds" in error.default_message
    assert kept(world) == []


def test_a_datastore_without_room(world: World) -> None:
    (datastore, *_) = datastores(world)
    item = new_item(world)
    session = begin(world, item)
    world.change(datastore, capacity=datastore.capacity - free(world) + 10)
    with Site({"/a": DATA}) as site:
        pull(world, session, "a", site.url("/a"))
        settled(world)
    error = state(world, session).error_message
    assert error is not None
    assert "10 bytes free" in error.default_message
    assert (free(world), kept(world)) == (10, [])


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "--fetch-from"),
        ("http://10.0.0.1/x.iso", "--fetch-from"),
        ("file:///etc/passwd", "http:// or https://"),
        ("/etc/passwd", "http:// or https://"),
        ("http://me:secret@127.0.0.1/", "password"),
        ("ds:///vmfs/volumes/1/x.iso", "no file of a content library"),
        ("ds:", "no file of a content library"),
    ],
)
def test_from_where_nothing_is_fetched(world: World, uri: str, why: str) -> None:
    session = begin(world, new_item(world))
    with pytest.raises(InvalidArgument, match=why):
        pull(world, session, "a", uri)
    assert world.call(PulledFile.list, session) == ()


def test_other_sources(world: World) -> None:
    session = begin(world, new_item(world))
    with pytest.raises(InvalidArgument, match="PUSH"):
        world.call(PulledFile.add, session, PulledFile.AddSpec(name="a", source_type=PulledFile.SourceType.NONE))


@pytest.mark.parametrize(
    "endpoint",
    [
        {"ssl_certificate_thumbprint": "00:11"},
        {"ssl_certificate": "no PEM"},
        {"ssl_certificate": "x" * 300_000},
    ],
)
def test_certificates_that_are_none(world: World, endpoint: Any) -> None:
    session = begin(world, new_item(world))
    with pytest.raises(InvalidArgument):
        pull(world, session, "a", "https://127.0.0.1/", **endpoint)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return certificate_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return certificate_files(tmp_path_factory.mktemp("others"))


def der(files: TlsFiles) -> bytes:
    return x509.load_pem_x509_certificates(files.certificate.read_bytes())[0].public_bytes(Encoding.DER)


def test_many_certificates(world: World, files: TlsFiles) -> None:
    session = begin(world, new_item(world))
    pem = ssl.DER_cert_to_PEM_cert(der(files)) * 16
    with Site({"/a": Gate(DATA)}, secured(files)) as site:
        most = 65_536 // len(pem)
        for number in range(most):
            pull(world, session, f"file {number}", site.url("/a"), ssl_certificate=pem)
        with pytest.raises(InvalidArgument, match="65536 characters together"):
            pull(world, session, "one more", site.url("/a"), ssl_certificate=pem)
        assert len(world.call(PulledFile.list, session)) == most
        world.call(UpdateSession.cancel, session)
        settled(world)


def test_certificates(world: World, files: TlsFiles, others: TlsFiles) -> None:
    shown = der(files)
    good = [
        {"ssl_certificate_thumbprint": thumbprint_of(shown)},
        {"ssl_certificate_thumbprint": thumbprint_of(shown, "sha256").lower()},
        {"ssl_certificate": ssl.DER_cert_to_PEM_cert(shown)},
    ]
    bad: list[dict[str, str]] = [{}, {"ssl_certificate_thumbprint": thumbprint_of(der(others))}]
    with Site({"/a": DATA}, secured(files)) as site:
        for number, endpoint in enumerate(good):
            item = new_item(world)
            session = begin(world, item)
            info = pull(world, session, "a", site.url("/a"), **endpoint)
            assert info.source_endpoint == TransferEndpoint(uri=site.url("/a"), **endpoint)
            settled(world)
            world.call(UpdateSession.complete, session)
            assert fetch(world, item, "a") == DATA, number
        for endpoint in bad:
            session = begin(world, new_item(world))
            pull(world, session, "a", site.url("/a"), **endpoint)
            settled(world)
            error = state(world, session).error_message
            assert error is not None
            assert "The certificate of 127.0.0.1" in error.default_message


def probe(world: World, uri: str, **fields: Any) -> tuple[str, str | None, list[str]]:
    """What becomes of a look: the status, the thumbprint that is shown, the ids of what is said."""
    found = world.call(PulledFile.probe, TransferEndpoint(uri=uri, **fields))
    for each in found.error_messages:
        assert "%" not in each.default_message
    return found.status, found.ssl_thumbprint, [each.id for each in found.error_messages]


def test_a_look_before(world: World, files: TlsFiles) -> None:
    of_vcenter = "com.vmware.vdcs.cls-main"
    shown = thumbprint_of(der(files))
    with Site({"/a": DATA, "/no": answers(403)}) as site, Site({"/a": DATA}, secured(files)) as secure:
        assert probe(world, site.url("/a")) == ("SUCCESS", None, [])
        for path, status in (("/none", "RESOURCE_NOT_FOUND"), ("/no", "INVALID_CREDENTIALS")):
            said = [f"{of_vcenter}.http_request_error", "resphere.fetching.status"]
            assert probe(world, site.url(path)) == (status, None, said)
        untrusted = [f"{of_vcenter}.http_request_error_peer_not_authenticated", "resphere.fetching.untrusted"]
        assert probe(world, secure.url("/a")) == ("CERTIFICATE_ERROR", shown, untrusted)
        assert probe(world, secure.url("/a"), ssl_certificate_thumbprint=shown) == ("SUCCESS", shown, [])
    for uri, id in (
        ("ftp://127.0.0.1/a", "file_probe_unsupported_uri_scheme"),
        ("ds:///vmfs/volumes/1/a", "file_probe_unsupported_uri_scheme"),
        ("nothing", "invalid_url_format"),
        ("http://[", "invalid_url_format"),
    ):
        assert probe(world, uri) == ("INVALID_URL", None, [f"{of_vcenter}.{id}", "resphere.fetching.address"])
    said = [f"{of_vcenter}.http_request_error", "resphere.fetching.not_allowed"]
    assert probe(world, "http://10.0.0.9/a") == ("UNKNOWN_ERROR", None, said)


def test_a_look_as_govc_asks_for_it(tmp_path: Path) -> None:
    with Served(tmp_path) as served, Site({"/a": DATA}) as site:
        asked = PulledFile.ProbeInput(source_endpoint=TransferEndpoint(uri=site.url("/a")))
        call = rest_call(PulledFile.probe, asked)
        path = "/rest/com/vmware/content/library/item/updatesession/file?~action=probe"
        assert (call.method, call.target.replace("%7E", "~")) == ("POST", path)
        assert served.by_rest(PulledFile.probe, asked).status == "SUCCESS"
        without = Role(id="1001", name="without", privileges=frozenset(PRIVILEGES) - {"ContentLibrary.UpdateSession"})
        ask_as_ann(served, [permission(ROOT_FOLDER, without)])
        assert served.by_rest(PulledFile.probe, asked).error_type == "UNAUTHORIZED"


# --- what ends it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["cancel", "fail", "remove", "again", "delete item"])
def test_what_ends_a_transfer(world: World, way: str) -> None:
    item = new_item(world)
    session, gate, before = begin(world, item), Gate(DATA), free(world)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        until_begun(world, gate)
        until_noted(world, lambda: status(world, session, "a").status is TransferStatus.TRANSFERRING)
        assert free(world) == before - len(DATA)
        if way == "cancel":
            world.call(UpdateSession.cancel, session)
        elif way == "fail":
            world.call(UpdateSession.fail, session, "no more")
        elif way == "remove":
            world.call(PulledFile.remove, session, "a")
        elif way == "again":
            announce(world, session, "a")
        else:
            world.call(Item.delete, item)
        settled(world)
        gate.open()
    # A thread may have to end first that writes what has come.
    until_noted(world, lambda: (free(world), kept(world)) == (before, []))
    if way == "again":
        assert status(world, session, "a").status is TransferStatus.WAITING_FOR_TRANSFER
    if way == "cancel":
        assert state(world, session).state is State.CANCELED


def test_a_session_that_was_to_be_complete_is_canceled(world: World) -> None:
    item = new_item(world)
    session, gate = begin(world, item), Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        world.call(UpdateSession.complete, session)
        world.call(UpdateSession.cancel, session)
        settled(world)
        gate.open()
    assert state(world, session).state is State.CANCELED
    assert world.call(Item.get, item).content_version == "1"


def test_a_file_that_is_taken_out_keeps_the_session_open(world: World) -> None:
    session, gate = begin(world, new_item(world)), Gate(DATA)
    with Site({"/a": gate, "/b": DATA}) as site:
        pull(world, session, "a", site.url("/a"))
        pull(world, session, "b", site.url("/b"))
        world.call(UpdateSession.complete, session)
        world.call(PulledFile.remove, session, "a")
        settled(world)
        gate.open()
    world.run(world.pulls.tend())
    assert state(world, session).state is State.ACTIVE
    world.call(UpdateSession.complete, session)
    assert state(world, session).state is State.DONE


# --- workers that die ------------------------------------------------------------------------------------------------


def left_by_a_dead_worker(world: World, session: UpdateId, name: str, pulls: int = 1) -> None:
    """Have a file be one that another worker has begun to fetch, and is no more."""
    current = world.inventory.get(Session, session)
    assert current is not None
    file = current.file(name)
    assert file is not None
    begun = msgspec.structs.replace(
        file, status=TransferStatus.TRANSFERRING, sender=Sender("dead", "1"), transferred_bytes=7, pulls=pulls
    )
    world.put(current.with_file(begun))


def without(world: World, worker: str) -> None:
    world.environment.library_files._is_alive = lambda name: name != worker


@pytest.mark.parametrize("completing", [False, True])
def test_another_worker_goes_on(world: World, completing: bool) -> None:
    item = new_item(world)
    session, gate = begin(world, item), Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        if completing:
            world.call(UpdateSession.complete, session)
        fetching(world)
        gate.open()
        left_by_a_dead_worker(world, session, "a")
        without(world, "dead")
        world.run(world.environment.library_cleaning.clean_up())
        world.run(world.pulls.tend())
        settled(world)
    assert kept(world) == [len(DATA)]
    if completing:
        assert state(world, session).state is State.DONE
        assert fetch(world, item, "a") == DATA
    else:
        assert status(world, session, "a").status is TransferStatus.READY


def test_what_ends_each_worker_is_not_tried_for_ever(world: World) -> None:
    session, gate = begin(world, new_item(world)), Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        fetching(world)
        gate.open()
        left_by_a_dead_worker(world, session, "a", pulls=pulling.MOST_WORKERS)
        without(world, "dead")
        world.run(world.pulls.tend())
    assert state(world, session).state is State.ERROR
    assert status(world, session, "a").status is TransferStatus.ERROR


def test_what_a_worker_left_between_two_transactions_is_done(world: World) -> None:
    """The file has come, or failed, and the worker died before the session was complete, or failed too."""
    item = new_item(world)
    session = begin(world, item)
    with Site({"/a": DATA}) as site:
        pull(world, session, "a", site.url("/a"))
        settled(world)
    current = world.inventory.get(Session, session)
    assert current is not None
    world.put(msgspec.structs.replace(current, completed_by="ann@vsphere.local"))
    world.run(world.pulls.tend())
    assert state(world, session).state is State.DONE
    world.run(world.pulls.tend())
    assert world.call(Item.get, item).content_version == "2"


def test_a_library_that_does_not_change_any_more(world: World) -> None:
    library = add_library(world)
    item = add_item(world, library)
    session, gate = begin(world, item), Gate(DATA)
    with Site({"/a": gate}) as site:
        pull(world, session, "a", site.url("/a"))
        world.call(UpdateSession.complete, session)
        until_begun(world, gate)
        lose_place(world, library)
        gate.open()
        settled(world)
    ended = state(world, session)
    assert ended.state is State.ERROR
    assert kept(world) == []


def lose_place(world: World, id: str) -> None:
    """As when the datastore of a library goes with its host."""
    library = world.inventory.get(Library, id)
    assert library is not None
    world.put(msgspec.structs.replace(library, datastore=None, lost_datastore=library.datastore))


# --- from datastores -------------------------------------------------------------------------------------------------


def place(world: World, item: Any, name: str) -> str:
    (info,) = world.call(Storage.get, item, name)
    return info.storage_uris[0]


def test_a_file_of_another_item(world: World) -> None:
    """Both have its bytes, as long as one of them does."""
    source = new_item(world, name="source")
    put_files(world, source, disc_iso=DATA)
    item = add_item(world, add_library(world, name="others"), type="iso")
    session, before = begin(world, item), free(world)
    uri = place(world, source, "disc.iso")
    checksum = File.ChecksumInfo(algorithm=Algorithm.SHA512, checksum=hashlib.sha512(DATA).hexdigest())
    info = pull(world, session, "copy.iso", uri, size=len(DATA), checksum_info=checksum)
    assert (info.status, info.size, info.bytes_transferred) == (TransferStatus.READY, len(DATA), len(DATA))
    assert info.source_endpoint == TransferEndpoint(uri=uri)
    assert free(world) == before - len(DATA)
    assert kept(world) == [len(DATA)]
    world.call(Item.delete, source)
    world.call(UpdateSession.complete, session)
    assert fetch(world, item, "copy.iso") == DATA
    assert "copy_" in place(world, item, "copy.iso")


def test_a_datastore_by_its_scheme_in_any_case(world: World) -> None:
    source = new_item(world, name="source")
    put_files(world, source, disk_vmdk=DATA)
    session = begin(world, new_item(world, type="ovf"))
    pull(world, session, "disk.vmdk", place(world, source, "disk.vmdk").replace("ds:", " DS:"))
    settled(world)
    assert status(world, session, "disk.vmdk").status is TransferStatus.READY


def test_what_is_not_the_file_that_was_announced(world: World) -> None:
    source = new_item(world, name="source")
    put_files(world, source, disc_iso=DATA)
    session = begin(world, new_item(world))
    uri = place(world, source, "disc.iso")
    for fields in (
        {"size": 1},
        {"checksum_info": File.ChecksumInfo(algorithm=Algorithm.MD5, checksum="0" * 32)},
        {"checksum_info": File.ChecksumInfo(checksum="0" * 40)},
    ):
        with pytest.raises(InvalidArgument, match="announced"):
            pull(world, session, "a", uri, **fields)
    world.call(Item.delete, source)
    with pytest.raises(InvalidArgument, match="no file of a content library"):
        pull(world, session, "a", uri)


@pytest.mark.parametrize("type", ["ovf", "OVF"])
def test_a_package_is_copied(world: World, type: str) -> None:
    """It is looked into as it comes."""
    source = new_item(world, name="source")
    put_files(world, source, disk_vmdk=DATA)
    item = new_item(world, type=type)
    session = begin(world, item)
    info = pull(world, session, "disk.vmdk", place(world, source, "disk.vmdk"))
    assert info.status is TransferStatus.WAITING_FOR_TRANSFER
    settled(world)
    assert status(world, session, "disk.vmdk").status is TransferStatus.READY
    assert kept(world) == [len(DATA)]


@pytest.mark.parametrize("completing", [False, True])
def test_what_a_descriptor_names_is_fetched_from_beside_it(world: World, completing: bool) -> None:
    item = new_item(world, type="ovf")
    session = begin(world, item)
    names = ("disk.vmdk", "more of it.iso")
    with Site(
        {"/here/a.ovf": descriptor(*names), "/here/disk.vmdk": DATA, "/here/more%20of%20it.iso": b"more"}
    ) as site:
        pull(world, session, "machine.ovf", site.url("/here/a.ovf"))
        if completing:
            world.call(UpdateSession.complete, session)
        settled(world)
        if not completing:
            info = status(world, session, "disk.vmdk")
            assert (info.source_type, info.status) == (PULL, TransferStatus.READY)
            assert info.source_endpoint == TransferEndpoint(uri=site.url("/here/disk.vmdk"))
            world.call(UpdateSession.complete, session)
    assert state(world, session).state is State.DONE
    assert fetch(world, item, "disk.vmdk") == DATA
    assert fetch(world, item, "more of it.iso") == b"more"


def test_what_a_descriptor_names_and_is_not_beside_it(world: World) -> None:
    item = new_item(world, type="ovf")
    session = begin(world, item)
    with Site({"/a.ovf": descriptor("disk.vmdk")}) as site:
        pull(world, session, "a.ovf", site.url("/a.ovf"))
        settled(world)
    failed = state(world, session)
    assert failed.state is State.ERROR
    assert failed.error_message is not None
    assert "disk.vmdk" in failed.error_message.default_message
    assert kept(world) == []


def test_an_archive_is_fetched_and_taken_apart(world: World) -> None:
    item = new_item(world, type="ovf")
    session = begin(world, item)
    with Site({"/a.ova": archive({"a.ovf": descriptor("disk.vmdk"), "disk.vmdk": DATA})}) as site:
        pull(world, session, "a.ova", site.url("/a.ova"))
        world.call(UpdateSession.complete, session)
        settled(world)
    assert state(world, session).state is State.DONE
    assert fetch(world, item, "disk.vmdk") == DATA


def test_who_may_not_know_where_files_lie(world: World) -> None:
    source = new_item(world, name="source")
    put_files(world, source, disc_iso=DATA)
    session = begin(world, new_item(world))
    spec = PulledFile.AddSpec(
        name="a", source_type=PULL, source_endpoint=TransferEndpoint(uri=place(world, source, "disc.iso"))
    )
    call = Call(world.environment, PulledFile.add, RootView(READ_ONLY), Caller(), "test")
    with pytest.raises(Unauthorized, match=r"ContentLibrary\.ReadStorage"):
        world.run(add(call, session, spec))
