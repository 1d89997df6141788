"""The form of the audit log: numbered lines, each with the digest of all before it, some of them signed.

A line is a JSON object: ``sequence``, the fields of a record or an ``anchor``, and ``digest``, the SHA-256
(hexadecimal) of the digest of the line before (32 bytes) and of what stands before ``,"digest"`` in the line. An anchor
has a ``signature`` (hexadecimal), by the server's key, of its digest. Whoever changes, removes, inserts or moves lines
has to write the digests after them anew, and cannot sign the next anchor.
"""

from __future__ import annotations

import hashlib
import re
from binascii import hexlify
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from resphere.audit.signing import SigningKey

MOST_LINE_BYTES = 64 * 1024
"""More than any line has: what is longer is none."""
START = 24
"""Bytes of a line that hold its number."""

_LINE = re.compile(
    rb'(\{"sequence":([1-9][0-9]{0,17}),(.*)),"digest":"([0-9a-f]{64})"(?:,"signature":"([0-9a-f]{128})")?\}\n',
    re.DOTALL,
)
_ANCHOR = b'"anchor":{'
_encoder = msgspec.json.Encoder()
_sha256 = hashlib.sha256


class Place(msgspec.Struct, frozen=True, gc=False):
    """A place in a chain: the number of a line, and its digest (32 bytes). Line 0 stands before the first one."""

    sequence: int
    digest: bytes

    def __str__(self) -> str:
        return f"line {self.sequence} ({self.digest.hex()[:16]})"


def beginning(chain: int) -> Place:
    """What the first line of a chain follows on."""
    return Place(0, hashlib.sha256(b"resphere audit chain %d" % chain).digest())


class Kind(StrEnum):
    """Why an anchor was written."""

    START = "START"
    """A worker has begun to write the chain, or goes on with it."""
    TIME = "TIME"
    """Now and then, after records."""
    FILE = "FILE"
    """The last line of a file: the chain goes on in another one."""
    LOSS = "LOSS"
    """Records before it could not be written: ``lost_records``."""
    DELETION = "DELETION"
    """Old files are deleted: ``deleted``."""
    STOP = "STOP"
    """The worker ends in order."""


class Deleted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that was deleted because of its age, or since all took too much room: lines ``first`` to ``last``."""

    chain: int
    file: str
    first: int
    last: int
    digest: str
    """Of the last one."""


class Lines(msgspec.Struct, frozen=True):
    """Lines ``first`` to ``last``; ``restarted``: the computer was started anew since, which may lose what was written
    last."""

    first: int
    last: int
    restarted: bool


class Anchor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an anchor says. ``heads`` are the last lines of the other chains, by their numbers: ``[sequence, digest]``.

    What a worker has found at its start: ``missing`` lines were written, and are not in the log; ``unnoted`` ones are
    in the log, and nobody has noted that they were written; ``unknown_head``: nothing was there to tell how far the
    chain had come.
    """

    kind: Kind
    time: datetime
    chain: int
    key: str
    process: int
    heads: dict[str, tuple[int, str]] = {}
    lost_records: int = 0
    deleted: tuple[Deleted, ...] = ()
    missing: Lines | None = None
    unnoted: Lines | None = None
    unknown_head: bool = False


def record_line(after: Place, content: bytes) -> tuple[Place, bytes]:
    """The next line, which holds the fields of ``content``, a JSON object; and its place."""
    sequence = after.sequence + 1
    body = b'{"sequence":%d,%b' % (sequence, content[1:-1])
    digest = _sha256(after.digest + body).digest()
    return Place(sequence, digest), b'%b,"digest":"%b"}\n' % (body, hexlify(digest))


def anchor_line(after: Place, anchor: Anchor, key: SigningKey) -> tuple[Place, bytes]:
    """The next line, which holds ``anchor`` and its signature; and its place."""
    place, line = record_line(after, b'{"anchor":%b}' % _encoder.encode(anchor))
    signature = key.sign(place.digest).hex().encode()
    return place, b'%b,"signature":"%b"}\n' % (line[:-2], signature)


class _Moment(msgspec.Struct, frozen=True):
    time: datetime


class _Timed(msgspec.Struct, frozen=True):
    """What says when a line was written."""

    start_time: datetime | None = None
    duration_seconds: float = 0.0
    anchor: _Moment | None = None


_timed = msgspec.json.Decoder(_Timed)


class Line(msgspec.Struct, frozen=True):
    """A line as it was read."""

    sequence: int
    body: bytes
    """What its digest is of, besides the line before."""
    content: bytes
    """Without braces: its fields."""
    digest: bytes
    signature: bytes | None

    @property
    def place(self) -> Place:
        """Where it says to stand."""
        return Place(self.sequence, self.digest)

    @property
    def is_anchor(self) -> bool:
        """Whether it is an anchor, and no record."""
        return self.content.startswith(_ANCHOR)

    @property
    def time(self) -> datetime | None:
        """When it was written: of a record, when the call was answered; ``None`` where it does not say."""
        try:
            timed = _timed.decode(b"{%b}" % self.content)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        if timed.anchor is not None:
            return timed.anchor.time
        return None if timed.start_time is None else timed.start_time + timedelta(seconds=timed.duration_seconds)

    @property
    def text(self) -> bytes:
        """The line as it stands in the log, without its newline."""
        signed = b"" if self.signature is None else b',"signature":"%b"' % self.signature.hex().encode()
        return b'%b,"digest":"%b"%b}' % (self.body, self.digest.hex().encode(), signed)

    def follows(self, digest: bytes) -> bool:
        """Whether its digest is right after a line of that digest."""
        return hashlib.sha256(digest + self.body).digest() == self.digest


def parse(line: bytes) -> Line | None:
    """A line with its newline; ``None`` where it is none of this form."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    body, sequence, content, digest, signature = found.groups()
    signed = bytes.fromhex(signature.decode()) if signature else None
    return Line(int(sequence), body, content, bytes.fromhex(digest.decode()), signed)


_anchored = msgspec.json.Decoder(Anchor)


def anchor_of(line: Line) -> Anchor | None:
    """The anchor that a line holds; ``None`` where what it holds is none."""
    try:
        return _anchored.decode(line.content[len(_ANCHOR) - 1 :])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
