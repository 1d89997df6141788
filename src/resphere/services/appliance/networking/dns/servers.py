"""``com.vmware.appliance.networking.dns.servers``: told as the machine has them, until they are set; kept only."""

from __future__ import annotations

import asyncio

from resphere.contract.generated.appliance_networking_dns import Servers
from resphere.fetching.errors import FetchError
from resphere.fetching.probing import ask_dns, failure_of
from resphere.inventory.appliance.networking import DnsServers
from resphere.rules.appliance_values import require_few, require_host, require_hosts
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import checked_dns, dns_servers
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

Mode = Servers.DNSServerMode
Status = Servers.TestStatus


@implements(Servers.get)
async def get(call: Call) -> Servers.DNSServerConfig:
    """The servers, and whether they were set."""
    own = setting(call, DnsServers).servers is not None
    return Servers.DNSServerConfig(mode=Mode.is_static if own else Mode.dhcp, servers=dns_servers(call))


@implements(Servers.set)
async def set_(call: Call, config: Servers.DNSServerConfig) -> None:
    """Use these servers and no others, or those that the machine gets.

    :raises InvalidArgument: one of them is neither a name nor an address; none, or some, where it has to be otherwise.
    """
    kept = checked_dns("config", config.mode is Mode.is_static, config.servers)
    await change_setting(call, DnsServers, lambda _: kept)


@implements(Servers.add)
async def add(call: Call, server: str) -> None:
    """Use one more server, beside those that there are.

    :raises InvalidArgument: it is neither a name nor an address, or there are too many.
    """
    require_host("server", server)
    there = dns_servers(call)

    def added(kept: DnsServers) -> DnsServers:
        servers = there if kept.servers is None else kept.servers
        if server in servers:
            return kept
        require_few("server", (*servers, server))
        return DnsServers(servers=(*servers, server))

    await change_setting(call, DnsServers, added)


@implements(Servers.test)
async def test(call: Call, servers: tuple[str, ...]) -> Servers.TestStatusInfo:
    """Ask servers, as far as the operator lets this server reach them: green where all answer, orange where some do.

    :raises InvalidArgument: one of them is neither a name nor an address, or there are too many.
    """
    require_hosts("servers", servers)
    allowed = call.environment.fetcher.allowed
    failures = await asyncio.gather(*[failure_of(ask_dns(server, allowed)) for server in servers])
    messages = tuple(told(server, failure) for server, failure in zip(servers, failures, strict=True))
    answering = failures.count(None)
    if answering == len(servers):
        return Servers.TestStatusInfo(status=Status.green, messages=messages)
    return Servers.TestStatusInfo(status=Status.orange if answering else Status.red, messages=messages)


def told(server: str, failure: FetchError | None) -> Servers.Message:
    """What is told of one of them."""
    if failure is None:
        return Servers.Message(message=f"DNS server {server} is reachable.", result=Servers.MessageStatus.success)
    return Servers.Message(message=failure.message.default_message, result=Servers.MessageStatus.failure)
