"""Settings of the appliance's health checks."""

from __future__ import annotations

from typing import ClassVar

from resphere.inventory.appliance.setting import Setting


class HealthChecks(Setting, frozen=True, kw_only=True, tag="health_checks"):
    """Whether the database is looked at before a backup that somebody asks for, and before those of a schedule."""

    about: ClassVar[str] = "checks of the database before backups"

    before_manual_backup: bool = True
    before_scheduled_backup: bool = True
