"""Reports on the inventory: made when they are asked for, kept for a while, and sent to webhooks."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES

REFUSALS = ("unauthenticated", "unauthorized")
LOOK = (m.Requirement(("System.View",), anywhere=True),)
ALL = "/api/resphere/reports"
ONE = f"{ALL}/{{report}}"


class Reports:
    """``resphere.reports``: what there is in the inventory, as its owner sees it, at one moment."""

    class Part(StrEnum):
        """What a report has besides the figures of all."""

        FOLDERS = "FOLDERS"
        """Figures of the machines in each folder."""
        CLUSTERS = "CLUSTERS"
        """Figures of the machines in each cluster."""
        POWERED_ON = "POWERED_ON"
        """The machines that run."""
        OLD_SNAPSHOTS = "OLD_SNAPSHOTS"
        """The snapshots that were taken long ago."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """``parts``: unset, all. Snapshots are old after ``snapshot_days`` (1 to 3,650, default 30). ``webhook``, which
        must be the caller's, is sent the report, whatever events it is for."""

        __vapi_name__ = "resphere.reports.create_spec"
        name: str
        parts: frozenset[Reports.Part] | None = None
        snapshot_days: m.Long | None = None
        webhook: str | None = None

    class Figures(m.Struct, frozen=True, kw_only=True):
        """Of machines, templates not counted: how many there are and run, and what they have in all."""

        __vapi_name__ = "resphere.reports.figures"
        machines: m.Long
        powered_on: m.Long
        cpu_count: m.Long
        memory_mib: m.Long
        disk_capacity_bytes: m.Long

    class Group(m.Struct, frozen=True, kw_only=True):
        """A folder or a cluster, with the figures of the machines directly in it."""

        __vapi_name__ = "resphere.reports.group"
        object: str
        name: str
        figures: Reports.Figures

    class Machine(m.Struct, frozen=True, kw_only=True):
        """A machine that runs."""

        __vapi_name__ = "resphere.reports.machine"
        vm: ids.VirtualMachineId
        name: str
        cpu_count: m.Long
        memory_mib: m.Long

    class OldSnapshot(m.Struct, frozen=True, kw_only=True):
        """A snapshot that was taken long ago."""

        __vapi_name__ = "resphere.reports.old_snapshot"
        vm: ids.VirtualMachineId
        vm_name: str
        snapshot: str
        name: str
        created_time: m.DateTime
        age_days: m.Long

    class Content(m.Struct, frozen=True, kw_only=True):
        """What was found; parts that were not asked for are unset. ``left_out`` is how many entries of all parts there
        were beyond the first 1,000 of each: the largest groups, machines by name, the oldest snapshots."""

        __vapi_name__ = "resphere.reports.content"
        all: Reports.Figures
        folders: tuple[Reports.Group, ...] | None = None
        clusters: tuple[Reports.Group, ...] | None = None
        powered_on: tuple[Reports.Machine, ...] | None = None
        old_snapshots: tuple[Reports.OldSnapshot, ...] | None = None
        left_out: m.Long

    class Summary(m.Struct, frozen=True, kw_only=True):
        """A report, without what is in it."""

        __vapi_name__ = "resphere.reports.summary"
        report: str
        name: str
        time: m.DateTime
        webhook: str | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A report."""

        __vapi_name__ = "resphere.reports.info"
        name: str
        time: m.DateTime
        webhook: str | None = None
        content: Reports.Content

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Reports.CreateSpec

    class ReportInput(m.Struct, frozen=True, kw_only=True):
        report: str

    create: ClassVar[m.Operation[[Reports.CreateSpec], str]] = m.Operation(
        "resphere.reports",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", ALL, 201, body=("spec",), flat=True),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[], tuple[Reports.Summary, ...]]] = m.Operation(
        "resphere.reports",
        "list",
        output=lambda: tuple[Reports.Summary, ...],
        api=m.Route("GET", ALL, 200),
        errors=REFUSALS,
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Reports.Info]] = m.Operation(
        "resphere.reports",
        "get",
        input=ReportInput,
        output=lambda: Reports.Info,
        api=m.Route("GET", ONE, 200),
        errors=("not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.reports",
        "delete",
        input=ReportInput,
        api=m.Route("DELETE", ONE, 204),
        errors=("not_found", *REFUSALS),
        privileges=LOOK,
        releases=ALL_RELEASES,
    )
