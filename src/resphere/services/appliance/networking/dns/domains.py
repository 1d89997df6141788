"""``com.vmware.appliance.networking.dns.domains``: told as the machine has them, until they are set; kept only."""

from __future__ import annotations

from resphere.contract.generated.appliance_networking_dns import Domains
from resphere.inventory.appliance.networking import DnsDomains
from resphere.rules.appliance_values import require_few, require_host_name
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import dns_domains
from resphere.services.checks.appliance_settings import change_setting
from resphere.services.registry import implements


@implements(Domains.list)
async def list_(call: Call) -> tuple[str, ...]:
    """The domains in which short names are looked up, in their order."""
    return dns_domains(call)


@implements(Domains.add)
async def add(call: Call, domain: str) -> None:
    """Look names up in one more domain; one that is there stays where it is.

    :raises InvalidArgument: it is none, or there are too many.
    """
    require_host_name("domain", domain)
    there = dns_domains(call)

    def added(kept: DnsDomains) -> DnsDomains:
        domains = there if kept.domains is None else kept.domains
        if domain in domains:
            return kept
        require_few("domain", (*domains, domain))
        return DnsDomains(domains=(*domains, domain))

    await change_setting(call, DnsDomains, added)


@implements(Domains.set)
async def set_(call: Call, domains: tuple[str, ...]) -> None:
    """Look names up in these domains and no others.

    :raises InvalidArgument: one of them is none, or there are too many.
    """
    kept = checked("domains", domains)
    await change_setting(call, DnsDomains, lambda _: kept)


def checked(field: str, domains: tuple[str, ...]) -> DnsDomains:
    """What is to be kept of them.

    :raises InvalidArgument: one of them is none, or there are too many.
    """
    require_few(field, domains)
    for place, domain in enumerate(domains):
        require_host_name(f"{field}[{place}]", domain)
    return DnsDomains(domains=domains)
