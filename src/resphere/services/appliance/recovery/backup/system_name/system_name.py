"""``com.vmware.appliance.recovery.backup.system_name``: of which systems there are backups at a location."""

from __future__ import annotations

from resphere.contract.errors import NotFound
from resphere.contract.generated.appliance_recovery_backup import LocationSpec, SystemName
from resphere.recovery.layout import systems
from resphere.recovery.places.errors import PlaceError
from resphere.services.appliance.recovery.forms import login_of
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(SystemName.list)
async def list_systems(call: Call, loc_spec: LocationSpec) -> tuple[str, ...]:
    """By the names of their folders.

    :raises NotFound: the location is none, cannot be reached, or does not let anybody in so.
    """
    backups = call.environment.recovery.backups
    try:
        return await backups.look(loc_spec.location, login_of(loc_spec), lambda place, _: systems(place))
    except PlaceError as error:
        raise NotFound(error.message) from error
