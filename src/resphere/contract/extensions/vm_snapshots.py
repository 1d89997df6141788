"""Snapshots of virtual machines."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.releases import ALL_RELEASES


class VmSnapshots:
    """``resphere.vcenter.vm.snapshots``: a VM's snapshots, which vCenter's REST API lacks."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """``memory`` keeps the running state (default false), ``quiesce`` asks the guest to flush (default false)."""

        __vapi_name__ = "resphere.vcenter.vm.snapshots.create_spec"
        name: str
        description: str | None = None
        memory: bool | None = None
        quiesce: bool | None = None

    class RotateSpec(m.Struct, frozen=True, kw_only=True):
        """``name`` is what the snapshots' names begin with, followed by the time in UTC; the latest ``keep`` (1 to 31)
        of those stay. The others are as in ``create``."""

        __vapi_name__ = "resphere.vcenter.vm.snapshots.rotate_spec"
        name: str
        keep: m.Long
        description: str | None = None
        memory: bool | None = None
        quiesce: bool | None = None

    class Summary(m.Struct, frozen=True, kw_only=True):
        """One snapshot; ``parent`` is unset for a root, ``current`` says the VM descends from it directly."""

        __vapi_name__ = "resphere.vcenter.vm.snapshots.summary"
        snapshot: str
        name: str
        description: str
        created_time: m.DateTime
        power_state: vcenter_vm.Power.State
        memory: bool
        quiesced: bool
        current: bool
        parent: str | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """One snapshot with its children and the size of what it holds."""

        __vapi_name__ = "resphere.vcenter.vm.snapshots.info"
        snapshot: str
        vm: ids.VirtualMachineId
        name: str
        description: str
        created_time: m.DateTime
        power_state: vcenter_vm.Power.State
        memory: bool
        quiesced: bool
        current: bool
        parent: str | None = None
        children: tuple[str, ...]
        cpu_count: m.Long
        memory_size_MiB: m.Long
        disks: tuple[str, ...]

    class ListInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        spec: VmSnapshots.CreateSpec

    class RotateInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        spec: VmSnapshots.RotateSpec

    class GetInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        snapshot: str

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        snapshot: str
        children: bool | None = None
        consolidate: bool | None = None

    class DeleteAllInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        consolidate: bool | None = None

    class Consolidation(m.Struct, frozen=True, kw_only=True):
        """``needed``: snapshots were deleted whose disks have not been merged yet."""

        __vapi_name__ = "resphere.vcenter.vm.snapshots.consolidation"
        needed: bool

    list: ClassVar[m.Operation[[ids.VirtualMachineId], tuple[VmSnapshots.Summary, ...]]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "list",
        input=ListInput,
        output=lambda: tuple[VmSnapshots.Summary, ...],
        api=m.Route("GET", "/api/vcenter/vm/{vm}/snapshot", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.Read",), resource="VirtualMachine", parameter="vm"),),
        releases=ALL_RELEASES,
    )

    create: ClassVar[m.Operation[[ids.VirtualMachineId, VmSnapshots.CreateSpec], str]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", "/api/vcenter/vm/{vm}/snapshot", 201, body=("spec",), flat=True),
        errors=(
            "invalid_argument",
            "not_allowed_in_current_state",
            "not_found",
            "resource_busy",
            "resource_inaccessible",
            "service_unavailable",
            "unable_to_allocate_resource",
            "unauthenticated",
            "unauthorized",
        ),
        privileges=(
            m.Requirement(("VirtualMachine.State.CreateSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )

    rotate: ClassVar[m.Operation[[ids.VirtualMachineId, VmSnapshots.RotateSpec], str]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "rotate",
        input=RotateInput,
        output=lambda: str,
        api=m.Route(
            "POST", "/api/vcenter/vm/{vm}/snapshot", 201, dispatch=(("action", "rotate"),), body=("spec",), flat=True
        ),
        errors=(
            "invalid_argument",
            "not_allowed_in_current_state",
            "not_found",
            "resource_busy",
            "resource_inaccessible",
            "service_unavailable",
            "unable_to_allocate_resource",
            "unauthenticated",
            "unauthorized",
        ),
        privileges=(
            m.Requirement(
                ("VirtualMachine.State.CreateSnapshot", "VirtualMachine.State.RemoveSnapshot"),
                resource="VirtualMachine",
                parameter="vm",
            ),
        ),
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[ids.VirtualMachineId, str], VmSnapshots.Info]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "get",
        input=GetInput,
        output=lambda: VmSnapshots.Info,
        api=m.Route("GET", "/api/vcenter/vm/{vm}/snapshot/{snapshot}", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.Read",), resource="VirtualMachine", parameter="vm"),),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.VirtualMachineId, str, bool | None, bool | None], None]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/vm/{vm}/snapshot/{snapshot}", 204, query=("children", "consolidate")),
        errors=("not_found", "resource_busy", "service_unavailable", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("VirtualMachine.State.RemoveSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )

    delete_all: ClassVar[m.Operation[[ids.VirtualMachineId, bool | None], None]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "delete_all",
        input=DeleteAllInput,
        api=m.Route("DELETE", "/api/vcenter/vm/{vm}/snapshot", 204, query=("consolidate",)),
        errors=("not_found", "resource_busy", "service_unavailable", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("VirtualMachine.State.RemoveSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )

    revert: ClassVar[m.Operation[[ids.VirtualMachineId, str], None]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "revert",
        input=GetInput,
        api=m.Route("POST", "/api/vcenter/vm/{vm}/snapshot/{snapshot}", 204, dispatch=(("action", "revert"),)),
        errors=(
            "not_allowed_in_current_state",
            "not_found",
            "resource_busy",
            "service_unavailable",
            "unauthenticated",
            "unauthorized",
        ),
        privileges=(
            m.Requirement(("VirtualMachine.State.RevertToSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )

    get_consolidation: ClassVar[m.Operation[[ids.VirtualMachineId], VmSnapshots.Consolidation]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "get_consolidation",
        input=ListInput,
        output=lambda: VmSnapshots.Consolidation,
        api=m.Route("GET", "/api/vcenter/vm/{vm}/snapshot-consolidation", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.Read",), resource="VirtualMachine", parameter="vm"),),
        releases=ALL_RELEASES,
    )

    consolidate: ClassVar[m.Operation[[ids.VirtualMachineId], None]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "consolidate",
        input=ListInput,
        api=m.Route("POST", "/api/vcenter/vm/{vm}/snapshot-consolidation", 204),
        errors=("not_found", "resource_busy", "service_unavailable", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("VirtualMachine.State.RemoveSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )
