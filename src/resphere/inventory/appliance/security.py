"""Settings of the appliance's security."""

from __future__ import annotations

from typing import ClassVar

from resphere.inventory.appliance.setting import Setting


class GlobalFips(Setting, frozen=True, kw_only=True, tag="global_fips"):
    """Whether only cryptography by FIPS 140 is used."""

    about: ClassVar[str] = "FIPS mode"

    enabled: bool = False
