"""``com.vmware.appliance.health_check_settings``: whether the database is checked before backups."""

from __future__ import annotations

import msgspec

from resphere.contract.generated.appliance import HealthCheckSettings
from resphere.inventory.appliance.health import HealthChecks
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(HealthCheckSettings.get, kept=True)
async def get(call: Call) -> HealthCheckSettings.SettingSpec:
    """Which checks are on."""
    kept = setting(call, HealthChecks)
    return HealthCheckSettings.SettingSpec(
        db_health_check_state_manual_backup=kept.before_manual_backup,
        db_health_check_state_scheduled_backup=kept.before_scheduled_backup,
    )


@implements(HealthCheckSettings.update)
async def update(call: Call, health_settings: HealthCheckSettings.UpdateSpec) -> None:
    """Turn checks on or off; what is not given stays."""

    def changed(kept: HealthChecks) -> HealthChecks:
        manual = health_settings.db_health_check_state_manual_backup
        scheduled = health_settings.db_health_check_state_scheduled_backup
        return msgspec.structs.replace(
            kept,
            before_manual_backup=kept.before_manual_backup if manual is None else manual,
            before_scheduled_backup=kept.before_scheduled_backup if scheduled is None else scheduled,
        )

    await change_setting(call, HealthChecks, changed)
