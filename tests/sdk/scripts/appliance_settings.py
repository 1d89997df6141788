"""The settings of the appliance through the official SDK: set, read, refused."""

from __future__ import annotations

import com.vmware.appliance.access_client as access
import com.vmware.appliance.local_accounts_client as local_accounts
import com.vmware.appliance.networking.dns_client as dns
import com.vmware.appliance.networking.firewall_client as firewall
import com.vmware.appliance.networking_client as networking
import com.vmware.appliance.system.security_client as security
import com.vmware.appliance.tls.manual_parameters_client as manual_parameters
import com.vmware.appliance.tls.profiles_client as profiles
import com.vmware.appliance_client as appliance
import com.vmware.vapi.std.errors_client as errors

from tests.sdk.scripts.client import Check, Given, raises, run_checks

CIPHER = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"


def ways_in(given: Given) -> None:
    client = given.client.appliance.access
    for way in (client.Consolecli, client.Dcui, client.Ssh):
        before = way.get()
        way.set(not before)
        assert way.get() is not before
    client.Shell.set(access.Shell.ShellConfig(enabled=True, timeout=60))
    assert client.Shell.get().enabled
    with raises(errors.InvalidArgument):
        client.Shell.set(access.Shell.ShellConfig(enabled=True, timeout=-1))
    fips = client_of_fips(given)
    fips.update(security.GlobalFips.UpdateSpec(enabled=True))
    assert fips.get().enabled


def client_of_fips(given: Given) -> security.GlobalFips:
    return given.client.appliance.system.security.GlobalFips


def clock(given: Given) -> None:
    client = given.client.appliance
    client.Ntp.set(["time.example.org"])
    assert client.Ntp.get() == ["time.example.org"]
    (status,) = client.Ntp.test(["192.0.2.1"])
    assert status.status == "SERVER_UNREACHABLE"
    client.Timesync.set("NTP")
    assert client.Timesync.get() == "NTP"
    client.system.time.Timezone.set("Europe/Berlin")
    assert client.system.time.Timezone.get() == "Europe/Berlin"
    assert client.system.Time.get().timezone in ("CET", "CEST")
    with raises(errors.InvalidArgument):
        client.system.time.Timezone.set("Mars/Olympus")


def network(given: Given) -> None:
    client = given.client.appliance.networking
    client.dns.Hostname.set("vc.example.org")
    assert client.dns.Hostname.get() == "vc.example.org"
    client.dns.Servers.set(dns.Servers.DNSServerConfig(mode="is_static", servers=["192.0.2.53"]))
    client.dns.Servers.add("192.0.2.54")
    assert client.dns.Servers.get().servers == ["192.0.2.53", "192.0.2.54"]
    client.dns.Domains.set(["example.org"])
    client.dns.Domains.add("example.net")
    assert client.dns.Domains.list() == ["example.org", "example.net"]
    client.NoProxy.set(["localhost"])
    assert client.NoProxy.get() == ["localhost"]
    client.Proxy.set("http", networking.Proxy.Config(server="http://p", port=3128, enabled=True))
    assert client.Proxy.get("http").port == client.Proxy.list()["HTTP"].port == 3128
    client.Proxy.delete("http")
    assert not client.Proxy.get("http").enabled
    rule = firewall.Inbound.Rule(address="192.0.2.0", prefix=24, policy="REJECT", interface_name="*")
    client.firewall.Inbound.set([rule])
    assert [each.policy for each in client.firewall.Inbound.get()] == ["REJECT"]
    given.client.appliance.Networking.update(appliance.Networking.UpdateSpec(ipv6_enabled=False))
    given.client.appliance.Networking.reset()
    assert given.client.appliance.Networking.get().dns.hostname == "vc.example.org"
    with raises(errors.NotFound):
        client.interfaces.Ipv4.get("nic99")
    with raises(errors.NotFound):
        client.interfaces.Ipv6.get("nic99")


def accounts(given: Given) -> None:
    client = given.client.appliance
    config = {"roles": ["operator"], "full_name": "Op Erator"}
    client.LocalAccounts.create("operator", appliance.LocalAccounts.Config(password="Appliance1!", **config))
    with raises(errors.AlreadyExists):
        client.LocalAccounts.create("operator", appliance.LocalAccounts.Config(password="Appliance1!", **config))
    client.LocalAccounts.update("operator", appliance.LocalAccounts.UpdateConfig(email="op@example.org"))
    assert client.LocalAccounts.get("operator").email == "op@example.org"
    assert "operator" in client.LocalAccounts.list()
    client.LocalAccounts.delete("operator")
    with raises(errors.NotFound):
        client.LocalAccounts.get("operator")
    client.local_accounts.Policy.set(local_accounts.Policy.Info(max_days=90, min_days=1, warn_days=7))
    assert client.local_accounts.Policy.get().max_days == 90


def vmon_services(given: Given) -> None:
    if not hasattr(given.client.appliance, "vmon"):
        return  # the SDK of 9.1 has left it out
    client = given.client.appliance.vmon.Service
    client.stop("vsphere-ui")
    client.update("vsphere-ui", client.UpdateSpec(startup_type="DISABLED"))
    assert client.get("vsphere-ui").startup_type == "DISABLED"
    with raises(errors.NotAllowedInCurrentState):
        client.start("vsphere-ui")
    client.update("vsphere-ui", client.UpdateSpec(startup_type="AUTOMATIC"))
    client.restart("vsphere-ui")
    assert client.list_details()["vsphere-ui"].state == "STARTED"


def tls(given: Given) -> None:
    client = given.client.appliance.tls
    assert "NIST_2024" in [each.profile for each in client.Profiles.list().profiles]
    assert client.profiles.Global.set_task(profiles.Global.SetSpec(profile="NIST_2024")).get_result() is None
    assert client.profiles.Global.get().profile == "NIST_2024"
    assert client.Profiles.get("NIST_2024").curves == ["secp256r1", "secp384r1"]
    with raises(errors.NotFound):
        client.Profiles.get("none")
    assert not client.manual_parameters.Global.get().manual_active
    if not hasattr(manual_parameters, "Services"):
        return  # of 8.0.3
    services, whole = manual_parameters.Services, manual_parameters.Global
    # With the older version in it, so that the server goes on speaking it.
    given_version = {"version": "tlsv1_2", "ciphers": [CIPHER]}
    by_hand = whole.SetSpecEx(protocol_versions=[whole.ProtocolVersionInfo(**given_version)], curves=["x25519"])
    client.manual_parameters.Global.set_task(by_hand).get_result()
    assert client.profiles.Global.get().profile == "MANUAL"
    of_one = [services.ProtocolVersionInfo(**given_version)]
    spec = services.SetSpec(protocol_versions=of_one, curves=["secp256r1"])
    client.manual_parameters.Services.set_task("applmgmt", spec).get_result()
    assert client.manual_parameters.Services.get("applmgmt").curves == ["secp256r1"]
    assert [each.info is None for each in client.manual_parameters.Services.list().services] == [False, True]
    client.manual_parameters.Services.delete_task("applmgmt").get_result()
    with raises(errors.NotFound):
        client.manual_parameters.Services.get("vpxd")
    with raises(errors.InvalidArgument):
        client.manual_parameters.Services.set_task("envoy", services.SetSpec(protocol_versions=[], curves=[]))


CHECKS: tuple[Check, ...] = (ways_in, clock, network, accounts, vmon_services, tls)

if __name__ == "__main__":
    run_checks(CHECKS)
