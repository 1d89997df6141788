"""Profiles of the appliance through the official SDK: what one vCenter exports, another one imports."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import com.vmware.appliance.infraprofile_client as infraprofile
import com.vmware.appliance.logging_client as logging
import com.vmware.appliance.networking_client as networking
import com.vmware.vapi.std.errors_client as errors

from tests.sdk.scripts.client import Given, ended, raises

KEY = "a key of profiles"
Configs = infraprofile.Configs


def change(given: Given) -> None:
    """Some settings, a role, a group and a permission."""
    appliance = given.client.appliance
    appliance.Ntp.set(["time.example.org", "192.0.2.1"])
    appliance.access.Ssh.set(True)
    appliance.system.time.Timezone.set("Europe/Berlin")
    appliance.logging.Forwarding.set([logging.Forwarding.Config(hostname="logs.example.org", port=514, protocol="TCP")])
    appliance.networking.Proxy.set(
        "http",
        networking.Proxy.Config(
            server="proxy.example.org", port=3128, username="user", password="Proxy-Secret1", enabled=True
        ),
    )
    for path, body in (
        (
            "vcenter/authorization/roles",
            {"name": "Starters", "description": "", "privileges": ["VirtualMachine.Interact.PowerOn"]},
        ),
        ("resphere/groups", {"name": "starters"}),
    ):
        given.http.post(f"https://{given.server}/api/{path}", json=body).raise_for_status()


def profiles(text: str) -> Any:
    return json.loads(text)["profiles"]


def taken_along(here: Given, there: Given) -> None:
    client, other = here.client.appliance.infraprofile.Configs, there.client.appliance.infraprofile.Configs
    names = [each.name for each in client.list()]
    assert names == ["ApplianceManagement", "ApplianceNetwork", "AuthManagement"]
    change(here)
    text = client.export(Configs.ProfilesSpec(encryption_key=KEY, description="of the first", profiles=set(names)))
    assert "Secret1" not in text
    spec = Configs.ImportProfileSpec(config_spec=text, profile_spec=Configs.ProfilesSpec(encryption_key=KEY))
    validation = other.validate_task(spec)
    ended(there, validation)
    assert validation.get_result().status == Configs.ValidationStatus.VALID
    assert there.client.appliance.Ntp.get() == []
    imported = other.import_profile_task(spec)
    ended(there, imported)
    assert imported.get_result() == json.loads(text)["version"]
    assert profiles(other.export()) == profiles(client.export())
    assert there.client.appliance.Ntp.get() == ["time.example.org", "192.0.2.1"]
    assert there.client.appliance.networking.Proxy.get("http").server == "proxy.example.org"


def refused(here: Given, there: Given) -> None:
    client, other = here.client.appliance.infraprofile.Configs, there.client.appliance.infraprofile.Configs
    before = profiles(other.export())
    for text, key in (("no JSON", None), (client.export(Configs.ProfilesSpec(encryption_key=KEY)), "another key")):
        spec = Configs.ImportProfileSpec(config_spec=text, profile_spec=Configs.ProfilesSpec(encryption_key=key))
        validation = other.validate_task(spec)
        ended(there, validation)
        result = validation.get_result()
        assert result.status == Configs.ValidationStatus.INVALID
        assert "The document" in result.notifications.errors[0].message.default_message
        imported = other.import_profile_task(spec)
        while (info := imported.get_info()).status not in ("SUCCEEDED", "FAILED"):
            pass
        assert info.status == "FAILED"
        assert "The document" in info.error.convert_to(errors.InvalidArgument).messages[0].default_message
    with raises(errors.NotFound):
        other.export(Configs.ProfilesSpec(profiles={"Weather"}))
    assert profiles(other.export()) == before


def states(here: Given, there: Given) -> None:
    """The desired state, which the bindings of 9.1 have no more."""
    try:
        settings = importlib.import_module("com.vmware.appliance.vcenter.settings.v1_client")
    except ModuleNotFoundError:
        return
    config, current = settings.Config(there.stubs), settings.ConfigCurrent(there.stubs)
    state = settings.ConfigCurrent(here.stubs).get(components={"appliance"})
    state.appliance.datetime_config.ntp.servers = ["192.0.2.2"]
    with raises(errors.NotFound):
        config.get()
    identity = config.create(settings.Config.CreateSpec(name="usual", desired_state=state))
    scan = config.scan_task("1")
    ended(there, scan)
    found = scan.get_result()
    assert (str(found.status), found.profile, found.version) == ("NON_COMPLIANT", identity, "1")
    assert found.compliance_result["appliance"].diff_results["/datetime_config/ntp/servers"].desired_value
    check = config.check_desired_state_task(
        settings.Config.CheckDesiredStateSpec(
            desired_state=state, check_spec=settings.Config.CheckSpec(message="would it do?")
        )
    )
    ended(there, check)
    assert (check.get_result().impact.status, check.get_result().valid) == ("VALID", {"appliance"})
    done = config.apply_desired_state_task(
        settings.Config.ApplyDesiredStateSpec(
            desired_state=state, apply_spec=settings.Config.ApplySpec(message="so be it")
        )
    )
    ended(there, done)
    assert (str(done.get_result().status), done.get_result().version) == ("SUCCESS", "2")
    assert current.get().appliance.datetime_config.ntp.servers == ["192.0.2.2"]
    scan = config.scan_desired_state_task(settings.Config.ScanSpec(desired_state=state))
    ended(there, scan)
    assert str(scan.get_result().status) == "COMPLIANT"
    assert config.get().name == "usual"
    config.delete()


def main() -> None:
    """What is given are two servers."""
    servers = [Given(**each) for each in json.load(sys.stdin)]
    for function in (taken_along, refused, states):
        function(*servers)
    sys.stdout.write(json.dumps("done"))


if __name__ == "__main__":
    main()
