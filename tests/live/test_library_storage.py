"""Files of content libraries in a bucket: what is refused at the start, outages, moves to it and from it, backups."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.support.buckets import CREDENTIALS, SECRET, Service, StoredInBucket, Wire, wire_to
from tests.support.cli import resphere
from tests.support.libraries import (
    SESSIONS,
    add_item,
    add_library,
    announce,
    begin,
    complete,
    fetch,
    kept,
    prepared,
    put_file,
)
from tests.support.server import WITHOUT_TLS, Server, free_port, wait_until
from tests.support.vms import refusal

DATA = bytes(range(256)) * 4096
LARGE = DATA * 20


@pytest.fixture
def wire(s3_service: Service) -> Iterator[Wire]:
    with wire_to(s3_service) as wire:
        yield wire


@pytest.fixture
def stored(s3_service: Service) -> StoredInBucket:
    return StoredInBucket(s3_service)


def refused_start(data_dir: Path, *flags: str) -> str:
    """What a server says that does not start."""
    server = Server(data_dir, WITHOUT_TLS, *flags, environment=CREDENTIALS)
    server.launch()
    assert server.banner == ""
    said = server.errors()
    server.stderr.unlink()
    assert "Traceback" not in said
    assert SECRET not in said
    return said


def test_a_server_does_not_start_without_its_bucket(tmp_path: Path, s3_service: Service) -> None:
    port, data = free_port(), tmp_path / "data"
    nobody = f"http://127.0.0.1:{port}"
    said = refused_start(data, "--library-storage", "s3://images", "--library-storage-endpoint", nobody)
    assert f'--library-storage: s3://images: Could not connect to the endpoint URL: "{nobody}/images' in said
    said = refused_start(
        data, "--library-storage", "s3://not-there/a", "--library-storage-endpoint", s3_service.endpoint
    )
    assert "--library-storage: s3://not-there/a refuses: NoSuchBucket" in said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--library-storage", "/srv/images"), "--library-storage must be s3://BUCKET/PREFIX, not /srv/images"),
        (("--library-storage-region", "a"), "--library-storage-region makes no sense without --library-storage"),
        (
            ("--library-storage", "s3://images", "--library-storage-endpoint", "minio:9000"),
            "--library-storage-endpoint must be a URL such as https://s3.example.com:9000, not minio:9000",
        ),
        (
            ("--library-storage", "s3://images", "--library-storage-region", "a b"),
            "--library-storage-region must be a name such as eu-central-1, not 'a b'",
        ),
    ],
)
def test_what_makes_no_sense(tmp_path: Path, flags: tuple[str, ...], said: str) -> None:
    assert said in refused_start(tmp_path / "data", *flags)


def test_two_servers_do_not_share_a_place(tmp_path: Path, stored: StoredInBucket) -> None:
    with Server(tmp_path / "first", WITHOUT_TLS, *stored.flags, environment=stored.environment):
        said = refused_start(tmp_path / "second", *stored.flags)
        assert f"--library-storage: {stored.url} belongs to another server, whose store is " in said
        beside = stored.url + "-2"
        flags = ("--library-storage", beside, *stored.flags[2:])
        with Server(tmp_path / "second", WITHOUT_TLS, *flags, environment=stored.environment):
            pass


def test_an_outage(tmp_path: Path, s3_service: Service, wire: Wire) -> None:
    stored = StoredInBucket(s3_service, wire)

    def body() -> Iterator[bytes]:
        yield LARGE
        wait_until(lambda: stored.begun(server), "the upload of a part")
        wire.cut()
        yield LARGE

    with (
        Server(tmp_path / "data", WITHOUT_TLS, *stored.flags, environment=stored.environment) as server,
        server.session() as client,
    ):
        item = add_item(client, add_library(client))
        put_file(client, server, item, "whole", DATA)
        session = begin(client, item)
        free = client.read("/api/vcenter/datastore")[0]["free_space"]
        address, whole = announce(client, session, "half"), prepared(client, item, "whole")
        broken = requests.put(address, data=body(), timeout=120)
        assert refusal(broken) == (503, "SERVICE_UNAVAILABLE", "resphere.store.unavailable")
        assert client.read(f"{SESSIONS}/{session}/file/half")["status"] == "ERROR"
        assert client.read("/api/vcenter/datastore")[0]["free_space"] == free
        assert refusal(requests.get(whole, timeout=60))[0] == 503
        assert refusal(requests.put(address, data=b"small", timeout=60))[0] == 503
        # What needs no file goes on.
        assert client.read(f"/api/content/library/item/{item}/file")[0]["name"] == "whole"
        wire.mend()
        assert requests.get(whole, timeout=60).content == DATA
        assert requests.put(address, data=LARGE, timeout=60).status_code == 200
        complete(client, session)
        assert fetch(client, server, item, "half") == LARGE
        wait_until(lambda: sorted(stored.kept(server).values()) == [len(DATA), len(LARGE)], "the cleaning up", 90)
        assert s3_service.uploads(stored.bucket) == []


def test_a_server_stops_while_its_bucket_hangs(tmp_path: Path, s3_service: Service, wire: Wire) -> None:
    stored = StoredInBucket(s3_service, wire)
    with Server(tmp_path / "data", WITHOUT_TLS, *stored.flags, environment=stored.environment) as server:
        with server.session() as client:
            session = begin(client, add_item(client, add_library(client)))
            address = announce(client, session, "late")
        wire.hang()
        before = wire.connections

        def send() -> None:
            with suppress(requests.exceptions.RequestException):
                requests.put(address, data=DATA, timeout=120)

        sender = threading.Thread(target=send)
        sender.start()
        wait_until(lambda: wire.connections > before, "a connection that hangs")
        assert server.stop() == 0
        sender.join()


def test_moves(tmp_path: Path, stored: StoredInBucket) -> None:
    data, client_of = tmp_path / "data", stored.service.client
    folder = data / "library-files"
    with Server(data, WITHOUT_TLS) as server, server.session() as client:
        item = add_item(client, add_library(client))
        put_file(client, server, item, "disc.iso", DATA)
        (name,) = kept(server)
    said = refused_start(data, *stored.flags)
    assert f"lacks 1 of the files of content libraries, such as {name}, that are in the folder library-files" in said
    client_of.put_object(Bucket=stored.bucket, Key=f"vcenter/{name}", Body=(folder / name).read_bytes())
    (folder / name).rename(tmp_path / name)
    with Server(data, WITHOUT_TLS, *stored.flags, environment=CREDENTIALS) as server, server.session() as client:
        assert fetch(client, server, item, "disc.iso") == DATA
        put_file(client, server, add_item(client, add_library(client)), "disc.iso", b"other")
        done = resphere("backup", str(tmp_path / "backup.tar"), "--data-dir", str(data))
        place = f"{stored.url} at {stored.service.endpoint}"
        assert f"not in it: the files of content libraries, which lie in {place}\n" in done.stdout
    assert "--library-storage: the folder library-files beside the store lacks 2 of the files" in refused_start(data)
    for key in stored.service.kept(stored.bucket):
        body = client_of.get_object(Bucket=stored.bucket, Key=key)["Body"].read()
        (folder / key.removeprefix("vcenter/")).write_bytes(body)
    with Server(data, WITHOUT_TLS, environment=CREDENTIALS) as server, server.session() as client:
        assert fetch(client, server, item, "disc.iso") == DATA
    restored = tmp_path / "restored"
    done = resphere("restore", str(tmp_path / "backup.tar"), "--data-dir", str(restored))
    assert f"not in it: the files of content libraries, which must be in {place} as then\n" in done.stdout
    with Server(restored, WITHOUT_TLS, *stored.flags, environment=CREDENTIALS) as server, server.session() as client:
        assert fetch(client, server, item, "disc.iso") == DATA


def test_a_bucket_that_was_emptied_is_not_taken_for_the_one_of_before(tmp_path: Path, stored: StoredInBucket) -> None:
    with Server(tmp_path / "data", WITHOUT_TLS, *stored.flags, environment=stored.environment):
        pass
    stored.service.client.delete_object(Bucket=stored.bucket, Key="vcenter/server")
    said = refused_start(tmp_path / "data", *stored.flags)
    assert f"{stored.url} is not what it was: {stored.url}/server is missing" in said
