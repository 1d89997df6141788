"""Publishers that turn bad: what subscribers have of them stays as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.certificates.files import TlsFiles
from resphere.contract.errors import ResourceInaccessible
from resphere.contract.generated import ids
from resphere.contract.generated.content import LibraryModel, SubscribedLibrary
from resphere.contract.generated.content_library import SubscriptionInfo
from resphere.fetching.fetcher import BOUNDS, Bounds
from resphere.fetching.trust import thumbprint_of
from resphere.inventory.content.sessions import UpdateSession as StoredSession
from resphere.rules.space import free_space
from tests.services.content.libraries import datastores, fetch, kept
from tests.services.content.publishers import (
    PublishedFolder,
    items,
    subscribe,
    subscription,
    sync,
    web_server,
    work_off,
)
from tests.support.sources import certificate_files, secured
from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def folder(tmp_path: Path) -> PublishedFolder:
    made = PublishedFolder(tmp_path / "published")
    made.put("disc", disc_iso=b"as it was")
    made.put("notes", notes_txt=b"notes")
    made.write()
    return made


def free(world: World) -> int:
    """The room on the first datastore."""
    return free_space(world.inventory, datastores(world)[0])


def shown_by(files: TlsFiles) -> str:
    """The thumbprint of a certificate."""
    found = x509.load_pem_x509_certificates(files.certificate.read_bytes())[0]
    return thumbprint_of(found.public_bytes(Encoding.DER))


def bad_answer(handler: SimpleHTTPRequestHandler, how: str, over: threading.Event) -> None:
    """What a publisher answers that has turned bad."""
    if how == "hangs":
        over.wait(60)
        return
    if how == "stops in the middle":
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(b"{")
        over.wait(60)
        return
    handler.send_response(302)
    where = {"redirects elsewhere": "http://127.0.0.2:9", "redirects to a file": "file://"}.get(how, "")
    handler.send_header("Location", f"{where}{handler.path}")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize("when", ["lib.json", "items.json", "disc/disc.iso"])
@pytest.mark.parametrize(
    "how", ["hangs", "stops in the middle", "redirects elsewhere", "redirects to a file", "redirects to itself"]
)
def test_publisher_that_turns_bad(
    world: World, folder: PublishedFolder, monkeypatch: pytest.MonkeyPatch, how: str, when: str
) -> None:
    """What is here stays, nothing half done is, room is given back, and the next sync takes what has come."""
    over, bad = threading.Event(), False

    def answer(handler: SimpleHTTPRequestHandler) -> bool:
        if bad and handler.path.lstrip("/") == when:
            bad_answer(handler, how, over)
            return True
        return False

    with web_server(folder.folder, answer=answer) as url:
        library = subscribe(world, url)
        work_off(world)
        before, room, files = items(world, library), free(world), kept(world)
        folder.put("disc", disc_iso=b"changed")
        folder.write()
        bad = True
        monkeypatch.setattr(world.environment.fetcher, "_bounds", Bounds(head_seconds=0.2, idle_seconds=0.2))
        if when == "lib.json":
            with pytest.raises(ResourceInaccessible):
                world.call(SubscribedLibrary.sync, library)
        else:
            sync(world, library)
        assert items(world, library) == before
        assert (free(world), kept(world)) == (room, files)
        assert not world.inventory.all(StoredSession)
        bad = False
        over.set()
        # Whoever is there is given time, however busy the machine is.
        monkeypatch.setattr(world.environment.fetcher, "_bounds", BOUNDS)
        sync(world, library)
        assert fetch(world, ids.ContentLibraryItemId(before["disc"].id or ""), "disc.iso") == b"changed"


def test_publisher_that_changes_its_certificate(world: World, folder: PublishedFolder, tmp_path: Path) -> None:
    first, second = (certificate_files(tmp_path / name) for name in ("first", "second"))
    with web_server(folder.folder, tls=secured(first)) as url:
        library = subscribe(world, url, ssl_thumbprint=shown_by(first))
        work_off(world)
        before = items(world, library)
        assert len(before) == 2
        port = urlsplit(url).port
    folder.put("disc", disc_iso=b"changed")
    folder.write()
    with web_server(folder.folder, tls=secured(second), port=port or 0) as url:
        with pytest.raises(ResourceInaccessible):
            world.call(SubscribedLibrary.sync, library)
        work_off(world)
        assert items(world, library) == before
        found = world.call(SubscribedLibrary.probe, subscription(url, ssl_thumbprint=shown_by(first)))
        assert found.status is SubscribedLibrary.ProbeResult.Status.CERTIFICATE_ERROR
        # Its new certificate is taken by who says so.
        changed = SubscriptionInfo(ssl_thumbprint=shown_by(second))
        world.call(SubscribedLibrary.update, library, LibraryModel(subscription_info=changed))
        sync(world, library)
        assert fetch(world, ids.ContentLibraryItemId(before["disc"].id or ""), "disc.iso") == b"changed"
