"""Guest operations, customization and what is near them through the official SDK of both releases, with TLS."""

from __future__ import annotations

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.server import Server

CHECKS = ("guest_operations", "guest_credentials", "customization", "installer", "consoles", "sets_of_data")


@pytest.fixture(scope="module", params=RELEASES)
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What a release's run of all checks came to."""
    with Server(tmp_path_factory.mktemp("sdk") / "data") as server:
        found: dict[str, str | None] = run_against(server, request.param, "guest")
        return found


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.xdist_group("sdk_guest")
def test_guest(outcomes: dict[str, str | None], name: str) -> None:
    failure = outcomes[name]
    assert failure is None, failure


def test_every_check_is_asked_for(outcomes: dict[str, str | None]) -> None:
    assert set(outcomes) == set(CHECKS)
