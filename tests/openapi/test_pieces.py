"""The pieces that documents are put together from are what is derived from the contract and the handlers."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from resphere import services
from resphere.contract.lookup import all_operations
from resphere.contract.openapi import FILE, Pieces, component_of, read_pieces
from resphere.contract.releases import ALL_RELEASES
from resphere.services.registry import load
from tests.openapi.documents import document
from tools.openapi import derive
from tools.openapi.pieces import pieces_of, references, source_of


@cache
def derived() -> Pieces:
    """The pieces as the code says that they are."""
    return pieces_of(load(services))


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_bytes().splitlines() == [line.rstrip() for line in derived().lines()], "run `make docs`"


def test_what_is_read_is_what_was_written() -> None:
    assert list(read_pieces().lines()) == list(derived().lines())


@pytest.mark.parametrize(
    ("implemented", "component", "releases"),
    [(True, None, ALL_RELEASES), (False, "cis", ALL_RELEASES), (False, "vcenter", ("7.0",))],
)
def test_what_is_put_together_is_what_is_derived_of_the_same_operations(
    implemented: bool, component: str | None, releases: tuple[str, ...]
) -> None:
    handlers = load(services)
    chosen = [
        operation
        for operation in all_operations()
        if operation.api is not None
        and not set(releases).isdisjoint(operation.releases)
        and (operation.id in handlers or not implemented)
        and component in (None, component_of(operation.service))
    ]
    expected = json.loads(json.dumps(derive.document(source_of(chosen, handlers))))
    shown = document(implemented, component, releases)
    assert expected["components"].pop("responses").items() <= shown["components"]["responses"].items()
    assert without_unused_schemas(expected) == without_responses(without_version(shown))


def without_unused_schemas(shown: dict[str, Any]) -> dict[str, Any]:
    """A document without the schemas that nothing refers to."""
    used = {*references(shown), "ErrorBody"}
    schemas = {name: schema for name, schema in shown["components"]["schemas"].items() if name in used}
    return {**shown, "components": {**shown["components"], "schemas": schemas}}


def without_responses(shown: dict[str, Any]) -> dict[str, Any]:
    """A document without the responses that all documents have in common."""
    components = {name: value for name, value in shown["components"].items() if name != "responses"}
    return {**shown, "components": components}


def without_version(shown: dict[str, Any]) -> dict[str, Any]:
    """A document that does not say of which version it is."""
    return {**shown, "info": {name: value for name, value in shown["info"].items() if name != "version"}}


def test_order_is_the_derived_one() -> None:
    shown = document()
    assert list(shown["paths"]) == sorted(shown["paths"])
    assert list(shown["components"]["schemas"]) == sorted(shown["components"]["schemas"])


def test_the_contract_is_not_read_for_a_document() -> None:
    """That was most of the work: the modules of the contract, and the types of three thousand structures."""
    program = (
        "import sys\n"
        "from resphere.contract.openapi import document, read_pieces\n"
        "pieces = read_pieces()\n"
        "document(pieces, pieces.operations, '8.0.3')\n"
        "print(*(name for name in sys.modules if name.startswith('resphere.contract.generated')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_file_that_begins_otherwise_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "openapi.jsonl"
    file.write_text('{"type": "schema", "name": "X", "schemas": [], "shown": {}}\n')
    with pytest.raises(TypeError, match="does not begin with what all documents have"):
        read_pieces(file)
