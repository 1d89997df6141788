"""Customization specifications for tests."""

from __future__ import annotations

from resphere.contract.generated import vcenter_guest as guest
from resphere.contract.model import Secret

STATIC = guest.AdapterMapping(
    adapter=guest.IPSettings(
        ipv4=guest.Ipv4(type=guest.Ipv4.Type.STATIC, ip_address="192.168.7.20", prefix=24, gateways=("192.168.7.1",)),
        ipv6=guest.Ipv6(
            type=guest.Ipv6.Type.STATIC,
            ipv6=(guest.Ipv6Address(ip_address="fd00::20", prefix=64),),
            gateways=("fd00::1",),
        ),
    )
)
DHCP = guest.AdapterMapping(adapter=guest.IPSettings(ipv4=guest.Ipv4(type=guest.Ipv4.Type.DHCP)))


def named(name: str) -> guest.HostnameGenerator:
    """A fixed name."""
    return guest.HostnameGenerator(type=guest.HostnameGenerator.Type.FIXED, fixed_name=name)


def linux(
    hostname: guest.HostnameGenerator | None = None,
    interfaces: tuple[guest.AdapterMapping, ...] = (),
    domain: str = "example.org",
    script_text: str | None = None,
) -> guest.CustomizationSpec:
    """For Linux."""
    return guest.CustomizationSpec(
        configuration_spec=guest.ConfigurationSpec(
            linux_config=guest.LinuxConfiguration(
                hostname=hostname or named("web"),
                domain=domain,
                time_zone="Europe/Sofia",
                script_text=script_text,
            )
        ),
        global_DNS_settings=guest.GlobalDNSSettings(dns_servers=("192.168.7.53",), dns_suffix_list=("example.org",)),
        interfaces=interfaces,
    )


def windows(password: str | None = "very secret") -> guest.CustomizationSpec:
    """For Windows, with passwords."""
    return guest.CustomizationSpec(
        configuration_spec=guest.ConfigurationSpec(
            windows_config=guest.WindowsConfiguration(
                reboot=guest.WindowsConfiguration.RebootOption.REBOOT,
                sysprep=guest.WindowsSysprep(
                    gui_run_once_commands=("cmd /c echo 1", "cmd /c echo 2"),
                    user_data=guest.UserData(
                        computer_name=guest.HostnameGenerator(type=guest.HostnameGenerator.Type.PREFIX, prefix="win"),
                        full_name="A User",
                        organization="An Organization",
                        product_key="",
                    ),
                    domain=guest.Domain(
                        type=guest.Domain.Type.DOMAIN,
                        domain="example.org",
                        domain_username="joiner",
                        domain_password=Secret(password or ""),
                    ),
                    gui_unattended=guest.GuiUnattended(
                        auto_logon=True,
                        auto_logon_count=1,
                        password=None if password is None else Secret(password),
                        time_zone=85,
                    ),
                ),
            )
        ),
        global_DNS_settings=guest.GlobalDNSSettings(),
        interfaces=(
            guest.AdapterMapping(
                adapter=guest.IPSettings(
                    ipv4=guest.Ipv4(type=guest.Ipv4.Type.DHCP),
                    windows=guest.WindowsNetworkAdapterSettings(
                        dns_servers=("192.168.7.53",),
                        dns_domain="example.org",
                        wins_servers=("192.168.7.54",),
                        net_BIOS_mode=guest.WindowsNetworkAdapterSettings.NetBIOSMode.DISABLE,
                    ),
                )
            ),
        ),
    )


def cloud(metadata: str) -> guest.CustomizationSpec:
    """For cloud-init."""
    return guest.CustomizationSpec(
        configuration_spec=guest.ConfigurationSpec(
            cloud_config=guest.CloudConfiguration(
                type=guest.CloudConfiguration.Type.CLOUDINIT,
                cloudinit=guest.CloudinitConfiguration(metadata=metadata, userdata="#cloud-config\n"),
            )
        ),
        global_DNS_settings=guest.GlobalDNSSettings(),
        interfaces=(),
    )
