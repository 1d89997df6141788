"""Settings of the appliance's clock."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract.generated.appliance import Timesync
from resphere.inventory.appliance.setting import Setting

USUAL_ZONE = "Etc/UTC"


class TimeSync(Setting, frozen=True, kw_only=True, tag="time_sync"):
    """By what the clock goes: as installed by that of the host."""

    about: ClassVar[str] = "source of the time"

    mode: Timesync.TimeSyncMode = Timesync.TimeSyncMode.HOST


class NtpServers(Setting, frozen=True, kw_only=True, tag="ntp_servers"):
    """Names and addresses of NTP servers."""

    about: ClassVar[str] = "NTP servers"

    servers: tuple[str, ...] = ()


class TimeZone(Setting, frozen=True, kw_only=True, tag="time_zone"):
    """The time zone, by its name in the time zone database."""

    about: ClassVar[str] = "time zone"
    acts: ClassVar[str | None] = "`appliance/system/time` tells the time in it, and schedules of backups go by it"

    name: str = USUAL_ZONE
