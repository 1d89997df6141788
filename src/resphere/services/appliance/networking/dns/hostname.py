"""``com.vmware.appliance.networking.dns.hostname``: the appliance's name; another one is kept only."""

from __future__ import annotations

import asyncio
import socket

from resphere.contract.generated.appliance_networking_dns import Hostname
from resphere.inventory.appliance.networking import HostName
from resphere.rules.appliance_values import require_host
from resphere.services.call import Call
from resphere.services.checks.appliance_networking import host_name
from resphere.services.checks.appliance_settings import change_setting
from resphere.services.registry import implements


@implements(Hostname.get, kept=True)
async def get(call: Call) -> str:
    """The name."""
    return host_name(call)


@implements(Hostname.set)
async def set_(call: Call, name: str) -> None:
    """Give it another name.

    :raises InvalidArgument: it is neither a name nor an address.
    """
    require_host("name", name)
    await change_setting(call, HostName, lambda _: HostName(name=name))


@implements(Hostname.test)
async def test(call: Call, name: str) -> Hostname.TestStatusInfo:
    """Look a name up as this server's machine does.

    :raises InvalidArgument: it is neither a name nor an address.
    """
    require_host("name", name)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return result(Hostname.TestStatus.red, Hostname.MessageStatus.failure, f"Hostname {name} is not known to DNS.")
    address = found[0][4][0]
    # As vCenter 7.0 writes it.
    words = f"Hostname {name} resolved using DNS to {address}."
    return result(Hostname.TestStatus.green, Hostname.MessageStatus.success, words)


def result(status: Hostname.TestStatus, outcome: Hostname.MessageStatus, words: str) -> Hostname.TestStatusInfo:
    """What is told of one test."""
    return Hostname.TestStatusInfo(status=status, messages=(Hostname.Message(message=words, result=outcome),))
