"""Customization specifications in the words of vCenter's older interfaces (``vim.vm.customization``), and back."""

from __future__ import annotations

import ipaddress
from typing import Any

from resphere.contract.generated import vcenter_guest as guest
from resphere.contract.model import Secret
from resphere.services.vcenter.guest.vim_xml import TYPE

Object = dict[str, Any]

_PREFIX = "vim.vm.customization."
_NAMES = {
    "FixedName": guest.HostnameGenerator.Type.FIXED,
    "PrefixNameGenerator": guest.HostnameGenerator.Type.PREFIX,
    "UnknownNameGenerator": guest.HostnameGenerator.Type.USER_INPUT_REQUIRED,
    "VirtualMachineNameGenerator": guest.HostnameGenerator.Type.VIRTUAL_MACHINE,
}
_IPV4 = {
    "DhcpIpGenerator": guest.Ipv4.Type.DHCP,
    "DisableIpV4": guest.Ipv4.Type.DISABLED,
    "FixedIp": guest.Ipv4.Type.STATIC,
    "UnknownIpGenerator": guest.Ipv4.Type.USER_INPUT_REQUIRED,
}
_IPV6 = {
    "DhcpIpV6Generator": guest.Ipv6.Type.DHCP,
    "UnknownIpV6Generator": guest.Ipv6.Type.USER_INPUT_REQUIRED,
}
_NetBIOS = guest.WindowsNetworkAdapterSettings.NetBIOSMode
_NETBIOS = {
    "enableNetBIOS": _NetBIOS.ENABLE,
    "disableNetBIOS": _NetBIOS.DISABLE,
    "enableNetBIOSViaDhcp": _NetBIOS.USE_DHCP,
}
_REBOOT = {
    "noreboot": guest.WindowsConfiguration.RebootOption.NO_REBOOT,
    "reboot": guest.WindowsConfiguration.RebootOption.REBOOT,
    "shutdown": guest.WindowsConfiguration.RebootOption.SHUTDOWN,
}


def to_vim(spec: guest.CustomizationSpec) -> Object:
    """The object of a specification."""
    given = spec.configuration_spec
    identity: Object = {}
    options: Object | None = None
    if given.linux_config is not None:
        identity = _linux(given.linux_config)
    elif given.cloud_config is not None and given.cloud_config.cloudinit is not None:
        cloud = given.cloud_config.cloudinit
        identity = _object("CloudinitPrep", metadata=cloud.metadata, userdata=cloud.userdata)
    elif given.windows_config is not None:
        windows = given.windows_config
        reboot = _key(_REBOOT, windows.reboot) if windows.reboot else None
        options = _object("WinOptions", changeSID=True, deleteAccounts=False, reboot=reboot)
        identity = _object("SysprepText", value=windows.sysprep_xml)
        if windows.sysprep is not None:
            identity = _sysprep(windows.sysprep)
    dns = spec.global_DNS_settings
    return _object(
        "Specification",
        globalIPSettings=_object(
            "GlobalIPSettings", dnsSuffixList=_list(dns.dns_suffix_list), dnsServerList=_list(dns.dns_servers)
        ),
        identity=identity,
        nicSettingMap=[_adapter(mapping) for mapping in spec.interfaces],
        options=options,
    )


def from_vim(value: Object) -> guest.CustomizationSpec:
    """The specification of an object.

    :raises ValueError: it is none, or of a type that the contract has not.
    """
    dns = _inner(value, "globalIPSettings")
    return guest.CustomizationSpec(
        configuration_spec=_configuration(_inner(value, "identity"), value.get("options")),
        global_DNS_settings=guest.GlobalDNSSettings(
            dns_suffix_list=_texts(dns, "dnsSuffixList"), dns_servers=_texts(dns, "dnsServerList")
        ),
        interfaces=tuple(_mapping(each) for each in value.get("nicSettingMap") or ()),
    )


def _linux(linux: guest.LinuxConfiguration) -> Object:
    return _object(
        "LinuxPrep",
        domain=linux.domain,
        hostName=_name(linux.hostname),
        timeZone=linux.time_zone,
        scriptText=linux.script_text,
        compatibleCustomizationMethod=linux.compatible_customization_method,
    )


def _sysprep(sysprep: guest.WindowsSysprep) -> Object:
    unattended, user, domain = sysprep.gui_unattended, sysprep.user_data, sysprep.domain
    commands = _list(sysprep.gui_run_once_commands)
    return _object(
        "Sysprep",
        guiRunOnce=_object("GuiRunOnce", commandList=commands) if commands else None,
        guiUnattended=_object(
            "GuiUnattended",
            autoLogon=unattended.auto_logon,
            autoLogonCount=unattended.auto_logon_count,
            password=_password(unattended.password),
            timeZone=unattended.time_zone,
        ),
        identification=None
        if domain is None
        else _object(
            "Identification",
            joinWorkgroup=domain.workgroup,
            joinDomain=domain.domain,
            domainAdmin=domain.domain_username,
            domainAdminPassword=_password(domain.domain_password),
            domainOU=domain.domain_OU,
        ),
        userData=_object(
            "UserData",
            computerName=_name(user.computer_name),
            fullName=user.full_name,
            orgName=user.organization,
            productId=user.product_key,
        ),
    )


def _password(password: str | None) -> Object | None:
    return None if password is None else _object("Password", plainText=True, value=password)


def _name(generator: guest.HostnameGenerator) -> Object:
    return _object(_key(_NAMES, generator.type), name=generator.fixed_name, base=generator.prefix)


def _adapter(mapping: guest.AdapterMapping) -> Object:
    ipv4, ipv6, windows = mapping.adapter.ipv4, mapping.adapter.ipv6, mapping.adapter.windows
    ip = _object("DhcpIpGenerator")
    mask = None
    if ipv4 is not None:
        ip = _object(_key(_IPV4, ipv4.type), ipAddress=ipv4.ip_address)
        mask = str(ipaddress.ip_network(f"0.0.0.0/{ipv4.prefix}").netmask) if ipv4.prefix is not None else None
    wins = (windows.wins_servers or ()) if windows else ()
    settings = _object(
        "IPSettings",
        ip=ip,
        subnetMask=mask,
        gateway=_list(ipv4.gateways) if ipv4 else None,
        ipV6Spec=_ipv6(ipv6) if ipv6 else None,
        dnsServerList=_list(windows.dns_servers) if windows else None,
        dnsDomain=windows.dns_domain if windows else None,
        primaryWINS=wins[0] if wins else None,
        secondaryWINS=wins[1] if len(wins) > 1 else None,
        netBIOS=_key(_NETBIOS, windows.net_BIOS_mode) if windows and windows.net_BIOS_mode else None,
    )
    return _object("AdapterMapping", macAddress=mapping.mac_address, adapter=settings)


def _ipv6(ipv6: guest.Ipv6) -> Object:
    if ipv6.type is guest.Ipv6.Type.STATIC:
        addresses = [_object("FixedIpV6", ipAddress=a.ip_address, subnetMask=a.prefix) for a in ipv6.ipv6 or ()]
    else:
        addresses = [_object(_key(_IPV6, ipv6.type))]
    return _object("IPSettings.IpV6AddressSpec", ip=addresses, gateway=_list(ipv6.gateways))


def _configuration(identity: Object, options: Object | None) -> guest.ConfigurationSpec:
    kind = _kind(identity)
    if kind == "LinuxPrep":
        linux = guest.LinuxConfiguration(
            hostname=_generator(_inner(identity, "hostName")),
            domain=identity.get("domain", ""),
            time_zone=identity.get("timeZone"),
            script_text=identity.get("scriptText"),
            compatible_customization_method=identity.get("compatibleCustomizationMethod"),
        )
        return guest.ConfigurationSpec(linux_config=linux)
    if kind == "CloudinitPrep":
        cloud = guest.CloudinitConfiguration(metadata=identity.get("metadata", ""), userdata=identity.get("userdata"))
        kind_of_cloud = guest.CloudConfiguration.Type.CLOUDINIT
        return guest.ConfigurationSpec(cloud_config=guest.CloudConfiguration(type=kind_of_cloud, cloudinit=cloud))
    reboot = _REBOOT.get(str((options or {}).get("reboot", "")).lower())
    if kind == "SysprepText":
        return guest.ConfigurationSpec(
            windows_config=guest.WindowsConfiguration(reboot=reboot, sysprep_xml=identity.get("value", ""))
        )
    if kind == "Sysprep":
        return guest.ConfigurationSpec(
            windows_config=guest.WindowsConfiguration(reboot=reboot, sysprep=_windows(identity))
        )
    raise ValueError(f"the identity is of the type {identity[TYPE]}, which is not supported")


def _windows(identity: Object) -> guest.WindowsSysprep:
    unattended, user = _inner(identity, "guiUnattended"), _inner(identity, "userData")
    once = identity.get("guiRunOnce")
    return guest.WindowsSysprep(
        gui_run_once_commands=_texts(once, "commandList") if isinstance(once, dict) else None,
        user_data=guest.UserData(
            computer_name=_generator(_inner(user, "computerName")),
            full_name=user.get("fullName", ""),
            organization=user.get("orgName", ""),
            product_key=user.get("productId", ""),
        ),
        domain=_domain(identity.get("identification")),
        gui_unattended=guest.GuiUnattended(
            auto_logon=unattended.get("autoLogon") == "true",
            auto_logon_count=int(unattended.get("autoLogonCount") or 0),
            password=_secret(unattended.get("password")),
            time_zone=int(unattended.get("timeZone") or 0),
        ),
    )


def _domain(given: Object | None) -> guest.Domain | None:
    if not isinstance(given, dict):
        return None
    if given.get("joinDomain"):
        return guest.Domain(
            type=guest.Domain.Type.DOMAIN,
            domain=given["joinDomain"],
            domain_username=given.get("domainAdmin", ""),
            domain_password=_secret(given.get("domainAdminPassword")) or Secret(""),
            domain_OU=given.get("domainOU"),
        )
    if given.get("joinWorkgroup"):
        return guest.Domain(type=guest.Domain.Type.WORKGROUP, workgroup=given["joinWorkgroup"])
    return None


def _secret(given: Any) -> Secret | None:
    return Secret(str(given.get("value", ""))) if isinstance(given, dict) else None


def _generator(given: Object) -> guest.HostnameGenerator:
    kind = _NAMES.get(_kind(given))
    if kind is None:
        raise ValueError(f"the name is of the type {given[TYPE]}, which is not supported")
    fixed, prefix = guest.HostnameGenerator.Type.FIXED, guest.HostnameGenerator.Type.PREFIX
    return guest.HostnameGenerator(
        type=kind,
        fixed_name=given.get("name", "") if kind is fixed else None,
        prefix=given.get("base", "") if kind is prefix else None,
    )


def _mapping(given: Any) -> guest.AdapterMapping:
    if not isinstance(given, dict):
        raise ValueError("nicSettingMap holds something that is no adapter mapping")
    settings = _inner(given, "adapter")
    return guest.AdapterMapping(
        mac_address=given.get("macAddress") or None,
        adapter=guest.IPSettings(
            ipv4=_read_ipv4(settings), ipv6=_read_ipv6(settings), windows=_read_windows_settings(settings)
        ),
    )


def _read_ipv4(settings: Object) -> guest.Ipv4:
    ip = _inner(settings, "ip")
    kind = _IPV4.get(_kind(ip))
    if kind is None:
        raise ValueError(f"the address is of the type {ip[TYPE]}, which is not supported")
    if kind is not guest.Ipv4.Type.STATIC:
        return guest.Ipv4(type=kind, gateways=_texts(settings, "gateway"))
    mask = settings.get("subnetMask") or "255.255.255.0"
    return guest.Ipv4(
        type=kind,
        ip_address=ip.get("ipAddress", ""),
        prefix=ipaddress.ip_network(f"0.0.0.0/{mask}").prefixlen,
        gateways=_texts(settings, "gateway"),
    )


def _read_ipv6(settings: Object) -> guest.Ipv6 | None:
    given = settings.get("ipV6Spec")
    if not isinstance(given, dict) or not given.get("ip"):
        return None
    kind = _IPV6.get(_kind(given["ip"][0]))
    gateways = _texts(given, "gateway")
    if kind is not None:
        return guest.Ipv6(type=kind, gateways=gateways)
    addresses = tuple(
        guest.Ipv6Address(ip_address=each.get("ipAddress", ""), prefix=int(each.get("subnetMask") or 64))
        for each in given["ip"]
    )
    return guest.Ipv6(type=guest.Ipv6.Type.STATIC, ipv6=addresses, gateways=gateways)


def _read_windows_settings(settings: Object) -> guest.WindowsNetworkAdapterSettings | None:
    wins = tuple(settings[name] for name in ("primaryWINS", "secondaryWINS") if settings.get(name))
    found = guest.WindowsNetworkAdapterSettings(
        dns_servers=_texts(settings, "dnsServerList"),
        dns_domain=settings.get("dnsDomain") or None,
        wins_servers=wins or None,
        net_BIOS_mode=_NETBIOS.get(str(settings.get("netBIOS", ""))),
    )
    return None if found == guest.WindowsNetworkAdapterSettings() else found


def _object(kind: str, **fields: Any) -> Object:
    return {TYPE: _PREFIX + kind, **{name: value for name, value in fields.items() if value is not None}}


def _list(values: tuple[str, ...] | None) -> list[str] | None:
    return list(values) if values else None


def _key(table: dict[str, Any], value: Any) -> str:
    return next(key for key, each in table.items() if each is value)


def _kind(value: Any) -> str:
    if not isinstance(value, dict):
        raise ValueError("a text stands where an object is expected")
    return str(value[TYPE]).removeprefix(_PREFIX)


def _inner(value: Object, name: str) -> Object:
    found = value.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"there is no {name}")
    return found


def _texts(value: Object, name: str) -> tuple[str, ...] | None:
    found = value.get(name)
    if isinstance(found, str) and found:
        return (found,)
    return tuple(str(each) for each in found) if isinstance(found, list) and found else None
