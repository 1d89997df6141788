"""What the API tells of itself is what the official SDK was made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdk.bindings import bindings, run
from tests.support.examples import AT_NIGHT
from tests.support.server import Server

NEWEST = "9.1.1.0"
OLDEST_SERVED, NEWEST_SERVED = "7.0", "9.1"
HAVE_NO_ADDRESS = {"com.vmware.vcenter.vm.identity"}
"""Services of the SDK of which nobody knows an address."""
NOT_IN_SDK = {"com.vmware.content.library.item.updatesession.file.probe"}
"""Operations that servers have, and documents of their releases, but no SDK of the release."""
TWO_OF_ONE_NAME = "com.vmware.vcenter.deployment."
"""In the SDK two structures are called ``com.vmware.vcenter.deployment.info``: one of them can be told."""


@pytest.fixture(scope="module", params=[OLDEST_SERVED, pytest.param(NEWEST_SERVED, marks=AT_NIGHT)])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """A release of the API, and what the newest SDK finds at a server of it."""
    release: str = request.param
    bindings(NEWEST)
    with Server(tmp_path_factory.mktemp("metamodel") / "data", "--api-release", release) as server:
        given = {"server": f"127.0.0.1:{server.port}", "ca": str(server.ca), "all": release == NEWEST_SERVED}
        yield release, run(NEWEST, "metamodel", given)


def test_all_is_as_the_sdk_has_it(told: tuple[str, Any]) -> None:
    """One test, as what it goes by takes the SDK a minute: each process of a run would ask for it anew."""
    release, found = told
    assert [each for each in found["differences"] if not each.startswith(TWO_OF_ONE_NAME)] == []
    assert found["compared"] > (2500 if release == NEWEST_SERVED else 1300)
    if release == NEWEST_SERVED:
        assert set(found["untold"]) <= HAVE_NO_ADDRESS
        assert set(found["more"]) <= NOT_IN_SDK
    assert [each for each in found["introspected"] if not each.startswith(TWO_OF_ONE_NAME)] == [], "data on the wire"
    assert found["other by themselves"] == []
    assert found["other lists"] == []
    assert all(of_data == of_itself for of_data, of_itself in found["fingerprints"].values())
    assert found["not refused"] == []
