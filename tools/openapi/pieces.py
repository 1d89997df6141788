"""The pieces of which the server puts its OpenAPI documents together, each a function of the code alone."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from resphere.access.defaults import CHANGE_PASSWORD, LOGIN, PUBLIC, requirements_of
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.contract.openapi import REFERENCE, Frame, OperationPiece, Pieces, SchemaPiece, plain_words
from resphere.queries.options import LINES
from resphere.services.registry import Implementation
from tools.openapi.derive import Source, document
from tools.openapi.lists import headers, options, options_of

TITLE = "vSphere REST API by resphere"


def pieces_of(implemented: Mapping[str, Implementation]) -> Pieces:
    """All pieces; ``implemented`` are the handlers by the ids of their operations."""
    operations = tuple(operation for operation in all_operations() if operation.api is not None)
    by_id = {operation.id: operation for operation in operations}
    whole = document(source_of(operations, implemented))
    paths, schemas = whole.pop("paths"), whole["components"].pop("schemas")
    del whole["tags"]
    needed = {*references(whole), *references(paths), *references(schemas)}
    return Pieces(
        Frame(tuple(referred_to(whole)), whole),
        tuple(
            piece_of(by_id[shown["operationId"]], path, method, shown)
            for path, item in paths.items()
            for method, shown in item.items()
        ),
        # msgspec describes enumerations that are keys of maps, too, to which nothing refers.
        tuple(
            SchemaPiece(name, tuple(referred_to(shown)), raw(shown))
            for name, shown in schemas.items()
            if name in needed
        ),
    )


def source_of(operations: Iterable[AnyOperation], implemented: Mapping[str, Implementation]) -> Source:
    """What a document of these operations is made of."""
    chosen = tuple(operations)

    def described(operation: AnyOperation) -> str | None:
        """What the operation's handler says of itself in its first line."""
        implementation = implemented.get(operation.id)
        text = inspect.getdoc(implementation.handler) if implementation else None
        return plain_words(text.splitlines()[0]) if text else None

    return Source(
        operations=chosen,
        requirements=requirements_of,
        describe=described,
        implemented=frozenset(implemented),
        public=PUBLIC,
        security={LOGIN: ("basic", "token"), CHANGE_PASSWORD: ("basic",)},
        title=TITLE,
        lists={operation.id: found for operation in chosen if (found := options_of(operation))},
        options=options(),
        headers=headers(),
        lines=LINES,
    )


def piece_of(operation: AnyOperation, path: str, method: str, shown: dict[str, Any]) -> OperationPiece:
    """The piece of an operation that stands in a document."""
    return OperationPiece(
        id=operation.id,
        service=operation.service,
        path=path,
        method=method,
        releases=operation.releases,
        implemented=shown["x-implemented"],
        schemas=tuple(referred_to(shown)),
        shown=raw(shown),
    )


def raw(shown: dict[str, Any]) -> msgspec.Raw:
    """What is shown, encoded."""
    return msgspec.Raw(msgspec.json.encode(shown))


def referred_to(value: Any) -> list[str]:
    """The names of the schemas that ``value`` refers to, each once, in order."""
    return sorted(set(references(value)))


def references(value: Any) -> Iterator[str]:
    """The name of the schema at each reference inside ``value``."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(REFERENCE):
            yield reference.removeprefix(REFERENCE)
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references(inner)
