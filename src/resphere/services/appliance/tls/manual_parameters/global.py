"""``com.vmware.appliance.tls.manual_parameters.global``: for the whole appliance, instead of a standard profile."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_tls_manual_parameters import Global
from resphere.inventory.appliance.tls import Tls
from resphere.rules.appliance_tls import require_parameters
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting
from resphere.services.checks.appliance_tls import launch, parameters
from resphere.services.registry import implements


@implements(Global.get, kept=True)
async def get(call: Call) -> Global.Info:
    """What was set last, be it in effect or not; before anything was, all that the listeners have."""
    tls = setting(call, Tls)
    versions = tuple(
        Global.ProtocolVersionInfo(version=each.version, ciphers=each.ciphers) for each in tls.manual.versions
    )
    spec = Global.SetSpec(protocol_versions=versions, curves=tls.manual.curves, fips_enforced=False)
    return Global.Info(manual_active=tls.manual_active, spec=spec)


@implements(Global.set_task)
async def set_task(call: Call, spec: Global.SetSpecEx) -> ids.CisTASKId:
    """Put parameters in effect, instead of a standard profile; those of single services stay.

    :raises InvalidArgument: a list is empty, or has something that the listeners have not.
    """
    manual = parameters(spec.protocol_versions, spec.curves)
    require_parameters(manual)
    return await launch(
        call,
        "appliance.tls.manual_parameters.Global.set",
        lambda tls: replace(tls, manual=manual, manual_active=True),
    )
