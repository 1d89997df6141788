"""``com.vmware.appliance.cores``: core files of the server, which lie in its data directory."""

from __future__ import annotations

from resphere.contract.errors import VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Cores
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Cores.list)
async def list_cores(call: Call) -> tuple[Cores.Info, ...]:
    """Each with its size in bytes."""
    try:
        return tuple(
            Cores.Info(name=ids.ApplianceSupportbundleCoresId(file), size=size, creation_time=time)
            for file, size, time in call.environment.bundles.cores()
        )
    except OSError as error:
        raise VapiError(
            message(
                "resphere.appliance.folder", "A folder of the server cannot be looked at: {0}.", error.strerror or error
            )
        ) from error
