"""Ansible's modules for the appliance's network, its clock and the ways in: a change, and the same once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ansible.steps import step, surprises, take, twice
from tests.ansible.test_playbooks import PLAYBOOK
from tests.support.server import Server

pytestmark = pytest.mark.skipif(
    not PLAYBOOK.exists(), reason="Ansible is not in .cache/ansible; `make ansible` fetches it"
)

STEPS = [
    *twice("console", "appliance_access_consolecli", enabled=False),
    *twice("dcui", "appliance_access_dcui", enabled=False),
    *twice("ssh", "appliance_access_ssh", enabled=True),
    *twice("shell", "appliance_access_shell", enabled=True, timeout=600),
    step("shell_long", "appliance_access_shell", enabled=True, timeout=100_000, refused="INVALID_ARGUMENT"),
    *twice("ntp", "appliance_ntp", servers=["time.example.org"]),
    step("ntp_bad", "appliance_ntp", servers=["no host"], refused="INVALID_ARGUMENT"),
    step("ntp_test", "appliance_ntp", servers=["192.0.2.1"], state="test"),
    *twice("timesync", "appliance_timesync", mode="NTP"),
    *twice("zone", "appliance_system_time_timezone", name="Europe/Berlin"),
    step("zone_bad", "appliance_system_time_timezone", name="Mars/Olympus", refused="INVALID_ARGUMENT"),
    *twice("host_name", "appliance_networking_dns_hostname", name="vc.example.org"),
    *twice("dns", "appliance_networking_dns_servers", mode="is_static", servers=["192.0.2.53"]),
    *twice("domains", "appliance_networking_dns_domains", domains=["example.org"]),
    *twice("no_proxy", "appliance_networking_noproxy", servers=["localhost", "192.0.2.7"]),
    *twice("proxy", "appliance_networking_proxy", protocol="http", server="http://p", port=3128, enabled=True),
    *twice(
        "firewall",
        "appliance_networking_firewall_inbound",
        rules=[{"address": "192.0.2.0", "prefix": 24, "policy": "REJECT", "interface_name": "*"}],
    ),
    step(
        "no_nic",
        "appliance_networking_interfaces_ipv4",
        interface_name="nic99",
        mode="STATIC",
        address="192.0.2.1",
        prefix=24,
        refused="NOT_FOUND",
    ),
    # The module says so of whatever it sends.
    step("ipv6_off", "appliance_networking", ipv6_enabled=False, changed=True),
    *twice("policy", "appliance_localaccounts_globalpolicy", max_days=90, min_days=1, warn_days=7),
    step("service_off", "appliance_vmon_service", service="vsphere-ui", state="stop"),
    step("service_own", "appliance_vmon_service", service="vpxd", state="stop", refused="NOT_ALLOWED_IN_CURRENT_STATE"),
    step("network", "appliance_networking_info"),
    step("nics", "appliance_networking_interfaces_info"),
    step("time", "appliance_system_time_info"),
]


def test_modules_set_once(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--vms", "1") as server:
        happened = take(server, tmp_path, STEPS)
        assert surprises(STEPS, happened) == {}
        with server.session() as client:
            dns = client.read("/api/appliance/networking")["dns"]
            assert client.read("/api/appliance/networking/proxy/http")["port"] == 3128
    assert happened["network"]["value"]["dns"] == dns
    assert dns == {"mode": "STATIC", "hostname": "vc.example.org", "servers": ["192.0.2.53"]}
    assert happened["ntp_test"]["value"][0]["status"] == "SERVER_UNREACHABLE"
    assert happened["time"]["value"]["timezone"] in ("CET", "CEST")
