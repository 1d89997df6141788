"""``com.vmware.appliance.recovery.backup``: whether a backup could be made so."""

from __future__ import annotations

from resphere.contract.generated.appliance_recovery import Backup
from resphere.services.appliance.recovery.forms import in_form, request_of
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Backup.validate)
async def validate(call: Call, piece: Backup.BackupRequest) -> Backup.ReturnResult:
    """Look at all fields, and write a small file at the location, which is deleted.

    :raises FeatureInUse: a backup or a restoration is in progress.
    """
    wrong = await call.environment.recovery.backups.validate(request_of(piece))
    return Backup.ReturnResult(
        status=Backup.ReturnStatus.FAIL if wrong else Backup.ReturnStatus.OK,
        messages=in_form(Backup.LocalizableMessage, wrong),
    )
