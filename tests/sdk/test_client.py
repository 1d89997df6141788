"""``create_vsphere_client`` of both releases against a server of our own, with TLS."""

from __future__ import annotations

import ast

import pytest

from tests.sdk.bindings import RELEASES, SCRIPTS, run_against
from tests.support.server import Server

CHECKS = [
    node.name
    for node in ast.parse((SCRIPTS / "client.py").read_text()).body
    if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == "check" for d in node.decorator_list)
]


@pytest.fixture(scope="module", params=RELEASES)
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What a release's run of all checks came to."""
    with Server(tmp_path_factory.mktemp("sdk") / "data") as server:
        found: dict[str, str | None] = run_against(server, request.param, "client")
        return found


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.xdist_group("sdk")
def test_client(outcomes: dict[str, str | None], name: str) -> None:
    failure = outcomes[name]
    assert failure is None, failure


def test_there_are_checks() -> None:
    assert len(CHECKS) > 15
