"""Update and download sessions, and the bytes that go through them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.errors import (
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    ResourceBusy,
    UnableToAllocateResource,
    VapiError,
)
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.generated import ids
from resphere.contract.generated.content import Library
from resphere.contract.generated.content_library import Item
from resphere.contract.generated.content_library_item import (
    DownloadSession,
    DownloadSessionModel,
    File,
    TransferStatus,
    UpdateSession,
    UpdateSessionModel,
)
from resphere.contract.generated.content_library_item_downloadsession import File as FetchedFile
from resphere.contract.generated.content_library_item_updatesession import (
    File as PushedFile,
)
from resphere.contract.generated.content_library_item_updatesession import (
    WarningBehavior,
    WarningType,
)
from resphere.contract.model import Part, Secret
from resphere.inventory.content import sessions
from resphere.inventory.content.items import LibraryItem
from resphere.libraries import files as library_files
from resphere.libraries import receiving
from resphere.rules.content_names import is_file_name
from resphere.rules.space import free_space
from resphere.services.checks import content_sessions
from tests.services.content.libraries import (
    TOKEN,
    UpdateId,
    add_item,
    add_library,
    announce,
    begin,
    begin_reading,
    datastores,
    fetch,
    kept,
    put_files,
    send,
    where,
)
from tests.services.vcenter.building import refused
from tests.support.examples import examples
from tests.support.transfers import Pieces, taken
from tests.support.world import NOW, World

DATA = bytes(range(256)) * 300
UNKNOWN = UpdateId("0:0")
Algorithm = File.ChecksumAlgorithm
State = UpdateSessionModel.State


def new_item(world: World, **fields: Any) -> ids.ContentLibraryItemId:
    return add_item(world, add_library(world), **fields)


def later(world: World, by: timedelta) -> None:
    """Have time pass."""
    then = world.environment.now() + by
    world.environment = msgspec.structs.replace(world.environment, now=lambda: then)


def status(world: World, session: UpdateId, name: str) -> TransferStatus:
    return world.call(PushedFile.get, session, name).status


def clean_up(world: World) -> None:
    world.run(world.environment.library_cleaning.clean_up())


def free(world: World) -> int:
    return free_space(world.inventory, datastores(world)[0])


# --- update sessions -------------------------------------------------------------------------------------


def test_a_session_from_its_beginning_to_its_end(world: World) -> None:
    item = new_item(world, type="iso")
    session = begin(world, item)
    assert session.count(":") == 1
    assert msgspec.to_builtins(world.call(UpdateSession.get, session)) == {
        "id": session,
        "library_item_id": item,
        "library_item_content_version": "1",
        "client_progress": 0,
        "state": "ACTIVE",
        "expiration_time": "2026-01-02T03:09:05Z",
        "preview_info": {"state": "NOT_APPLICABLE"},
    }
    assert world.call(UpdateSession.list, None) == (session,)
    address = announce(world, session, "disc.iso", size=len(DATA))
    info = world.call(PushedFile.get, session, "disc.iso")
    assert (info.status, info.bytes_transferred, info.size) == (TransferStatus.WAITING_FOR_TRANSFER, 0, None)
    send(world, address, DATA, announced=len(DATA))
    info = world.call(PushedFile.get, session, "disc.iso")
    assert (info.status, info.bytes_transferred, info.size) == (TransferStatus.READY, len(DATA), len(DATA))
    assert info.checksum_info is not None
    assert info.checksum_info.checksum == hashlib.sha256(DATA).hexdigest()
    assert where(info.upload_endpoint) == address
    assert world.call(File.list, item) == ()
    world.call(UpdateSession.complete, session)
    done = world.call(UpdateSession.get, session)
    assert (done.state, done.preview_info, done.client_progress) == (State.DONE, None, 100)
    assert world.call(PushedFile.list, session) == (
        PushedFile.Info(
            name="disc.iso",
            source_type=PushedFile.SourceType.NONE,
            size=len(DATA),
            checksum_info=info.checksum_info,
            bytes_transferred=len(DATA),
            status=TransferStatus.READY,
            keep_in_storage=True,
        ),
    )
    world.call(UpdateSession.delete, session)
    assert world.call(UpdateSession.list, None) == ()
    assert fetch(world, item, "disc.iso") == DATA
    with pytest.raises(NotFound):
        send(world, address, DATA)


def test_one_active_session_an_item(world: World) -> None:
    item = new_item(world)
    first = begin(world, item)
    with pytest.raises(ResourceBusy) as error:
        begin(world, item)
    assert refused(error) == (500, "resphere.content.item_busy")
    begin(world, new_item(world))
    world.call(UpdateSession.cancel, first)
    second = begin(world, item)
    later(world, library_files.GOOD_FOR)
    third = begin(world, item)
    assert world.call(UpdateSession.list, None) == (third,)
    for gone in (first, second):
        with pytest.raises(NotFound):
            world.call(UpdateSession.get, gone)


def test_a_call_that_is_repeated_answers_the_same(world: World) -> None:
    item = new_item(world)
    spec = UpdateSessionModel(library_item_id=item)
    first = world.call(UpdateSession.create, TOKEN, spec)
    assert world.call(UpdateSession.create, TOKEN, spec) == first
    reading = DownloadSessionModel(library_item_id=item)
    second = world.call(DownloadSession.create, TOKEN, reading)
    assert world.call(DownloadSession.create, TOKEN, reading) == second
    later(world, library_files.GOOD_FOR)
    assert world.call(UpdateSession.create, TOKEN, spec) != first
    assert world.call(DownloadSession.create, TOKEN, reading) != second
    for create, model in ((UpdateSession.create, spec), (DownloadSession.create, reading)):
        with pytest.raises(InvalidArgument):
            world.call(create, "none", model)  # type: ignore[misc]


def test_what_sessions_are_about(world: World) -> None:
    unknown = ids.ContentLibraryItemId("none")
    for refuse, error in (
        (lambda: world.call(UpdateSession.create, None, UpdateSessionModel()), InvalidArgument),
        (lambda: world.call(DownloadSession.create, None, DownloadSessionModel()), InvalidArgument),
        (lambda: begin(world, unknown), NotFound),
        (lambda: begin_reading(world, unknown), NotFound),
        (lambda: world.call(UpdateSession.list, UpdateId(unknown)), NotFound),
        (lambda: world.call(DownloadSession.list, ids.ContentLibraryItemDownloadSessionId(unknown)), NotFound),
    ):
        with pytest.raises(error):
            refuse()


ENDS: tuple[tuple[str, Callable[[World, UpdateId], object], State], ...] = (
    ("complete", lambda world, id: world.call(UpdateSession.complete, id), State.DONE),
    ("cancel", lambda world, id: world.call(UpdateSession.cancel, id), State.CANCELED),
    ("fail", lambda world, id: world.call(UpdateSession.fail, id, "the disc is broken"), State.ERROR),
)


@pytest.mark.parametrize(("end", "state"), [(end, state) for _, end, state in ENDS], ids=[name for name, _, _ in ENDS])
def test_what_has_ended_goes_no_further(world: World, end: Callable[[World, UpdateId], object], state: State) -> None:
    session = begin(world, new_item(world))
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(UpdateSession.delete, session)
    assert refused(error) == (400, "resphere.content.session_active")
    end(world, session)
    found = world.call(UpdateSession.get, session)
    assert found.state is state
    assert (found.error_message is not None) == (state is State.ERROR)
    refusals: tuple[Callable[[], object], ...] = (
        *(partial(other, world, session) for _, other, _ in ENDS),
        lambda: world.call(UpdateSession.keep_alive, session, None),
        lambda: world.call(UpdateSession.update, session, UpdateSessionModel()),
        lambda: world.call(PushedFile.validate, session),
        lambda: announce(world, session, "late"),
    )
    for refuse in refusals:
        with pytest.raises(NotAllowedInCurrentState) as error:
            refuse()
        assert refused(error) == (400, "resphere.content.session_state")
        assert error.value.messages[0].args[1] == state
    world.call(UpdateSession.delete, session)


def test_a_session_ends_when_nothing_happens(world: World) -> None:
    session = begin(world, new_item(world))
    later(world, timedelta(minutes=4))
    world.call(UpdateSession.keep_alive, session, 40)
    world.call(UpdateSession.keep_alive, session, 30)
    assert world.call(UpdateSession.get, session).client_progress == 40
    for wrong in (-1, 101):
        with pytest.raises(InvalidArgument):
            world.call(UpdateSession.keep_alive, session, wrong)
    later(world, timedelta(minutes=4))
    address = announce(world, session, "disc.iso")
    later(world, timedelta(minutes=4))
    send(world, address, DATA)
    assert kept(world) == [len(DATA)]
    later(world, timedelta(minutes=4))
    assert world.call(UpdateSession.get, session).state is State.ACTIVE
    later(world, timedelta(minutes=1))
    for refuse in (
        lambda: world.call(UpdateSession.get, session),
        lambda: world.call(UpdateSession.complete, session),
        lambda: world.call(UpdateSession.delete, session),
        lambda: announce(world, session, "late"),
        lambda: send(world, address, DATA),
    ):
        with pytest.raises(NotFound):
            refuse()
    assert world.call(UpdateSession.list, None) == ()
    clean_up(world)
    assert kept(world) == []
    assert not world.inventory.all(sessions.UpdateSession)


def test_bytes_keep_a_session_alive(world: World) -> None:
    session = begin(world, new_item(world))
    address = announce(world, session, "disc.iso")

    def pieces() -> Any:
        for _ in range(4):
            later(world, timedelta(minutes=4))
            yield DATA

    world.call(ContentTransfers.upload, *address, None, Pieces(pieces()))
    assert status(world, session, "disc.iso") is TransferStatus.READY
    world.call(UpdateSession.complete, session)


def test_what_is_said_of_warnings_is_kept(world: World) -> None:
    session = begin(world, new_item(world))
    behavior = (WarningBehavior(type=WarningType.SELF_SIGNED_CERTIFICATE, ignored=True),)
    other = WarningBehavior(type=WarningType.SELF_SIGNED_CERTIFICATE, ignored=False)
    world.call(UpdateSession.update, session, UpdateSessionModel(warning_behavior=(other, *behavior)))
    world.call(UpdateSession.update, session, UpdateSessionModel())
    assert world.call(UpdateSession.get, session).warning_behavior == behavior


def test_a_file_that_has_not_come(world: World) -> None:
    item = new_item(world)
    session = begin(world, item)
    send(world, announce(world, session, "first"), DATA)
    address = announce(world, session, "second")
    result = world.call(PushedFile.validate, session)
    assert (result.has_errors, result.missing_files, result.invalid_files) == (True, frozenset({"second"}), ())
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(UpdateSession.complete, session)
    assert refused(error) == (400, "com.vmware.vdcs.cls-main.update_session_file_not_received")
    assert error.value.messages[0].args == ("second", "WAITING")
    assert world.call(Item.get, item).content_version == "1"
    send(world, address, DATA)
    assert world.call(PushedFile.validate, session).has_errors is False
    world.call(UpdateSession.complete, session)
    assert [file.name for file in world.call(File.list, item)] == ["first", "second"]


def test_a_file_is_sent_again_and_taken_out(world: World) -> None:
    item = new_item(world)
    put_files(world, item, kept_txt=b"kept", gone_txt=b"gone", same_txt=b"same")
    session = begin(world, item)
    address = announce(world, session, "new.txt")
    send(world, address, b"first")
    send(world, address, b"second")
    assert kept(world) == [4, 4, 4, 6]
    again = announce(world, session, "new.txt")
    assert kept(world) == [4, 4, 4]
    assert again != address
    with pytest.raises(NotFound):
        send(world, address, b"late")
    send(world, again, b"third")
    for name in ("gone.txt", "kept.txt"):
        world.call(PushedFile.remove, session, name)
        with pytest.raises(InvalidArgument) as error:
            world.call(PushedFile.get, session, name)
        assert refused(error) == (400, "resphere.content.no_file")
        with pytest.raises(InvalidArgument):
            world.call(PushedFile.remove, session, name)
    send(world, announce(world, session, "kept.txt"), b"kept!")
    listed = {info.name: info.source_type for info in world.call(PushedFile.list, session)}
    assert listed == {"same.txt": "NONE", "new.txt": "PUSH", "kept.txt": "PUSH"}
    assert {file.name for file in world.call(File.list, item)} == {"kept.txt", "gone.txt", "same.txt"}
    assert fetch(world, item, "gone.txt") == b"gone"
    world.call(UpdateSession.complete, session)
    found = {file.name: (file.size, file.version) for file in world.call(File.list, item)}
    assert found == {"same.txt": (4, "1"), "new.txt": (5, "1"), "kept.txt": (5, "2")}


@pytest.mark.parametrize("end", [UpdateSession.cancel, UpdateSession.delete, Item.delete])
def test_what_was_sent_for_nothing_goes(world: World, end: Any) -> None:
    before, item = free(world), new_item(world)
    session = begin(world, item)
    send(world, announce(world, session, "disc.iso"), DATA)
    assert (free(world), kept(world)) == (before - len(DATA), [len(DATA)])
    if end is Item.delete:
        world.call(Item.delete, item)
        with pytest.raises(NotFound):
            world.call(UpdateSession.get, session)
    else:
        world.call(UpdateSession.cancel, session)
        world.call(end if end is UpdateSession.delete else UpdateSession.delete, session)
    assert (free(world), kept(world)) == (before, [])


@pytest.mark.parametrize("algorithm", Algorithm)
def test_what_was_announced_must_come(world: World, algorithm: Algorithm) -> None:
    session = begin(world, new_item(world))
    checksum = hashlib.new(algorithm.lower(), DATA).hexdigest()
    wrong = f"{int(checksum[0], 16) ^ 1:x}{checksum[1:]}"
    before = free(world)
    for fields, sent, id in (
        ({"size": len(DATA) + 1}, DATA, "resphere.content.other_size"),
        ({"size": len(DATA) - 1}, DATA, "resphere.content.other_size"),
        ({"size": 0}, DATA, "resphere.content.other_size"),
        (
            {"checksum_info": File.ChecksumInfo(algorithm=algorithm, checksum=wrong)},
            DATA,
            "resphere.content.other_checksum",
        ),
        (
            {"checksum_info": File.ChecksumInfo(algorithm=algorithm, checksum=checksum)},
            b"",
            "resphere.content.other_checksum",
        ),
    ):
        address = announce(world, session, "disc.iso", **fields)
        for announced in (None, len(sent)):
            with pytest.raises(InvalidArgument) as error:
                send(world, address, sent, announced=announced)
            assert refused(error) == (400, id)
            info = world.call(PushedFile.get, session, "disc.iso")
            assert (info.status, info.bytes_transferred) == (TransferStatus.ERROR, 0)
            assert info.error_message == error.value.messages[0]
        assert (free(world), kept(world)) == (before, [])
        result = world.call(PushedFile.validate, session)
        assert [each.name for each in result.invalid_files] == ["disc.iso"]
        with pytest.raises(NotAllowedInCurrentState) as refusal:
            world.call(UpdateSession.complete, session)
        assert refusal.value.messages[0].args == ("disc.iso", "ERROR")
    good = File.ChecksumInfo(algorithm=algorithm, checksum=checksum.upper())
    send(world, announce(world, session, "disc.iso", size=len(DATA), checksum_info=good), DATA)
    world.call(UpdateSession.complete, session)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": -1},
        {"size": 2**44 + 1},
        {"checksum_info": File.ChecksumInfo(checksum="none")},
        {"checksum_info": File.ChecksumInfo(algorithm=Algorithm.MD5, checksum="0" * 40)},
        {"source_type": PushedFile.SourceType.NONE},
        {"name": ""},
        {"name": ".."},
        {"name": "../passwd"},
        {"name": "a\\b"},
        {"name": "a\nb"},
        {"name": "\ud800"},
        {"name": "ä" * 110},
    ],
)
def test_what_cannot_be_announced(world: World, fields: dict[str, Any]) -> None:
    session = begin(world, new_item(world))
    with pytest.raises(InvalidArgument):
        announce(world, session, **{"name": "disc.iso", **fields})
    assert world.call(PushedFile.list, session) == ()


def test_an_item_has_so_many_files_at_most(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resphere.rules.content_packages.MOST_FILES", 2)
    item = new_item(world)
    put_files(world, item, first=b"1")
    session = begin(world, item)
    announce(world, session, "second")
    announce(world, session, "first")
    with pytest.raises(NotAllowedInCurrentState) as error:
        announce(world, session, "third")
    assert refused(error) == (400, "resphere.content.files")


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(max_size=260)
    | st.text(alphabet="./\\\0\n\x7fa", max_size=8)
    | st.sampled_from(["..", ".", "a/b", "%2e%2e"])
)
def test_any_name_is_refused_or_safe(world: World, name: str) -> None:
    item = new_item(world)
    session = begin(world, item)
    try:
        address = announce(world, session, name)
    except InvalidArgument:
        assert not is_file_name(name)
        return
    assert is_file_name(name)
    assert address[1] == name
    assert "/" not in quote(name, safe="")
    send(world, address, name.encode())
    world.call(UpdateSession.complete, session)
    assert fetch(world, item, name) == name.encode()
    stored = world.inventory.get(LibraryItem, item)
    assert stored is not None
    assert len(stored.files[0].stored_name.encode()) <= 255
    world.call(Item.delete, item)


def test_a_datastore_that_fills_up(world: World) -> None:
    item = new_item(world)
    session = begin(world, item)
    store = datastores(world)[0]
    room = 2 * receiving.STEP_BYTES + 5
    world.change(store, other_used=store.other_used + free(world) - room)
    piece = bytes(1 << 20)
    for size, announced in ((room + 1, room + 1), (room + 1, None)):
        address = announce(world, session, "disc.iso")
        pieces = Pieces((piece for _ in range(size // len(piece) + 1)), announced)
        with pytest.raises(UnableToAllocateResource) as error:
            world.call(ContentTransfers.upload, *address, None, pieces)
        assert (error.value.status, error.value.messages[0].id) == (507, "resphere.vm.disk.no_room")
        assert status(world, session, "disc.iso") is TransferStatus.ERROR
        assert (free(world), kept(world)) == (room, [])
    send(world, announce(world, session, "disc.iso"), DATA)
    assert free(world) == room - len(DATA)


def test_who_sends_again_overtakes(world: World) -> None:
    session = begin(world, new_item(world))
    address = announce(world, session, "disc.iso")

    class Overtaken:
        size_bytes = None

        async def __aiter__(self) -> Any:
            yield b"first"
            await world.begin(ContentTransfers.upload, *address, None, Pieces([DATA]))
            yield bytes(receiving.STEP_BYTES)

        async def close(self) -> None:
            """Nothing holds anything."""

    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(ContentTransfers.upload, *address, None, Overtaken())
    assert refused(error) == (400, "resphere.content.overtaken")
    assert status(world, session, "disc.iso") is TransferStatus.READY
    assert kept(world) == [len(DATA)]
    world.call(UpdateSession.complete, session)


def test_a_session_that_ends_while_something_comes(world: World) -> None:
    session = begin(world, new_item(world))
    address = announce(world, session, "disc.iso")

    class Canceled:
        size_bytes = None

        async def __aiter__(self) -> Any:
            yield b"first"
            await world.begin(UpdateSession.cancel, session)

        async def close(self) -> None:
            """Nothing holds anything."""

    before = free(world)
    with pytest.raises(NotAllowedInCurrentState):
        world.call(ContentTransfers.upload, *address, None, Canceled())
    assert (free(world), kept(world)) == (before, [])


def test_maintenance_and_sessions(world: World) -> None:
    library = add_library(world)
    item = add_item(world, library)
    session = begin(world, item)
    with pytest.raises(NotAllowedInCurrentState) as error:
        world.call(Library.enter_maintenance, library)
    assert refused(error) == (400, "resphere.content.item_changed")
    world.call(UpdateSession.cancel, session)
    world.call(Library.enter_maintenance, library)
    with pytest.raises(ResourceBusy):
        begin(world, item)


# --- forms -----------------------------------------------------------------------------------------------


def form(*parts: bytes, boundary: bytes = b"b0undary") -> bytes:
    """A form of files."""
    made = io.BytesIO()
    for part in parts:
        made.write(b'--%s\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' % boundary)
        made.write(part + b"\r\n")
    made.write(b"--%s--\r\n" % boundary)
    return made.getvalue()


TYPE = "multipart/form-data; boundary=b0undary"


@settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.just(b"\r\n--b0undary"[:-1]), cut=st.integers(1, 50))
def test_a_file_may_come_as_a_form(world: World, data: bytes, cut: int) -> None:
    item = new_item(world)
    session = begin(world, item)
    body = form(data)
    pieces = Pieces([body[at : at + cut] for at in range(0, len(body), cut)], len(body))
    world.call(ContentTransfers.upload_by_post, *announce(world, session, "disc.iso", size=len(data)), TYPE, pieces)
    world.call(UpdateSession.complete, session)
    assert fetch(world, item, "disc.iso") == data


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("multipart/form-data", form(b"x")),
        (f"multipart/form-data; boundary={'x' * 71}", form(b"x")),
        (TYPE, b""),
        (TYPE, b"no form"),
        (TYPE, form(b"x")[:-10]),
        (TYPE, form(b"x", b"y")),
        (TYPE, form(b"x", boundary=b"other")),
    ],
)
def test_what_is_no_form(world: World, type: str, body: bytes) -> None:
    session = begin(world, new_item(world))
    with pytest.raises(InvalidArgument) as error:
        world.call(ContentTransfers.upload, *announce(world, session, "disc.iso"), type, Pieces([body]))
    assert refused(error) == (400, "resphere.content.form")
    assert kept(world) == []


# --- download sessions -----------------------------------------------------------------------------------


def test_files_are_read_as_they_were(world: World) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA)
    session = begin_reading(world, item)
    info = world.call(FetchedFile.get, session, "disc.iso")
    assert (info.status, info.size, info.download_endpoint) == (FetchedFile.PrepareStatus.UNPREPARED, len(DATA), None)
    put_files(world, item, disc_iso=b"new")
    info = world.call(FetchedFile.prepare, session, "disc.iso", None)
    assert info.status is FetchedFile.PrepareStatus.PREPARED
    assert info == world.call(FetchedFile.get, session, "disc.iso")
    assert world.call(FetchedFile.list, session) == (info,)
    address = where(info.download_endpoint)
    for _ in range(2):
        assert taken(world, world.call(ContentTransfers.download, *address, None, None)) == DATA
    assert fetch(world, item, "disc.iso") == b"new"
    world.call(DownloadSession.delete, session)
    with pytest.raises(NotFound):
        world.call(ContentTransfers.download, *address, None, None)
    assert world.call(DownloadSession.get, begin_reading(world, item)).library_item_content_version == "3"
    later(world, library_files.GOOD_FOR)
    clean_up(world)
    assert kept(world) == [3]


def test_direct_addresses(world: World) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA)
    session = begin_reading(world, item)
    info = world.call(FetchedFile.prepare, session, "disc.iso", FetchedFile.EndpointType.DIRECT)
    assert info.download_endpoint is not None
    assert info.download_endpoint.uri.startswith("ds:///vmfs/volumes/")


def test_what_cannot_be_read(world: World) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA)
    session = begin_reading(world, item)
    with pytest.raises(InvalidArgument):
        world.call(FetchedFile.get, session, "none")
    with pytest.raises(InvalidArgument):
        world.call(FetchedFile.prepare, session, "none", None)
    address = where(world.call(FetchedFile.prepare, session, "disc.iso", None).download_endpoint)
    for wrong in ((address[0], "other"), (Secret("none"), "disc.iso"), (Secret("\ud800"), "disc.iso")):
        with pytest.raises(NotFound):
            world.call(ContentTransfers.download, *wrong, None, None)
    world.call(DownloadSession.keep_alive, session, 50)
    assert world.call(DownloadSession.get, session).client_progress == 50
    world.call(DownloadSession.fail, session, "the disc is full")
    found = world.call(DownloadSession.get, session)
    assert (found.state, found.error_message and found.error_message.default_message) == ("ERROR", "the disc is full")
    refusals: tuple[Callable[[], object], ...] = (
        lambda: world.call(DownloadSession.cancel, session),
        lambda: world.call(DownloadSession.fail, session, ""),
        lambda: world.call(DownloadSession.keep_alive, session, None),
    )
    for refuse in refusals:
        with pytest.raises(NotAllowedInCurrentState):
            refuse()
    with pytest.raises(NotFound):
        world.call(ContentTransfers.download, *address, None, None)
    other = begin_reading(world, item)
    world.call(DownloadSession.cancel, other)
    assert world.call(DownloadSession.get, other).state == "CANCELED"
    with pytest.raises(InvalidArgument):
        world.call(UpdateSession.fail, begin(world, item), "x" * 2001)


@pytest.mark.parametrize(
    ("range", "part"),
    [
        ("bytes=0-0", DATA[:1]),
        ("bytes=10-19", DATA[10:20]),
        ("Bytes = 76799-", DATA[-1:]),
        ("bytes=5-999999999", DATA[5:]),
        ("bytes=-100", DATA[-100:]),
        ("bytes=-999999999", DATA),
    ],
)
def test_parts_of_files(world: World, range: str, part: bytes) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA)
    info = world.call(FetchedFile.prepare, begin_reading(world, item), "disc.iso", None)
    address = where(info.download_endpoint)
    reply = world.call(ContentTransfers.download, *address, range, None)
    assert isinstance(reply, Part)
    headers = dict(reply.headers)
    first = DATA.rindex(part) if len(part) > 1 or range.endswith("-") else DATA.index(part)
    first = len(DATA) - len(part) if range[-4:] in ("9999", "-100") else first
    first = {"bytes=0-0": 0, "bytes=10-19": 10}.get(range, first)
    assert (reply.status, headers["Content-Range"]) == (206, f"bytes {first}-{first + len(part) - 1}/{len(DATA)}")
    assert taken(world, reply) == part
    good = world.call(ContentTransfers.download, *address, range, headers["ETag"])
    assert isinstance(good, Part)
    assert good.status == 206
    world.run(good.close())
    stale = world.call(ContentTransfers.download, *address, range, '"other"')
    assert isinstance(stale, Part)
    assert (stale.status, taken(world, stale)) == (200, DATA)


@pytest.mark.parametrize("range", ["bytes=0-1,5-6", "lines=1-2", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", ""])
def test_ranges_that_mean_nothing(world: World, range: str) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA)
    info = world.call(FetchedFile.prepare, begin_reading(world, item), "disc.iso", None)
    reply = world.call(ContentTransfers.download, *where(info.download_endpoint), range, None)
    assert isinstance(reply, Part)
    assert (reply.status, taken(world, reply)) == (200, DATA)


@pytest.mark.parametrize(
    ("name", "range"), [("disc.iso", "bytes=76800-"), ("disc.iso", "bytes=-0"), ("none.txt", "bytes=0-")]
)
def test_ranges_of_what_there_is_not(world: World, name: str, range: str) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA, none_txt=b"")
    size = len(DATA) if name == "disc.iso" else 0
    info = world.call(FetchedFile.prepare, begin_reading(world, item), name, None)
    with pytest.raises(VapiError) as error:
        world.call(ContentTransfers.download, *where(info.download_endpoint), range, None)
    assert error.value.status == 416
    assert error.value.headers == (("Content-Range", f"bytes */{size}"),)


def test_who_may_not_know_where_files_lie(world: World) -> None:
    item = new_item(world)
    put_files(world, item, disc_iso=DATA)
    session = begin_reading(world, item)
    found = world.inventory.get(sessions.DownloadSession, session)
    assert found is not None
    world.put(msgspec.structs.replace(found, reads_storage=False))
    with pytest.raises(VapiError) as error:
        world.call(FetchedFile.prepare, session, "disc.iso", FetchedFile.EndpointType.DIRECT)
    assert (error.value.error_type, error.value.messages[0].id) == ("UNAUTHORIZED", "vapi.authz.error.no.privs")
    assert found.expires > NOW


@pytest.mark.parametrize(
    ("start", "cancel", "refusal"),
    [(begin, UpdateSession.cancel, ResourceBusy), (begin_reading, DownloadSession.cancel, InvalidArgument)],
    ids=["changing", "reading"],
)
def test_a_user_has_so_many_active_sessions_at_most(
    world: World, monkeypatch: pytest.MonkeyPatch, start: Any, cancel: Any, refusal: type[VapiError]
) -> None:
    monkeypatch.setattr(content_sessions, "MOST_SESSIONS", 2)
    library = add_library(world)
    items = [add_item(world, library, name=f"item {n}") for n in range(4)]
    first, _ = start(world, items[0]), start(world, items[1])
    with pytest.raises(refusal) as error:
        start(world, items[2])
    assert error.value.messages[0].id == "resphere.content.sessions"
    world.call(cancel, first)
    start(world, items[2])
    # Those in which nothing happens any more are stored yet.
    later(world, timedelta(minutes=6))
    start(world, items[3])
