"""``com.vmware.appliance.tls.profiles.global``: the profile in effect; listeners act by its oldest version."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_tls_profiles import Global
from resphere.inventory.appliance.tls import MANUAL, PROFILES, Tls
from resphere.rules.appliance_values import invalid
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting
from resphere.services.checks.appliance_tls import launch
from resphere.services.registry import implements


@implements(Global.get, kept=True)
async def get(call: Call) -> Global.Info:
    """Its name; ``MANUAL`` where parameters were set by hand since."""
    tls = setting(call, Tls)
    return Global.Info(profile=ids.ApplianceTlsProfilesId(MANUAL if tls.manual_active else tls.profile))


@implements(Global.set_task)
async def set_task(call: Call, spec: Global.SetSpec) -> ids.CisTASKId:
    """Put a standard profile in effect, instead of parameters that were set by hand; those of single services stay.

    :raises InvalidArgument: there is no such profile.
    """
    if spec.profile not in PROFILES:
        raise invalid("spec.profile", "{1} is none of {2}.", repr(spec.profile), ", ".join(PROFILES))
    return await launch(
        call,
        "appliance.tls.profiles.Global.set",
        lambda tls: replace(tls, profile=spec.profile, manual_active=False),
    )
