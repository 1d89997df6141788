"""``com.vmware.appliance.networking.proxy``: kept only; a test really goes through the proxy that is given."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from resphere.contract.errors import message
from resphere.contract.generated.appliance_networking import Proxy
from resphere.fetching.addresses import Address
from resphere.fetching.probing import Credentials, ask_proxy, failure_of
from resphere.inventory.appliance.networking import Proxies
from resphere.rules.appliance_values import invalid, require_host, require_port
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements

USUAL_PORT = -1
NONE = Proxy.Config(server="", port=USUAL_PORT, enabled=False)
"""What is told of a protocol without a proxy, as vCenter 7.0 tells it."""
PORTS = {Proxy.Protocol.FTP: 21, Proxy.Protocol.HTTP: 80, Proxy.Protocol.HTTPS: 443}
SCHEMES = ("http", "https", "ftp")
Status = Proxy.ServerStatus


@implements(Proxy.list, kept=True)
async def list_(call: Call) -> dict[Proxy.Protocol, Proxy.Config]:
    """The proxy of each protocol."""
    kept = setting(call, Proxies).by_protocol
    return {protocol: told(kept.get(protocol)) for protocol in Proxy.Protocol}


@implements(Proxy.get, kept=True)
async def get(call: Call, protocol: str) -> Proxy.Config:
    """The proxy of one protocol.

    :raises InvalidArgument: it is none.
    """
    return told(setting(call, Proxies).by_protocol.get(checked(protocol)))


@implements(Proxy.set)
async def set_(call: Call, protocol: str, config: Proxy.Config) -> None:
    """Use a proxy for a protocol.

    :raises InvalidArgument: protocol, server or port are none.
    """
    key = checked(protocol)
    require_config("config", config)
    await change_setting(
        call, Proxies, lambda kept: msgspec.structs.replace(kept, by_protocol={**kept.by_protocol, key: config})
    )


@implements(Proxy.delete)
async def delete(call: Call, protocol: str) -> None:
    """Use none for a protocol any more.

    :raises InvalidArgument: it is none.
    """
    key = checked(protocol)

    def without(kept: Proxies) -> Proxies:
        return Proxies(by_protocol={name: proxy for name, proxy in kept.by_protocol.items() if name != key})

    await change_setting(call, Proxies, without)


@implements(Proxy.test)
async def test(call: Call, host: str, protocol: str, config: Proxy.Config) -> Proxy.TestResult:
    """Ask a proxy for a host, as far as the operator lets this server reach the proxy.

    :raises InvalidArgument: host, protocol, server or port are none.
    """
    require_host("host", host)
    key = checked(protocol)
    require_config("config", config)
    scheme = "https" if key is Proxy.Protocol.HTTPS else "http"
    target = Address(scheme, host.casefold(), PORTS[key], "/")
    server = proxy_address(config, key)
    login = None if config.username is None else Credentials(config.username, config.password or "")
    failure = await failure_of(ask_proxy(server, login, target, call.environment.fetcher.allowed))
    if failure is None:
        reached = message("resphere.appliance.proxy_reached", "{0} is reached through the proxy.", host)
        return Proxy.TestResult(status=Status.SERVER_REACHABLE, message=reached)
    return Proxy.TestResult(status=Status.SERVER_UNREACHABLE, message=failure.message)


def told(kept: Proxy.Config | None) -> Proxy.Config:
    """What is told of a proxy: all but its password."""
    return NONE if kept is None else msgspec.structs.replace(kept, password=None)


def checked(protocol: str) -> Proxy.Protocol:
    """The protocol; scripts write it in lower case.

    :raises InvalidArgument: it is none.
    """
    try:
        return Proxy.Protocol(protocol.upper())
    except ValueError:
        raise invalid("protocol", "{1} is none of {2}.", repr(protocol), ", ".join(Proxy.Protocol)) from None


def require_config(field: str, config: Proxy.Config) -> None:
    """Refuse a server that is neither a host nor a URL, a port that is none, a password without a user.

    :raises InvalidArgument: naming the field.
    """
    if config.port != USUAL_PORT:
        require_port(f"{field}.port", config.port)
    require_host(f"{field}.server", host_of(f"{field}.server", config.server))
    if config.password is not None and config.username is None:
        raise invalid(f"{field}.username", "a password is for a user: both have to be given.")


def host_of(field: str, server: str) -> str:
    """The host of what is given as server: a URL, or the host itself.

    :raises InvalidArgument: it says more than that.
    """
    if "://" not in server:
        return server
    try:
        parts = urlsplit(server)
        plain = parts.scheme in SCHEMES and not (parts.username or parts.password or parts.port or parts.query)
        if plain and parts.path in ("", "/") and parts.hostname:
            return parts.hostname
    except ValueError:
        pass
    raise invalid(field, "it is a host or its URL, without user, password, port and path.")


def proxy_address(config: Proxy.Config, protocol: Proxy.Protocol) -> Address:
    """Where the proxy is."""
    scheme = "https" if config.server.startswith("https://") else "http"
    port = PORTS[protocol] if config.port == USUAL_PORT else config.port
    return Address(scheme, host_of("config.server", config.server).casefold(), port, "/")
