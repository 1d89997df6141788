"""The oldest versions of TLS that the appliance's services are to speak, handed on to those who start listeners.

That is the first process of the server, which reads no settings while it serves: it looks at a file. The store is the
truth, and the file is made to agree with it, at the start of the server and by one elected worker ever after.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import msgspec

from resphere.certificates.files import locked, write
from resphere.inventory.appliance.settings import ApplianceSetting, setting_of
from resphere.inventory.appliance.tls import APPLIANCE, MAIN, Tls
from resphere.replica.noticing import noticing
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup

MODE = 0o600
Version = Literal["tlsv1_2", "tlsv1_3"]


class OldestVersions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The oldest version at the port of everything (``main``), and at that of the appliance."""

    main: Version = "tlsv1_2"
    appliance: Version = "tlsv1_2"


def oldest_versions(among: Lookup) -> OldestVersions:
    """As it is set."""
    tls = setting_of(among, Tls)
    oldest = {"main": tls.of_service(MAIN).oldest, "appliance": tls.of_service(APPLIANCE).oldest}
    return msgspec.convert(oldest, OldestVersions)


def handed_on(path: Path) -> OldestVersions:
    """What the file says; nothing was ever set where there is none.

    :raises OSError: it cannot be read.
    :raises msgspec.DecodeError: it is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=OldestVersions)
    except FileNotFoundError:
        return OldestVersions()


def hand_on(path: Path, versions: OldestVersions) -> None:
    """Have the file say it, if it does not.

    :raises OSError: it cannot be read or written.
    """
    with locked(path.parent):
        try:
            known = handed_on(path)
        except msgspec.DecodeError:
            known = None
        if known != versions:
            write(path, msgspec.json.encode(versions), MODE)


class TlsVersions:
    """Keeps the file ``path`` up to what is set."""

    def __init__(self, replica: Replica, path: Path) -> None:
        self._replica = replica
        self._path = path

    async def run(self) -> None:
        """Hand on whatever is set, until canceled."""
        with noticing(self._replica, ApplianceSetting) as changed:
            while True:
                changed.clear()
                await asyncio.to_thread(hand_on, self._path, oldest_versions(self._replica))
                await changed.wait()
