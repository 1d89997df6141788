"""Where an agent would send logs of vCenter and of hosts (vCenter 9.1)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from resphere.contract.generated.appliance_logging_liagent import LogCollection as Contract
from resphere.inventory.appliance.setting import Setting


class LogCollection(Setting, frozen=True, kw_only=True, tag="log_collection"):
    """What was set for each unit, by its type and id."""

    about: ClassVar[str] = "log collection by an agent"

    units: dict[str, Contract.Config] = msgspec.field(default_factory=dict)
