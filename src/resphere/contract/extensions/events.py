"""Events: what has happened, in one sequence, as a list, a long poll or a stream."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

FILTERS = ("kinds", "types", "objects", "branch", "after", "until", "begin_time", "end_time")
SEEN = (m.Requirement(("System.View",), anywhere=True),)
"""Whoever may look at anything is told of what has become of that."""

STREAM = "text/event-stream"


class Events:
    """``resphere.events``: every change of the inventory, of tasks, of sessions and of who may do what."""

    class Kind(StrEnum):
        """What an event is about."""

        INVENTORY = "INVENTORY"
        TASK = "TASK"
        SESSION = "SESSION"
        ALARM = "ALARM"
        ACCESS = "ACCESS"

    class Change(StrEnum):
        """What has become of it."""

        CREATED = "CREATED"
        UPDATED = "UPDATED"
        DELETED = "DELETED"

    class Subject(m.Struct, frozen=True, kw_only=True):
        """An object or another document; ``name`` is that of the moment."""

        __vapi_name__ = "resphere.events.subject"
        type: str
        id: str
        name: str | None = None

    class Cause(m.Struct, frozen=True, kw_only=True):
        """Who asked for the change: the request's id, as the audit log has it, the user, the operation."""

        __vapi_name__ = "resphere.events.cause"
        request_id: str | None = None
        user: str | None = None
        operation: str | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A change of one object. ``sequence`` rises by one with each event of the server, also of those that the
        caller is not told of. ``type`` is vSphere's name where there is one; ours begin with ``resphere.``. ``target``
        is what a task, a permission or a tag is about, ``task`` the task that the change belongs to, ``changed`` names
        the fields that are different. What happens by itself has no ``cause``. ``report`` is what is in a report, which
        its owner alone is told of."""

        __vapi_name__ = "resphere.events.info"
        sequence: m.Long
        time: m.DateTime
        type: str
        kind: Events.Kind
        change: Events.Change
        message: str
        object: Events.Subject
        target: Events.Subject | None = None
        cause: Events.Cause | None = None
        task: str | None = None
        changed: tuple[str, ...] | None = None
        details: dict[str, str] | None = None
        report: m.Dynamic | None = None

    class FilterSpec(m.Struct, frozen=True, kw_only=True):
        """Events of which each part is as it is given: of these kinds and types, about one of these objects, of what is
        the object ``branch`` or stands below it (or did when it happened). ``after`` is the sequence of the last event
        that the caller has; unset, those of a list begin with the oldest that is kept, and those of a stream with the
        next one. ``until`` is the sequence of the last event that is wanted, with which a stream ends.

        ``begin_time`` and ``end_time`` say the same as instants, those that happened then included, as vSphere's own
        filters of events do. Beside ``after`` and ``until`` both must be met. A stream can end at what is past."""

        __vapi_name__ = "resphere.events.filter_spec"
        kinds: frozenset[Events.Kind] | None = None
        types: frozenset[str] | None = None
        objects: frozenset[str] | None = None
        branch: str | None = None
        after: m.Long | None = None
        until: m.Long | None = None
        begin_time: m.DateTime | None = None
        end_time: m.DateTime | None = None

    class Page(m.Struct, frozen=True, kw_only=True):
        """Events in their order. ``next`` is what to ask for next, as ``after``: where many events had to be looked at,
        a page may have few or none and there may be more. ``latest`` is the sequence of the latest event of all."""

        __vapi_name__ = "resphere.events.page"
        events: tuple[Events.Info, ...]
        next: m.Long
        latest: m.Long

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: Events.FilterSpec | None = None
        wait: m.Long | None = None
        size: m.Long | None = None

    class FollowInput(m.Struct, frozen=True, kw_only=True):
        filter: Events.FilterSpec | None = None
        last_event_id: str | None = None

    list: ClassVar[m.Operation[[Events.FilterSpec | None, int | None, int | None], Events.Page]] = m.Operation(
        "resphere.events",
        "list",
        input=ListInput,
        output=lambda: Events.Page,
        api=m.Route(
            "GET",
            "/api/resphere/events",
            200,
            query=(*(f"filter.{name}" for name in FILTERS), "wait", "size"),
        ),
        errors=("invalid_argument", "not_found", "resource_inaccessible", "service_unavailable", "unauthenticated"),
        privileges=SEEN,
        releases=ALL_RELEASES,
    )

    follow: ClassVar[m.Operation[[Events.FilterSpec | None, str | None], m.ByteStream]] = m.Operation(
        "resphere.events",
        "follow",
        input=FollowInput,
        output=lambda: m.ByteStream,
        api=m.Route(
            "GET",
            "/api/resphere/events/stream",
            200,
            query=tuple(f"filter.{name}" for name in FILTERS),
            headers=(("last_event_id", "Last-Event-ID"),),
        ),
        errors=("invalid_argument", "not_found", "resource_inaccessible", "service_unavailable", "unauthenticated"),
        privileges=SEEN,
        releases=ALL_RELEASES,
        media_type=STREAM,
    )
