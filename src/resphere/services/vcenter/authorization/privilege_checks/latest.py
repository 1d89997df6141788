"""``com.vmware.vcenter.authorization.privilege_checks.latest``."""

from __future__ import annotations

from resphere.contract.generated.vcenter_authorization_privilege_checks import Latest
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.authorization.privilege_checks.checks import marker_of


@implements(Latest.get)
async def get(call: Call) -> str:
    """The marker of the last check that was recorded; what is asked from now on is recorded."""
    checks = call.environment.checks
    await checks.want()
    places = [place for place, _, _ in checks.recorded()]
    return marker_of(places[-1] if places else (0, 0))
