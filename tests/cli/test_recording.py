"""Which commands are on record, and with which arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resphere.audit.record import MOST_CHARACTERS, AuditRecord, Decision
from resphere.cli.main import parser
from resphere.cli.recording import record_of
from resphere.cli.table import COMMANDS, ON_DATA
from resphere.contract.errors import AlreadyExists, message
from resphere.store.base import InUse, StoreError
from resphere.store.engines import default_url

STARTED = datetime(2026, 11, 29, 12, tzinfo=UTC)
READING = {
    "resphere audit export",
    "resphere audit follow",
    "resphere audit list",
    "resphere audit verify",
    "resphere coverage",
    "resphere doctor",
    "resphere faults list",
    "resphere group list",
    "resphere group show",
    "resphere identity check",
    "resphere inventory import",  # a new data directory, where it fills one, is on that one's record
    "resphere identity list",
    "resphere permission list",
    "resphere role list",
    "resphere role show",
    "resphere session list",
    "resphere token list",
    "resphere user list",
    "resphere user show",
}
"""What changes nothing, and hands out no secrets."""


def on_data() -> Iterator[argparse.ArgumentParser]:
    """The parsers of commands on data that are here; others change what a server has, which records that itself."""
    names = {name for name, command in COMMANDS.items() if command.runner == ON_DATA}
    return (each for each in leaves(parser(names)) if each.prog.split()[1] in names)


def leaves(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of commands that do something."""
    below = [action for action in of._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield of
    for action in below:
        for each in action.choices.values():
            yield from leaves(each)


SERVING = {"resphere run", "resphere serve"}


def test_every_command_that_changes_something_is_on_record() -> None:
    commands = {each.prog: each.get_default("recorded") for each in on_data()}
    assert {name for name, recorded in commands.items() if recorded is None} == READING | SERVING


def test_what_is_recorded_are_arguments_and_not_where_the_data_or_keys_are() -> None:
    for each in on_data():
        names = {action.dest for action in each._actions}
        recorded = set(each.get_default("recorded") or ())
        assert recorded <= names, each.prog
        assert not {name for name in recorded if "key" in name or "store" in name or "command" in name}, each.prog


def recorded(*arguments: str, error: BaseException | None = None) -> AuditRecord:
    """The record of a command that took a quarter of a second."""
    return record_of(parser({arguments[0]}).parse_args(arguments), "cli-1", STARTED, 0.25, error)


def test_what_a_record_tells() -> None:
    record = recorded(
        *("permission", "add", "/DC 1/vm", "ann@vsphere.local", "ReadOnly", "--no-propagate"),
        *("--data-dir", "somewhere", "--store", default_url(Path("elsewhere"))),
    )
    assert record.user is not None
    assert record.user.endswith("@localos")
    assert (record.start_time, record.duration_seconds, record.client) == (STARTED, 0.25, "127.0.0.1")
    assert (record.authentication, record.dialect, record.method) == ("command line", "cli", "CLI")
    assert record.operation == "resphere.cli.permission.add"
    assert record.target == "/DC 1/vm"
    assert record.path == (
        "permission add object='/DC 1/vm' principal=ann@vsphere.local group=no role=ReadOnly propagate=no"
    )
    assert (record.status, record.decision, record.error_type) == (200, Decision.ALLOWED, None)


def test_of_a_choice_what_was_given() -> None:
    assert recorded("session", "end", "--user", "ann@vsphere.local").target == "ann@vsphere.local"
    assert recorded("token", "revoke", "17").path == "token revoke token=17"
    assert recorded("secrets", "rotate", "--new-key-command", "vault read key").path == "secrets rotate"
    assert recorded("user", "set", "ann@vsphere.local").path == "user set name=ann@vsphere.local"
    assert recorded("user", "set", "ann@vsphere.local", "--enable").path.endswith(" disabled=no")
    read_only = recorded("token", "add", "n", "--user", "ann", "--read-only")
    assert read_only.path == "token add name=n user=ann privileges=''"


def refused() -> ValueError:
    """A refusal by a rule, as commands tell it."""
    error = ValueError("it is there already")
    error.__cause__ = AlreadyExists(message("resphere.test", "it is there already"))
    return error


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (refused(), (400, "ALREADY_EXISTS", "resphere.test", "it is there already")),
        (ValueError("there is no account x"), (400, "INVALID_ARGUMENT", None, "there is no account x")),
        (InUse("by another server"), (400, "RESOURCE_IN_USE", None, "by another server")),
        (StoreError("the disk is full"), (500, "ERROR", None, "the disk is full")),
        (KeyboardInterrupt(), (500, "CANCELED", None, None)),
        (RuntimeError("internal"), (500, "INTERNAL_SERVER_ERROR", None, None)),
    ],
)
def test_what_became_of_it(error: BaseException, found: tuple[int, str, str | None, str | None]) -> None:
    record = recorded("user", "remove", "x", error=error)
    assert (record.status, record.error_type, record.message_id, record.reason) == found


def test_what_is_recorded_is_bounded() -> None:
    record = recorded("role", "add", "z" * 5000, error=ValueError("y" * 5000))
    for name, most in MOST_CHARACTERS.items():
        assert len(getattr(record, name) or "") <= most + len("...[5000 characters]") + 10, name
