"""Content libraries through the official SDK, as its own samples use them: files are sent by ``urllib``."""

from __future__ import annotations

import hashlib
import ssl
import time
import urllib.request
import uuid

import com.vmware.content.library.item.downloadsession_client as reading
import com.vmware.content.library.item.updatesession_client as changing
import com.vmware.content.library.item_client as sessions
import com.vmware.content.library_client as library_client
import com.vmware.content_client as content_client
import com.vmware.vapi.std.errors_client as errors

from tests.sdk.scripts.client import Check, Given, raises, run_checks

DATA = bytes(range(256)) * 4096


def trusting(given: Given) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=given.ca)


def new_library(given: Given, name: str) -> str:
    datastore = given.client.vcenter.Datastore.list()[0].datastore
    backing = library_client.StorageBacking(type=library_client.StorageBacking.Type.DATASTORE, datastore_id=datastore)
    spec = content_client.LibraryModel()
    spec.name, spec.description = name, "by the SDK"
    spec.type = content_client.LibraryModel.LibraryType.LOCAL
    spec.storage_backings = [backing]
    made: str = given.client.content.LocalLibrary.create(create_spec=spec, client_token=str(uuid.uuid4()))
    return made


def new_item(given: Given, library: str, name: str, type: str) -> str:
    spec = library_client.ItemModel(name=name, type=type, library_id=library)
    made: str = given.client.content.library.Item.create(create_spec=spec, client_token=str(uuid.uuid4()))
    return made


def upload(given: Given, item: str, files: dict[str, bytes]) -> None:
    service = given.client.content.library.item
    spec = sessions.UpdateSessionModel(library_item_id=item)
    session = service.UpdateSession.create(create_spec=spec, client_token=str(uuid.uuid4()))
    for name, data in files.items():
        file = changing.File.AddSpec(name=name, source_type=changing.File.SourceType.PUSH, size=len(data))
        info = service.updatesession.File.add(session, file)
        request = urllib.request.Request(info.upload_endpoint.uri, data)
        request.add_header("Cache-Control", "no-cache")
        request.add_header("Content-Length", str(len(data)))
        request.add_header("Content-Type", "text/ovf")
        urllib.request.urlopen(request, context=trusting(given)).close()
    assert {info.status for info in service.updatesession.File.list(session)} == {"READY"}
    service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)


def download(given: Given, item: str) -> dict[str, bytes]:
    service = given.client.content.library.item
    spec = sessions.DownloadSessionModel(library_item_id=item)
    session = service.DownloadSession.create(create_spec=spec, client_token=str(uuid.uuid4()))
    found = {}
    for info in service.downloadsession.File.list(session):
        service.downloadsession.File.prepare(session, info.name)
        until = time.monotonic() + 30
        while info.status != reading.File.PrepareStatus.PREPARED and time.monotonic() < until:
            info = service.downloadsession.File.get(session, info.name)
        with urllib.request.urlopen(info.download_endpoint.uri, context=trusting(given)) as reply:
            found[info.name] = reply.read()
        assert info.checksum_info.checksum == hashlib.sha1(found[info.name]).hexdigest()
    service.DownloadSession.delete(session)
    return found


def an_image(given: Given) -> None:
    content = given.client.content
    library = new_library(given, "sdk images")
    assert library in content.LocalLibrary.list()
    found = content.LocalLibrary.get(library)
    assert (found.name, found.publish_info.published, found.type) == ("sdk images", False, "LOCAL")
    item = new_item(given, library, "disc", "iso")
    upload(given, item, {"disc.iso": DATA})
    assert download(given, item) == {"disc.iso": DATA}
    (storage,) = content.library.item.Storage.list(item)
    assert storage.storage_uris[0].startswith("ds:///vmfs/volumes/")
    before = content.library.Item.get(item).content_version
    upload(given, item, {"disc.iso": DATA[:1000], "notes.txt": b"notes"})
    assert content.library.Item.get(item).content_version > before
    assert download(given, item) == {"disc.iso": DATA[:1000], "notes.txt": b"notes"}
    content.LocalLibrary.delete(library)
    with raises(errors.NotFound):
        content.Library.get(library)


def a_package(given: Given) -> None:
    library = new_library(given, "sdk packages")
    item = new_item(given, library, "package", "ovf")
    service = given.client.content.library.item
    session = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    assert service.UpdateSession.get(session).preview_info.state == "UNAVAILABLE"
    service.UpdateSession.fail(session, "changed my mind")
    assert service.UpdateSession.get(session).error_message.default_message == "changed my mind"
    with raises(errors.NotAllowedInCurrentState):
        service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)
    upload(given, item, {"disk.vmdk": DATA, "package.ovf": b"<Envelope/>"})
    assert sorted(download(given, item)) == ["disk.vmdk", "package.ovf"]
    given.client.content.LocalLibrary.delete(library)


def refusals(given: Given) -> None:
    library = new_library(given, "sdk refusals")
    item = new_item(given, library, "one", "iso")
    with raises(errors.AlreadyExists):
        new_item(given, library, "one", "iso")
    service = given.client.content.library.item
    session = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    with raises(errors.ResourceBusy):
        service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    file = changing.File.AddSpec(name="../one", source_type=changing.File.SourceType.PUSH)
    with raises(errors.InvalidArgument):
        service.updatesession.File.add(session, file)
    with raises(errors.NotFound):
        given.client.content.library.Item.get(library)
    service.UpdateSession.cancel(session)
    given.client.content.LocalLibrary.delete(library)


CHECKS: tuple[Check, ...] = (an_image, a_package, refusals)


if __name__ == "__main__":
    run_checks(CHECKS)
