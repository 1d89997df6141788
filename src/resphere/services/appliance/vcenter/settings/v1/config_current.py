"""``com.vmware.appliance.vcenter.settings.v1.config_current``: the settings as one state."""

from __future__ import annotations

from resphere.contract.generated.appliance_vcenter_settings_v1 import ConfigCurrent, DesiredState
from resphere.rules.appliance_values import invalid
from resphere.services.appliance.vcenter.settings.v1.states import COMPONENTS, desired_of
from resphere.services.call import Call
from resphere.services.checks.profiles.applying import told
from resphere.services.registry import implements


@implements(ConfigCurrent.get)
async def get(
    call: Call, invoker_type: ConfigCurrent.InvokerType | None, components: frozenset[str] | None
) -> DesiredState:
    """What is set, without passwords: all components that can be applied, or those that are named. ``invoker_type`` is
    for plug-ins of vCenter, of which there are none.

    :raises InvalidArgument: there is no such component.
    """
    for name in sorted(components or ()):
        if name not in COMPONENTS:
            raise invalid("components", "{1} is none of {2}.", repr(name[:80]), ", ".join(COMPONENTS))
    parts = [part for name, those in COMPONENTS.items() if not components or name in components for part in those]
    return desired_of(told(call, call.inventory, parts))
