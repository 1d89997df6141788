"""The network of the appliance: what the machine tells, what is set instead, and what nobody can set."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from resphere.appliance.machine import Address, Interface
from resphere.auth.accounts import ADMINISTRATOR
from resphere.contract.errors import InvalidArgument, NotFound, Unauthenticated
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Networking
from resphere.contract.generated.appliance_networking import Interfaces, NoProxy, Proxy
from resphere.contract.generated.appliance_networking_dns import Domains, Hostname, Servers
from resphere.contract.generated.appliance_networking_firewall import Inbound
from resphere.contract.generated.appliance_networking_interfaces import Ipv4, Ipv6
from resphere.contract.model import Operation, Secret
from resphere.inventory.appliance.settings import ApplianceSetting
from tests.services.vcenter.building import refused
from tests.support.guests import ended
from tests.support.world import World

NIC = ids.ApplianceNetworkingInterfacesId("nic0")
NO_NIC = ids.ApplianceNetworkingInterfacesId("nic9")
INVALID = (400, "resphere.appliance.invalid")
STATIC, DHCP = Servers.DNSServerMode.is_static, Servers.DNSServerMode.dhcp
IPV4 = Ipv4.Config(mode=Ipv4.Mode.STATIC, address="198.51.100.7", prefix=25, default_gateway="198.51.100.1")
IPV6 = Ipv6.Config(
    dhcp=True, autoconf=False, addresses=(Ipv6.Address(address="2001:db8::7", prefix=64),), default_gateway="fe80::1"
)
RULE = Inbound.Rule(address="192.0.2.0", prefix=24, policy=Inbound.Policy.REJECT, interface_name="*")
CONFIG = Proxy.Config(
    server="http://proxy.example.org", port=3128, username="me", password=Secret("hidden!"), enabled=True
)


def refuses(world: World, field: str, operation: Any, *args: object) -> None:
    """What is against the rules is refused by the name of its field, and nothing is kept."""
    with pytest.raises(InvalidArgument) as error:
        world.call(operation, *args)
    assert refused(error) == INVALID
    assert error.value.messages[0].args[0] == field
    assert not world.inventory.all(ApplianceSetting)


class TestInterfaces:
    def test_those_of_the_machine(self, world: World) -> None:
        (nic,) = world.call(Interfaces.list)
        assert (nic.name, nic.mac, nic.status) == ("nic0", "00:50:56:00:00:01", Interfaces.InterfaceStatus.up)
        assert nic.ipv4 == Ipv4.Info(
            configurable=True, mode=Ipv4.Mode.DHCP, address="192.0.2.10", prefix=24, default_gateway="192.0.2.1"
        )
        assert world.call(Interfaces.get, NIC) == nic
        assert world.call(Networking.get).interfaces == {NIC: nic}

    def test_what_leads_nowhere_is_there_where_there_is_nothing_else(self, world: World) -> None:
        world.machine.nics = (world.machine.nics[1],)
        (nic,) = world.call(Interfaces.list)
        assert nic.ipv4 is not None
        assert nic.ipv4.address == "127.0.0.1"

    def test_one_without_addresses(self, world: World) -> None:
        world.machine.nics = (Interface("eth0", "00:50:56:00:00:01", False, ()),)
        nic = world.call(Interfaces.get, NIC)
        assert nic.status is Interfaces.InterfaceStatus.down
        assert nic.ipv4 == Ipv4.Info(configurable=True, mode=Ipv4.Mode.UNCONFIGURED)

    def test_none_at_all(self, world: World) -> None:
        world.machine.nics = ()
        assert world.call(Interfaces.list) == ()
        with pytest.raises(NotFound, match="there are none"):
            world.call(Interfaces.get, NIC)

    def test_ipv6_of_the_machine(self, world: World) -> None:
        nic = world.machine.nics[0]
        addresses = (*nic.addresses, Address("fe80::1234", 64), Address("2001:db8::1", 64))
        world.machine.nics = (msgspec.structs.replace(nic, addresses=addresses),)
        info = world.call(Ipv6.get, NIC)
        assert [(each.address, each.origin) for each in info.addresses] == [
            ("fe80::1234", Ipv6.Origin.LINKLAYER),
            ("2001:db8::1", Ipv6.Origin.OTHER),
        ]

    def test_ipv4_is_set(self, world: World) -> None:
        world.call(Ipv4.set, NIC, IPV4)
        info = world.call(Ipv4.get, NIC)
        assert (info.mode, info.address, info.prefix) == (Ipv4.Mode.STATIC, "198.51.100.7", 25)
        assert info.default_gateway == "198.51.100.1"
        world.call(Ipv4.set, NIC, Ipv4.Config(mode=Ipv4.Mode.UNCONFIGURED))
        assert world.call(Ipv4.get, NIC).mode is Ipv4.Mode.UNCONFIGURED
        world.call(Ipv4.set, NIC, Ipv4.Config(mode=Ipv4.Mode.DHCP))
        assert world.call(Ipv4.get, NIC).address == "192.0.2.10"

    def test_ipv6_is_set_and_turned_off(self, world: World) -> None:
        world.call(Ipv6.set, NIC, IPV6)
        info = world.call(Ipv6.get, NIC)
        assert (info.dhcp, info.autoconf, info.default_gateway) == (True, False, "fe80::1")
        assert [(each.address, each.origin) for each in info.addresses] == [("2001:db8::7", Ipv6.Origin.MANUAL)]
        world.call(Networking.update, Networking.UpdateSpec())
        assert world.call(Interfaces.get, NIC).ipv6 == info
        world.call(Networking.update, Networking.UpdateSpec(ipv6_enabled=False))
        assert world.call(Interfaces.get, NIC).ipv6 is None
        world.call(Networking.reset)
        assert world.call(Interfaces.get, NIC).ipv6 is None
        world.call(Networking.update, Networking.UpdateSpec(ipv6_enabled=True))
        assert world.call(Interfaces.get, NIC).ipv6 == info

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("config.address", {"address": "2001:db8::7"}),
            ("config.address", {"address": "10.0.0.256"}),
            ("config.prefix", {"prefix": 0}),
            ("config.prefix", {"prefix": 33}),
            ("config.default_gateway", {"default_gateway": "gateway"}),
        ],
    )
    def test_no_ipv4(self, world: World, field: str, change: dict[str, object]) -> None:
        refuses(world, field, Ipv4.set, NIC, msgspec.structs.replace(IPV4, **change))

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("config.addresses[0].address", {"addresses": (Ipv6.Address(address="192.0.2.1", prefix=24),)}),
            ("config.addresses[0].prefix", {"addresses": (Ipv6.Address(address="2001:db8::7", prefix=129),)}),
            ("config.addresses", {"addresses": IPV6.addresses * 65}),
            ("config.default_gateway", {"default_gateway": "192.0.2.1"}),
        ],
    )
    def test_no_ipv6(self, world: World, field: str, change: dict[str, object]) -> None:
        refuses(world, field, Ipv6.set, NIC, msgspec.structs.replace(IPV6, **change))

    def test_unknown_ones(self, world: World) -> None:
        asked: tuple[tuple[Operation[Any, Any], tuple[object, ...]], ...] = (
            (Interfaces.get, ()),
            (Ipv4.get, ()),
            (Ipv6.get, ()),
            (Ipv4.set, (IPV4,)),
            (Ipv6.set, (IPV6,)),
        )
        for operation, more in asked:
            with pytest.raises(NotFound) as error:
                world.call(operation, NO_NIC, *more)
            assert refused(error) == (404, "resphere.appliance.no_interface")


class TestDns:
    def test_those_of_the_machine(self, world: World) -> None:
        assert world.call(Servers.get) == Servers.DNSServerConfig(mode=DHCP, servers=("192.0.2.53",))
        assert world.call(Domains.list) == ("example.org",)
        dns = world.call(Networking.get).dns
        assert (dns.mode, dns.servers) == (Networking.DNSInfo.DNSMode.DHCP, ("192.0.2.53",))
        assert dns.hostname == world.call(Hostname.get) == world.environment.product.host_name

    def test_servers_are_set_added_and_given_back(self, world: World) -> None:
        world.call(Servers.add, "192.0.2.53")
        assert world.call(Servers.get).mode is DHCP
        world.call(Servers.add, "192.0.2.54")
        both = Servers.DNSServerConfig(mode=STATIC, servers=("192.0.2.53", "192.0.2.54"))
        assert world.call(Servers.get) == both
        world.call(Servers.set, Servers.DNSServerConfig(mode=STATIC, servers=("2001:db8::53",)))
        assert world.call(Servers.get).servers == ("2001:db8::53",)
        assert world.call(Networking.get).dns.mode is Networking.DNSInfo.DNSMode.STATIC
        world.call(Servers.set, Servers.DNSServerConfig(mode=DHCP, servers=()))
        assert world.call(Servers.get).servers == ("192.0.2.53",)

    def test_domains(self, world: World) -> None:
        world.call(Domains.add, "example.com")
        world.call(Domains.add, "example.com")
        assert world.call(Domains.list) == ("example.org", "example.com")
        world.call(Domains.set, ())
        assert world.call(Domains.list) == ()

    def test_host_name(self, world: World) -> None:
        world.call(Hostname.set, "vc2.example.org")
        assert world.call(Hostname.get) == "vc2.example.org"

    def test_a_name_is_looked_up(self, world: World) -> None:
        there = world.call(Hostname.test, "localhost")
        assert there.status is Hostname.TestStatus.green
        assert there.messages[0].message.startswith("Hostname localhost resolved using DNS to ")
        away = world.call(Hostname.test, "nobody.invalid")
        assert (away.status, away.messages[0].result) == (Hostname.TestStatus.red, Hostname.MessageStatus.failure)

    def test_servers_are_asked(self, world: World) -> None:
        told = world.call(Servers.test, ("192.0.2.1",))
        assert told.status is Servers.TestStatus.red
        assert "--fetch-from" in told.messages[0].message
        assert world.call(Servers.test, ()).status is Servers.TestStatus.green

    @pytest.mark.parametrize(
        ("field", "operation", "value"),
        [
            ("config.servers", Servers.set, Servers.DNSServerConfig(mode=STATIC, servers=())),
            ("config.servers", Servers.set, Servers.DNSServerConfig(mode=DHCP, servers=("192.0.2.1",))),
            ("config.servers[0]", Servers.set, Servers.DNSServerConfig(mode=STATIC, servers=("a b",))),
            ("server", Servers.add, "10.0.0.300"),
            ("servers[0]", Servers.test, ("a b",)),
            ("domain", Domains.add, "a b"),
            ("domains[1]", Domains.set, ("example.org", "192.0.2.1")),
            ("domains", Domains.set, ("example.org",) * 65),
            ("name", Hostname.set, "vc_?"),
            ("name", Hostname.test, ""),
        ],
    )
    def test_what_is_none(self, world: World, field: str, operation: object, value: object) -> None:
        refuses(world, field, operation, value)

    def test_not_more_than_there_may_be(self, world: World) -> None:
        many = tuple(f"192.0.2.{n}" for n in range(64))
        world.call(Servers.set, Servers.DNSServerConfig(mode=STATIC, servers=many))
        with pytest.raises(InvalidArgument, match="server: 65 are more than 64"):
            world.call(Servers.add, "198.51.100.1")


class TestProxies:
    def test_none_as_installed(self, world: World) -> None:
        none = Proxy.Config(server="", port=-1, enabled=False)
        assert world.call(Proxy.list) == dict.fromkeys(Proxy.Protocol, none)
        assert world.call(NoProxy.get) == ("localhost", "127.0.0.1")

    def test_one_is_set_without_showing_its_password(self, world: World) -> None:
        world.call(Proxy.set, "http", CONFIG)
        shown = msgspec.structs.replace(CONFIG, password=None)
        assert world.call(Proxy.get, "HTTP") == world.call(Proxy.list)[Proxy.Protocol.HTTP] == shown
        assert not world.call(Proxy.get, "https").enabled
        world.call(Proxy.delete, "Http")
        world.call(Proxy.delete, "http")
        assert world.call(Proxy.get, "http").server == ""

    def test_servers_without_a_proxy(self, world: World) -> None:
        servers = ("localhost", "vc.example.org:443", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:443")
        world.call(NoProxy.set, servers)
        assert world.call(NoProxy.get) == servers

    @pytest.mark.parametrize("config", [CONFIG, msgspec.structs.replace(CONFIG, port=-1, username=None, password=None)])
    @pytest.mark.parametrize("protocol", ["http", "https", "ftp"])
    def test_a_test_goes_only_where_it_may(self, world: World, config: Proxy.Config, protocol: str) -> None:
        elsewhere = msgspec.structs.replace(config, server="http://198.51.100.9")
        told = world.call(Proxy.test, "www.example.org", protocol, elsewhere)
        assert told.status is Proxy.ServerStatus.SERVER_UNREACHABLE
        assert "--fetch-from" in told.message.default_message

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("config.port", {"port": 0}),
            ("config.port", {"port": 65_536}),
            ("config.server", {"server": ""}),
            ("config.server", {"server": "a b"}),
            ("config.server", {"server": "gopher://proxy"}),
            ("config.server", {"server": "http://me:secret@proxy"}),
            ("config.server", {"server": "http://[::1"}),
            ("config.server", {"server": "http://proxy/path"}),
            ("config.username", {"username": None}),
        ],
    )
    def test_no_proxy(self, world: World, field: str, change: dict[str, object]) -> None:
        config = msgspec.structs.replace(CONFIG, **change)
        refuses(world, field, Proxy.set, "http", config)
        refuses(world, field, Proxy.test, "example.org", "http", config)

    def test_other_values_that_are_none(self, world: World) -> None:
        refuses(world, "protocol", Proxy.get, "gopher")
        refuses(world, "protocol", Proxy.delete, "")
        refuses(world, "protocol", Proxy.set, "gopher", CONFIG)
        refuses(world, "host", Proxy.test, "a b", "http", CONFIG)
        for server in ("a b", "vc:0", "vc:port", ":80", "[2001:db8::1]:70000"):
            refuses(world, "servers[0]", NoProxy.set, (server,))


class TestFirewall:
    def test_rules_are_kept_in_their_order(self, world: World) -> None:
        assert world.call(Inbound.get) == ()
        rules = (RULE, Inbound.Rule(address="2001:db8::", prefix=0, policy=Inbound.Policy.ACCEPT, interface_name=NIC))
        world.call(Inbound.set, rules)
        assert world.call(Inbound.get) == rules
        world.call(Inbound.set, ())
        assert world.call(Inbound.get) == ()

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("rules[0].address", {"address": "example.org"}),
            ("rules[0].prefix", {"prefix": 33}),
            ("rules[0].prefix", {"prefix": -1}),
            ("rules[0].interface_name", {"interface_name": "nic9"}),
        ],
    )
    def test_no_rules(self, world: World, field: str, change: dict[str, object]) -> None:
        refuses(world, field, Inbound.set, (msgspec.structs.replace(RULE, **change),))

    def test_too_many(self, world: World) -> None:
        refuses(world, "rules", Inbound.set, (RULE,) * 65)


class TestChange:
    """All of it at once, by who proves to be an administrator."""

    SPEC = Networking.ChangeSpec(
        hostname="vc.example.org",
        SSO_user=ADMINISTRATOR,
        SSO_password=Secret("Administrator1!"),
        dns=Servers.DNSServerConfig(mode=STATIC, servers=("192.0.2.53",)),
        ipv4=IPV4,
        ipv6=IPV6,
    )

    @pytest.fixture(autouse=True)
    def administrator(self, world: World) -> None:
        world.run(world.environment.identities.accounts.put(ADMINISTRATOR, "Administrator1!", "Admin"))

    def test_it_is_kept(self, world: World) -> None:
        assert ended(world, world.call(Networking.change_task, self.SPEC)) == "SUCCEEDED"
        info = world.call(Networking.get)
        assert (info.dns.hostname, info.dns.servers) == ("vc.example.org", ("192.0.2.53",))
        ipv4, ipv6 = world.call(Ipv4.get, NIC), world.call(Ipv6.get, NIC)
        assert (ipv4.address, ipv4.prefix) == (IPV4.address, IPV4.prefix)
        assert "2001:db8::7" in [each.address for each in ipv6.addresses]

    def test_what_is_not_said_stays(self, world: World) -> None:
        least = msgspec.structs.replace(self.SPEC, dns=None, ipv4=None, ipv6=None)
        before = world.call(Networking.get)
        assert ended(world, world.call(Networking.change_task, least)) == "SUCCEEDED"
        after = world.call(Networking.get)
        assert after.interfaces == before.interfaces
        assert after.dns == msgspec.structs.replace(before.dns, hostname="vc.example.org")

    @pytest.mark.parametrize(("user", "password"), [(ADMINISTRATOR, "wrong"), ("nobody", "Administrator1!"), ("", "")])
    def test_who_is_no_administrator(self, world: World, user: str, password: str) -> None:
        spec = msgspec.structs.replace(self.SPEC, SSO_user=user, SSO_password=Secret(password))
        with pytest.raises(Unauthenticated):
            world.call(Networking.change_task, spec)
        assert not world.inventory.all(ApplianceSetting)

    @pytest.mark.parametrize(
        ("field", "change"),
        [
            ("spec.hostname", {"hostname": "no host"}),
            ("spec.dns.servers[0]", {"dns": Servers.DNSServerConfig(mode=STATIC, servers=("no host",))}),
            ("spec.ipv4.prefix", {"ipv4": msgspec.structs.replace(IPV4, prefix=33)}),
            ("spec.ipv6.default_gateway", {"ipv6": msgspec.structs.replace(IPV6, default_gateway="fe80::x")}),
        ],
    )
    def test_what_is_none(self, world: World, field: str, change: dict[str, Any]) -> None:
        refuses(world, field, Networking.change_task, msgspec.structs.replace(self.SPEC, **change))
