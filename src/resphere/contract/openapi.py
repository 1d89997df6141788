"""OpenAPI 3.1 of the ``/api`` dialect, put together from the pieces in ``openapi.jsonl``.

A line of that file is an operation, a schema, or what all documents have. ``make docs`` derives them from the contract
(``tools/openapi``): that takes a second of work and the whole contract in memory, while to choose among them takes next
to nothing. ``tests/openapi`` hold that the pieces are what the code says.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

REFERENCE = "#/components/schemas/"
FILE = Path(__file__).with_suffix(".jsonl")


class Frame(msgspec.Struct, frozen=True, tag=True):
    """What every document has: its members but for tags, paths and schemas, with the names of the ``schemas`` that they
    refer to themselves."""

    schemas: tuple[str, ...]
    shown: dict[str, Any]


class OperationPiece(msgspec.Struct, frozen=True, tag="operation"):
    """An operation as a document shows it, with the names of the ``schemas`` that it refers to itself."""

    id: str
    service: str
    path: str
    method: str
    releases: tuple[str, ...]
    implemented: bool
    schemas: tuple[str, ...]
    shown: msgspec.Raw

    @property
    def component(self) -> str:
        """The component that the operation belongs to."""
        return component_of(self.service)


class SchemaPiece(msgspec.Struct, frozen=True, tag="schema"):
    """A schema as a document shows it, with the names of the ``schemas`` that it refers to itself."""

    name: str
    schemas: tuple[str, ...]
    shown: msgspec.Raw


Piece: TypeAlias = Frame | OperationPiece | SchemaPiece
_decode = msgspec.json.Decoder(Piece).decode


class Pieces(msgspec.Struct, frozen=True):
    """What documents are put together from. Operations are in order of their paths, schemas of their names."""

    frame: Frame
    operations: tuple[OperationPiece, ...]
    schemas: tuple[SchemaPiece, ...]

    def lines(self) -> Iterator[bytes]:
        """The pieces as they are in the file."""
        for piece in (self.frame, *self.operations, *self.schemas):
            yield msgspec.json.encode(piece) + b"\n"


def read_pieces(file: Path = FILE) -> Pieces:
    """The pieces of the file, which others need not wait for: each line is read by itself."""
    with file.open("rb") as lines:
        frame, *pieces = map(_decode, lines)
    if not isinstance(frame, Frame):
        raise TypeError(f"{file.name} does not begin with what all documents have")
    return Pieces(
        frame,
        tuple(piece for piece in pieces if isinstance(piece, OperationPiece)),
        tuple(piece for piece in pieces if isinstance(piece, SchemaPiece)),
    )


class Listed(msgspec.Struct, frozen=True):
    """What there is to choose from: the components, and those of which something is ``implemented``."""

    components: tuple[str, ...]
    implemented: frozenset[str]


@cache
def listed(releases: tuple[str, ...]) -> Listed:
    """The components of what ``releases`` have."""
    operations = tuple(of_releases(read_pieces().operations, releases))
    return Listed(
        tuple(sorted({operation.component for operation in operations})),
        frozenset(operation.component for operation in operations if operation.implemented),
    )


def of_releases(operations: Iterable[OperationPiece], releases: Collection[str]) -> Iterator[OperationPiece]:
    """The operations that any of these releases has."""
    return (operation for operation in operations if not set(releases).isdisjoint(operation.releases))


def document(pieces: Pieces, operations: Collection[OperationPiece], version: str) -> bytes:
    """The document of these ``operations``, with the schemas that they need; ``version`` is the API's."""
    paths: dict[str, dict[str, msgspec.Raw]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.shown
    needed = needed_schemas(pieces, operations)
    schemas = {piece.name: piece.shown for piece in pieces.schemas if piece.name in needed}
    shown = pieces.frame.shown
    return msgspec.json.encode(
        {
            **shown,
            "info": {**shown["info"], "version": version},
            "tags": [{"name": service} for service in sorted({operation.service for operation in operations})],
            "paths": paths,
            "components": {**shown["components"], "schemas": schemas},
        }
    )


def needed_schemas(pieces: Pieces, operations: Iterable[OperationPiece]) -> set[str]:
    """The names of all schemas that the frame and the operations refer to, and that those refer to."""
    within = {piece.name: piece.schemas for piece in pieces.schemas}
    needed: set[str] = set()
    waiting = [*pieces.frame.schemas, *(name for operation in operations for name in operation.schemas)]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += within[name]
    return needed


def component_of(service: str) -> str:
    """The component that a service belongs to, as vCenter groups its documents: ``vcenter``, ``cis``..."""
    if service == "com.vmware.cis.session":
        return "session"
    return service.removeprefix("com.vmware.").partition(".")[0]


def plain_words(text: str) -> str:
    """Documentation of Python code for readers of Markdown: no roles such as ``:func:``, one backtick for two, and no
    indentation, which would make it code."""
    return re.sub(r":(?:[a-z]+:)+`~?([^`]*)`", r"`\1`", inspect.cleandoc(text)).replace("``", "`")
