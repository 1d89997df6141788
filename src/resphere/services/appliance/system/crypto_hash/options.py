"""``com.vmware.appliance.system.crypto_hash.options``: the modes that could be chosen."""

from __future__ import annotations

from resphere.contract.generated.appliance_system_crypto_hash import Options
from resphere.services.appliance.system.crypto_hash.crypto_hash import ALGORITHMS, MODE
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Options.list, kept=True)
async def list_modes(call: Call) -> Options.ListResult:
    """The one that there is."""
    return Options.ListResult(modes=(Options.Info(hash_mode=MODE, hash_algorithms=ALGORITHMS),))
