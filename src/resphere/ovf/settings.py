"""VMware's settings of machines and devices (``vmw:Config``) that are known."""

from __future__ import annotations

KNOWN_SETTINGS = frozenset(
    {
        "bootOptions.bootDelay",
        "bootOptions.bootRetryDelay",
        "bootOptions.bootRetryEnabled",
        "bootOptions.efiSecureBootEnabled",
        "bootOptions.enterBIOSSetup",
        "cpuHotAddEnabled",
        "cpuHotRemoveEnabled",
        "firmware",
        "memoryHotAddEnabled",
    }
)
"""Those that the inventory has a place for, and secure boot, which is kept beside them."""

IGNORED_SETTINGS = frozenset(
    {
        "cpuAllocation.shares.level",
        "cpuAllocation.shares.shares",
        "flags.vbsEnabled",
        "flags.vvtdEnabled",
        "memoryAllocation.shares.level",
        "memoryAllocation.shares.shares",
        "nestedHVEnabled",
        "powerOpInfo.powerOffType",
        "powerOpInfo.resetType",
        "powerOpInfo.standbyAction",
        "powerOpInfo.suspendType",
        "simultaneousThreads",
        "tools.afterPowerOn",
        "tools.afterResume",
        "tools.beforeGuestShutdown",
        "tools.beforeGuestStandby",
        "tools.syncTimeWithHost",
        "tools.syncTimeWithHostAllowed",
        "tools.toolsUpgradePolicy",
        "vPMCEnabled",
        "virtualICH7MPresent",
        "virtualSMCPresent",
    }
)
"""Those that vSphere knows and the inventory has no place for: a package may require them, they are told as ignored."""
