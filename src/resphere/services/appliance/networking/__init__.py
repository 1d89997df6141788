"""``com.vmware.appliance.networking``: the network, told as it is; what is set is kept only."""

from __future__ import annotations

import msgspec

from resphere.access.principal import ADMINISTRATORS
from resphere.auth.authentication import required
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Networking
from resphere.contract.generated.appliance_networking_dns import Servers
from resphere.inventory.appliance.networking import DnsServers, HostName, Interfaces
from resphere.inventory.appliance.settings import keep_setting, setting_of
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import require_host
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import (
    all_interfaces,
    checked_dns,
    dns_servers,
    host_name,
    nics,
    require_sound_ipv4,
    require_sound_ipv6,
)
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

Mode = Networking.DNSInfo.DNSMode
Static = Servers.DNSServerMode


@implements(Networking.get)
async def get(call: Call) -> Networking.Info:
    """Names and interfaces."""
    own = setting(call, DnsServers).servers is not None
    dns = Networking.DNSInfo(
        mode=Mode.STATIC if own else Mode.DHCP, hostname=host_name(call), servers=dns_servers(call)
    )
    interfaces = {ids.ApplianceNetworkingInterfacesId(nic.name): nic for nic in all_interfaces(call)}
    return Networking.Info(dns=dns, interfaces=interfaces)


@implements(Networking.update)
async def update(call: Call, spec: Networking.UpdateSpec) -> None:
    """Turn IPv6 on or off; what is not given stays."""
    enabled = spec.ipv6_enabled
    if enabled is not None:
        await change_setting(call, Interfaces, lambda kept: msgspec.structs.replace(kept, ipv6_enabled=enabled))


@implements(Networking.reset)
async def reset(call: Call) -> None:
    """Begin with the network anew: the machine's own is as it was, and settings stay, as a lease of DHCP would."""


@implements(Networking.change_task)
async def change(call: Call, spec: Networking.ChangeSpec) -> ids.CisTASKId:
    """Give the appliance another name, and what else is given, at once.

    :raises InvalidArgument: a name, an address or a prefix is none.
    :raises Unauthenticated: user and password are not an administrator's.
    """
    require_host("spec.hostname", spec.hostname)
    dns = None if spec.dns is None else checked_dns("spec.dns", spec.dns.mode is Static.is_static, spec.dns.servers)
    if spec.ipv4 is not None:
        require_sound_ipv4("spec.ipv4", spec.ipv4)
    if spec.ipv6 is not None:
        require_sound_ipv6("spec.ipv6", spec.ipv6)
    principal = await call.environment.identities.accounts.verify(spec.SSO_user, spec.SSO_password, call.client)
    if principal is None or ADMINISTRATORS not in principal.groups:
        raise required()
    first = next(iter(nics(call)), None)

    def plan(edit: Edit, _: Folder) -> None:
        keep_setting(edit, HostName(name=spec.hostname))
        if dns is not None:
            keep_setting(edit, dns)
        kept = setting_of(edit, Interfaces)
        if first is not None and spec.ipv4 is not None:
            kept = msgspec.structs.replace(kept, ipv4={**kept.ipv4, first: spec.ipv4})
        if first is not None and spec.ipv6 is not None:
            kept = msgspec.structs.replace(kept, ipv6={**kept.ipv6, first: spec.ipv6})
        keep_setting(edit, kept)

    root = call.require(Folder, ROOT_FOLDER)
    return await call.launch_change("ApplianceNetworking.change", root, plan)
