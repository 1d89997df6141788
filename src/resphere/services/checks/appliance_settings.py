"""How services read and change what is kept of the appliance's settings.

::

    @implements(GlobalFips.get, kept=True)
    async def get(call: Call) -> GlobalFips.Info:
        return GlobalFips.Info(enabled=setting(call, Fips).enabled)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from resphere.inventory.appliance.setting import Setting
from resphere.inventory.appliance.settings import AnySetting, keep_setting, setting_of
from resphere.replica.edit import Edit
from resphere.services.call import Call

S = TypeVar("S", bound=Setting)
K = TypeVar("K", bound=AnySetting)


def setting(call: Call, cls: type[S]) -> S:
    """The setting as it is."""
    return setting_of(call.inventory, cls)


async def change_setting(call: Call, cls: type[K], changed: Callable[[K], K]) -> None:
    """Keep what ``changed`` makes of the setting as it is then; it may refuse, and may be asked again."""

    def plan(edit: Edit) -> None:
        keep_setting(edit, changed(setting_of(edit, cls)))

    await call.unfiltered.change(plan)
