"""``resphere run``: a command with a vCenter of its own."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from resphere.cli.serving import add_settings
from resphere.server.settings import all_settings, flag, flag_of
from resphere.testing.errors import VCenterError
from resphere.testing.vcenter import VCenter

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What shells end with where there is no such command, or it cannot be run."""
TAKEN = ("port", "data_dir", "host", "admin_password_file", "tls")
"""Settings that are this command's own."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command of this module, with the flags of ``resphere serve``."""
    running = commands.add_parser(
        "run",
        help="run a command with a vCenter of its own",
        description=run.__doc__,
        usage="%(prog)s [FLAGS] -- COMMAND ...",
    )
    running.add_argument("argv", nargs="+", metavar="COMMAND", help="what to run, behind --")
    add_settings(running)
    running.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start a vCenter, run a command that finds it by its environment (VSPHERE_SERVER, VSPHERE_USER, VSPHERE_PASSWORD,
    GOVC_URL, VMWARE_HOST, SSL_CERT_FILE ...), stop it, and end with the command's status. FLAGS are those of resphere
    serve; work takes no time unless --durations says so."""
    given = vars(options)
    for name in TAKEN:
        if name in given:
            raise ValueError(f"{flag(name)} is not for resphere run, which chooses it")
    try:
        with VCenter(arguments=tuple(arguments(given))) as vcenter:
            return ended(options.argv, {**os.environ, **vcenter.environment})
    except VCenterError as error:
        print(f"resphere: {error}", file=sys.stderr)
        return 1


def arguments(given: Mapping[str, Any]) -> Iterator[str]:
    """The flags of ``resphere serve`` that were given, as they were."""
    for setting in all_settings():
        if setting.name not in given:
            continue
        value = given[setting.name]
        if isinstance(value, bool):
            yield flag(setting.name) if value else flag(f"no_{setting.name}")
        elif isinstance(value, list):
            for each in value:
                yield from (flag_of(setting), str(each))
        else:
            yield from (flag(setting.name), str(value))


def ended(command: list[str], environment: Mapping[str, str]) -> int:
    """Run the command to its end: its status, 128 and the signal's number where a signal has ended it.

    Signals that stop are passed on; what a terminal interrupts gets that itself.
    """
    received: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _: received.append(number)) for each in STOPPING}
    try:
        process = subprocess.Popen(command, env=environment)
    except FileNotFoundError:
        print(f"resphere: there is no command {command[0]}", file=sys.stderr)
        return NOT_FOUND
    except PermissionError:
        print(f"resphere: {command[0]} cannot be run", file=sys.stderr)
        return NOT_EXECUTABLE
    else:
        for each in STOPPING:
            signal.signal(each, lambda number, _: pass_on(process, number))
        for number in received:
            pass_on(process, number)
        status = process.wait()
        return status if status >= 0 else 128 - status
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def pass_on(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the command a signal that has come here, unless a terminal has sent it to both."""
    if number != signal.SIGINT or not sys.stdin.isatty():
        process.send_signal(number)
