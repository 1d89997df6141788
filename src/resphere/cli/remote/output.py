"""Results as text: tables for people, JSON, YAML, CSV, names and JSONPath for programs."""

from __future__ import annotations

import argparse
import csv
import importlib
import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import yaml
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from resphere.cli.arguments import Parser
from resphere.cli.exits import Ended, Exit
from resphere.cli.remote.rows import at
from resphere.nearest import meant

FORMS = ("table", "wide", "json", "yaml", "csv", "name")
JSONPATH = "jsonpath"
UNSET = "-"
FIRST = 2
"""Columns that say what a row is: they are never wrapped."""
WORD = 11
"""What other columns need at the least."""
GAP = 3
SIZES = frozenset({"capacity", "free_space", "size"})
MIB = 2**20
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
COLORS = {
    "green": frozenset({"POWERED_ON", "CONNECTED", "SUCCEEDED", "ENABLED", "RUNNING_OK"}),
    "yellow": frozenset({"SUSPENDED", "RUNNING", "PENDING", "BLOCKED", "STANDBY", "DISCONNECTED"}),
    "red": frozenset({"FAILED", "NOT_RESPONDING"}),
    "dim": frozenset({"POWERED_OFF"}),
}
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z\Z")
STYLES = {value: color for color, values in COLORS.items() for value in values}


def form(text: str) -> str:
    """A form of output, as a flag gives it."""
    name, _, expression = text.partition("=")
    if name == JSONPATH and expression:
        return text
    if text not in FORMS:
        known = (*FORMS, f"{JSONPATH}=EXPRESSION")
        raise argparse.ArgumentTypeError(f"there is no {text}, there are {', '.join(known)}{meant(name, known)}")
    return text


def add_output(to: Parser) -> None:
    """The flag that chooses a form."""
    to.add_argument(
        "-o",
        "--output",
        type=form,
        default=FORMS[0],
        metavar="FORM",
        help=f"{', '.join(FORMS)} or {JSONPATH}=EXPRESSION (default: {FORMS[0]})",
    )
    to.completions["output"] = FORMS


def show(
    value: Any,
    output: str,
    columns: Sequence[str] = (),
    wide: Sequence[str] = (),
    label: str = "name",
    to: TextIO | None = None,
) -> None:
    """Write a result. Lists of rows become tables of the columns, one row a table of its fields, all else its text."""
    to = to or sys.stdout
    name, _, expression = output.partition("=")
    if name == "json":
        to.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    elif name == "yaml":
        to.write(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False))
    elif name == JSONPATH:
        lines(found(value, expression), to)
    elif name == "name":
        lines((at(row, label) if isinstance(row, dict) else row for row in as_rows(value)), to)
    elif name == "csv":
        shown = [*columns, *wide] if columns else columns_of(value)
        writer = csv.writer(to, lineterminator="\n")
        writer.writerow(shown or ["value"])
        for row in as_rows(value):
            writer.writerow([cell(at(row, column)) for column in shown] if shown else [cell(row)])
    elif isinstance(value, list) and (columns or columns_of(value)):
        shown = [*columns, *(wide if name == "wide" else ())] if columns else columns_of(value)
        table(value, shown, to)
    elif isinstance(value, dict):
        fields(value, to)
    else:
        lines(as_rows(value), to)


def as_rows(value: Any) -> list[Any]:
    """A list as it is, and anything else as its one row."""
    return value if isinstance(value, list) else [] if value is None else [value]


def columns_of(value: Any) -> list[str]:
    """The columns of rows of which nobody has said: all fields that any row has, in their order, but for structures."""
    found: dict[str, bool] = {}
    for row in as_rows(value):
        if isinstance(row, dict):
            for name, given in row.items():
                found[name] = found.get(name, False) or not isinstance(given, (dict, list))
    return [name for name, plain in found.items() if plain]


def lines(values: Iterable[Any], to: TextIO) -> None:
    """A value a line: text as it is, everything else as JSON."""
    for value in values:
        to.write((printable(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)) + "\n")


def found(value: Any, expression: str) -> Iterable[Any]:
    """What a JSONPath (RFC 9535) finds.

    :raises Ended: it is none.
    """
    library = importlib.import_module("jsonpath")
    try:
        found: list[Any] = library.findall(expression, value)
    except library.JSONPathError as error:
        raise Ended(f"{expression} is no JSONPath: {error}", Exit.CALLED_WRONGLY) from None
    return found


# --- tables ----------------------------------------------------------------------------------------------------------


def table(rows: Sequence[Any], columns: Sequence[str], to: TextIO) -> None:
    """Rows for people: as wide as the terminal, and elsewhere as wide as they are."""
    console = console_at(to)
    if not console.is_terminal:
        plain_table(rows, columns, to)
        return
    texts = [[human(at(row, column), column) for column in columns] for row in rows]
    natural = [
        max([cell_len(heading(column)), *(cell_len(line[i]) for line in texts)]) for i, column in enumerate(columns)
    ]
    shown = fitting(natural, console.width)
    firm = FIRST if sum(natural[:FIRST]) + GAP <= console.width else 1
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for position, column in enumerate(columns[:shown]):
        values = [at(row, column) for row in rows]
        right = any(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        made.add_column(heading(column), justify="right" if right else "left", no_wrap=position < firm, overflow="fold")
    for row, line in zip(rows, texts, strict=True):
        values = [at(row, column) for column in columns[:shown]]
        made.add_row(*(Text(text, style=STYLES.get(str(value), "")) for text, value in zip(line, values, strict=False)))
    console.print(made)
    if shown < len(columns):
        left_out = ", ".join(heading(column) for column in columns[shown:])
        console.print(f"({left_out}: the terminal is too narrow)", style="dim")


def fitting(natural: Sequence[int], width: int) -> int:
    """How many of the columns are shown: as many as have room for a word each, and the first in any case."""
    shown, taken = 0, 0
    for position, needed in enumerate(natural):
        taken += (needed if position < FIRST else min(needed, WORD)) + GAP
        if position >= FIRST and taken - GAP > width:
            break
        shown = position + 1
    return shown


def plain_table(rows: Sequence[Any], columns: Sequence[str], to: TextIO) -> None:
    """The same without colors, and nothing cut off: what is between columns is two blanks at least."""
    texts = [[heading(column) for column in columns]]
    texts += [[human(at(row, column), column) for column in columns] for row in rows]
    widths = [max(len(line[position]) for line in texts) for position in range(len(columns))]
    for line in texts:
        to.write("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() + "\n")


def fields(value: dict[str, Any], to: TextIO) -> None:
    """One object: a line for each of its fields, with those of structures below them."""
    flat = list(flattened(value))
    width = max((len(name) for name, _, _ in flat), default=0)
    for name, field, given in flat:
        to.write(f"{name.ljust(width)}  {human(given, field)}\n")


def flattened(value: Any, above: str = "") -> Iterable[tuple[str, str, Any]]:
    """``(indices and names, last name, value)`` of everything in a structure."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, given in items:
        path = f"{above}.{name}" if above else str(name)
        nested = isinstance(given, dict) or (isinstance(given, list) and any(isinstance(each, dict) for each in given))
        if nested and given:
            yield from flattened(given, path)
        else:
            yield path, path.rpartition(".")[2], given


def console_at(to: TextIO) -> Console:
    """A console that goes by the terminal, ``NO_COLOR`` and the like, and makes no markup of names."""
    return Console(file=to, markup=False, highlight=False, emoji=False, soft_wrap=False)


def heading(column: str) -> str:
    """``MEMORY`` of ``memory_size_MiB``, ``USER`` of ``cause.user``."""
    parts = [part for part in column.split(".") if part not in ("info", "error", "messages", "default_message", "0")]
    name = "_".join(parts[-2:] if parts[-1:] in (["id"], ["name"]) else parts[-1:] or ["error"])
    return name.removesuffix("_size_MiB").removesuffix("_count").replace("_", " ").upper()


def human(value: Any, column: str) -> str:
    """A value as people read it."""
    name = column.rpartition(".")[2]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name in SIZES:
        return size(value)
    if isinstance(value, int) and name.endswith("size_MiB"):
        return size(value * MIB)
    if isinstance(value, str) and (moment := MOMENT.match(value)) is not None:
        return f"{moment[1]} {moment[2]}Z"
    return cell(value) or UNSET


def size(bytes: int) -> str:
    """``4 GiB``, ``1.5 TiB``."""
    value: float = bytes
    for unit in UNITS:
        if abs(value) < 1024 or unit == UNITS[-1]:
            return f"{value:.1f}".removesuffix(".0") + f" {unit}"
        value /= 1024
    raise AssertionError


def cell(value: Any) -> str:
    """A value in one line of plain text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(each, (dict, list)) for each in value):
        return ", ".join(cell(each) for each in value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return printable(str(value))


def printable(text: str) -> str:
    """Text without what would give orders to a terminal, or break a line."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class _Dumper(yaml.SafeDumper):
    """Lists stand a step further in than what they belong to."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)
