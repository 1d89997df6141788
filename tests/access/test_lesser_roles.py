"""Every operation of the contract in every dialect, asked by somebody with ReadOnly and by somebody with NoAccess.

Nothing is written but the record of a question that is a task, whatever is asked; whoever sees nothing reads of nothing
that is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from resphere import services
from resphere.access.defaults import OWN_SESSION, PUBLIC
from resphere.access.roles import NO_ACCESS, READ_ONLY
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.dialects.base import Reply
from resphere.inventory.model import KINDS, ROOT_FOLDER
from resphere.services.registry import load
from tests.support.calls import ApiCall, api_call, minimal_input
from tests.support.rest_calls import rest_call
from tests.support.scoped import ask_as_ann, permission
from tests.support.served import Served

IMPLEMENTED = load(services).keys()
NEEDS_MORE = ("com.vmware.appliance.system.version", "resphere.explorer", "resphere.certif")
"""What this server of a test's own process has not."""
OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id not in PUBLIC | OWN_SESSION
    and operation.api is not None
    and not operation.streams
    and not operation.id.startswith(NEEDS_MORE)
]
DIALECTS = ("api", "rest", "jsonrpc")
REFUSALS = (b"vapi.authz.error.no.privs", b"resphere.operation.not_implemented")
WORD = re.compile(r"[\w.:-]+")


def replies(served: Served, dialect: str) -> Iterator[tuple[AnyOperation, ApiCall, Reply]]:
    """To each operation that the dialect has, with the least input about what is there."""
    real = {kind: [found[-1]] for kind, found in served.world.ids.items() if found}
    for operation in OPERATIONS:
        value = minimal_input(operation, real)
        if dialect == "rest":
            if operation.rest is None:
                continue
            call = rest_call(operation, value)
        else:
            call = api_call(operation, value) if dialect == "api" else served.jsonrpc_call(operation, value)
        yield operation, call, served.ask(getattr(served, dialect), call)


@pytest.mark.parametrize("role", [READ_ONLY, NO_ACCESS], ids=lambda role: role.name)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_written_and_nothing_leaks(tmp_path: Path, dialect: str, role: object) -> None:
    assert role in (READ_ONLY, NO_ACCESS)
    sees = role is READ_ONLY
    with Served(tmp_path) as served:
        ask_as_ann(served, [permission(ROOT_FOLDER, READ_ONLY if sees else NO_ACCESS)])
        before = served.world.inventory.revision
        there = {each for cls in KINDS.values() for each in served.world.inventory.all(cls)} - {ROOT_FOLDER}
        names = {each.name for cls in KINDS.values() for each in served.world.inventory.all(cls).values()}
        wrong: list[str] = []
        answered = 0
        for operation, call, reply in replies(served, dialect):
            body = bytes(reply.body)
            words = f"{operation.id} [{call.method} {call.target}] {reply.status} {body[:300]!r}"
            if served.world.inventory.revision != before:
                wrong.append(f"writes: {words}")
                before = served.world.inventory.revision
            if b"resphere.internal_error" in body:
                wrong.append(f"fails: {words}")
            answered += not any(each in body for each in REFUSALS)
            if not sees:
                asked = f"{call.target} {(call.body or b'').decode()}"
                found = {*WORD.findall(body.decode("utf-8", "replace"))} & (there | names)
                if leaks := {each for each in found if each not in asked}:
                    wrong.append(f"leaks {leaks}: {words}")
        assert not wrong, "\n".join(wrong)
        # Who reads is answered, and who does not is, by empty lists and what concerns nobody.
        assert answered > (70 if sees else 10)
