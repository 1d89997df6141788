"""Settings of the ways into the appliance beside its API."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from resphere.inventory.appliance.setting import Setting


class ConsoleCli(Setting, frozen=True, kw_only=True, tag="console_cli"):
    """Whether the console has a command line; so as installed in vCenter 8.0."""

    about: ClassVar[str] = "access by the console's command line"

    enabled: bool = True


class Dcui(Setting, frozen=True, kw_only=True, tag="dcui"):
    """Whether the console has the Direct Console User Interface; so as installed in vCenter 8.0."""

    about: ClassVar[str] = "access by the Direct Console User Interface"

    enabled: bool = True


class Ssh(Setting, frozen=True, kw_only=True, tag="ssh"):
    """Whether the appliance is reached by SSH."""

    about: ClassVar[str] = "access by SSH"

    enabled: bool = False


class Shell(Setting, frozen=True, kw_only=True, tag="shell"):
    """Whether there is a shell, and until when; ``until`` is unset where it stays."""

    about: ClassVar[str] = "access to the shell"

    enabled: bool = False
    timeout_seconds: int = 0
    until: datetime | None = None
