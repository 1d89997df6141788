"""The class of every operation, by which limits tell what is cheap from what is not."""

from __future__ import annotations

from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache

import msgspec

from resphere.access.defaults import READS
from resphere.contract.model import AnyOperation


class OperationClass(StrEnum):
    """What kind of work an operation is."""

    LOGIN = "login"
    """It lets somebody in: passwords and tokens are checked."""
    READ = "read"
    WRITE = "write"
    BULK = "bulk"
    """Its work grows with what a caller sends or asks for, far beyond that of others."""
    LONG_POLL = "long_poll"
    """It waits until something happens."""


class Rule(msgspec.Struct, frozen=True):
    """Operations of the services that fit the pattern, by names that fit one of the others, are of that class."""

    of: OperationClass
    service: str
    operations: tuple[str, ...] = ("*",)


RULES: tuple[Rule, ...] = (
    Rule(OperationClass.LOGIN, "com.vmware.cis.session", ("create",)),
    Rule(OperationClass.LOGIN, "com.vmware.vcenter.authentication.token", ("issue",)),
    Rule(OperationClass.LOGIN, "resphere.sts", ("issue", "renew", "validate")),
    Rule(OperationClass.LOGIN, "com.vmware.vcenter.tokenservice.token_exchange", ("exchange",)),
    Rule(OperationClass.LONG_POLL, "resphere.events", ("list", "follow")),
    Rule(OperationClass.LONG_POLL, "*", ("wait", "wait_*", "poll", "poll_*")),
    Rule(OperationClass.BULK, "*", ("*_multiple", "*_multiple_*", "export*", "import*")),
    Rule(OperationClass.BULK, "com.vmware.cis.tagging.*", ("list_attached_*_on_*",)),
    Rule(OperationClass.BULK, "com.vmware.vcenter.compute.policies", ("*_tags_and_policies",)),
    Rule(OperationClass.BULK, "com.vmware.vstats.data", ("query*",)),
    Rule(OperationClass.BULK, "resphere.openapi"),
)
"""The first rule that fits decides; where none does, the contract tells, see :func:`class_of`."""


@cache
def class_of(operation: AnyOperation) -> OperationClass:
    """The class of an operation.

    What no rule names is bulk where bytes go in or out as a stream, a read where it is asked for by GET or called like
    a read, and else a write.
    """
    for rule in RULES:
        if fnmatchcase(operation.service, rule.service) and fits(operation, rule.operations):
            return rule.of
    if operation.streams:
        return OperationClass.BULK
    route = operation.api or operation.rest
    if (route is not None and route.method == "GET") or fits(operation, READS):
        return OperationClass.READ
    return OperationClass.WRITE


def fits(operation: AnyOperation, patterns: tuple[str, ...]) -> bool:
    """Whether the operation's name fits one of the patterns."""
    name = operation.name.removesuffix("$task")
    return any(fnmatchcase(name, pattern) for pattern in patterns)
