"""How vSphere writes what tells volumes and switches apart, from the 32 hexadecimal digits of a UUID."""

from __future__ import annotations

from resphere.contract.generated.vcenter import Datastore

Type = Datastore.Type


def datastore_url(type: Type, digits: str) -> str:
    """``ds:///vmfs/volumes/<volume>/``, the volume named as each type names it."""
    if type is Type.VSAN:
        return f"ds:///vmfs/volumes/vsan:{digits[:16]}-{digits[16:]}/"
    if type in (Type.NFS, Type.NFS41):
        return f"ds:///vmfs/volumes/{digits[:8]}-{digits[8:16]}/"
    return f"ds:///vmfs/volumes/{digits[:8]}-{digits[8:16]}-{digits[16:20]}-{digits[20:]}/"


def distributed_switch_uuid(digits: str) -> str:
    """``50 2b ... 9f-1c d4 ...``: sixteen bytes in pairs, as vCenter writes the UUID of a distributed switch."""
    pairs = [digits[at : at + 2] for at in range(0, 32, 2)]
    return " ".join(pairs[:8]) + "-" + " ".join(pairs[8:])
