"""``resphere inventory import``: inventories of others, as files that ``resphere serve`` fills from."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from resphere.cli.recording import on_record
from resphere.client import Client
from resphere.importing.anonymizing.documents import anonymized
from resphere.importing.reading import Documents, Form, form_of, read_path, read_server
from resphere.importing.report import ImportFault, Report
from resphere.server.exports.file import file_parts
from resphere.server.prepare import first_line, prepare
from resphere.server.settings import Settings


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command of this module."""
    command = verbs.add_parser(
        "import",
        help="make an inventory of an RVTools workbook, a vCenter or another source",
        description=import_.__doc__,
    )
    command.add_argument(
        "source",
        help="an RVTools workbook (.xlsx), its CSV files, a folder of govc object.save, an inventory file (.yaml), or "
        "a vCenter (https://...)",
    )
    command.add_argument("--user", help="who asks a vCenter")
    command.add_argument("--password-file", type=Path, metavar="FILE", help="its first line is the password")
    command.add_argument("--ca-file", type=Path, metavar="FILE", help="authorities that vouch for a vCenter")
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
    """Make an inventory of an RVTools workbook, its CSV files, a folder of govc object.save, an inventory file or a
    vCenter that answers, and write it as a file for resphere serve --inventory, or into a new data directory. What was
    taken, guessed and left is told on standard error. What contradicts itself is refused, all of it at once, and then
    nothing is written."""
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
    report = Report(options.source, lax=options.lax)
    try:
        documents = documents_of(options, report)
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


def documents_of(options: argparse.Namespace, report: Report) -> Documents:
    """The documents of the source, whatever it is."""
    source: str = options.source
    if source.lower().startswith(("https://", "http://")):
        if options.form is not None or options.vcenter is not None:
            raise ValueError("--form and --vcenter: are for files, and a vCenter is asked itself")
        with Client(source, user=options.user, password=password(options), ca_file=options.ca_file) as client:
            return read_server(client, report)
    if options.user is not None or options.password_file is not None or options.ca_file is not None:
        raise ValueError("--user, --password-file, --ca-file: are for a vCenter, https://...")
    path = Path(source)
    return read_path(path, Form(options.form) if options.form is not None else form_of(path), report, options.vcenter)


def password(options: argparse.Namespace) -> str:
    """The password of the user of a vCenter: in the file that is named, else typed.

    :raises ValueError: there is none.
    """
    if options.user is None:
        raise ValueError(f"--user: {options.source} needs to know who asks")
    if options.password_file is not None:
        return first_line(options.password_file)
    if not sys.stdin.isatty():
        raise ValueError("--password-file: names the file whose first line is the password; without it, it is typed")
    return getpass.getpass(f"Password of {options.user}: ")


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
