"""``com.vmware.appliance.ntp``: servers that are kept only; a test really asks them."""

from __future__ import annotations

import asyncio

from resphere.contract.generated.appliance import Ntp
from resphere.fetching.errors import FetchError
from resphere.fetching.probing import ask_ntp, failure_of
from resphere.inventory.appliance.clock import NtpServers
from resphere.rules.appliance_values import require_hosts
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Ntp.get, kept=True)
async def get(call: Call) -> tuple[str, ...]:
    """Names and addresses of the servers."""
    return setting(call, NtpServers).servers


@implements(Ntp.set)
async def set_(call: Call, servers: tuple[str, ...]) -> None:
    """Use these servers and no others.

    :raises InvalidArgument: one of them is neither a name nor an address, or there are too many.
    """
    require_hosts("servers", servers)
    await change_setting(call, NtpServers, lambda _: NtpServers(servers=servers))


@implements(Ntp.test)
async def test(call: Call, servers: tuple[str, ...]) -> tuple[Ntp.TestRunStatus, ...]:
    """Ask servers for the time, as far as the operator lets this server reach them.

    :raises InvalidArgument: one of them is neither a name nor an address, or there are too many.
    """
    require_hosts("servers", servers)
    allowed = call.environment.fetcher.allowed
    failures = await asyncio.gather(*[failure_of(ask_ntp(server, allowed)) for server in servers])
    return tuple(status(server, failure) for server, failure in zip(servers, failures, strict=True))


def status(server: str, failure: FetchError | None) -> Ntp.TestRunStatus:
    """What is told of one: the words of a server that answers are vCenter 7.0's."""
    if failure is None:
        message = Ntp.LocalizableMessage(
            id="com.vmware.appliance.ntp_sync.success", default_message="NTP Server is reachable.", args=()
        )
        return Ntp.TestRunStatus(server=server, status=Ntp.ServerStatus.SERVER_REACHABLE, message=message)
    why = failure.message
    message = Ntp.LocalizableMessage(id=why.id, default_message=why.default_message, args=tuple(why.args))
    return Ntp.TestRunStatus(server=server, status=Ntp.ServerStatus.SERVER_UNREACHABLE, message=message)
