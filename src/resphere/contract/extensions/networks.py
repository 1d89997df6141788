"""Networks: port groups made and deleted, networks renamed, moved, connected to hosts."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.inventory_specs import (
    DESTINATION,
    MOVE_ERRORS,
    RENAME_ERRORS,
    FolderSpec,
    NameSpec,
)
from resphere.contract.generated import ids, vcenter
from resphere.contract.releases import ALL_RELEASES


class Networks:
    """``resphere.vcenter.network``: networks made, renamed, moved, connected to hosts and deleted."""

    class Info(m.Struct, frozen=True, kw_only=True):
        """A network with its place and who is connected; the switch is set for distributed port groups only.

        ``uplink``: it is the switch's own port group, to which the hosts' network adapters are connected and no VM.
        """

        __vapi_name__ = "resphere.vcenter.network.info"
        network: ids.NetworkId
        name: str
        type: str
        parent: ids.FolderId
        vlan: m.Long
        distributed_switch: ids.VSphereDistributedSwitchId | None = None
        distributed_switch_uuid: str | None = None
        hosts: tuple[ids.HostSystemId, ...]
        vm_count: m.Long
        uplink: bool

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A port group in ``folder``, one for networks: ``type`` ``DISTRIBUTED_PORTGROUP`` (default), or
        ``STANDARD_PORTGROUP``, which is on ``hosts``, one at least, and on no distributed switch.

        ``vlan`` 0 (none, default) to 4094; ``distributed_switch`` one that other port groups of the datacenter have
        (default: a new one); ``hosts`` those that are connected from the beginning (default: none).
        """

        __vapi_name__ = "resphere.vcenter.network.create_spec"
        name: str
        folder: ids.FolderId
        type: vcenter.Network.Type | None = None
        vlan: m.Long | None = None
        distributed_switch: ids.VSphereDistributedSwitchId | None = None
        hosts: frozenset[ids.HostSystemId] | None = None

    class HostsSpec(m.Struct, frozen=True, kw_only=True):
        """The hosts, of the same datacenter."""

        __vapi_name__ = "resphere.vcenter.network.hosts_spec"
        hosts: frozenset[ids.HostSystemId]

    class GetInput(m.Struct, frozen=True, kw_only=True):
        network: ids.NetworkId

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Networks.CreateSpec

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        network: ids.NetworkId
        spec: NameSpec

    class MoveInput(m.Struct, frozen=True, kw_only=True):
        network: ids.NetworkId
        spec: FolderSpec

    class ConnectInput(m.Struct, frozen=True, kw_only=True):
        network: ids.NetworkId
        spec: Networks.HostsSpec

    class DisconnectInput(m.Struct, frozen=True, kw_only=True):
        network: ids.NetworkId
        spec: Networks.HostsSpec

    class DeleteInput(m.Struct, frozen=True, kw_only=True):
        network: ids.NetworkId

    get: ClassVar[m.Operation[[ids.NetworkId], Networks.Info]] = m.Operation(
        "resphere.vcenter.network",
        "get",
        input=GetInput,
        output=lambda: Networks.Info,
        api=m.Route("GET", "/api/vcenter/network/{network}", 200),
        errors=("not_found", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("System.Read",), resource="Network", parameter="network"),),
        releases=ALL_RELEASES,
    )

    create: ClassVar[m.Operation[[Networks.CreateSpec], ids.NetworkId]] = m.Operation(
        "resphere.vcenter.network",
        "create",
        input=CreateInput,
        output=lambda: ids.NetworkId,
        api=m.Route("POST", "/api/vcenter/network", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(
                ("DVPortgroup.Create",), resource="Folder", attribute="resphere.vcenter.network.create_spec:folder"
            ),
            m.Requirement(
                ("Host.Config.Network",),
                resource="HostSystem",
                attribute="resphere.vcenter.network.create_spec:hosts",
            ),
        ),
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[ids.NetworkId, NameSpec], None]] = m.Operation(
        "resphere.vcenter.network",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/vcenter/network/{network}", 204, body=("spec",), flat=True),
        errors=RENAME_ERRORS,
        privileges=(m.Requirement(("DVPortgroup.Modify",), resource="Network", parameter="network"),),
        releases=ALL_RELEASES,
    )

    move: ClassVar[m.Operation[[ids.NetworkId, FolderSpec], None]] = m.Operation(
        "resphere.vcenter.network",
        "move",
        input=MoveInput,
        api=m.Route(
            "POST", "/api/vcenter/network/{network}", 204, dispatch=(("action", "move"),), body=("spec",), flat=True
        ),
        errors=MOVE_ERRORS,
        privileges=(
            m.Requirement(("Network.Move",), resource="Network", parameter="network"),
            m.Requirement(("Network.Move",), resource="Folder", attribute=DESTINATION),
        ),
        releases=ALL_RELEASES,
    )

    connect: ClassVar[m.Operation[[ids.NetworkId, Networks.HostsSpec], None]] = m.Operation(
        "resphere.vcenter.network",
        "connect",
        input=ConnectInput,
        api=m.Route(
            "POST", "/api/vcenter/network/{network}", 204, dispatch=(("action", "connect"),), body=("spec",), flat=True
        ),
        errors=("invalid_argument", "not_found", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("Network.Assign",), resource="Network", parameter="network"),
            m.Requirement(
                ("Host.Config.Network",), resource="HostSystem", attribute="resphere.vcenter.network.hosts_spec:hosts"
            ),
        ),
        releases=ALL_RELEASES,
    )

    disconnect: ClassVar[m.Operation[[ids.NetworkId, Networks.HostsSpec], None]] = m.Operation(
        "resphere.vcenter.network",
        "disconnect",
        input=DisconnectInput,
        api=m.Route(
            "POST",
            "/api/vcenter/network/{network}",
            204,
            dispatch=(("action", "disconnect"),),
            body=("spec",),
            flat=True,
        ),
        errors=("invalid_argument", "not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(
            m.Requirement(("Network.Assign",), resource="Network", parameter="network"),
            m.Requirement(
                ("Host.Config.Network",), resource="HostSystem", attribute="resphere.vcenter.network.hosts_spec:hosts"
            ),
        ),
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[ids.NetworkId], None]] = m.Operation(
        "resphere.vcenter.network",
        "delete",
        input=DeleteInput,
        api=m.Route("DELETE", "/api/vcenter/network/{network}", 204),
        errors=("not_found", "resource_in_use", "unauthenticated", "unauthorized"),
        privileges=(m.Requirement(("DVPortgroup.Delete",), resource="Network", parameter="network"),),
        releases=ALL_RELEASES,
    )
