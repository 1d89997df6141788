"""A large file into a guest and out of it: how fast, and what that takes of the workers' memory."""

from __future__ import annotations

import http.client
import ssl
import statistics
import time
from collections.abc import Iterator

import msgspec

from bench.client import PATIENCE_SECONDS, Address, ask
from bench.measures.create import FEW, vcenter
from bench.measures.guest import asking, linux_guests
from bench.processes import peak_bytes
from bench.result import Outcome, at_most, told
from bench.rounds import Effort
from bench.site import Site

MIB = 1 << 20
SIZE_BYTES = 200 * MIB
PIECE_BYTES = MIB
GROWN_TARGET_MB = 64.0
CREATED, SENT = 201, 200
PATH = "/srv/bench"


def measure_transfers(effort: Effort) -> Outcome:
    """One client over TLS, HTTP/1.1; on disk before it is answered."""
    with vcenter("transfers", FEW) as found:
        vm = next(linux_guests(found))
        # What the first transfer of all takes (threads, buffers) is no matter of its size.
        upload(found, vm, PIECE_BYTES)
        download(found, vm)
        before = {pid: peak_bytes(pid) for pid in found.server.processes}
        seconds = [(upload(found, vm, SIZE_BYTES), download(found, vm)) for _ in range(effort.rounds)]
        grown = max(peak_bytes(pid) - peak for pid, peak in before.items())
    up, down = (SIZE_BYTES / 1e6 / statistics.median(each) for each in zip(*seconds, strict=True))
    what = f"guest file of {SIZE_BYTES // MIB} MiB, 1 connection"
    return Outcome(
        (
            told(f"{what}: upload, durable", f"{up:,.0f} MB/s"),
            told(f"{what}: download", f"{down:,.0f} MB/s"),
            at_most(f"{what}: growth of the largest worker's peak memory", grown / 1e6, GROWN_TARGET_MB, " MB", 0),
        )
    )


def address(found: Site, vm: str, spec: dict[str, object]) -> str:
    """Path and query of a new transfer's address."""
    answer = ask(found.server.address, asking(found, vm, "filesystem?action=create", spec={"path": PATH, **spec}))
    if answer.status != CREATED:
        raise RuntimeError(f"transfer: {answer.status} {answer.body[:300]!r}")
    return "/guestFile" + msgspec.json.decode(answer.body, type=str).partition("/guestFile")[2]


def upload(found: Site, vm: str, size: int) -> float:
    """Put a file of that size into the guest; returns the seconds."""
    path = address(found, vm, {"attributes": {"size": size, "overwrite": True}})
    with_length = {"content-length": str(size)}
    began = time.perf_counter()
    answered(found.server.address, "PUT", path, pieces(size), with_length)
    return time.perf_counter() - began


def download(found: Site, vm: str) -> float:
    """Have the file again; returns the seconds."""
    path = address(found, vm, {})
    began = time.perf_counter()
    answered(found.server.address, "GET", path, None, {})
    return time.perf_counter() - began


def pieces(size: int) -> Iterator[bytes]:
    """So many bytes."""
    piece = bytes(range(256)) * (PIECE_BYTES // 256)
    for _ in range(size // PIECE_BYTES):
        yield piece


def answered(where: Address, method: str, path: str, body: Iterator[bytes] | None, headers: dict[str, str]) -> None:
    """Have a request answered, and take the answer piece by piece."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(where.host, where.port, timeout=PATIENCE_SECONDS, context=context)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        while answer.read(PIECE_BYTES):
            pass
        if answer.status != SENT:
            raise RuntimeError(f"{method} of a file: {answer.status}")
    finally:
        connection.close()
