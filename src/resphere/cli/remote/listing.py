"""``ls`` and ``show``."""

from __future__ import annotations

import argparse
import fnmatch
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.connection import Connection, connected
from resphere.cli.remote.given import TARGETS, above, put_flags
from resphere.cli.remote.inputs import place
from resphere.cli.remote.names import Names, Target, fits, is_glob
from resphere.cli.remote.nouns import Noun
from resphere.cli.remote.output import show
from resphere.cli.remote.rows import Row, at, got, listed
from resphere.nearest import meant

CONDITION = re.compile(r"([\w.]+)(!=|=|<|>)(.*)\Z", re.DOTALL)


def ls(noun: Noun, options: argparse.Namespace) -> int:
    """List what there is of a noun."""
    keep = [condition(text) for text in options.where]
    with connected(options) as connection:
        rows = rows_asked(noun, options, connection)
    rows = [row for row in rows if all(holds(row) for holds in keep)]
    if options.sort:
        rows = in_order(rows, options.sort)
    columns = options.columns.split(",") if options.columns else noun.columns
    require_fields(rows, [*columns] if options.columns else [])
    show(rows, options.output, columns, () if options.columns else noun.wide, noun.label)
    return 0


def rows_asked(noun: Noun, options: argparse.Namespace, connection: Connection) -> list[Row]:
    """The rows that patterns and flags mean. What a server can narrow down, it does."""
    names = Names(connection)
    input: dict[str, Any] = above(noun, options, names)
    put_flags(input, options, names)
    if not options.patterns:
        return listed(connection, noun, input)
    if any(is_glob(text) for text in options.patterns):
        globs = [text for text in options.patterns if is_glob(text)]
        wanted = {target.id for target in names.many(noun, [t for t in options.patterns if not is_glob(t)], input)}
        rows = listed(connection, noun, input)
        return [row for row in rows if row[noun.id] in wanted or any(fits(noun, row, glob) for glob in globs)]
    targets = names.many(noun, options.patterns, {} if noun.parent is None else input)
    if noun.filters is None:
        wanted = {target.id for target in targets}
        return [row for row in listed(connection, noun, input) if str(row[noun.id]) in wanted]
    place(input, tuple(noun.filters[0].split(".")), [target.id for target in targets])
    return listed(connection, noun, input)


def condition(text: str) -> Callable[[Row], bool]:
    """What ``--where`` says, as a question about a row.

    :raises Ended: it says nothing.
    """
    read = CONDITION.match(text)
    if read is None:
        raise Ended(f"--where {text}: this is not FIELD=VALUE, FIELD!=VALUE, FIELD>N or FIELD<N", Exit.CALLED_WRONGLY)
    field, sign, wanted = read.groups()
    if sign in "<>":
        return lambda row: compared(at(row, field), sign, wanted)
    return lambda row: matches(at(row, field), wanted) == (sign == "=")


def matches(value: Any, glob: str) -> bool:
    """Whether a value is as a glob says, in any case of letters; of several, whether any is."""
    if isinstance(value, list):
        return any(matches(each, glob) for each in value)
    text = "" if value is None else str(value)
    return fnmatch.fnmatchcase(text.casefold(), glob.casefold())


def compared(value: Any, sign: str, wanted: str) -> bool:
    """Whether a value is above another, or below it: as numbers where both are, else as texts."""
    if value is None:
        return False
    try:
        ours, theirs = float(value), float(wanted)
    except (TypeError, ValueError):
        return str(value) > wanted if sign == ">" else str(value) < wanted
    return ours > theirs if sign == ">" else ours < theirs


def in_order(rows: Sequence[Row], field: str) -> list[Row]:
    """Rows in the order of a field; those without it come last."""
    name, _, direction = field.partition(":")
    if direction not in ("", "asc", "desc"):
        raise Ended(f"--sort {field}: this is not FIELD or FIELD:desc", Exit.CALLED_WRONGLY)
    require_fields(rows, [name])
    there = [row for row in rows if at(row, name) is not None]
    numbers = all(isinstance(at(row, name), (int, float)) for row in there)
    there.sort(key=lambda row: at(row, name) if numbers else str(at(row, name)), reverse=direction == "desc")
    return [*there, *(row for row in rows if at(row, name) is None)]


def require_fields(rows: Sequence[Row], fields: Sequence[str]) -> None:
    """Refuse fields that no row has.

    :raises Ended: none has one.
    """
    known = {name for row in rows for name in row}
    for field in fields:
        if rows and field.partition(".")[0] not in known:
            raise Ended(
                f"there is no field {field}, there are {', '.join(sorted(known))}{meant(field, known)}",
                Exit.CALLED_WRONGLY,
            )


def details(noun: Noun, connection: Connection, targets: Sequence[Target], parent: Mapping[str, Any]) -> list[Row]:
    """All that is told of each object: where the server tells nothing of one, what its list does."""
    try:
        return [got(connection, noun, target.id, parent) for target in targets]
    except Ended as error:
        if error.status is not Exit.UNSUPPORTED or noun.filters is None:
            raise
    print(f"resphere: {connection.server}: vCenter's API tells no more of one {noun.one} than of all", file=sys.stderr)
    ids = {target.id for target in targets}
    input: dict[str, Any] = {}
    place(input, tuple(noun.filters[0].split(".")), sorted(ids))
    return [row for row in listed(connection, noun, input) if row[noun.id] in ids]


def show_objects(noun: Noun, options: argparse.Namespace) -> int:
    """Show objects in detail."""
    with connected(options) as connection:
        names = Names(connection)
        parent = above(noun, options, names)
        targets: list[Target] = names.many(noun, getattr(options, TARGETS), parent)
        rows = details(noun, connection, targets, parent)
    one = len(rows) == 1 and not any(is_glob(text) for text in getattr(options, TARGETS))
    if options.output in ("table", "wide"):
        for position, row in enumerate(rows):
            if position:
                print()
            show(row, options.output)
    else:
        show(rows[0] if one else rows, options.output, label=noun.label)
    return 0
