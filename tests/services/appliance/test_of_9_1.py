"""What vCenter 9.1 has besides: hashes, and the collection of logs by an agent."""

from __future__ import annotations

from typing import Any

import pytest

from resphere.contract.errors import InvalidArgument
from resphere.contract.generated.appliance_logging_liagent import LogCollection
from resphere.contract.generated.appliance_system import CryptoHash
from resphere.contract.generated.appliance_system_crypto_hash import Options
from tests.support.world import World


def test_hashes(world: World) -> None:
    info = world.call(CryptoHash.get)
    (mode,) = world.call(Options.list).modes
    assert (mode.hash_mode, mode.hash_algorithms) == (info.hash_mode, info.hash_algorithms)
    assert (info.algorithm_status, info.common_hash) == ("STRONG", "SHA-256")


def config(unitid: str = "vc", **fields: Any) -> LogCollection.Config:
    given: dict[str, Any] = {
        "enabled": True,
        "unittype": LogCollection.UnitType.VCENTER,
        "content": "[server]",
        **fields,
    }
    return LogCollection.Config(unitid=unitid, **given)


def test_log_collection_is_kept(world: World) -> None:
    assert world.call(LogCollection.get).configurations == ()
    result = world.call(LogCollection.set, LogCollection.SetSpec(configurations=(config(), config("host-1"))))
    assert [each.status for each in result.configurations] == ["CONFIGURED", "CONFIGURED"]
    world.call(LogCollection.set, LogCollection.SetSpec(configurations=(config(enabled=False),)))
    kept = world.call(LogCollection.get).configurations
    assert [(each.unitid, each.status) for each in kept] == [("vc", "NOT_CONFIGURED"), ("host-1", "CONFIGURED")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [(config(""), "unitid"), (config(host="not a host"), "host"), (config(port=0), "port")],
)
def test_what_cannot_be_kept(world: World, wrong: LogCollection.Config, field: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(LogCollection.set, LogCollection.SetSpec(configurations=(config(), wrong)))
    assert error.value.messages[0].args[0] == f"configurations.configurations[1].{field}"


def test_units_are_bounded(world: World) -> None:
    many = tuple(config(str(number)) for number in range(1001))
    with pytest.raises(InvalidArgument):
        world.call(LogCollection.set, LogCollection.SetSpec(configurations=many))
