"""Hosts: detail and maintenance mode."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids, vcenter
from resphere.contract.releases import ALL_RELEASES


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


SET_ERRORS = (
    "already_in_desired_state",
    "not_allowed_in_current_state",
    "not_found",
    "resource_busy",
    "unauthenticated",
    "unauthorized",
)
SET_PRIVILEGES = (m.Requirement(("Host.Config.Maintenance",), resource="HostSystem", parameter="host"),)


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
        errors=SET_ERRORS,
        privileges=SET_PRIVILEGES,
        releases=ALL_RELEASES,
    )

    set_task: ClassVar[m.Operation[[ids.HostSystemId, HostMaintenance.Spec], ids.CisTASKId]] = m.Operation(
        "resphere.vcenter.host.maintenance",
        "set$task",
        input=SetInput,
        output=lambda: ids.CisTASKId,
        api=m.Route(
            "POST",
            "/api/vcenter/host/{host}/maintenance",
            202,
            dispatch=(("vmw-task", "true"),),
            body=("spec",),
            flat=True,
        ),
        errors=SET_ERRORS,
        privileges=SET_PRIVILEGES,
        releases=ALL_RELEASES,
    )
