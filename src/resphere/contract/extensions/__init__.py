"""Our own operations, in the contract's terms: what vCenter's REST API lacks.

Their service ids begin with ``resphere.``, so that nobody takes them for vCenter's. A service is a class in a module
of this package and an entry of :data:`SERVICES`.
"""

from __future__ import annotations

from resphere.contract import model as m
from resphere.contract.extensions.about import About, Certificates
from resphere.contract.extensions.audit import Audit
from resphere.contract.extensions.bulk import Bulk
from resphere.contract.extensions.clock import Clock
from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.console import Console
from resphere.contract.extensions.content_publications import ContentPublications
from resphere.contract.extensions.content_transfers import ContentTransfers
from resphere.contract.extensions.custom_attributes import CustomAttributes
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.directories import Directories
from resphere.contract.extensions.events import STREAM, Events
from resphere.contract.extensions.faults import DatastoreFaults, Faults, HostFaults, VCenterFaults
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.guest_transfers import GuestTransfers
from resphere.contract.extensions.hosts import Host, HostMaintenance
from resphere.contract.extensions.inventory_objects import InventoryObjects
from resphere.contract.extensions.limits import Limits
from resphere.contract.extensions.metrics import Metrics
from resphere.contract.extensions.moves import Datacenters, HostMoves, Machines, PoolMoves
from resphere.contract.extensions.navigation import Navigation
from resphere.contract.extensions.networks import Networks
from resphere.contract.extensions.openapi import Explorer, OpenApi
from resphere.contract.extensions.probes import Probes
from resphere.contract.extensions.recipes import Recipes
from resphere.contract.extensions.reports import Reports
from resphere.contract.extensions.schedules import Schedules
from resphere.contract.extensions.sessions import ApiTokens, OpenSessions
from resphere.contract.extensions.states import States
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.extensions.support_bundles import SupportBundles
from resphere.contract.extensions.users import Groups, Password, Users
from resphere.contract.extensions.utilization import Utilization
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.extensions.webhooks import Webhooks

SERVICES: tuple[type, ...] = (
    About,
    Certificates,
    Limits,
    OpenApi,
    Explorer,
    Probes,
    Metrics,
    Navigation,
    Host,
    HostMaintenance,
    VmSnapshots,
    Folders,
    Datacenters,
    Clusters,
    HostMoves,
    Machines,
    PoolMoves,
    Networks,
    Datastores,
    InventoryObjects,
    CustomAttributes,
    GuestTransfers,
    ContentTransfers,
    ContentPublications,
    Console,
    StoragePolicies,
    Utilization,
    Audit,
    Users,
    Password,
    Groups,
    OpenSessions,
    ApiTokens,
    Directories,
    Bulk,
    Events,
    Schedules,
    Recipes,
    Reports,
    Webhooks,
    SupportBundles,
    States,
    Clock,
    Faults,
    HostFaults,
    DatastoreFaults,
    VCenterFaults,
)

OPERATIONS: dict[str, m.AnyOperation] = {
    operation.id: operation
    for service in SERVICES
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

QUERY_ALIASES: dict[str, dict[str, str]] = {
    "com.vmware.vstats.data.query_data_points": {"rsrcs": "resources"},
    "com.vmware.vstats.resource_addresses.list": {"rsrcs": "resources"},
}
"""Further names of query parameters of ``/api``, as vCenter 8.0 itself has them: operation -> name -> our name."""


AS_STREAMS: dict[str, tuple[str, m.AnyOperation]] = {Events.list.id: (STREAM, Events.follow)}
"""Operations that are other ones, at the same address, for clients which accept a media type: that of a stream."""


def route_text(route: m.Route) -> str:
    """A route's path with its dispatch query, as the index writes it."""
    query = "&".join(key if value is None else f"{key}={value}" for key, value in route.dispatch)
    return route.path + (f"?{query}" if query else "")


def alias_target(place: str) -> str:
    """What an alias's place is called in documentation."""
    return place.removeprefix("=").replace("vcenter_vm:Power", "com.vmware.vcenter.vm.power")
