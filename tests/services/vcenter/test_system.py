"""Which release of the API a server offers."""

from __future__ import annotations

from resphere.contract.generated.vcenter import System
from resphere.contract.releases import ALL_RELEASES
from tests.support.world import World


def test_a_server_of_one_release_offers_no_other(world: World) -> None:
    spec = System.HelloSpec(api_releases=tuple(f"{release}.0.0" for release in ALL_RELEASES))
    assert world.environment.product.api_releases == ("8.0",)
    assert world.call(System.hello, spec) == System.HelloResult(api_release="8.0.0.0")
