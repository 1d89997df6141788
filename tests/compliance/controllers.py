"""Audits and remediates by VMware's controllers, in the environment that has them: JSON in, JSON out."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from config_modules_vmware.controllers.vcenter.backup_schedule_config import BackupScheduleConfig
from config_modules_vmware.controllers.vcenter.dns_config import DnsConfig
from config_modules_vmware.controllers.vcenter.ntp_config import NtpConfig
from config_modules_vmware.controllers.vcenter.syslog_config import SyslogConfig
from config_modules_vmware.controllers.vcenter.tls_version_config import TlsVersion
from config_modules_vmware.framework.auth.contexts.vc_context import VcenterContext

CONTROLLERS: dict[str, Any] = {
    "backups": BackupScheduleConfig,
    "dns": DnsConfig,
    "ntp": NtpConfig,
    "syslog": SyslogConfig,
    "tls": TlsVersion,
}


def main() -> None:
    """Take the steps ``[name, method, desired values]`` one after the other."""
    given = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    context = VcenterContext(
        given["server"],
        given["user"],
        given["password"],
        ssl_thumbprint=given["thumbprint"],
        product_version="8.0.3",
    )
    with context:
        outcomes = [getattr(CONTROLLERS[name](), method)(context, desired) for name, method, desired in given["steps"]]
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()
