"""``com.vmware.appliance.logging.forwarding``: the logs are sent to servers of syslog."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from resphere.appliance.forwarding import message as syslog_message
from resphere.audit.syslog import INFO
from resphere.contract.errors import UnableToAllocateResource, message
from resphere.contract.generated.appliance_logging import Forwarding
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.forwarding import LogForwarding, LogReceiver
from resphere.rules.appliance_values import invalid, require_host, require_port
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

MOST_RECEIVERS = 3
"""As many as vCenter 7.0 sends to."""
TEST_MESSAGE = b"This is a diagnostic log test message from the appliance."
State = Forwarding.ConnectionStatus.State


@implements(Forwarding.get, kept=True)
async def get(call: Call) -> tuple[Forwarding.Config, ...]:
    """To where they are sent."""
    return tuple(
        Forwarding.Config(hostname=each.host, port=each.port, protocol=each.protocol)
        for each in setting(call, LogForwarding).receivers
    )


@implements(Forwarding.set)
async def set_receivers(call: Call, cfg_list: tuple[Forwarding.Config, ...]) -> None:
    """Send them there from now on, and nowhere else.

    :raises InvalidArgument: no name of a host, no port, or one receiver twice.
    :raises UnableToAllocateResource: more than three.
    """
    kept = checked("cfg_list", cfg_list)
    await change_setting(call, LogForwarding, lambda _: kept)


def checked(field: str, configs: Sequence[Forwarding.Config]) -> LogForwarding:
    """What is to be kept of servers that logs are sent to.

    :raises InvalidArgument: no name of a host, no port, or one receiver twice.
    :raises UnableToAllocateResource: more than three.
    """
    for number, config in enumerate(configs):
        require_host(f"{field}[{number}].hostname", config.hostname)
        require_port(f"{field}[{number}].port", config.port)
    receivers = tuple(LogReceiver(host=each.hostname, port=each.port, protocol=each.protocol) for each in configs)
    for number, receiver in enumerate(receivers):
        if receiver in receivers[:number]:
            raise invalid(f"{field}[{number}]", "{1} is in the list twice.", receiver.id)
    if len(receivers) > MOST_RECEIVERS:
        raise UnableToAllocateResource(
            message(
                "resphere.appliance.forwarding.too_many",
                "Logs are sent to {0} servers at most, not to {1}.",
                MOST_RECEIVERS,
                len(receivers),
            )
        )
    return LogForwarding(receivers=receivers)


@implements(Forwarding.test)
async def test(call: Call, send_test_message: bool | None) -> tuple[Forwarding.ConnectionStatus, ...]:
    """Whether each of them can be reached, and with ``send_test_message`` takes a message; over UDP nobody tells."""
    receivers = setting(call, LogForwarding).receivers
    return tuple(await asyncio.gather(*[try_out(call, each, bool(send_test_message)) for each in receivers]))


async def try_out(call: Call, receiver: LogReceiver, sends: bool) -> Forwarding.ConnectionStatus:
    """What becomes of a connection to one of them."""
    environment = call.environment
    text = syslog_message(INFO, environment.present(), TEST_MESSAGE, environment.machine.host_name())

    def connect() -> None:
        sender = environment.log_connections.open(receiver)
        try:
            if sends:
                sender.send([text])
        finally:
            sender.close()

    try:
        await asyncio.to_thread(connect)
    except OSError as error:
        return Forwarding.ConnectionStatus(hostname=receiver.host, state=State.DOWN, message=down(receiver, error))
    reached = State.UNKNOWN if receiver.protocol is Forwarding.Protocol.UDP else State.UP
    return Forwarding.ConnectionStatus(hostname=receiver.host, state=reached)


def down(receiver: LogReceiver, error: OSError) -> LocalizableMessage:
    """Why one of them cannot be reached."""
    return message(
        "resphere.appliance.forwarding.down",
        "{0} cannot be reached at port {1} over {2}: {3}.",
        receiver.host,
        receiver.port,
        receiver.protocol,
        error.strerror or error,
    )
