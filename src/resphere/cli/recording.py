"""Commands that change a server's data, or hand them out, on its audit log: who ran which, on what, and what became of
it. They have chains of their own there (:data:`COMMAND_CHAINS`): no server waits for them, nor they for it."""

from __future__ import annotations

import argparse
import asyncio
import errno
import io
import os
import pwd
import secrets
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from datetime import datetime
from pathlib import Path

from resphere.audit import signing
from resphere.audit.escape import bounded
from resphere.audit.formats import json_object
from resphere.audit.heads import COMMAND_CHAINS, head_file
from resphere.audit.record import MOST_CHARACTERS, AuditRecord, Decision
from resphere.audit.trail import Trail
from resphere.auth.local_os import LOCAL_OS
from resphere.cli.failures import FORESEEN, told
from resphere.contract.errors import Canceled, InternalServerError, InvalidArgument, ResourceInUse, VapiError
from resphere.events.cause import CAUSE, Cause
from resphere.server.environment import from_environment
from resphere.server.present import now
from resphere.server.recorder import Policy, heads_folder, noted_logs, open_trail
from resphere.server.settings import Settings, from_strings
from resphere.store.base import InUse, StoreError
from resphere.store.engines import open_store

Run = Callable[[argparse.Namespace], int]

METHOD, DIALECT, SERVICE = "CLI", "cli", "resphere.cli"
AUTHENTICATION = "command line"
CLIENT = "127.0.0.1"
"""Commands are run where the data are."""
DONE = 200
AUDIT_SETTINGS = ("audit_policy", "audit_file_bytes", "audit_file_seconds", "log_dir")


def on_record(options: argparse.Namespace, run: Run) -> int:
    """Run a command and record it; what it writes to standard output is held back until it is on record.

    What it changes makes events whose cause is the command, by the id of its record.

    :raises ValueError: it cannot be recorded, where the policy is to refuse what cannot.
    """
    settings = audit_settings(options)
    seed = seed_of(settings.store_url)
    trail = None if seed is None else opened(settings, seed)
    output, started, began = io.StringIO(), now(), time.perf_counter()
    request_id = f"cli-{secrets.token_hex(6)}"
    error: BaseException | None = None
    causing = CAUSE.set(Cause(request_id, caller(), operation_of(options)))
    try:
        with redirect_stdout(output):
            return run(options)
    except BaseException as caught:
        error = caught
        raise
    finally:
        CAUSE.reset(causing)
        record = record_of(options, request_id, started, time.perf_counter() - began, error)
        if seed is None and (seed := seed_of(settings.store_url)) is not None:
            trail = opened(settings, seed)  # of what was restored
        if trail is not None:
            write(trail, record, Policy(settings.audit_policy))
        sys.stdout.write(output.getvalue())


def seed_of(url: str) -> bytes | None:
    """The secret of the key that signs the server's audit log; ``None`` where there is no store, or none that can be
    used, of which the command tells itself."""

    async def seed() -> bytes:
        store = await open_store(url, make=False)
        try:
            return await store.keys.get(signing.KEY, signing.KEY_BYTES)
        finally:
            await store.close()

    with suppress(StoreError):
        return asyncio.run(seed())
    return None


def opened(settings: Settings, seed: bytes) -> Trail | None:
    """The audit log of the server whose data the settings name, to be written by a command; ``None`` where it cannot
    be, and nobody insists on it.

    :raises ValueError: it cannot, and the policy is to refuse what cannot be recorded.
    """
    policy = Policy(settings.audit_policy)
    try:
        for folder in (settings.data_dir, *(() if settings.log_dir is None else (settings.log_dir,))):
            if not folder.is_dir():  # it is not for a command to make them
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
        trail = open_trail(settings, seed, now, COMMAND_CHAINS)
    except OSError as error:
        not_recorded(policy, told(error), "the command cannot be recorded")
        return None
    belong_to_owner(settings.data_dir, (head_file(heads_folder(settings.data_dir), trail.chain), trail.path))
    if policy is Policy.FAIL_CLOSED and not trail.ready():
        trail.close()
        raise ValueError(f"the command cannot be recorded, and nothing was done: there is no room for {trail.path}")
    return trail


def write(trail: Trail, record: AuditRecord, policy: Policy) -> None:
    """Record a command that is over, and leave the chain.

    :raises ValueError: that cannot be, and the policy is to refuse what cannot.
    """
    recorded = trail.write(json_object(record))
    failure = trail.failure
    trail.close()
    if not recorded:
        not_recorded(policy, f"{trail.path}: {failure}", "it is not on record what became of the command")


def not_recorded(policy: Policy, why: str, what: str) -> None:
    """Say that something is not on record.

    :raises ValueError: where the policy is to refuse that.
    """
    if policy is Policy.FAIL_CLOSED:
        raise ValueError(f"{what}: {why}")
    print(f"resphere: {what}: {why}", file=sys.stderr)


def audit_settings(options: argparse.Namespace) -> Settings:
    """What the environment says of the audit log, for the server whose data the flags name: where that has its log.

    :raises ValueError: a variable is none of ours, or its value is not of its type.
    """
    given = {name: text for name, text in from_environment(os.environ).items() if name in AUDIT_SETTINGS}
    found = from_strings(given, frozenset(given))
    logs = found.log_dir or noted_logs(options.data_dir)
    return Settings(
        data_dir=options.data_dir,
        store=options.store,
        log_dir=logs,
        audit_policy=found.audit_policy,
        audit_file_bytes=found.audit_file_bytes,
        audit_file_seconds=found.audit_file_seconds,
    )


def belong_to_owner(data_dir: Path, paths: tuple[Path, ...]) -> None:
    """Give files that root has made to the one to whom the data belong: the server reads them."""
    if os.geteuid() == 0:
        owner = data_dir.stat()
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)


# --- what is told ----------------------------------------------------------------------------------------------------


def record_of(
    options: argparse.Namespace,
    request_id: str,
    started: datetime,
    duration_seconds: float,
    error: BaseException | None,
) -> AuditRecord:
    """The record of a command that is over; ``error`` is what it ended with."""
    names = names_of(options)
    arguments = list(arguments_of(options))
    refusal = None if error is None else as_refusal(error)
    return AuditRecord(
        start_time=started,
        duration_seconds=duration_seconds,
        request_id=request_id,
        client=CLIENT,
        method=METHOD,
        path=bounded(" ".join([*names, *(f"{name}={shlex.quote(text)}" for name, text in arguments)]), most("path")),
        status=DONE if refusal is None else refusal.api_status,
        bytes_out=0,
        user=caller(),
        authentication=AUTHENTICATION,
        dialect=DIALECT,
        operation=operation_of(options),
        target=bounded(arguments[0][1], most("target")) if arguments else None,
        decision=Decision.ALLOWED,
        error_type=None if refusal is None else refusal.error_type,
        message_id=refusal.messages[0].id if refusal is not None and refusal.messages else None,
        reason=bounded(told(error), most("reason")) if isinstance(error, FORESEEN) else None,
    )


def names_of(options: argparse.Namespace) -> list[str]:
    """The words of a command: ``user add``."""
    words: list[str] = options.command.split()[1:]
    return words


def operation_of(options: argparse.Namespace) -> str:
    """What a command is called on the audit log and in events: ``resphere.cli.user.add``."""
    return ".".join([SERVICE, *names_of(options)])


def caller() -> str:
    """Who runs it: ``root@localos``."""
    return bounded(f"{os_user()}@{LOCAL_OS}", most("user"))


def most(field: str) -> int:
    """So many characters of a field are kept."""
    return MOST_CHARACTERS[field]


def arguments_of(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """The arguments that the command's parser says to record, as far as they were given."""
    for name in options.recorded:
        value = getattr(options, name)
        if isinstance(value, bool):
            yield name, "yes" if value else "no"
        elif isinstance(value, list):
            yield name, ",".join(value)
        elif value is not None:
            yield name, str(value)


def as_refusal(error: BaseException) -> VapiError:
    """What the API would say of it."""
    if isinstance(error.__cause__, VapiError):
        return error.__cause__
    if isinstance(error, KeyboardInterrupt):
        return Canceled()
    for kind, refusal in REFUSALS:
        if isinstance(error, kind):
            return refusal()
    return InternalServerError()


REFUSALS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], type[VapiError]], ...] = (
    (ValueError, InvalidArgument),
    (InUse, ResourceInUse),
    (FORESEEN, VapiError),
)
"""The first that fits."""


def os_user() -> str:
    """The name of the operating system's user, or its number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
