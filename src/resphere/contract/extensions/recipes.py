"""Recipes: schedules that many want, made by one call."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.reports import Reports
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES

ERRORS = (
    "already_exists",
    "invalid_argument",
    "not_found",
    "service_unavailable",
    "unauthenticated",
    "unauthorized",
    "unsupported",
)
CREATE = (m.Requirement(("ScheduledTask.Create",), anywhere=True),)
ALL = "/api/resphere/recipes"


class Recipes:
    """``resphere.recipes``: schedules that many want. What they make are schedules as any other, of the caller's:
    looked after, changed and deleted as those."""

    class Day(StrEnum):
        """A day of the week."""

        MONDAY = "MONDAY"
        TUESDAY = "TUESDAY"
        WEDNESDAY = "WEDNESDAY"
        THURSDAY = "THURSDAY"
        FRIDAY = "FRIDAY"
        SATURDAY = "SATURDAY"
        SUNDAY = "SUNDAY"

    class Off(StrEnum):
        """How machines are switched off."""

        SHUTDOWN = "SHUTDOWN"
        """The guest is asked to shut down."""
        POWER_OFF = "POWER_OFF"

    class Machines(m.Struct, frozen=True, kw_only=True):
        """Virtual machines that meet all that is set, found anew each time: directly in one of the ``folders``, in one
        of the ``clusters`` or ``resource_pools``, of these ``names``, with one of the ``tags``; ``condition`` is what
        the option ``$filter`` of their list is."""

        __vapi_name__ = "resphere.recipes.machines"
        folders: frozenset[ids.FolderId] | None = None
        clusters: frozenset[ids.ClusterComputeResourceId] | None = None
        resource_pools: frozenset[ids.ResourcePoolId] | None = None
        names: frozenset[str] | None = None
        tags: frozenset[ids.CisTaggingTagId] | None = None
        condition: str | None = None

    class SnapshotsSpec(m.Struct, frozen=True, kw_only=True):
        """Snapshots of ``machines`` (unset: all) by ``cron`` in ``time_zone``, as triggers of schedules have them. The
        latest ``keep`` (1 to 31) stay of those whose names begin with ``name``, and no other is touched;
        ``concurrency`` (1 to 64, default 4) are taken at a time."""

        __vapi_name__ = "resphere.recipes.snapshots_spec"
        name: str
        cron: str
        time_zone: str | None = None
        machines: Recipes.Machines | None = None
        keep: m.Long
        memory: bool | None = None
        quiesce: bool | None = None
        concurrency: m.Long | None = None

    class WorkingHoursSpec(m.Struct, frozen=True, kw_only=True):
        """``machines`` (unset: all) are switched on at ``begin`` and off at ``end``, which are times of the day
        (``07:30``) in ``time_zone`` (an IANA name, default ``UTC``), on ``days`` (default: Monday to Friday). ``off``:
        default ``SHUTDOWN``. ``rate``: so many are begun in a second at most (default: any number)."""

        __vapi_name__ = "resphere.recipes.working_hours_spec"
        name: str
        begin: str
        end: str
        days: frozenset[Recipes.Day] | None = None
        time_zone: str | None = None
        machines: Recipes.Machines | None = None
        off: Recipes.Off | None = None
        rate: float | None = None

    class WorkingHoursInfo(m.Struct, frozen=True, kw_only=True):
        """The two schedules."""

        __vapi_name__ = "resphere.recipes.working_hours_info"
        on: str
        off: str

    class ReportsSpec(m.Struct, frozen=True, kw_only=True):
        """A report by ``cron`` in ``time_zone``, sent to ``webhook``, which must be the caller's. ``parts`` and
        ``snapshot_days`` are those of ``resphere.reports``."""

        __vapi_name__ = "resphere.recipes.reports_spec"
        name: str
        cron: str
        time_zone: str | None = None
        webhook: str
        parts: frozenset[Reports.Part] | None = None
        snapshot_days: m.Long | None = None

    class SnapshotsInput(m.Struct, frozen=True, kw_only=True):
        spec: Recipes.SnapshotsSpec

    class WorkingHoursInput(m.Struct, frozen=True, kw_only=True):
        spec: Recipes.WorkingHoursSpec

    class ReportsInput(m.Struct, frozen=True, kw_only=True):
        spec: Recipes.ReportsSpec

    snapshots: ClassVar[m.Operation[[Recipes.SnapshotsSpec], str]] = m.Operation(
        "resphere.recipes",
        "snapshots",
        input=SnapshotsInput,
        output=lambda: str,
        api=m.Route("POST", f"{ALL}/snapshots", 201, body=("spec",), flat=True),
        errors=ERRORS,
        privileges=CREATE,
        releases=ALL_RELEASES,
    )

    working_hours: ClassVar[m.Operation[[Recipes.WorkingHoursSpec], Recipes.WorkingHoursInfo]] = m.Operation(
        "resphere.recipes",
        "working_hours",
        input=WorkingHoursInput,
        output=lambda: Recipes.WorkingHoursInfo,
        api=m.Route("POST", f"{ALL}/working-hours", 201, body=("spec",), flat=True),
        errors=ERRORS,
        privileges=CREATE,
        releases=ALL_RELEASES,
    )

    reports: ClassVar[m.Operation[[Recipes.ReportsSpec], str]] = m.Operation(
        "resphere.recipes",
        "reports",
        input=ReportsInput,
        output=lambda: str,
        api=m.Route("POST", f"{ALL}/reports", 201, body=("spec",), flat=True),
        errors=ERRORS,
        privileges=CREATE,
        releases=ALL_RELEASES,
    )
