"""Rows of a noun: what its list has, as plain values, each with the id under the noun's field."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from resphere.cli.remote.inputs import place
from resphere.cli.remote.nouns import Noun
from resphere.cli.remote.operations import operation
from resphere.contract.errors import UnableToAllocateResource

Row: TypeAlias = dict[str, Any]


class Calls(Protocol):
    """A server, as far as nouns need one."""

    def call(self, operation: str, input: Mapping[str, Any]) -> Any:
        """The result of an operation, as plain values.

        :raises VapiError: it is refused.
        :raises ClientError: nobody answers.
        """

    def every(self, operation: str, input: Mapping[str, Any]) -> Any:
        """The same of a list that is longer than servers give at once: page by page, where the server has pages."""


def at(row: Any, dotted: str) -> Any:
    """What stands at a path of a row; ``None`` where nothing does."""
    for name in dotted.split("."):
        if isinstance(row, Mapping):
            row = row.get(name)
        elif isinstance(row, (list, tuple)) and name.isdigit() and int(name) < len(row):
            row = row[int(name)]
        else:
            return None
    return row


def listed(calls: Calls, noun: Noun, input: Mapping[str, Any]) -> list[Row]:
    """All rows of a noun that fit the input of its list; further pages included, and no rows that come meanwhile."""
    rows: list[Row] = []
    asked = copy.deepcopy(dict(input))
    last: int | None = None
    while True:
        try:
            result = calls.call(noun.list, asked)
        except UnableToAllocateResource:
            result = calls.every(noun.list, asked)
        rows += rows_of(calls, noun, result)
        if noun.pages is None:
            return rows
        last = result.get("latest") if last is None else last
        where = result.get("next", result.get("marker"))
        if where is None or where == at(asked, noun.pages) or (last is not None and where >= last):
            return rows
        place(asked, tuple(noun.pages.split(".")), where)


def rows_of(calls: Calls, noun: Noun, result: Any) -> list[Row]:
    """The rows in the result of a list."""
    if noun.rows is not None:
        result = result[noun.rows]
    if isinstance(result, dict):
        return [{noun.id: id, **row} for id, row in result.items()]
    if noun.each:
        return [got(calls, noun, id) for id in result]
    return list(result)


def got(calls: Calls, noun: Noun, id: str, above: Mapping[str, Any] | None = None) -> Row:
    """One object in detail; its id stands first."""
    assert noun.get is not None
    found = calls.call(noun.get, {**taken(noun.get, above or {}), noun.get_id or noun.id: id})
    return {noun.id: id, **found}


def taken(id: str, above: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation takes of the input that names parents: an item of a library is known without its library."""
    fields = operation(id).input.__struct_fields__
    return {name: value for name, value in above.items() if name in fields}
