"""``resphere inventory import``: inventories of others, as files that ``resphere serve`` fills from."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from resphere.cli.recording import on_record
from resphere.importing.anonymizing.documents import anonymized
from resphere.importing.reading import Documents, Form, form_of, read_path
from resphere.importing.report import ImportFault, Report
from resphere.server.exports.file import file_parts
from resphere.server.prepare import prepare
from resphere.server.settings import Settings


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command of this module."""
    command = verbs.add_parser(
        "import", help="make an inventory of an RVTools workbook or another source", description=import_.__doc__
    )
    command.add_argument("source", help="an RVTools workbook (.xlsx), its CSV files, or an inventory file (.yaml)")
    command.add_argument("file", nargs="?", type=Path, help="the inventory file to write (default: standard output)")
    command.add_argument("--form", choices=[form.value for form in Form], help="what the source is, if not told by it")
    command.add_argument("--vcenter", metavar="NAME", help="name or UUID of the vCenter, of a file that has several")
    command.add_argument("--lax", action="store_true", help="set right by guesses what contradicts itself, and tell so")
    command.add_argument(
        "--anonymize",
        action="store_true",
        help="replace names, addresses and notes, equal ones by equal ones; the report then tells no places",
    )
    command.add_argument(
        "--seed",
        metavar="TEXT",
        help="what replacements follow from, to have the same again; whoever has it can try names (default: by chance)",
    )
    command.add_argument("--report", type=Path, metavar="FILE", help="write the report as JSON, also of a refusal")
    command.add_argument(
        "--into", type=Path, metavar="DIR", help="fill a new data directory, instead of writing a file"
    )
    command.set_defaults(run=import_, recorded=None)


def import_(options: argparse.Namespace) -> int:
    """Make an inventory of an RVTools workbook, its CSV files, or an inventory file, and write it as a file for
    resphere serve --inventory, or into a new data directory. What was taken, guessed and left is told on standard
    error. What contradicts itself is refused, all of it at once, and then nothing is written."""
    if options.seed is not None and not options.anonymize:
        raise ValueError("--seed: is for --anonymize")
    if options.into is not None:
        if options.file is not None:
            raise ValueError("either a file is written, or a data directory is filled (--into), not both")
        options.data_dir, options.store, options.recorded = options.into, None, ("source", "into")
        return on_record(options, import_into)
    documents, report = imported(options)
    text = "".join(file_parts(documents))
    if options.file is None:
        sys.stdout.write(text)
    else:
        write_whole(options.file, text)
    tell(report, options)
    return 0


def import_into(options: argparse.Namespace) -> int:
    """The same, into a data directory that nobody has yet."""
    directory: Path = options.into
    if directory.exists() and any(directory.iterdir()):
        raise ValueError(f"--into: {directory} is not empty; an import begins a new data directory")
    documents, report = imported(options)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "inventory.yaml"
        file.write_text("".join(file_parts(documents)), encoding="utf-8")
        prepare(Settings(data_dir=directory, inventory=file))
    tell(report, options)
    print(f"start it: resphere serve --data-dir {directory}", file=sys.stderr)
    return 0


def imported(options: argparse.Namespace) -> tuple[Documents, Report]:
    """The documents of the source. The report is written in any case.

    :raises ImportFault: it cannot be used.
    """
    path = Path(options.source)
    report = Report(str(path), lax=options.lax)
    try:
        form = Form(options.form) if options.form is not None else form_of(path)
        documents = read_path(path, form, report, options.vcenter)
        if options.anonymize:
            documents = anonymized(documents, seed_of(options), report)
        return documents, report
    except ImportFault as fault:
        report.refused(fault)
        raise
    finally:
        if options.report is not None:
            write_whole(
                options.report,
                json.dumps(report.as_json(places=not options.anonymize), indent=2, ensure_ascii=False) + "\n",
            )


def seed_of(options: argparse.Namespace) -> bytes:
    """What replacements follow from."""
    return secrets.token_bytes(32) if options.seed is None else str(options.seed).encode("utf-8", "surrogateescape")


def tell(report: Report, options: argparse.Namespace) -> None:
    """The report on standard error: the result may be on standard output."""
    for line in report.lines(places=not options.anonymize):
        print(f"resphere: {line}", file=sys.stderr)


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
