"""``com.vmware.vcenter.host.crypto.fips.modules``: the cryptographic modules of hosts.

A simulated host has those of its ESXi release. No certificate vouches for them, so no number is shown: to the contract
their certification is pending.
"""

from __future__ import annotations

from collections.abc import Collection

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter_host_crypto_fips import Modules
from resphere.inventory.model import Host
from resphere.services.call import Call
from resphere.services.registry import implements

NAMES = ("VMware's OpenSSL FIPS Provider", "VMware's VMkernel Cryptographic Module")
MOST_HOSTS = 100
MOST_WORDS = 10


@implements(Modules.list, kept=True)
async def list_modules(
    call: Call, filter: Modules.FilterSpec | None, iterate: Modules.IterationSpec | None
) -> Modules.ListResult:
    """The modules of connected hosts, by the numbers in the hosts' ids; pages are so many hosts.

    :raises InvalidArgument: the filter is too long or names a host that there is not; the page has no size.
    """
    wanted, page = filter or Modules.FilterSpec(), iterate or Modules.IterationSpec()
    require_valid(call, wanted, page)
    hosts = sorted(call.all(Host).values(), key=lambda host: number(host.id))
    if page.marker is not None:
        hosts = [host for host in hosts if number(host.id) > number(page.marker)]
    found = [(host.id, infos) for host in hosts if (infos := modules_of(host, wanted))]
    shown = found if page.page_size is None else found[: page.page_size]
    return Modules.ListResult(
        items=tuple(Modules.ListItem(host=ids.HostSystemId(id), info=info) for id, infos in shown for info in infos),
        marker=shown[-1][0] if len(shown) < len(found) else None,
    )


def modules_of(host: Host, wanted: Modules.FilterSpec) -> list[Modules.Info]:
    """The host's modules that are wanted; none are known of one that is not connected."""
    if wanted.hosts and host.id not in wanted.hosts:
        return []
    if host.connection_state is not vcenter.Host.ConnectionState.CONNECTED:
        return []
    return [
        Modules.Info(name=name, version=host.version, component_version=f"{host.version}-{host.build}")
        for name in NAMES
        if allows(wanted.names, name) and allows(wanted.versions, host.version)
    ]


def allows(wanted: Collection[str] | None, value: str) -> bool:
    """Whether an unset or empty criterion, or one that names the value, is met."""
    return not wanted or value in wanted


def require_valid(call: Call, wanted: Modules.FilterSpec, page: Modules.IterationSpec) -> None:
    """Refuse a filter or page that means nothing."""
    for name, values, most in (
        ("hosts", wanted.hosts, MOST_HOSTS),
        ("names", wanted.names, MOST_WORDS),
        ("versions", wanted.versions, MOST_WORDS),
    ):
        if values is not None and len(values) > most:
            raise InvalidArgument(
                message("resphere.fips.filter", "filter.{0} names {1}; at most {2} may be.", name, len(values), most)
            )
    if page.page_size is not None and page.page_size < 1:
        raise InvalidArgument(
            message("resphere.fips.page_size", "iterate.page_size must be at least 1, not {0}.", page.page_size)
        )
    given = [*sorted(wanted.hosts or ()), *([page.marker] if page.marker is not None else [])]
    for host in given:
        if call.get(Host, host) is None:
            raise InvalidArgument(message("resphere.fips.host", "There is no host {0}.", host))


def number(host: str) -> int:
    """What hosts are sorted by."""
    return int(host.rpartition("-")[2])
