"""Storage that speaks S3, as a process of its own, and a wire to it that can be cut."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import requests
from botocore.session import Session

from resphere.store.buckets.bucket import Bucket
from resphere.store.buckets.location import BucketLocation
from tests.support.libraries import kept
from tests.support.server import Server, clean_environment, free_port, wait_until

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEY_ID, SECRET = "AKIARESPHERETESTS", "a-secret/of+the=tests"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
REGION = "us-east-1"
NUMBERS = itertools.count(1)
CUT_BYTES = 64 * 1024


class Service:
    """A service, and a client of it that looks at what is there."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        client = Session().create_client(
            "s3",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
        self.client = cast("S3Client", client)

    def new_bucket(self) -> str:
        """The name of an empty bucket."""
        name = f"bucket-{os.getpid()}-{next(NUMBERS)}"
        self.client.create_bucket(Bucket=name)
        return name

    def kept(self, bucket: str) -> dict[str, int]:
        """Names and sizes of all objects in a bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}

    def uploads(self, bucket: str) -> list[str]:
        """The names of what is uploaded in parts and not finished."""
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
        return [each["Key"] for page in pages for each in page.get("Uploads", ())]


def bucket_at(endpoint: str, name: str, prefix: str = "vcenter/libraries") -> Bucket:
    """A part of a bucket."""
    return Bucket(BucketLocation(bucket=name, prefix=prefix, endpoint=endpoint, region=REGION))


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    """A service, from its start to its end."""
    port = free_port()
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=clean_environment(),
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(port), "an answer of the service", 60)
        yield Service(port)
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    """Whether somebody answers there."""
    with suppress(requests.exceptions.RequestException):
        return requests.get(f"http://127.0.0.1:{port}/moto-api/", timeout=5).status_code == 200
    return False


class Wire:
    """What stands between a server and the service: it can be cut and mended, and breaks off replies."""

    def __init__(self, port: int) -> None:
        self._service = port
        self._whole = threading.Event()
        self._whole.set()
        self._through = threading.Event()
        self._through.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._breaks: list[int] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing goes through any more: connections end, and new ones at once."""
        self._whole.clear()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Connections are taken, and nothing goes through."""
        self._through.clear()

    def mend(self) -> None:
        """All goes through again."""
        self._whole.set()
        self._through.set()

    def break_off(self, *bytes_of_replies: int) -> None:
        """Have so many of the next connections end after so many bytes of replies."""
        self._breaks.extend(bytes_of_replies)

    def close(self) -> None:
        self.cut()
        self._through.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            if not self._whole.is_set():
                client.close()
                continue
            service = socket.create_connection(("127.0.0.1", self._service))
            most = self._breaks.pop(0) if self._breaks else None
            with self._lock:
                self._open |= {client, service}
            for source, target, limit in ((client, service, None), (service, client, most)):
                threading.Thread(target=self._pump, args=(source, target, limit), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, most: int | None) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(CUT_BYTES if most is None else min(CUT_BYTES, max(1, most - passed))):
                self._through.wait()
                target.sendall(data)
                passed += len(data)
                if most is not None and passed >= most:
                    break
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}
        source.close()


@contextmanager
def wire_to(service: Service) -> Iterator[Wire]:
    """A wire, from its beginning to its end."""
    wire = Wire(service.port)
    try:
        yield wire
    finally:
        wire.close()


class Stored:
    """Where a server keeps the files of its libraries: the flags and the environment that say so, and what is there."""

    flags: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})

    def kept(self, server: Server) -> dict[str, int]:
        """Names and sizes of the contents, with what is not finished."""
        return kept(server)

    def begun(self, server: Server) -> bool:
        """Whether some of a file that is not finished is there."""
        return any(size for name, size in self.kept(server).items() if name.endswith(".part"))


class StoredInBucket(Stored):
    """In a new bucket, at the end of ``wire`` if there is one."""

    def __init__(self, service: Service, wire: Wire | None = None) -> None:
        self.service = service
        self.bucket = service.new_bucket()
        self.url = f"s3://{self.bucket}/vcenter"
        endpoint = service.endpoint if wire is None else wire.endpoint
        self.flags = ("--library-storage", self.url, "--library-storage-endpoint", endpoint)
        self.environment = CREDENTIALS

    def kept(self, server: Server) -> dict[str, int]:
        assert kept(server) == {}
        objects = {name.removeprefix("vcenter/"): size for name, size in self.service.kept(self.bucket).items()}
        del objects["server"]
        return objects

    def begun(self, server: Server) -> bool:
        return bool(self.service.uploads(self.bucket))
