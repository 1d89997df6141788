"""To where logs are sent: what may be set, and whether it can be reached."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from resphere.contract.errors import InvalidArgument, UnableToAllocateResource
from resphere.contract.generated.appliance_logging import Forwarding
from tests.services.vcenter.building import refused
from tests.support.receivers import SyslogReceiver, needs_rsyslog
from tests.support.server import free_port
from tests.support.world import World

TCP, TLS, UDP = Forwarding.Protocol.TCP, Forwarding.Protocol.TLS, Forwarding.Protocol.UDP
State = Forwarding.ConnectionStatus.State


def config(
    hostname: str = "log.example.org", port: int = 514, protocol: Forwarding.Protocol = TCP
) -> Forwarding.Config:
    return Forwarding.Config(hostname=hostname, port=port, protocol=protocol)


def test_what_is_set_is_shown_and_replaced(world: World) -> None:
    assert world.call(Forwarding.get) == ()
    first = (config(), config("2001:db8::1", 6514, TLS), config("192.0.2.1", 514, UDP))
    world.call(Forwarding.set, first)
    assert world.call(Forwarding.get) == first
    world.call(Forwarding.set, (config(),))
    assert world.call(Forwarding.get) == (config(),)
    world.call(Forwarding.set, ())
    assert world.call(Forwarding.get) == ()
    assert world.call(Forwarding.test, True) == ()


@pytest.mark.parametrize(
    ("configs", "field"),
    [
        ((config("not a host"),), "cfg_list[0].hostname"),
        ((config(), config("10.0.0.300")), "cfg_list[1].hostname"),
        ((config(port=0),), "cfg_list[0].port"),
        ((config(port=65536),), "cfg_list[0].port"),
        ((config(), config()), "cfg_list[1]"),
    ],
)
def test_what_cannot_be_set(world: World, configs: tuple[Forwarding.Config, ...], field: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        world.call(Forwarding.set, configs)
    assert refused(error) == (400, "resphere.appliance.invalid")
    assert error.value.messages[0].args[0] == field
    assert world.call(Forwarding.get) == ()


def test_three_and_no_more(world: World) -> None:
    with pytest.raises(UnableToAllocateResource) as error:
        world.call(Forwarding.set, tuple(config(f"log-{number}.example.org") for number in range(4)))
    assert refused(error) == (500, "resphere.appliance.forwarding.too_many")


def test_nobody_is_there_or_may_be_asked(world: World) -> None:
    world.call(Forwarding.set, (config("127.0.0.1", free_port()), config("192.0.2.1"), config("127.0.0.1", 514, UDP)))
    refusing, not_allowed, silent = world.call(Forwarding.test, None)
    assert (refusing.state, not_allowed.state, silent.state) == (State.DOWN, State.DOWN, State.UNKNOWN)
    assert refusing.message is not None
    assert "Connection refused" in refusing.message.default_message
    assert not_allowed.message is not None
    assert "--syslog-to does not name 192.0.2.1" in not_allowed.message.default_message


def test_tls_that_nobody_vouches_for(world: World, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        world.call(Forwarding.set, (config("127.0.0.1", listening.getsockname()[1], TLS),))
        listening.close()
    (status,) = world.call(Forwarding.test, None)
    assert status.state is State.DOWN


@needs_rsyslog
def test_a_message_comes_to_each(world: World, tmp_path: Path) -> None:
    (tmp_path / "syslog").mkdir()
    receiver = SyslogReceiver(tmp_path / "syslog")
    protocols = (UDP, TCP, TLS)
    with receiver.running():
        world.call(Forwarding.set, tuple(config("127.0.0.1", receiver.ports[each.lower()], each) for each in protocols))
        assert [each.state for each in world.call(Forwarding.test, None)] == [State.UNKNOWN, State.UP, State.DOWN]
        world.trusted_pem = receiver.ca.read_text()
        assert [each.state for each in world.call(Forwarding.test, True)] == [State.UNKNOWN, State.UP, State.UP]
        messages = receiver.messages(3)
    assert {(each.host, each.kind) for each in messages} == {(world.machine.name, "log")}
    assert {each.text for each in messages} == {"This is a diagnostic log test message from the appliance."}
