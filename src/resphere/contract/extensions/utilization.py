"""Utilization: how busy machines, clusters and datastores are, now and over time."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES

QUERY = ("filter.start", "filter.end", "filter.interval")
ERRORS = ("invalid_argument", "not_found", "unauthenticated", "unauthorized")


class Utilization:
    """``resphere.vcenter.utilization``: how busy something is, now and over time."""

    class FilterSpec(m.Struct, frozen=True, kw_only=True):
        """The moments to tell of besides now: every ``interval`` seconds (default 300) from ``start`` (included) to
        ``end`` (excluded, default now). Without ``start`` there are none."""

        __vapi_name__ = "resphere.vcenter.utilization.filter_spec"
        start: m.DateTime | None = None
        end: m.DateTime | None = None
        interval: m.Long | None = None

    class Sample(m.Struct, frozen=True, kw_only=True):
        """What is in use at a moment. ``cpu_demand_MHz`` is asked for and may be more than ``cpu_usage_MHz``."""

        __vapi_name__ = "resphere.vcenter.utilization.sample"
        time: m.DateTime
        cpu_usage_MHz: float
        cpu_demand_MHz: float
        memory_usage_MiB: float
        disk_read_KBps: float
        disk_write_KBps: float
        network_receive_KBps: float
        network_send_KBps: float

    class Info(m.Struct, frozen=True, kw_only=True):
        """What there is, what of it is in use ``now``, and what was at the moments asked for."""

        __vapi_name__ = "resphere.vcenter.utilization.info"
        cpu_capacity_MHz: float
        memory_capacity_MiB: m.Long
        now: Utilization.Sample
        samples: tuple[Utilization.Sample, ...]

    class DatastoreSample(m.Struct, frozen=True, kw_only=True):
        """The traffic of a datastore at a moment."""

        __vapi_name__ = "resphere.vcenter.utilization.datastore_sample"
        time: m.DateTime
        read_KBps: float
        write_KBps: float

    class DatastoreInfo(m.Struct, frozen=True, kw_only=True):
        """Room in bytes, and the traffic of the disks of VMs whose home it is."""

        __vapi_name__ = "resphere.vcenter.utilization.datastore_info"
        capacity: m.Long
        used: m.Long
        free_space: m.Long
        now: Utilization.DatastoreSample
        samples: tuple[Utilization.DatastoreSample, ...]

    class VmInput(m.Struct, frozen=True, kw_only=True):
        vm: ids.VirtualMachineId
        filter: Utilization.FilterSpec | None = None

    class HostInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId
        filter: Utilization.FilterSpec | None = None

    class ClusterInput(m.Struct, frozen=True, kw_only=True):
        cluster: ids.ClusterComputeResourceId
        filter: Utilization.FilterSpec | None = None

    class DatastoreInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId
        filter: Utilization.FilterSpec | None = None

    get_vm: ClassVar[m.Operation[[ids.VirtualMachineId, Utilization.FilterSpec | None], Utilization.Info]] = (
        m.Operation(
            "resphere.vcenter.utilization",
            "get_vm",
            input=VmInput,
            output=lambda: Utilization.Info,
            api=m.Route(
                "GET",
                "/api/vcenter/vm/{vm}/utilization",
                200,
                query=QUERY,
            ),
            errors=ERRORS,
            privileges=(m.Requirement(("System.Read",), resource="VirtualMachine", parameter="vm"),),
            releases=ALL_RELEASES,
        )
    )

    get_host: ClassVar[m.Operation[[ids.HostSystemId, Utilization.FilterSpec | None], Utilization.Info]] = m.Operation(
        "resphere.vcenter.utilization",
        "get_host",
        input=HostInput,
        output=lambda: Utilization.Info,
        api=m.Route(
            "GET",
            "/api/vcenter/host/{host}/utilization",
            200,
            query=QUERY,
        ),
        errors=ERRORS,
        privileges=(m.Requirement(("System.Read",), resource="HostSystem", parameter="host"),),
        releases=ALL_RELEASES,
    )

    get_cluster: ClassVar[
        m.Operation[[ids.ClusterComputeResourceId, Utilization.FilterSpec | None], Utilization.Info]
    ] = m.Operation(
        "resphere.vcenter.utilization",
        "get_cluster",
        input=ClusterInput,
        output=lambda: Utilization.Info,
        api=m.Route(
            "GET",
            "/api/vcenter/cluster/{cluster}/utilization",
            200,
            query=QUERY,
        ),
        errors=ERRORS,
        privileges=(m.Requirement(("System.Read",), resource="ClusterComputeResource", parameter="cluster"),),
        releases=ALL_RELEASES,
    )

    get_datastore: ClassVar[
        m.Operation[[ids.DatastoreId, Utilization.FilterSpec | None], Utilization.DatastoreInfo]
    ] = m.Operation(
        "resphere.vcenter.utilization",
        "get_datastore",
        input=DatastoreInput,
        output=lambda: Utilization.DatastoreInfo,
        api=m.Route(
            "GET",
            "/api/vcenter/datastore/{datastore}/utilization",
            200,
            query=QUERY,
        ),
        errors=ERRORS,
        privileges=(m.Requirement(("System.Read",), resource="Datastore", parameter="datastore"),),
        releases=ALL_RELEASES,
    )
