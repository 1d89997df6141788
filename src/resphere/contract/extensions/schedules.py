"""Scheduled tasks: operations and bulk operations at a time, again and again, or at events."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.events import Events
from resphere.contract.releases import ALL_RELEASES

REFUSALS = ("unauthenticated", "unauthorized")
LOOK = (m.Requirement(("System.View",), anywhere=True),)
CREATE = (m.Requirement(("ScheduledTask.Create",), anywhere=True),)
EDIT = (m.Requirement(("ScheduledTask.Edit",), anywhere=True),)
RUN = (m.Requirement(("ScheduledTask.Run",), anywhere=True),)
DELETE = (m.Requirement(("ScheduledTask.Delete",), anywhere=True),)
ONE = "/api/resphere/schedules/{schedule}"


class Schedules:
    """``resphere.schedules``: what is done at a time or at events, with the rights that its owner has then."""

    class TriggerType(StrEnum):
        """When it is done."""

        ONCE = "ONCE"
        CRON = "CRON"
        EVENT = "EVENT"

    class Misfire(StrEnum):
        """What becomes of a time, or of events, at which the server did not run."""

        RUN = "RUN"
        """It is made up for: once, whatever times were missed; of events for each."""
        SKIP = "SKIP"
        """It is passed over, if it is past for more than a minute."""

    class Overlap(StrEnum):
        """What becomes of a time at which the run before goes on still."""

        SKIP = "SKIP"
        """It is passed over."""
        QUEUE = "QUEUE"
        """It follows when the run before has ended: once, whatever was queued; of events for all that came."""
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
        """The server did not run then, or the events are no longer kept, and it was passed over."""
        OVERLAPPED = "OVERLAPPED"
        """The run before went on still, and it was passed over."""

    class EventFilter(m.Struct, frozen=True, kw_only=True):
        """Events of which each part is as it is given, as those of ``resphere.events`` are filtered; one must be."""

        __vapi_name__ = "resphere.schedules.event_filter"
        kinds: frozenset[Events.Kind] | None = None
        types: frozenset[str] | None = None
        objects: frozenset[str] | None = None
        branch: str | None = None

    class Trigger(m.Struct, frozen=True, kw_only=True):
        """``time`` for ``ONCE``; for ``CRON`` the five fields of cron (minute, hour, day of the month, month, day of
        the week) in a time zone by its IANA name (``Europe/Berlin``; default ``UTC``).

        For ``EVENT`` the ``events`` that the owner sees, which happen from then on. ``interval_seconds`` lie between
        the beginnings of two runs at least (0 to 86,400, default 1); what happens meanwhile is for the next one
        together. ``own``: also those that its runs cause (default false).
        """

        __vapi_name__ = "resphere.schedules.trigger"
        __vapi_unions__ = (
            m.Union(
                "type",
                {
                    "ONCE": (("time", True),),
                    "CRON": (("cron", True), ("time_zone", False)),
                    "EVENT": (("events", True), ("interval_seconds", False), ("own", False)),
                },
            ),
        )
        type: Schedules.TriggerType
        time: m.DateTime | None = None
        cron: str | None = None
        time_zone: str | None = None
        events: Schedules.EventFilter | None = None
        interval_seconds: m.Long | None = None
        own: bool | None = None

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """``work`` is what a bulk operation is asked for with; a single operation is one of its ``items``. Names are
        those of one schedule of the owner's. ``enabled``: default true; ``misfire``: default ``RUN``; ``overlap``:
        default ``SKIP``, at events ``QUEUE``.

        At events ``{"$event": "object.id"}`` in an ``input`` stands for a value of the event: ``object.id``,
        ``object.name``, ``object.type``, ``target.id``, ``target.name``, ``target.type``, ``task``, ``type``,
        ``sequence``, ``cause.user``; it is a text. Items with it are done for each event that has such a value, the
        others once a run."""

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
        operation and task ``task``. ``user`` has asked for it, where it was nobody's time. At events ``due_time`` is
        when the first of them happened, ``events`` how many there were, of sequences from ``first_event`` to
        ``last_event``."""

        __vapi_name__ = "resphere.schedules.run_info"
        run: m.Long
        due_time: m.DateTime
        start_time: m.DateTime | None = None
        state: Schedules.RunState
        task: str | None = None
        user: str | None = None
        error: m.ErrorValue | None = None
        events: m.Long | None = None
        first_event: m.Long | None = None
        last_event: m.Long | None = None

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
        errors=("already_exists", "invalid_argument", "not_found", "service_unavailable", "unsupported", *REFUSALS),
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
