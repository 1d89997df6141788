"""Packages in content libraries: items of the type ``ovf``, and what their files are by their names."""

from __future__ import annotations

from enum import StrEnum

import msgspec

PACKAGE = "ovf"
"""The type of items that are packages, in whichever case."""


class Part(StrEnum):
    """What a file of a package is, by the end of its name; others are what the descriptor names, or lie beside."""

    DESCRIPTOR = ".ovf"
    ARCHIVE = ".ova"
    MANIFEST = ".mf"
    CERTIFICATE = ".cert"


LEADING = frozenset((Part.DESCRIPTOR, Part.ARCHIVE))
"""A package has one of these."""
METADATA = frozenset((Part.MANIFEST, Part.CERTIFICATE))
"""What says whether the others are right; it is not kept."""


class PackageSignature(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a package's manifest is signed, and by whom: names as ``/C=US/O=VMware, Inc.``, certificates in PEM, the
    signer's first. ``manifest`` and ``certificate`` are the contents of the files of which this is true."""

    manifest: str
    certificate: str
    subject: str
    issuer: str
    self_signed: bool
    chain: tuple[str, ...]


def is_package(type: str) -> bool:
    """Whether items of a type are packages."""
    return type.casefold() == PACKAGE


def part_of(name: str) -> Part | None:
    """What a file of a package is."""
    name = name.casefold()
    return next((part for part in Part if name.endswith(part)), None)
