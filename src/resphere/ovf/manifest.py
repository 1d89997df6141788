"""Manifests (``.mf``): the digests of a package's files, read, checked and written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from resphere.ovf.issues import BadPackage, Category, Findings, issue, short

MOST_MANIFEST_BYTES = 1024 * 1024
MOST_ENTRIES = 1000
"""As many as an item of a library has files."""


class Algorithm(StrEnum):
    """What digests are made by; hexadecimal digits of each: 40, 64 and 128."""

    SHA1 = "SHA1"
    SHA256 = "SHA256"
    SHA512 = "SHA512"

    def digest(self, content: bytes = b"") -> hashlib._Hash:
        """A digest that is added to piece by piece."""
        # SHA-1 says here whether a file came over whole, as vSphere's own exports do.
        return hashlib.new(self.value.casefold(), content, usedforsecurity=self is not Algorithm.SHA1)


class ManifestEntry(msgspec.Struct, frozen=True):
    """The digest of a file, in lower case."""

    file: str
    algorithm: Algorithm
    digest: str


_ENTRY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*\((.+)\)\s*=\s*([0-9A-Fa-f]+)\s*")
_ALGORITHMS = {name: each for each in Algorithm for name in (each.value, f"SHA-{each.value[3:]}")}


def read_manifest(content: bytes, file: str) -> tuple[ManifestEntry, ...]:
    """The entries of a manifest, in both spellings: ``SHA1(a.ovf)= 12ab`` and ``SHA256 (a.ovf) = 12ab``.

    :raises BadPackage: in vCenter's words; a line is no entry, an algorithm unknown, or a file there twice.
    """
    if len(content) > MOST_MANIFEST_BYTES:
        raise _refused(file, 0, f"it is larger than {MOST_MANIFEST_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused(file, 0, "it is not text in UTF-8") from None
    entries: dict[str, ManifestEntry] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise _refused(file, number, f"Invalid OVF manifest entry: {short(line)}")
        word, name, digest = match.groups()
        algorithm = _ALGORITHMS.get(word.upper())
        if algorithm is None:
            raise _refused(file, number, f"Invalid OVF checksum algorithm: {short(word)}")
        if len(digest) != algorithm.digest().digest_size * 2:
            raise _refused(file, number, f"Invalid OVF manifest entry: {short(line)}")
        if name in entries or len(entries) >= MOST_ENTRIES:
            raise _refused(file, number, f"Invalid OVF manifest entry: {short(line)}")
        entries[name] = ManifestEntry(name, algorithm, digest.casefold())
    return tuple(entries.values())


def check(
    entries: Iterable[ManifestEntry], digest_of: Callable[[str, Algorithm], str | None], manifest_file: str
) -> None:
    """Hold a manifest against what came.

    ``digest_of`` tells the hexadecimal digest of a file, and ``None`` where there is no such file.

    :raises BadPackage: in vCenter's words, with the names of the files that are not there or are others.
    """
    found = Findings(manifest_file)
    for entry in entries:
        digest = digest_of(entry.file, entry.algorithm)
        if digest is None:
            found.error(
                Category.VALIDATION_ERROR,
                (0, 0),
                "manifest_file_missing",
                "The file {0} of the manifest is not in the package.",
                entry.file,
            )
        elif digest.casefold() != entry.digest:
            found.error(
                Category.VALIDATION_ERROR,
                (0, 0),
                "manifest_mismatch",
                "The checksum(s) from the provided manifest file do not match the content of file(s): {0}",
                entry.file,
            )
    found.require_none()


def write_manifest(entries: Iterable[ManifestEntry]) -> bytes:
    """A manifest as vSphere and ovftool write it."""
    return "".join(f"{each.algorithm}({each.file})= {each.digest}\n" for each in entries).encode()


def _refused(file: str, line: int, reason: str) -> BadPackage:
    text = "The provided manifest file is invalid: {0}"
    return BadPackage([issue(Category.VALIDATION_ERROR, file, (line, 1 if line else 0), "manifest", text, reason)])
