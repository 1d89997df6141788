"""Files that the server fetches into content libraries, through the official SDK, as its users write it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import com.vmware.content.library.item.updatesession_client as changing
import com.vmware.content.library.item_client as sessions
import com.vmware.content.library_client as library_client
import com.vmware.content_client as content_client
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vcenter_client as vcenter_client

from tests.sdk.scripts.client import Check, Given, raises, run_checks
from tests.support.packages import archive, one_disk

DATA = bytes(range(256)) * 4096
SourceType = changing.File.SourceType


FILES = {"/disc.iso": DATA, "/tiny.ova": archive({"tiny.ovf": one_disk("tiny.vmdk"), "tiny.vmdk": DATA})}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = FILES.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def site() -> Iterator[str]:
    """The address of a web server with one file."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def new_item(given: Given, name: str) -> str:
    datastore = given.client.vcenter.Datastore.list()[0].datastore
    backing = library_client.StorageBacking(type=library_client.StorageBacking.Type.DATASTORE, datastore_id=datastore)
    spec = content_client.LibraryModel(
        name=name, type=content_client.LibraryModel.LibraryType.LOCAL, storage_backings=[backing]
    )
    library = given.client.content.LocalLibrary.create(create_spec=spec)
    item: str = given.client.content.library.Item.create(
        create_spec=library_client.ItemModel(name=name, type="iso", library_id=library)
    )
    return item


def begun(given: Given, item: str, name: str, uri: str) -> str:
    """A session that has begun to fetch a file."""
    service = given.client.content.library.item
    session: str = service.UpdateSession.create(create_spec=sessions.UpdateSessionModel(library_item_id=item))
    endpoint = sessions.TransferEndpoint(uri=uri)
    spec = changing.File.AddSpec(name=name, source_type=SourceType.PULL, source_endpoint=endpoint)
    info = service.updatesession.File.add(session, spec)
    assert (info.source_type, info.source_endpoint.uri, info.upload_endpoint) == (SourceType.PULL, uri, None)
    return session


def ended(given: Given, session: str) -> sessions.UpdateSessionModel:
    """The session once it is no more active."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = given.client.content.library.item.UpdateSession.get(session)
        if found.state != sessions.UpdateSessionModel.State.ACTIVE:
            return found
        time.sleep(0.1)
    raise TimeoutError("the session is active still")


def a_file_is_fetched(given: Given) -> None:
    service = given.client.content.library.item
    item = new_item(given, "sdk pulls")
    with site() as address:
        session = begun(given, item, "disc.iso", f"{address}/disc.iso")
        assert service.UpdateSession.get(session).preview_info.state == "NOT_APPLICABLE"
        service.UpdateSession.complete(session)
        assert ended(given, session).state == sessions.UpdateSessionModel.State.DONE
    service.UpdateSession.delete(session)
    (file,) = service.File.list(item)
    assert (file.name, file.size) == ("disc.iso", len(DATA))
    (place,) = service.Storage.get(item, "disc.iso")
    twin = new_item(given, "sdk twin")
    session = begun(given, twin, "twin.iso", place.storage_uris[0])
    (info,) = service.updatesession.File.list(session)
    assert (info.status, info.checksum_info.checksum) == ("READY", file.checksum_info.checksum)
    service.UpdateSession.complete(session)
    assert ended(given, session).state == sessions.UpdateSessionModel.State.DONE


def a_file_is_not_there(given: Given) -> None:
    service = given.client.content.library.item
    item = new_item(given, "sdk none")
    with site() as address:
        session = begun(given, item, "none.iso", f"{address}/none.iso")
        found = ended(given, session)
    assert found.state == sessions.UpdateSessionModel.State.ERROR
    assert found.error_message.default_message.startswith(f"The import of library item {item} has failed. Reason: ")
    info = service.updatesession.File.get(session, "none.iso")
    assert (info.status, info.source_type) == ("ERROR", SourceType.PULL)
    with raises(errors.NotAllowedInCurrentState):
        service.UpdateSession.complete(session)
    service.UpdateSession.delete(session)


def nobody_has_allowed_it(given: Given) -> None:
    item = new_item(given, "sdk elsewhere")
    with raises(errors.InvalidArgument):
        begun(given, item, "disc.iso", "http://192.0.2.1/disc.iso")


def finished(task: Any) -> str:
    """The status of a task at its end."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        status = str(task.get_info().status)
        if status in ("SUCCEEDED", "FAILED"):
            return status
        time.sleep(0.1)
    raise TimeoutError("the task runs still")


def a_package_is_deployed(given: Given) -> None:
    if not hasattr(vcenter_client, "Ovfs"):
        return  # of 9.0 and later
    api, vcenter = vcenter_client.Ovfs, given.client.vcenter
    pool = vcenter.Cluster.get(vcenter.Cluster.list()[0].cluster).resource_pool
    store = vcenter.Datastore.list()[0].datastore
    spec = api.DeploySpec(
        url="http://192.0.2.1/tiny.ova",
        name="sdk ovfs",
        resource_pool=pool,
        vm_home_datastore=api.DatastoreInfo(datastore=store),
        power_on=True,
    )
    with raises(errors.InvalidArgument):
        vcenter.Ovfs.deploy_task(spec)
    with site() as address:
        spec.url = f"{address}/none.ova"
        task = vcenter.Ovfs.deploy_task(spec)
        assert finished(task) == "FAILED"
        assert task.get_error().messages[0].id == "resphere.fetching.status"
        spec.url = f"{address}/tiny.ova"
        task = vcenter.Ovfs.deploy_task(spec)
        assert finished(task) == "SUCCEEDED"
        result = task.get_result()
        assert result.result_type == "VirtualMachine"
        found = vcenter.VM.get(result.created_entity)
        assert (found.name, found.power_state, len(found.disks)) == ("sdk ovfs", "POWERED_ON", 1)
        with raises(errors.Error):
            vcenter.Ovfs.deploy_task(spec)


CHECKS: tuple[Check, ...] = (
    a_file_is_fetched,
    a_file_is_not_there,
    nobody_has_allowed_it,
    a_package_is_deployed,
)


if __name__ == "__main__":
    run_checks(CHECKS)
