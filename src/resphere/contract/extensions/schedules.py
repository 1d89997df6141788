"""Scheduled tasks: operations and bulk operations at a time, or again and again."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.releases import ALL_RELEASES

REFUSALS = ("unauthenticated", "unauthorized")
LOOK = (m.Requirement(("System.View",), anywhere=True),)
CREATE = (m.Requirement(("ScheduledTask.Create",), anywhere=True),)
EDIT = (m.Requirement(("ScheduledTask.Edit",), anywhere=True),)
RUN = (m.Requirement(("ScheduledTask.Run",), anywhere=True),)
DELETE = (m.Requirement(("ScheduledTask.Delete",), anywhere=True),)
ONE = "/api/resphere/schedules/{schedule}"


class Schedules:
    """``resphere.schedules``: what is done at a time, with the rights that its owner has then."""

    class TriggerType(StrEnum):
        """When it is done."""

        ONCE = "ONCE"
        CRON = "CRON"

    class Misfire(StrEnum):
        """What becomes of a time at which the server did not run."""

        RUN = "RUN"
        """It is made up for: once, whatever was missed."""
        SKIP = "SKIP"
        """It is passed over, if it is past for more than a minute."""

    class Overlap(StrEnum):
        """What becomes of a time at which the run before goes on still."""

        SKIP = "SKIP"
        """It is passed over."""
        QUEUE = "QUEUE"
        """It follows when the run before has ended: once, whatever was queued."""
        ALLOW = "ALLOW"
        """It begins beside it."""

    class State(StrEnum):
        """vCenter's states of tasks, as its scheduled tasks have them."""

        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        SUCCESS = "SUCCESS"
        ERROR = "ERROR"

    class RunState(StrEnum):
        """What became of a time."""

        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        SUCCESS = "SUCCESS"
        ERROR = "ERROR"
        MISSED = "MISSED"
        """The server did not run then, and it was passed over."""
        OVERLAPPED = "OVERLAPPED"
        """The run before went on still, and it was passed over."""

    class Trigger(m.Struct, frozen=True, kw_only=True):
        """``time`` for ``ONCE``; for ``CRON`` the five fields of cron (minute, hour, day of the month, month, day of
        the week) in a time zone by its IANA name (``Europe/Berlin``; default ``UTC``)."""

        __vapi_name__ = "resphere.schedules.trigger"
        __vapi_unions__ = (
            m.Union("type", {"ONCE": (("time", True),), "CRON": (("cron", True), ("time_zone", False))}),
        )
        type: Schedules.TriggerType
        time: m.DateTime | None = None
        cron: str | None = None
        time_zone: str | None = None

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """``work`` is what a bulk operation is asked for with; a single operation is one of its ``items``. Names are
        those of one schedule of the owner's. ``enabled``: default true; ``misfire``: default ``RUN``; ``overlap``:
        default ``SKIP``."""

        __vapi_name__ = "resphere.schedules.create_spec"
        name: str
        description: str | None = None
        trigger: Schedules.Trigger
        work: Bulk.CreateSpec
        enabled: bool | None = None
        misfire: Schedules.Misfire | None = None
        overlap: Schedules.Overlap | None = None

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """What is to be another way; unset stays."""

        __vapi_name__ = "resphere.schedules.update_spec"
        name: str | None = None
        description: str | None = None
        trigger: Schedules.Trigger | None = None
        work: Bulk.CreateSpec | None = None
        enabled: bool | None = None
        misfire: Schedules.Misfire | None = None
        overlap: Schedules.Overlap | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A schedule. ``state`` is that of its last run, ``active_task`` the one that goes on; ``next_run_time`` is
        unset where there is none."""

        __vapi_name__ = "resphere.schedules.info"
        schedule: str
        name: str
        description: str
        owner: str
        enabled: bool
        trigger: Schedules.Trigger
        operation: str
        misfire: Schedules.Misfire
        overlap: Schedules.Overlap
        state: Schedules.State | None = None
        active_task: str | None = None
        next_run_time: m.DateTime | None = None
        prev_run_time: m.DateTime | None = None
        created_time: m.DateTime
        last_modified_time: m.DateTime
        last_modified_user: str

    class ListSpec(m.Struct, frozen=True, kw_only=True):
        """Those of these names and owners, enabled or not; unset: any."""

        __vapi_name__ = "resphere.schedules.list_spec"
        names: frozenset[str] | None = None
        owners: frozenset[str] | None = None
        enabled: bool | None = None

    class RunInfo(m.Struct, frozen=True, kw_only=True):
        """What became of a time: ``due_time``, at which it was to run, ``start_time``, at which it did, as the bulk
        operation and task ``task``. ``user`` has asked for it, where it was nobody's time."""

        __vapi_name__ = "resphere.schedules.run_info"
        run: m.Long
        due_time: m.DateTime
        start_time: m.DateTime | None = None
        state: Schedules.RunState
        task: str | None = None
        user: str | None = None
        error: m.ErrorValue | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Schedules.CreateSpec

    class ScheduleInput(m.Struct, frozen=True, kw_only=True):
        schedule: str

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        schedule: str
        spec: Schedules.UpdateSpec

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: Schedules.ListSpec | None = None

    class NextRunsInput(m.Struct, frozen=True, kw_only=True):
        schedule: str
        count: m.Long | None = None

    create: ClassVar[m.Operation[[Schedules.CreateSpec], str]] = m.Operation(
        "resphere.schedules",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", "/api/resphere/schedules", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "service_unavailable", "unsupported", *REFUSALS),
        privileges=CREATE,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[Schedules.ListSpec | None], tuple[Schedules.Info, ...]]] = m.Operation(
        "resphere.schedules",
        "list",
        input=ListInput,
        output=lambda: tuple[Schedules.Info, ...],
        api=m.Route("GET", "/api/resphere/schedules", 200, query=("filter.names", "filter.owners", "filter.enabled")),
        errors=REFUSALS,
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Schedules.Info]] = m.Operation(
        "resphere.schedules",
        "get",
        input=ScheduleInput,
        output=lambda: Schedules.Info,
        api=m.Route("GET", ONE, 200),
        errors=("not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[str, Schedules.UpdateSpec], None]] = m.Operation(
        "resphere.schedules",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", ONE, 204, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", *REFUSALS),
        privileges=EDIT,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.schedules",
        "delete",
        input=ScheduleInput,
        api=m.Route("DELETE", ONE, 204),
        errors=("not_found", *REFUSALS),
        privileges=DELETE,
        releases=ALL_RELEASES,
    )

    run: ClassVar[m.Operation[[str], str]] = m.Operation(
        "resphere.schedules",
        "run",
        input=ScheduleInput,
        output=lambda: str,
        api=m.Route("POST", ONE, 201, dispatch=(("action", "run"),)),
        errors=("invalid_argument", "not_found", "service_unavailable", *REFUSALS),
        privileges=RUN,
        releases=ALL_RELEASES,
    )

    enable: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.schedules",
        "enable",
        input=ScheduleInput,
        api=m.Route("POST", ONE, 204, dispatch=(("action", "enable"),)),
        errors=("not_found", *REFUSALS),
        privileges=EDIT,
        releases=ALL_RELEASES,
    )

    disable: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.schedules",
        "disable",
        input=ScheduleInput,
        api=m.Route("POST", ONE, 204, dispatch=(("action", "disable"),)),
        errors=("not_found", *REFUSALS),
        privileges=EDIT,
        releases=ALL_RELEASES,
    )

    runs: ClassVar[m.Operation[[str], tuple[Schedules.RunInfo, ...]]] = m.Operation(
        "resphere.schedules",
        "runs",
        input=ScheduleInput,
        output=lambda: tuple[Schedules.RunInfo, ...],
        api=m.Route("GET", f"{ONE}/runs", 200),
        errors=("not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    next_runs: ClassVar[m.Operation[[str, int | None], tuple[m.DateTime, ...]]] = m.Operation(
        "resphere.schedules",
        "next_runs",
        input=NextRunsInput,
        output=lambda: tuple[m.DateTime, ...],
        api=m.Route("GET", f"{ONE}/next-runs", 200, query=("count",)),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )
