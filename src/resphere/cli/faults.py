"""``resphere faults``: which calls are late, fail, or get no answer."""

from __future__ import annotations

import argparse
import secrets
import sys

import msgspec

from resphere.auth.accounts import Account
from resphere.cli.store import add_store, asked, changed
from resphere.contract.extensions.faults import Faults
from resphere.events.cause import CAUSE
from resphere.faults.counts import Counts
from resphere.faults.language import require_rule
from resphere.faults.record import FAULT_RULES, FaultRule, add_rule, delete_all, in_order
from resphere.faults.rules import standing
from resphere.inventory.tables import TABLES
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.server.faults import COUNTS
from resphere.server.present import now
from resphere.uuids import new_uuid

COMMAND = "resphere faults"
"""Who made a rule where nobody is on record."""
FLAGS = tuple(field.name for field in msgspec.structs.fields(Faults.Rule) if field.name != "operation")
"""What a rule may say besides, each a flag."""
SWITCHES = ("drop", "truncate", "expire_session", "carried_out")
HELP = {
    "object": "only calls about this object: its id, or a shell pattern of names",
    "caller": "only calls of this user, or of those whose names fit a shell pattern",
    "rate": "the share of calls that are struck, 0 to 1 (default: all)",
    "times": "so many calls, of all workers together",
    "lasts_seconds": "then the rule is over",
    "order": "its place: the lowest that a call fits decides (default: after all others)",
    "seed": "strike the same of its calls each time",
    "latency_seconds": "they are late by so much",
    "most_latency_seconds": "or by up to so much",
    "bytes_per_second": "the body of the answer comes as slowly",
    "error": "they fail with this standard error, such as RESOURCE_BUSY",
    "message": "what the error says",
    "page_status": "they get the HTML page of a proxy with this status, such as 502",
    "drop": "the connection is closed without an answer",
    "truncate": "it is closed in the middle of the body",
    "expire_session": "the caller's session is ended",
    "retry_after_seconds": "the header of the error or page",
    "carried_out": "the call is carried out all the same",
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of this module."""
    group = commands.add_parser("faults", help="calls that fail on purpose")
    verbs = group.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="list the rules", description=list_rules.__doc__)
    listing.set_defaults(run=list_rules)
    adding = verbs.add_parser("add", help="make a rule", description=add_one.__doc__)
    adding.add_argument("operation", help="a shell pattern of operation ids, such as com.vmware.vcenter.vm.power.*")
    for name in FLAGS:
        flag = f"--{name.replace('_', '-')}"
        if name in SWITCHES:
            adding.add_argument(flag, action="store_true", default=None, help=HELP[name])
        else:
            adding.add_argument(flag, metavar=name.rpartition("_")[2].upper(), help=HELP[name])
    adding.set_defaults(run=add_one, recorded=("operation", *FLAGS))
    removing = verbs.add_parser("remove", help="delete rules", description=remove.__doc__)
    which = removing.add_mutually_exclusive_group(required=True)
    which.add_argument("fault", nargs="?", help="as the list calls it")
    which.add_argument("--all", action="store_true", help="every rule")
    removing.set_defaults(run=remove, recorded=("fault", "all"))
    for verb in (listing, adding, removing):
        add_store(verb)


def list_rules(options: argparse.Namespace) -> int:
    """List the rules in the order in which they are asked: what they are called, how many calls they have decided
    about and struck, and what they say. The server may be running."""
    counts = Counts(options.data_dir / COUNTS, set)
    for rule in asked(options, in_order, (*TABLES, FAULT_RULES)):
        count = counts.of(rule.mark)
        print("\t".join((rule.id, str(count.matched), str(count.acted), said(rule.rule))))
    counts.close()
    return 0


def add_one(options: argparse.Namespace) -> int:
    """Have calls of an operation be late, fail, or get no answer from now on, in every worker of a running server."""
    given = {name: getattr(options, name) for name in ("operation", *FLAGS) if getattr(options, name) is not None}
    rule = msgspec.convert(given, Faults.Rule, strict=False)
    require_rule(rule)
    cause, id = CAUSE.get(), new_uuid(secrets.token_bytes)

    def plan(edit: Edit, replica: Replica) -> list[str]:
        owner = COMMAND if cause is None or cause.user is None else cause.user
        made = add_rule(edit, replica, id, rule, owner, now(), secrets.token_bytes)
        then = standing([*replica.all(FaultRule).values(), made])
        return list(then.warnings(made, replica, lambda user: replica.get(Account, user) is not None))

    for warning in changed(options, plan, (*TABLES, FAULT_RULES)):
        print(f"resphere: {warning}", file=sys.stderr)
    print(id)
    return 0


def remove(options: argparse.Namespace) -> int:
    """Delete a rule, or all. A running server heeds it no more."""

    def plan(edit: Edit, replica: Replica) -> None:
        if options.all:
            delete_all(edit, replica)
        elif edit.get(FaultRule, options.fault) is None:
            raise ValueError(f"there is no rule {options.fault}")
        else:
            edit.delete(FaultRule, options.fault)

    changed(options, plan, (*TABLES, FAULT_RULES))
    return 0


def said(rule: Faults.Rule) -> str:
    """A rule in a line."""
    fields = msgspec.to_builtins(rule)
    return " ".join([fields.pop("operation"), *(f"{name}={value}" for name, value in fields.items())])
