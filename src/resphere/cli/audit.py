"""``resphere audit``: the audit log, looked at, verified and handed on."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from resphere.audit.reading import AuditLog
from resphere.audit.signing import PUBLIC_KEYS, PublicKeys
from resphere.audit.verify import Verification
from resphere.cli.audit_export import run_export, run_follow
from resphere.cli.audit_lines import Form, add_filters, add_folders, asked, folder, wanted, written
from resphere.server.recorder import heads_folder

FOUND_TAMPERING = 1


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("audit", help="the audit log")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="show records, the newest last", description=run_list.__doc__)
    listing.add_argument(
        "--limit", type=positive, default=100, metavar="N", help="at most so many, the newest (default: 100)"
    )
    listing.set_defaults(run=run_list)
    exporting = verbs.add_parser("export", help="write or send records", description=run_export.__doc__)
    exporting.set_defaults(run=run_export)
    following = verbs.add_parser("follow", help="the same as they come", description=run_follow.__doc__)
    following.add_argument("--state", type=Path, metavar="FILE", help="keeps how far it came, for the next time")
    following.set_defaults(run=run_follow)
    verifying = verbs.add_parser(
        "verify", help="find what was changed, removed or added", description=run_verify.__doc__
    )
    verifying.add_argument(
        "--public-key",
        type=Path,
        metavar="FILE",
        help="its public keys (default: audit/keys.pem in --data-dir)",
    )
    verifying.set_defaults(run=run_verify)
    for verb in (listing, exporting, following):
        add_filters(verb)
    listing.add_argument("--format", choices=list(Form), default=Form.PLAIN, type=Form, help="default: plain")
    for verb in (exporting, following):
        verb.add_argument("--format", choices=list(Form), default=Form.JSON, type=Form, help="default: json")
        verb.add_argument("--to", metavar="URL", help="syslog+tls://host:port, syslog+tcp or syslog+udp; unset: print")
        verb.add_argument("--ca", type=Path, metavar="FILE", help="certificates to trust the receiver by (PEM)")
        verb.add_argument("--cert", type=Path, metavar="FILE", help="certificate to show to the receiver (PEM)")
        verb.add_argument("--key", type=Path, metavar="FILE", help="its private key (PEM)")
    for verb in (listing, exporting, following, verifying):
        add_folders(verb)


def positive(text: str) -> int:
    """A number from 1.

    :raises argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def run_list(options: argparse.Namespace) -> int:
    """Show records, the newest last."""
    query = asked(options, newest_first=True)
    lines = AuditLog(folder(options)).lines(query, {})
    newest = list(islice(wanted(lines, query, filtered=True), options.limit))
    for found in reversed(newest):
        print(written(found, options.format))
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Find what was changed, removed, added or moved in the audit log, and name the first bad line of each place. The
    server may be running. The exit status is 1 where something is found that the server has not told itself."""
    heads = heads_folder(options.data_dir)
    keys = PublicKeys.read(options.public_key or heads / PUBLIC_KEYS)
    verification = Verification(folder(options), keys, heads if heads.is_dir() else None)
    status = 0
    for finding in verification.run():
        print(f"{'WRONG' if finding.tampering else 'told '} {finding}")
        status = FOUND_TAMPERING if finding.tampering else status
    summary = verification.summary
    print(
        f"{summary.lines:,} lines in {summary.files} files of {summary.chains} chains, {summary.anchors:,} anchors; "
        f"{summary.unsigned_lines:,} lines after the last anchors are not signed yet"
    )
    return status
