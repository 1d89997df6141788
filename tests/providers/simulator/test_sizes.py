from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.providers.simulator.sizes import Sizes, spread


def test_the_defaults() -> None:
    sizes = Sizes()
    assert (sizes.datacenters, sizes.clusters, sizes.hosts, sizes.vms) == (1, 2, 6, 40)
    assert sizes.standalone_hosts == 1


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"datacenters": -1}, "--datacenters must be from 0 to 2000, not -1"),
        ({"datacenters": 0}, "--hosts must be 0 without datacenters, not 6: give --datacenters"),
        ({"clusters": -1}, "--clusters must be from 0 to 5000, not -1"),
        ({"vms": 200_001}, "--vms must be from 0 to 200000, not 200001"),
        ({"clusters": 7}, "--hosts must be at least --clusters (7), so that no cluster is empty, not 6"),
        ({"clusters": 0, "hosts": 0}, "--vms must be 0 without hosts, not 40: give --hosts"),
    ],
)
def test_numbers_that_make_no_inventory_are_refused_by_their_flag(numbers: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Sizes(**numbers)
    assert str(caught.value) == message


def test_without_clusters_all_hosts_are_standalone() -> None:
    assert Sizes(clusters=0, hosts=4).standalone_hosts == 4


@given(st.integers(0, 1000), st.integers(1, 50))
def test_spread_is_even_and_loses_nothing(total: int, parts: int) -> None:
    shares = spread(total, parts)
    assert sum(shares) == total
    assert len(shares) == parts
    assert max(shares) - min(shares) <= 1
