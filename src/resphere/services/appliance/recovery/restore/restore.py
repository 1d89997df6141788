"""``com.vmware.appliance.recovery.restore``: what a backup is, and whether it can be restored here."""

from __future__ import annotations

from resphere.contract.generated.appliance_recovery import Restore
from resphere.services.appliance.recovery.forms import in_form
from resphere.services.appliance.recovery.restore.job import restoration_of
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Restore.validate)
async def validate(call: Call, piece: Restore.RestoreRequest) -> Restore.Metadata:
    """What the backup says of itself; that its password is right was seen.

    :raises NotFound: there is none.
    :raises InvalidArgument: the location cannot be used, or the password is wrong.
    """
    found = await call.environment.recovery.restores.validate(restoration_of(piece))
    metadata = found.metadata
    return Restore.Metadata(
        timestamp=metadata.timestamp,
        parts=metadata.parts,
        version=metadata.version,
        boxname=metadata.system_name,
        # The accounts are in the backup: nobody else has to be asked.
        sso_login_required=False,
        comment=metadata.comment,
        applicable=found.refusal is None,
        messages=() if found.refusal is None else in_form(Restore.LocalizableMessage, (found.refusal,)),
    )
