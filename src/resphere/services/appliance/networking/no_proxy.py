"""``com.vmware.appliance.networking.no_proxy``: kept only."""

from __future__ import annotations

from resphere.contract.generated.appliance_networking import NoProxy
from resphere.inventory.appliance.networking import NoProxy as Kept
from resphere.rules.appliance_values import require_few, require_host, require_port
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(NoProxy.get, kept=True)
async def get(call: Call) -> tuple[str, ...]:
    """What is reached without a proxy."""
    return setting(call, Kept).servers


@implements(NoProxy.set)
async def set_(call: Call, servers: tuple[str, ...]) -> None:
    """Reach these servers without a proxy: names, addresses, either with a port.

    :raises InvalidArgument: one of them is none of these, or there are too many.
    """
    kept = checked("servers", servers)
    await change_setting(call, Kept, lambda _: kept)


def checked(field: str, servers: tuple[str, ...]) -> Kept:
    """What is to be kept of them.

    :raises InvalidArgument: one of them is none, or there are too many.
    """
    require_few(field, servers)
    for place, server in enumerate(servers):
        require_server(f"{field}[{place}]", server)
    return Kept(servers=servers)


def require_server(field: str, server: str) -> None:
    """Refuse what is neither a host nor a host with a port; IPv6 addresses have brackets where a port follows.

    :raises InvalidArgument: naming the field.
    """
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        require_host(field, server)
        return
    require_host(field, host.removeprefix("[").removesuffix("]"))
    require_port(field, int(port) if port.isascii() and port.isdecimal() else 0)
