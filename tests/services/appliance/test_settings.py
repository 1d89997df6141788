"""Settings that are kept: their defaults, what changes them, who sees that."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from resphere.contract.generated.appliance import HealthCheckSettings
from resphere.contract.generated.appliance_system_security import GlobalFips
from resphere.inventory.appliance.settings import AnySetting, ApplianceSetting, setting_of, tag_of
from tests.support.world import World


@pytest.mark.parametrize("cls", get_args(AnySetting), ids=tag_of)
def test_a_fresh_appliance_has_every_setting(world: World, cls: type[AnySetting]) -> None:
    assert setting_of(world.inventory, cls) == cls()
    assert cls.about


def test_what_is_changed_stays_and_others_see_it(world: World) -> None:
    assert not world.call(GlobalFips.get).enabled
    world.call(GlobalFips.update, GlobalFips.UpdateSpec(enabled=True))
    world.call(GlobalFips.update, GlobalFips.UpdateSpec())
    assert world.call(GlobalFips.get).enabled
    assert list(world.inventory.all(ApplianceSetting)) == ["global_fips"]


def test_what_is_as_before_writes_nothing(world: World) -> None:
    world.call(GlobalFips.update, GlobalFips.UpdateSpec(enabled=False))
    assert not world.inventory.all(ApplianceSetting)


def test_health_checks_before_backups(world: World) -> None:
    both = HealthCheckSettings.SettingSpec(
        db_health_check_state_manual_backup=True, db_health_check_state_scheduled_backup=True
    )
    assert world.call(HealthCheckSettings.get) == both
    world.call(HealthCheckSettings.update, HealthCheckSettings.UpdateSpec(db_health_check_state_manual_backup=False))
    assert world.call(HealthCheckSettings.get) == msgspec.structs.replace(
        both, db_health_check_state_manual_backup=False
    )


def test_settings_are_sealed(world: World, tmp_path: Path) -> None:
    world.call(GlobalFips.update, GlobalFips.UpdateSpec(enabled=True))
    document = world.run(world.store.document("appliance_setting", "global_fips"))
    assert document is not None
    assert b"enabled" not in document.body
