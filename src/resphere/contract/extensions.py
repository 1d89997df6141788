"""Our own operations, in the contract's terms: what vCenter's REST API lacks.

Their service ids begin with ``resphere.``, so that nobody takes them for vCenter's.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids, vcenter, vcenter_vm

ALL_RELEASES = ("7.0", "8.0", "9.1")


class About:
    """``resphere.about``: what this server is."""

    class Info(m.Struct, frozen=True, kw_only=True):
        """Product, versions and where to go from here; ``links`` maps a name to a path."""

        __vapi_name__ = "resphere.about.info"
        product: str
        version: str
        build: str
        api_releases: tuple[str, ...]
        server: str
        server_version: str
        provider: str
        instance_uuid: str
        links: dict[str, str]

    get: ClassVar[m.Operation[[], About.Info]] = m.Operation(
        "resphere.about",
        "get",
        output=lambda: About.Info,
        api=m.Route("GET", "/api", 200),
        errors=("unauthenticated",),
        privileges=(m.Requirement(("System.View",)),),
        releases=ALL_RELEASES,
    )

    vcenter: ClassVar[m.Operation[[], About.Info]] = m.Operation(
        "resphere.about",
        "vcenter",
        output=lambda: About.Info,
        api=m.Route("GET", "/api/vcenter", 200),
        errors=("unauthenticated",),
        privileges=(m.Requirement(("System.View",)),),
        releases=ALL_RELEASES,
    )


class Certificates:
    """``resphere.certificates``: the certificate authority that clients need to trust."""

    download: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.certificates",
        "download",
        output=lambda: bytes,
        api=m.Route("GET", "/certs/download.zip", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="application/zip",
    )


class OpenApi:
    """``resphere.openapi``: the API's own description."""

    class GetInput(m.Struct, frozen=True, kw_only=True):
        implemented: bool | None = None
        component: str | None = None

    get: ClassVar[m.Operation[[bool | None, str | None], bytes]] = m.Operation(
        "resphere.openapi",
        "get",
        input=GetInput,
        output=lambda: bytes,
        api=m.Route("GET", "/api/openapi.json", 200, query=("implemented", "component")),
        errors=("invalid_argument", "not_found"),
        releases=ALL_RELEASES,
        media_type="application/json",
    )


class Explorer:
    """``resphere.explorer``: a page that shows the API's description and calls what it shows."""

    class FileInput(m.Struct, frozen=True, kw_only=True):
        file: str

    page: ClassVar[m.Operation[[], bytes]] = m.Operation(
        "resphere.explorer",
        "page",
        output=lambda: bytes,
        api=m.Route("GET", "/apiexplorer", 200),
        releases=ALL_RELEASES,
        media_type="text/html; charset=utf-8",
    )

    file: ClassVar[m.Operation[[str], bytes]] = m.Operation(
        "resphere.explorer",
        "file",
        input=FileInput,
        output=lambda: bytes,
        api=m.Route("GET", "/apiexplorer/{file}", 200),
        errors=("not_found",),
        releases=ALL_RELEASES,
        media_type="*/*",
    )


class Host:
    """``resphere.vcenter.host``: one host in detail, which vCenter's REST API does not show."""

    class Hardware(m.Struct, frozen=True, kw_only=True):
        """Installed hardware; frequencies in MHz, sizes in MiB."""

        __vapi_name__ = "resphere.vcenter.host.hardware"
        vendor: str
        model: str
        serial_number: str
        cpu_model: str
        cpu_packages: m.Long
        cpu_cores: m.Long
        cpu_threads: m.Long
        cpu_frequency_MHz: m.Long
        memory_size_MiB: m.Long

    class PhysicalNic(m.Struct, frozen=True, kw_only=True):
        """A network adapter; ``link_speed_Mbps`` is unset where there is no link."""

        __vapi_name__ = "resphere.vcenter.host.physical_nic"
        device: str
        mac_address: str
        link_speed_Mbps: m.Long | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A host with its place, state, hardware and what it has mounted and runs."""

        __vapi_name__ = "resphere.vcenter.host.info"
        host: ids.HostSystemId
        name: str
        parent: str
        datacenter: ids.DatacenterId
        cluster: ids.ClusterComputeResourceId | None = None
        connection_state: vcenter.Host.ConnectionState
        power_state: vcenter.Host.PowerState | None = None
        in_maintenance_mode: bool
        host_uuid: str
        version: str
        build: str
        boot_time: m.DateTime
        management_ip: str
        hardware: Host.Hardware
        physical_nics: tuple[Host.PhysicalNic, ...]
        datastores: tuple[ids.DatastoreId, ...]
        networks: tuple[ids.NetworkId, ...]
        vm_count: m.Long
        powered_on_vm_count: m.Long
        memory_allocated_MiB: m.Long

    class GetInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId

    get: ClassVar[m.Operation[[ids.HostSystemId], Host.Info]] = m.Operation(
        "resphere.vcenter.host",
        "get",
        input=GetInput,
        output=lambda: Host.Info,
        api=m.Route("GET", "/api/vcenter/host/{host}", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.Read",), resource="HostSystem", parameter="host"),),
        releases=ALL_RELEASES,
    )


class HostMaintenance:
    """``resphere.vcenter.host.maintenance``: maintenance mode."""

    class Action(StrEnum):
        """What to do."""

        ENTER = "enter"
        EXIT = "exit"

    class Spec(m.Struct, frozen=True, kw_only=True):
        """``evacuate_powered_off_vms`` moves powered-off VMs away too (default: they stay)."""

        __vapi_name__ = "resphere.vcenter.host.maintenance.spec"
        action: HostMaintenance.Action
        evacuate_powered_off_vms: bool | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """Whether the host is in maintenance mode."""

        __vapi_name__ = "resphere.vcenter.host.maintenance.info"
        in_maintenance_mode: bool

    class GetInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId

    class SetInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId
        spec: HostMaintenance.Spec

    get: ClassVar[m.Operation[[ids.HostSystemId], HostMaintenance.Info]] = m.Operation(
        "resphere.vcenter.host.maintenance",
        "get",
        input=GetInput,
        output=lambda: HostMaintenance.Info,
        api=m.Route("GET", "/api/vcenter/host/{host}/maintenance", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.Read",), resource="HostSystem", parameter="host"),),
        releases=ALL_RELEASES,
    )

    set: ClassVar[m.Operation[[ids.HostSystemId, HostMaintenance.Spec], None]] = m.Operation(
        "resphere.vcenter.host.maintenance",
        "set",
        input=SetInput,
        api=m.Route("POST", "/api/vcenter/host/{host}/maintenance", 204, body=("spec",), flat=True),
        errors=(
            "already_in_desired_state",
            "not_allowed_in_current_state",
            "not_found",
            "resource_busy",
            "unauthenticated",
            "unauthorized",
        ),
        privileges=(m.Requirement(("Host.Config.Maintenance",), resource="HostSystem", parameter="host"),),
        releases=ALL_RELEASES,
    )


class VmSnapshots:
    """``resphere.vcenter.vm.snapshots``: a VM's snapshots, which vCenter's REST API lacks."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """``memory`` keeps the running state (default false), ``quiesce`` asks the guest to flush (default false)."""

        __vapi_name__ = "resphere.vcenter.vm.snapshots.create_spec"
        name: str
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

    class GetInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        snapshot: str

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        snapshot: str
        children: bool | None = None

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
        errors=("invalid_argument", "not_allowed_in_current_state", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("VirtualMachine.State.CreateSnapshot",), resource="VirtualMachine", parameter="vm"),
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

    delete: ClassVar[m.Operation[[ids.VirtualMachineId, str, bool | None], None]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/vm/{vm}/snapshot/{snapshot}", 204, query=("children",)),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("VirtualMachine.State.RemoveSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )

    delete_all: ClassVar[m.Operation[[ids.VirtualMachineId], None]] = m.Operation(
        "resphere.vcenter.vm.snapshots",
        "delete_all",
        input=ListInput,
        api=m.Route("DELETE", "/api/vcenter/vm/{vm}/snapshot", 204),
        errors=("not_found", "unauthenticated", "unauthorized"),
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
        errors=("not_allowed_in_current_state", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("VirtualMachine.State.RevertToSnapshot",), resource="VirtualMachine", parameter="vm"),
        ),
        releases=ALL_RELEASES,
    )


class Folders:
    """``resphere.vcenter.folder``: folders made, renamed, moved and deleted."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A folder in ``parent``, of the same type."""

        __vapi_name__ = "resphere.vcenter.folder.create_spec"
        name: str
        parent: ids.FolderId

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """The new name."""

        __vapi_name__ = "resphere.vcenter.folder.update_spec"
        name: str

    class MoveSpec(m.Struct, frozen=True, kw_only=True):
        """The folder that it shall stand in: of the same type, in the same datacenter."""

        __vapi_name__ = "resphere.vcenter.folder.move_spec"
        parent: ids.FolderId

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Folders.CreateSpec

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        folder: ids.FolderId
        spec: Folders.UpdateSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        folder: ids.FolderId
        spec: Folders.MoveSpec

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        folder: ids.FolderId

    create: ClassVar[m.Operation[[Folders.CreateSpec], ids.FolderId]] = m.Operation(
        "resphere.vcenter.folder",
        "create",
        input=CreateInput,
        output=lambda: ids.FolderId,
        api=m.Route("POST", "/api/vcenter/folder", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("Folder.Create",), resource="Folder", attribute="resphere.vcenter.folder.create_spec:parent"
            ),
        ),
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[ids.FolderId, Folders.UpdateSpec], None]] = m.Operation(
        "resphere.vcenter.folder",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/folder/{folder}", 204, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("Folder.Rename",), resource="Folder", parameter="folder"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.FolderId, Folders.MoveSpec], None]] = m.Operation(
        "resphere.vcenter.folder",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST", "/api/vcenter/folder/{folder}", 204, dispatch=(("action", "move"),), body=("spec",), flat=True
        ),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("Folder.Move",), resource="Folder", parameter="folder"),
            m.Requirement(("Folder.Move",), resource="Folder", attribute="resphere.vcenter.folder.move_spec:parent"),
        ),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.FolderId], None]] = m.Operation(
        "resphere.vcenter.folder",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/folder/{folder}", 204),
        errors=("invalid_argument", "not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("Folder.Delete",), resource="Folder", parameter="folder"),),
        releases=ALL_RELEASES,
    )


OPERATIONS: dict[str, m.AnyOperation] = {
    operation.id: operation
    for service in (About, Certificates, OpenApi, Explorer, Host, HostMaintenance, VmSnapshots, Folders)
    for operation in vars(service).values()
    if isinstance(operation, m.Operation)
}
"""Operation id -> operation."""

POWER_PATH = "/api/vcenter/vm/{vm}/power"

ALIASES: tuple[tuple[str, str, str], ...] = (
    *(("POST", f"{POWER_PATH}/{name}", f"vcenter_vm:Power.{name}") for name in ("start", "stop", "reset", "suspend")),
    ("POST", "/api/vcenter/vm/{vm}/snapshot/{snapshot}/revert", "=resphere.vcenter.vm.snapshots.revert"),
)
"""Further ``/api`` paths of operations, as people who come from ``/rest`` write them: (method, path, place)."""


def route_text(route: m.Route) -> str:
    """A route's path with its dispatch query, as the index writes it."""
    query = "&".join(key if value is None else f"{key}={value}" for key, value in route.dispatch)
    return route.path + (f"?{query}" if query else "")


def alias_target(place: str) -> str:
    """What an alias's place is called in documentation."""
    return place.removeprefix("=").replace("vcenter_vm:Power", "com.vmware.vcenter.vm.power")
