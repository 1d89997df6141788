"""Which customization specifications make sense: each rule gives the field, and why it is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sized

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated import vcenter_guest as guest
from resphere.contract.unions import check_unions
from resphere.rules.guests.cloud_init import read_metadata
from resphere.rules.guests.host_names import is_host_name, is_label

Fault = tuple[str, str]

LONGEST_SCRIPT_BYTES = 65_536
LONGEST_CLOUD_BYTES = 524_288
MOST_INTERFACES = 10
"""As many network adapters as a VM has at most."""
MOST_ADDRESSES = 100
"""In each list of addresses, names and commands."""
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(\1[0-9A-Fa-f]{2}){4}\Z")


def require_sound(spec: guest.CustomizationSpec, field: str = "spec") -> None:
    """Refuse a specification that makes no sense.

    Its unions are looked at too: a text may hold what no dialect lets in.

    :raises InvalidArgument: names the first field that is wrong.
    """
    for path, why in oversized(spec):
        raise InvalidArgument(message("resphere.guest.customization", "{0}.{1}: {2}.", field, path, why))
    check_unions(spec, field)
    for path, why in faults(spec):
        raise InvalidArgument(message("resphere.guest.customization", "{0}.{1}: {2}.", field, path, why))


def oversized(spec: guest.CustomizationSpec) -> Iterator[Fault]:
    """The lists that are longer than any guest needs: nothing else is looked at in a specification with one."""
    if len(spec.interfaces) > MOST_INTERFACES:
        yield "interfaces", f"must not be more than {MOST_INTERFACES}"
        return
    settings, windows = spec.global_DNS_settings, spec.configuration_spec.windows_config
    lists: list[tuple[str, Sized | None]] = [
        ("global_DNS_settings.dns_suffix_list", settings.dns_suffix_list),
        ("global_DNS_settings.dns_servers", settings.dns_servers),
    ]
    if windows is not None and windows.sysprep is not None:
        lists.append(
            (
                "configuration_spec.windows_config.sysprep.gui_run_once_commands",
                windows.sysprep.gui_run_once_commands,
            )
        )
    for position, mapping in enumerate(spec.interfaces):
        adapter, at = mapping.adapter, f"interfaces[{position}].adapter"
        if adapter.ipv4 is not None:
            lists.append((f"{at}.ipv4.gateways", adapter.ipv4.gateways))
        if adapter.ipv6 is not None:
            lists += [(f"{at}.ipv6.ipv6", adapter.ipv6.ipv6), (f"{at}.ipv6.gateways", adapter.ipv6.gateways)]
        if adapter.windows is not None:
            lists += [
                (f"{at}.windows.dns_servers", adapter.windows.dns_servers),
                (f"{at}.windows.wins_servers", adapter.windows.wins_servers),
            ]
    for at, found in lists:
        if found is not None and len(found) > MOST_ADDRESSES:
            yield at, f"must not have more than {MOST_ADDRESSES} entries"


def faults(spec: guest.CustomizationSpec) -> Iterator[Fault]:
    """All that is wrong with a specification whose unions are kept."""
    given = spec.configuration_spec
    kinds = [each for each in (given.windows_config, given.linux_config, given.cloud_config) if each is not None]
    if len(kinds) != 1:
        yield "configuration_spec", "exactly one of windows_config, linux_config and cloud_config must be set"
        return
    if given.linux_config is not None:
        yield from _linux(given.linux_config, "configuration_spec.linux_config")
    elif given.windows_config is not None:
        yield from _windows(given.windows_config, "configuration_spec.windows_config")
    elif given.cloud_config is not None and given.cloud_config.cloudinit is not None:
        yield from _cloud(given.cloud_config.cloudinit, "configuration_spec.cloud_config.cloudinit")
    for position, server in enumerate(spec.global_DNS_settings.dns_servers or ()):
        yield from _address(server, f"global_DNS_settings.dns_servers[{position}]")
    for position, mapping in enumerate(spec.interfaces):
        yield from _interface(mapping, f"interfaces[{position}]")


def _linux(given: guest.LinuxConfiguration, at: str) -> Iterator[Fault]:
    yield from _name(given.hostname, f"{at}.hostname")
    if given.domain and not is_host_name(given.domain):
        yield f"{at}.domain", "is no domain name"
    if given.script_text is not None and len(given.script_text.encode()) > LONGEST_SCRIPT_BYTES:
        yield f"{at}.script_text", f"must not be longer than {LONGEST_SCRIPT_BYTES} bytes"


def _windows(given: guest.WindowsConfiguration, at: str) -> Iterator[Fault]:
    if (given.sysprep is None) == (given.sysprep_xml is None):
        yield at, "exactly one of sysprep and sysprep_xml must be set"
    if given.sysprep is None:
        return
    yield from _name(given.sysprep.user_data.computer_name, f"{at}.sysprep.user_data.computer_name")
    unattended = given.sysprep.gui_unattended
    if unattended.auto_logon and unattended.password is None:
        yield f"{at}.sysprep.gui_unattended.password", "must be set where auto_logon is"
    if unattended.auto_logon_count < 0:
        yield f"{at}.sysprep.gui_unattended.auto_logon_count", "must not be negative"


def _cloud(given: guest.CloudinitConfiguration, at: str) -> Iterator[Fault]:
    for name, text in (("metadata", given.metadata), ("userdata", given.userdata)):
        if text is not None and len(text.encode()) > LONGEST_CLOUD_BYTES:
            yield f"{at}.{name}", f"must not be longer than {LONGEST_CLOUD_BYTES} bytes"
            return
    try:
        read_metadata(given.metadata)
    except ValueError as error:
        yield f"{at}.metadata", str(error)


def _name(given: guest.HostnameGenerator, at: str) -> Iterator[Fault]:
    for field, value in (("fixed_name", given.fixed_name), ("prefix", given.prefix)):
        if value is not None and (not is_label(value + ("x" if field == "prefix" else "")) or value.isdecimal()):
            yield f"{at}.{field}", "may have letters, digits and hyphens, 63 of them, and not only digits"


def _interface(mapping: guest.AdapterMapping, at: str) -> Iterator[Fault]:
    if mapping.mac_address is not None and not _MAC.match(mapping.mac_address):
        yield f"{at}.mac_address", "is no MAC address"
    ipv4, ipv6 = mapping.adapter.ipv4, mapping.adapter.ipv6
    if ipv4 is not None and ipv4.ip_address is not None:
        yield from _address(ipv4.ip_address, f"{at}.adapter.ipv4.ip_address", 4)
        if ipv4.prefix is not None and not 1 <= ipv4.prefix <= 32:
            yield f"{at}.adapter.ipv4.prefix", "must be from 1 to 32"
    for position, gateway in enumerate((ipv4.gateways or ()) if ipv4 else ()):
        yield from _address(gateway, f"{at}.adapter.ipv4.gateways[{position}]", 4)
    for position, address in enumerate((ipv6.ipv6 or ()) if ipv6 else ()):
        yield from _address(address.ip_address, f"{at}.adapter.ipv6.ipv6[{position}].ip_address", 6)
        if not 1 <= address.prefix <= 128:
            yield f"{at}.adapter.ipv6.ipv6[{position}].prefix", "must be from 1 to 128"
    for position, gateway in enumerate((ipv6.gateways or ()) if ipv6 else ()):
        yield from _address(gateway, f"{at}.adapter.ipv6.gateways[{position}]", 6)


def _address(text: str, at: str, version: int | None = None) -> Iterator[Fault]:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        yield at, "is no IP address"
        return
    if version is not None and found.version != version:
        yield at, f"is no IPv{version} address"
