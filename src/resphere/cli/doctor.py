"""``resphere doctor``: what is wrong with a data directory, a port, a certificate, a provider; changes none of them."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from cryptography import x509

from resphere.certificates.files import (
    TlsError,
    TlsFiles,
    covered_names,
    given_certificates,
    installed_files,
    own_files,
)
from resphere.cli.arguments import Parser
from resphere.cli.exits import Exit
from resphere.cli.failures import FORESEEN, told
from resphere.cli.remote.output import add_output, show
from resphere.cli.serving import add_settings, settings_from
from resphere.inventory.installation import Installation
from resphere.inventory.model import KINDS
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.rules.soundness.check import findings
from resphere.server.address import claimed
from resphere.server.assembly import open_replica
from resphere.server.forms.record import require_present_form
from resphere.server.providers import choice, read_durations
from resphere.server.secrets_key import given_key
from resphere.server.serve import LOCK_FILE
from resphere.server.settings import Settings
from resphere.server.tls import directory, names
from resphere.store.engines import open_store
from resphere.store.locks import try_lock

LEAST_BYTES = 100 * 2**20
"""What should be free where data are kept."""
SOON = timedelta(days=14)
MOST_TOLD = 5


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, how it is, and what to do about it where there is something to do."""

    check: str
    verdict: Verdict
    what: str


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """The command of this module."""
    made = commands.add_parser(
        "doctor",
        help="say what is wrong: data directory, port, certificate, provider",
        description="Say what would keep `resphere serve` with the same flags from serving, or will soon. Changes "
        "nothing; the server may be running.",
    )
    add_output(made)
    add_settings(made)
    made.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look at everything; 1 where something is wrong."""
    found = list(examined(options))
    show(msgspec.to_builtins(found), options.output, ("check", "verdict", "what"), label="check")
    return Exit.FAILED if any(finding.verdict is Verdict.WRONG for finding in found) else Exit.DONE


def examined(options: argparse.Namespace) -> Iterator[Finding]:
    """All that was found, in the order in which a server would stumble."""
    try:
        settings = settings_from(vars(options), os.environ)
    except ValueError as error:
        yield Finding("settings", Verdict.WRONG, told(error))
        return
    holder = holding(settings)
    for check, look in (
        ("data directory", data_directory),
        ("store", store),
        ("port", lambda settings: port(settings, holder)),
        ("certificate", certificate),
        ("provider", provider),
    ):
        yield from guarded(check, look, settings)


def guarded(check: str, look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """What a look finds; what it fails of is a finding."""
    try:
        yield from look(settings)
    except FORESEEN as error:
        yield Finding(check, Verdict.WRONG, told(error))


def holding(settings: Settings) -> str | None:
    """The process that serves from the data directory; ``None`` where none does."""
    try:
        descriptor = os.open(settings.data_dir / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if try_lock(descriptor, shared=True) else os.read(descriptor, 20).decode().strip() or "unknown"
    finally:
        os.close(descriptor)


def data_directory(settings: Settings) -> Iterator[Finding]:
    """Whether data can be kept there, and by nobody else read."""
    check, place = "data directory", settings.data_dir
    if not place.exists():
        above = next(parent for parent in place.absolute().parents if parent.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            yield Finding(check, Verdict.WRONG, f"{place} cannot be made: nobody lets you write in {above}")
        else:
            yield Finding(check, Verdict.NOTE, f"{place} is not there; resphere serve makes it")
        return
    if not place.is_dir():
        yield Finding(check, Verdict.WRONG, f"{place} is no folder")
        return
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            check, Verdict.WRONG, f"{place} cannot be written by {os.geteuid()}; it is {place.stat().st_uid}'s"
        )
        return
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & stat.S_IRWXO:
        yield Finding(check, Verdict.WRONG, f"others may look into {place} (mode {mode:04o}): chmod 700 {place}")
    free = shutil.disk_usage(place).free
    if free < LEAST_BYTES:
        yield Finding(check, Verdict.WRONG, f"{free // 2**20} MiB are free at {place}: too few to work with")
    else:
        yield Finding(check, Verdict.OK, f"{place}, with {free // 2**30} GiB free")


def store(settings: Settings) -> Iterator[Finding]:
    """Whether what is kept can be read, and holds together."""
    if not settings.data_dir.exists():
        return
    count, problems = asyncio.run(loaded(settings))
    for problem in problems[:MOST_TOLD]:
        yield Finding("store", Verdict.WRONG, problem)
    if len(problems) > MOST_TOLD:
        yield Finding("store", Verdict.WRONG, f"and {len(problems) - MOST_TOLD} more")
    if not problems:
        yield Finding("store", Verdict.OK, f"{settings.store_url}: {count} objects that hold together")


async def loaded(settings: Settings) -> tuple[int, list[str]]:
    """How many objects there are, and what does not hold together."""
    opened = await open_store(settings.store_url, make=False)
    try:
        await require_present_form(opened, settings.store_url)
        replica = await open_replica(opened, await open_sealing(opened, secrets.token_bytes, given_key(settings)))
        return len(list(objects_of(replica))), [*problems_of(replica), *provider_problems(replica, settings)]
    finally:
        await opened.close()


def objects_of(replica: Replica) -> Iterator[object]:
    """All managed objects."""
    return chain.from_iterable(replica.all(cls).values() for cls in KINDS.values())


def problems_of(replica: Replica) -> list[str]:
    """What does not hold together."""
    objects = [item for cls in KINDS.values() for item in replica.all(cls).values()]
    return [
        f"{objects[each.position].id} ({objects[each.position].name}): {each.field}: {each.message}"
        for each in findings(objects)
    ]


def provider_problems(replica: Replica, settings: Settings) -> list[str]:
    """Whether the inventory is another provider's."""
    made = [each.provider for each in replica.all(Installation).values() if each.provider != settings.provider]
    return [f"the inventory is that of --provider {name}, and not of {settings.provider}" for name in made]


def port(settings: Settings, holder: str | None) -> Iterator[Finding]:
    """Whether a server can listen."""
    if holder is not None:
        yield Finding("port", Verdict.NOTE, f"process {holder} serves from this data directory, and has its port")
        return
    for flag, number in (("--port", settings.port), ("--appliance-port", settings.appliance_port)):
        if number:
            with claimed(settings.host, number, flag) as address:
                yield Finding("port", Verdict.OK, f"{flag}: {address.shown} is free")


def certificate(settings: Settings) -> Iterator[Finding]:
    """Whether what is served with TLS is good, for how long, and for which names."""
    check = "certificate"
    if not settings.tls:
        yield Finding(check, Verdict.NOTE, "--no-tls: passwords go over the network as they are")
        return
    kept = directory(settings)
    if settings.tls_cert is not None and settings.tls_key is not None:
        with TemporaryDirectory() as scratch:  # where a key in an older form would be put
            given_certificates(settings.tls_cert, settings.tls_key, Path(scratch), now)
        files = TlsFiles(settings.tls_cert, settings.tls_key, None)
    else:
        files = installed_files(kept) if installed_files(kept).certificate.exists() else own_files(kept)
        if not files.certificate.exists():
            yield Finding(check, Verdict.NOTE, f"there is none in {kept}; resphere serve makes one")
            return
    first = read_certificate(files.certificate)
    left = first.not_valid_after_utc - now()
    if left < timedelta():
        yield Finding(check, Verdict.WRONG, f"{files.certificate} ended on {first.not_valid_after_utc:%Y-%m-%d}")
    elif now() < first.not_valid_before_utc:
        yield Finding(check, Verdict.WRONG, f"{files.certificate} begins on {first.not_valid_before_utc:%Y-%m-%d}")
    elif left < SOON:
        yield Finding(check, Verdict.NOTE, f"{files.certificate} ends in {left.days} days")
    else:
        yield Finding(check, Verdict.OK, f"{files.certificate} is good until {first.not_valid_after_utc:%Y-%m-%d}")
    missing = uncovered(first, settings)
    if missing:
        yield Finding(check, Verdict.NOTE, f"it does not cover {', '.join(missing)}; --tls-name adds names to our own")


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a file.

    :raises TlsError: there is none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except ValueError as error:
        raise TlsError(f"{path} holds no PEM certificate: {error}") from error


def uncovered(found: x509.Certificate, settings: Settings) -> list[str]:
    """The names by which clients are to reach the server, and which the certificate does not have."""
    try:
        covered = set(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        covered = set()
    return [str(name.value) for name in covered_names(names(settings)) if name not in covered]


def provider(settings: Settings) -> Iterator[Finding]:
    """Whether there is such a provider, and what it needs."""
    found = choice(settings.provider)
    if found.simulated:
        read_durations(settings.durations)
    lacks = f", without {', '.join(found.lacks)}" if found.lacks else ""
    yield Finding("provider", Verdict.OK, f"{settings.provider}{lacks}")


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
