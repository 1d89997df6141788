"""``com.vmware.appliance.system.crypto_hash``: the hashes that this server signs and certifies with."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_system import CryptoHash
from resphere.services.call import Call
from resphere.services.registry import implements

MODE = ids.ApplianceSystemCryptoHashId("SHA2")
ALGORITHMS = ("SHA-256", "SHA-384", "SHA-512")
"""Of certificates, tokens and the audit log; nothing is signed by others, whoever asks."""


@implements(CryptoHash.get, kept=True)
async def get(call: Call) -> CryptoHash.Info:
    """The one mode that there is."""
    return CryptoHash.Info(
        hash_mode=MODE,
        algorithm_status=CryptoHash.AlgorithmStatus.STRONG,
        hash_algorithms=ALGORITHMS,
        status=CryptoHash.HashModeStatus.UP_TO_DATE,
        common_hash=ALGORITHMS[0],
    )
