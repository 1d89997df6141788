"""How services read and change what is set of TLS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from resphere.contract.generated import ids
from resphere.inventory.appliance.settings import keep_setting, setting_of
from resphere.inventory.appliance.tls import Tls, TlsParameters, TlsVersion
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.replica.edit import Edit
from resphere.services.call import Call

V = TypeVar("V")


class VersionInfo(Protocol):
    """A version and its ciphers, as several operations have it."""

    @property
    def version(self) -> str: ...
    @property
    def ciphers(self) -> tuple[str, ...]: ...


def parameters(versions: Sequence[VersionInfo], curves: tuple[str, ...]) -> TlsParameters:
    """What an operation was given."""
    return TlsParameters(
        versions=tuple(TlsVersion(version=each.version, ciphers=each.ciphers) for each in versions), curves=curves
    )


async def launch(call: Call, description: str, changed: Callable[[Tls], Tls]) -> ids.CisTASKId:
    """Change what is set as a task, which ends as soon as that is kept."""

    def plan(edit: Edit, _: Folder) -> None:
        keep_setting(edit, changed(setting_of(edit, Tls)))

    return await call.launch_change(description, call.require(Folder, ROOT_FOLDER), plan)
