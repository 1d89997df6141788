"""Settings of the services of the appliance's operating system."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance import Services
from resphere.inventory.appliance.setting import Setting


class SystemServices(Setting, frozen=True, kw_only=True, tag="system_services"):
    """Which services somebody has started or stopped, by name."""

    about: ClassVar[str] = "services of the operating system: started or stopped"

    states: dict[str, Services.State] = msgspec.field(default_factory=dict)
