"""What goes round the caller's view in a service is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.unfiltered import ALLOWED, SERVICES, violations

READ = """
@implements(Api.{operation}, kept=True)
async def handler(call: Call) -> int:
    return count({expression})
"""


def found(tmp_path: Path, source: str, *allowed: str) -> list[str]:
    """What is found in one module of that source, without its place."""
    (tmp_path / "module.py").write_text(source)
    reasons = dict.fromkeys(allowed, "a reason")
    return [line.removeprefix(f"{tmp_path}/module.py:") for line in violations(tmp_path, reasons)]


def test_services_go_round_nothing() -> None:
    assert list(violations(SERVICES, ALLOWED)) == []


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        ("call.unfiltered", "reads .unfiltered, which shows more than its caller sees"),
        ("call.referred(Host, id)", "reads .referred, which shows more than its caller sees"),
        ("call.environment.inventory", "reads the environment's inventory"),
    ],
)
def test_a_handler_that_reads_and_sees_everything_is_found(tmp_path: Path, expression: str, what: str) -> None:
    assert found(tmp_path, READ.format(operation="list", expression=expression)) == [f"4: module.handler {what}"]


def test_what_the_caller_sees_is_in_order(tmp_path: Path) -> None:
    assert found(tmp_path, READ.format(operation="list", expression="call.inventory")) == []


def test_a_helper_of_a_module_that_changes_nothing_is_found(tmp_path: Path) -> None:
    helper = "def helper(call):\n    return call.unfiltered\n"
    assert len(found(tmp_path, helper)) == 1
    assert found(tmp_path, f"from resphere.replica.edit import Edit\n{helper}") == []
    assert found(tmp_path, f"{helper}async def change(call):\n    await call.change(helper)\n") == []


def test_a_change_may_decide_by_everything_and_a_read_beside_it_may_not(tmp_path: Path) -> None:
    imports = "from resphere.replica.edit import Edit\n"
    assert found(tmp_path, imports + READ.format(operation="create", expression="call.unfiltered")) == []
    assert len(found(tmp_path, imports + READ.format(operation="get", expression="call.unfiltered"))) == 1


def test_what_is_allowed_must_need_it(tmp_path: Path) -> None:
    source = READ.format(operation="get", expression="call.unfiltered")
    assert found(tmp_path, source, "module.handler") == []
    assert found(tmp_path, source, "module.handler", "module.gone") == [
        "module.gone is allowed to see everything, and does not"
    ]


def test_nobody_may_take_the_environment_s(tmp_path: Path) -> None:
    source = READ.format(operation="get", expression="call.environment.inventory")
    assert any("environment" in line for line in found(tmp_path, source, "module.handler"))
