"""What the API tells of itself is what the official SDK was made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdk.bindings import bindings, run
from tests.support.server import Server

NEWEST = "9.1.1.0"
OLDEST_SERVED, NEWEST_SERVED = "7.0", "9.1"
HAVE_NO_ADDRESS = {"com.vmware.vcenter.vm.identity"}
"""Services of the SDK of which nobody knows an address."""
NOT_IN_SDK = {"com.vmware.content.library.item.updatesession.file.probe"}
"""Operations that servers have, and documents of their releases, but no SDK of the release."""
TWO_OF_ONE_NAME = "com.vmware.vcenter.deployment."
"""In the SDK two structures are called ``com.vmware.vcenter.deployment.info``: one of them can be told."""


@pytest.fixture(scope="module", params=[OLDEST_SERVED, NEWEST_SERVED])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """A release of the API, and what the newest SDK finds at a server of it."""
    release: str = request.param
    bindings(NEWEST)
    with Server(tmp_path_factory.mktemp("metamodel") / "data", "--api-release", release) as server:
        given = {"server": f"127.0.0.1:{server.port}", "ca": str(server.ca), "all": release == NEWEST_SERVED}
        yield release, run(NEWEST, "metamodel", given)


def test_types_are_those_of_the_sdk(told: tuple[str, Any]) -> None:
    release, found = told
    assert [each for each in found["differences"] if not each.startswith(TWO_OF_ONE_NAME)] == []
    assert found["compared"] > (2500 if release == NEWEST_SERVED else 1300)
    if release == NEWEST_SERVED:
        assert set(found["untold"]) <= HAVE_NO_ADDRESS
        assert set(found["more"]) <= NOT_IN_SDK


def test_data_is_what_the_sdk_sends_and_takes(told: tuple[str, Any]) -> None:
    _, found = told
    assert [each for each in found["introspected"] if not each.startswith(TWO_OF_ONE_NAME)] == []


def test_what_is_told_is_the_same_however_it_is_asked_for(told: tuple[str, Any]) -> None:
    _, found = told
    assert found["other by themselves"] == []
    assert found["other lists"] == []
    assert all(of_data == of_itself for of_data, of_itself in found["fingerprints"].values())


def test_what_is_not_there_is_refused(told: tuple[str, Any]) -> None:
    _, found = told
    assert found["not refused"] == []
