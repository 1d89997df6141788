"""``com.vmware.appliance.access.shell``: kept only, but that it ends after its time."""

from __future__ import annotations

from datetime import datetime, timedelta

from resphere.contract.generated.appliance_access import Shell
from resphere.inventory.appliance.access import Shell as Kept
from resphere.rules.appliance_values import require_range
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

LONGEST_SECONDS = 86_400


@implements(Shell.get)
async def get(call: Call) -> Shell.ShellConfig:
    """Whether there is a shell, and for how long it was allowed, in seconds."""
    return told(setting(call, Kept), call.environment.now())


@implements(Shell.set)
async def set_(call: Call, config: Shell.ShellConfig) -> None:
    """Allow the shell for up to a day, or, with a timeout of 0, until it is forbidden; or forbid it.

    :raises InvalidArgument: the timeout is none.
    """
    kept = allowed("config", config, call.environment.now())
    await change_setting(call, Kept, lambda _: kept)


def told(kept: Kept, now: datetime) -> Shell.ShellConfig:
    """How it is: when its time is over, as it was never allowed."""
    over = kept.until is not None and kept.until <= now
    if over or not kept.enabled:
        return Shell.ShellConfig(enabled=False, timeout=0)
    return Shell.ShellConfig(enabled=True, timeout=kept.timeout_seconds)


def allowed(field: str, config: Shell.ShellConfig, now: datetime) -> Kept:
    """What is to be kept of it.

    :raises InvalidArgument: the timeout is none.
    """
    require_range(f"{field}.timeout", config.timeout, 0, LONGEST_SECONDS)
    limited = config.enabled and config.timeout > 0
    until = now + timedelta(seconds=config.timeout) if limited else None
    return Kept(enabled=config.enabled, timeout_seconds=config.timeout if config.enabled else 0, until=until)
