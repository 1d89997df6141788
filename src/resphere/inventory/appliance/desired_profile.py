"""The state of vCenter's settings that somebody wants."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_applmgmt import ApplianceManagement
from resphere.contract.generated.appliance_vcenter_settings_v1_config_components_authmanagement import (
    AuthenticationManagement,
)
from resphere.inventory.appliance.setting import Setting


class DesiredProfile(Setting, frozen=True, kw_only=True, tag="desired_profile"):
    """The one profile that there is; without a name there is none. ``version`` rises with each state that is applied;
    ``creation_time`` is aware, in UTC."""

    about: ClassVar[str] = "desired state of vCenter's settings"
    acts: ClassVar[str | None] = "`scan` tells in what the settings differ from it"

    profile: str = ""
    version: int = 0
    name: str = ""
    description: str | None = None
    owner: str = ""
    creation_time: datetime | None = None
    appliance: ApplianceManagement | None = None
    authmgmt: AuthenticationManagement | None = None
