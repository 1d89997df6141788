"""What any bytes are fed to: decoders and parsers that strangers reach."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from resphere.dialects.base import Dialect, Reply, Request
from resphere.ovf.archive import Archive
from resphere.ovf.certificate import verify
from resphere.ovf.issues import BadInput, BadPackage
from resphere.ovf.manifest import read_manifest
from resphere.ovf.reading import read, read_files, stored_names
from resphere.ovf.resolving import resolved
from resphere.ovf.vmdk import read_head
from resphere.ovf.writing import write_descriptor
from resphere.server.exchange import Exchange
from tests.support.served import GivenBody, Served

Target = Callable[[bytes], None]
"""Takes any bytes. What it raises is a fault that was found."""

SESSION = b"$SESSION"
"""Stands for the id of an open session: bytes that are kept must not depend on it."""


def requests(served: Served, dialect: Dialect) -> Target:
    """Requests of a dialect: method and target in a line, headers in lines, an empty line, the body."""

    def take(content: bytes) -> None:
        request, body = parsed(content.replace(SESSION, served.token.encode()))
        exchange = Exchange(request, "fuzz", dialect, GivenBody(body))
        reply = served.world.run(served.pipeline.handle(exchange))
        served.world.run(served.accounts.lockout.finish())
        check(reply, dialect)

    return take


def parsed(content: bytes) -> tuple[Request, bytes]:
    """The request that some bytes mean."""
    head, _, body = content.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    return Request(method.decode("latin-1"), path.decode("latin-1"), query, headers, "192.0.2.1"), body


def check(reply: Reply, dialect: Dialect) -> None:
    """See that nothing unforeseen came about.

    :raises AssertionError: it did, or the answer is not of the form that the dialect has.
    """
    foreseen = (b"SERVICE_UNAVAILABLE", b"UNSUPPORTED", b"<soapenv:Fault>")
    assert reply.status < 500 or any(each in reply.body for each in foreseen), reply
    assert b"resphere.internal_error" not in reply.body, reply
    assert b"An unexpected error occurred" not in reply.body, reply
    if reply.status >= 400 and reply.body and reply.media_type == "application/json":
        json.loads(reply.body)


def ovf_file(content: bytes) -> None:
    """Any file of an OVF package, as each kind of them: what is refused is so with its issues."""
    for take in (_descriptor, _archive, _manifest, _certificate, _disk):
        with suppress(BadPackage, BadInput):
            take(content)


def _descriptor(content: bytes) -> None:
    for file in read_files(content, "fuzz.ovf"):
        assert stored_names(file)
    read_one = read(content).descriptor
    for option in (None, *(each.id for each in read_one.options[:2])):
        for machine in resolved(read_one, option, lax=True).machines:
            # What could be read can be written, and is the same then.
            written = write_descriptor(machine, preserve_mac=True, extra_config=True)
            (again,) = resolved(read(written).descriptor, lax=True).machines
            assert write_descriptor(again, preserve_mac=True, extra_config=True) == written, written


def _archive(content: bytes) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 500):
            yield content[start : start + 500]

    async def take() -> None:
        async for member in Archive(pieces(), "fuzz.ova").members():
            assert member.size == sum([len(piece) async for piece in member.pieces()])

    asyncio.run(take())


def _manifest(content: bytes) -> None:
    read_manifest(content, "fuzz.mf")


def _certificate(content: bytes) -> None:
    verify(content, "fuzz.cert", b"", "fuzz.mf", (), datetime(2026, 1, 1, tzinfo=UTC))


def _disk(content: bytes) -> None:
    assert read_head(content, "fuzz.vmdk").capacity > 0


@contextmanager
def targets(folder: Path) -> Iterator[dict[str, Target]]:
    """All of them, by name, over a small vCenter with its data in ``folder``."""
    with Served(folder) as served:
        served.issue_tokens()
        dialects = (served.api, served.rest, served.jsonrpc, served.sts)
        yield {dialect.name: requests(served, dialect) for dialect in dialects} | {"ovf": ovf_file}


CORPUS = Path(__file__).with_name("corpus")


def kept_inputs() -> list[Path]:
    """The inputs that reached new code once, or were a fault, in a folder for each target."""
    return sorted(each for each in CORPUS.glob("*/*") if each.is_file())
