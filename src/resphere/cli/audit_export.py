"""Hands lines of the audit log on: prints them, or sends them to a receiver of syslog."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

from resphere.audit.reading import AuditLog, Query
from resphere.audit.syslog import Receiver, Sender, connect, syslog
from resphere.cli.audit_lines import Form, Found, asked, folder, is_filtered, wanted, written

BATCH_LINES = 1000
LOOK_SECONDS = 0.5
RETRY_SECONDS = 5.0

Send = Callable[[list[Found]], None]


def run_export(options: argparse.Namespace) -> int:
    """Write records as JSON lines or CEF, or send them to syslog. Without a filter, with the anchors of the log."""
    query = asked(options, newest_first=False)
    lines = wanted(AuditLog(folder(options)).lines(query, {}), query, filtered=is_filtered(options))
    with_sender(options, lambda send: send_all(send, lines))
    return 0


def run_follow(options: argparse.Namespace) -> int:
    """Write or send records as they come, until interrupted. With --state, from the beginning or where it was left:
    what is recorded while nobody follows, or while the receiver is not there, comes later."""
    log = AuditLog(folder(options))
    query = asked(options, newest_first=False)
    positions = begun(options, log)
    while True:
        try:
            with_sender(options, lambda send: go_on(options, log, query, positions, send))
        except OSError as error:
            if options.to is None:
                raise
            print(f"resphere: {options.to}: {error}; trying again", file=sys.stderr, flush=True)
            time.sleep(RETRY_SECONDS)


def with_sender(options: argparse.Namespace, work: Callable[[Send], None]) -> None:
    """Do ``work`` with what prints or sends lines.

    :raises OSError: the receiver is not there.
    :raises ValueError: the flags name none.
    """
    form = Form(options.format)
    if options.to is None:

        def show(lines: list[Found]) -> None:
            for found in lines:
                print(written(found, form))
            sys.stdout.flush()

        work(show)
        return
    receiver = msgspec.structs.replace(
        Receiver.parse(options.to), ca=options.ca, certificate=options.cert, key=options.key
    )
    sender: Sender = connect(receiver)
    host = socket.gethostname()

    def send(lines: list[Found]) -> None:
        sender.send(
            [syslog(line, time, written((time, chain, line), form).encode(), host) for time, chain, line in lines]
        )

    try:
        work(send)
    finally:
        sender.close()


def send_all(send: Send, lines: Iterator[Found]) -> None:
    """Send lines, many at a time."""
    while batch := list(islice(lines, BATCH_LINES)):
        send(batch)


def begun(options: argparse.Namespace, log: AuditLog) -> dict[int, int]:
    """Where to begin: where it was left, at the time that was asked for, or with what comes from now on."""
    if options.state is not None:
        if not options.state.exists():
            return {}
        try:
            return msgspec.json.decode(options.state.read_bytes(), type=dict[int, int])
        except msgspec.DecodeError as error:
            raise ValueError(f"{options.state} does not say how far the log was followed: {error}") from None
    if options.since is not None:
        return {}
    return log.ends()


def go_on(options: argparse.Namespace, log: AuditLog, query: Query, positions: dict[int, int], send: Send) -> None:
    """Send what comes, and keep how far that is."""
    filtered = is_filtered(options)
    while True:
        batch = list(islice(log.lines(query, positions), BATCH_LINES))
        found = list(wanted(iter(batch), query, filtered=filtered))
        if found:
            send(found)
        positions.update({chain: line.sequence for _, chain, line in batch})
        if batch and options.state is not None:
            keep(options.state, positions)
        if len(batch) < BATCH_LINES:
            time.sleep(LOOK_SECONDS)


def keep(path: Path, positions: dict[int, int]) -> None:
    """Write how far the log was followed, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_bytes(msgspec.json.encode(positions))
    unfinished.replace(path)
