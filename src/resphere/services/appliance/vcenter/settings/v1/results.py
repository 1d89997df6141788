"""What the tasks of :mod:`resphere.services.appliance.vcenter.settings.v1.config` result in: the bindings know these
structures only so."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from resphere.contract.mentions import told
from resphere.contract.model import DateTime, LocalizableMessage, Struct
from resphere.services.call import Call


class StatusType(StrEnum):
    """Whether a state can be applied."""

    INVALID = "INVALID"
    VALID = "VALID"


class ApplyImpact(StrEnum):
    """What applying asks for besides."""

    NO_IMPACT = "NO_IMPACT"
    REBOOT_REQUIRED = "REBOOT_REQUIRED"
    RESTART_SERVICE = "RESTART_SERVICE"


class ComplianceStatus(StrEnum):
    """Whether settings are as desired."""

    COMPLIANT = "COMPLIANT"
    NON_COMPLIANT = "NON_COMPLIANT"
    UNAVAILABLE = "UNAVAILABLE"


class ApplyStatus(StrEnum):
    """What has become of a state."""

    ERROR = "ERROR"
    SKIPPED = "SKIPPED"
    SUCCESS = "SUCCESS"
    TIMED_OUT = "TIMED_OUT"


class Notification(Struct, frozen=True, kw_only=True):
    """Something that was found."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.notification"
    notification: str
    time: DateTime | None = None
    message: LocalizableMessage
    resolution: LocalizableMessage | None = None


class Notifications(Struct, frozen=True, kw_only=True):
    """All that was found."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.notifications"
    info: tuple[Notification, ...] | None = None
    warnings: tuple[Notification, ...] | None = None
    errors: tuple[Notification, ...] | None = None


class Impact(Struct, frozen=True, kw_only=True):
    """What applying a state would be."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.impact"
    apply_impact: ApplyImpact
    vcenter_services: frozenset[str] | None = None
    system_services: frozenset[str] | None = None
    message: tuple[LocalizableMessage, ...]
    status: StatusType
    notifications: Notifications


class CheckResult(Struct, frozen=True, kw_only=True):
    """Whether a state can be applied, by components. Profile and version are empty where there is no profile."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.check_result"
    impact: Impact
    start_time: DateTime
    end_time: DateTime | None = None
    profile: str
    version: str
    valid: frozenset[str]
    invalid: frozenset[str]


class DiffResult(Struct, frozen=True, kw_only=True):
    """One setting that is not as desired."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.diff_result"
    current_value: str
    desired_value: str
    category: str
    path: str
    description: str


class ComplianceResult(Struct, frozen=True, kw_only=True):
    """The settings of a component that are not as desired, by their paths."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.compliance_result"
    diff_results: dict[str, DiffResult]


class ScanResult(Struct, frozen=True, kw_only=True):
    """Whether the settings are as desired, by components. Profile and version are empty where there is no profile."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.scan_result"
    status: ComplianceStatus
    notifications: Notifications
    start_time: DateTime
    end_time: DateTime | None = None
    profile: str
    version: str
    compliant: frozenset[str]
    non_compliant: frozenset[str]
    unavailable: frozenset[str]
    compliance_result: dict[str, ComplianceResult]


class ApplyResult(Struct, frozen=True, kw_only=True):
    """What has become of a state, by components. Profile and version are empty where there is no profile."""

    __vapi_name__ = "com.vmware.appliance.vcenter.settings.v1.config.apply_result"
    status: ApplyStatus
    start_time: DateTime
    end_time: DateTime | None = None
    notifications: Notifications
    profile: str
    version: str
    success: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]


def notified(call: Call, messages: Iterable[LocalizableMessage]) -> tuple[Notification, ...] | None:
    """Messages as they are told; unset where there are none."""
    now = call.environment.now()
    return (
        tuple(Notification(notification=each.id, time=now, message=told(each, call.knows)) for each in messages) or None
    )
