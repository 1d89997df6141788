"""Profiles: settings that one vCenter exports and another one imports, and documents that none takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.access.permissions import Permission
from resphere.access.principal import Principal
from resphere.access.roles import Role
from resphere.auth.groups import Group
from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, Unauthorized
from resphere.contract.extensions.events import Events
from resphere.contract.generated import cis, cis_task, ids
from resphere.contract.generated.appliance import (
    LocalAccounts,
    Ntp,
    Services,
)
from resphere.contract.generated.appliance_access import Ssh
from resphere.contract.generated.appliance_infraprofile import Configs
from resphere.contract.generated.appliance_networking import Proxy
from resphere.contract.generated.appliance_networking_dns import Domains
from resphere.contract.model import Secret
from resphere.inventory.appliance.networking import Proxies
from resphere.inventory.appliance.settings import ApplianceSetting, setting_of
from resphere.inventory.appliance.update import UpdatePolicy as KeptUpdates
from resphere.recovery.record import BackupSchedule, RestoreJob
from resphere.services.appliance.infraprofile.configs import ValidationResult
from resphere.services.checks.profiles.faults import MOST
from resphere.services.checks.profiles.state import Management, Network
from tests.support.examples import examples
from tests.support.from_contract import from_contract, wire
from tests.support.profiles import PASSWORDS, authorize, change_everything, first_started
from tests.support.world import NOW, Caller, World

MANAGEMENT, NETWORK, AUTHENTICATION = "ApplianceManagement", "ApplianceNetwork", "AuthManagement"
NAMES = (MANAGEMENT, NETWORK, AUTHENTICATION)
KEY = Secret("a key of profiles")


IMPOSSIBLE: tuple[tuple[str, dict[str, object], str], ...] = (
    (MANAGEMENT, {"datetime_config": {"time_zone": {"name": "Mars"}}}, "datetime_config.time_zone.name"),
    (MANAGEMENT, {"datetime_config": {"ntp": {"servers": ["-x"]}}}, "datetime_config.ntp.servers[0]"),
    (MANAGEMENT, {"datetime_config": {"ntp": {"servers": ["a"] * 65}}}, "65 are more than 64"),
    (MANAGEMENT, {"syslog": [{"hostname": "logs", "port": 0, "protocol": "UDP"}]}, "syslog[0].port"),
    (MANAGEMENT, {"syslog": [{"hostname": "logs", "port": 1, "protocol": "RELP"}]}, "RELP is none of"),
    (MANAGEMENT, {"syslog": [{"hostname": "logs"}]}, "port and protocol have to be given"),
    (MANAGEMENT, {"syslog": [{}] * 65}, "65 are more than 64"),
    (MANAGEMENT, {"access_settings": {"shell": {"timeout": -1}}}, "access_settings.shell.timeout"),
    (MANAGEMENT, {"services": {"dbus": "STOPPED"}}, "dbus"),
    (MANAGEMENT, {"services": {"nothing": "STOPPED"}}, "no service nothing"),
    (MANAGEMENT, {"services": {"sshd": "STOPPING"}}, "services.sshd"),
    (MANAGEMENT, {"smtp": {"mail_server": "mail.example.org"}}, "keeps no mail server"),
    (MANAGEMENT, {"ceip": {"enabled": True}}, "ceip.enabled"),
    (MANAGEMENT, {"network": {}}, "a profile of its own"),
    (MANAGEMENT, {"local_accounts_policy": {"max_days": 1}}, "user_account_settings"),
    (MANAGEMENT, {"user_account_settings": {"local_accounts_policy": {"max_days": -2}}}, "max_days"),
    (MANAGEMENT, {"user_account_settings": {"root_account_policy": {"password": "Root-Secret1"}}}, "password"),
    (MANAGEMENT, {"user_account_settings": {"root_account_policy": {"enabled": False}}}, "root stays"),
    (MANAGEMENT, {"user_account_settings": {"root_account_policy": {"roles": ["operator"]}}}, "root stays"),
    (MANAGEMENT, {"user_account_settings": {"root_account_policy": {"roles": ["x"]}}}, "roles[0]"),
    (MANAGEMENT, {"software_update_policy": {"url": "ftp://x"}}, "custom_URL"),
    (MANAGEMENT, {"software_update_policy": {"check_schedule": [{"hour": "1"}]}}, "check_schedule[0].day"),
    (
        MANAGEMENT,
        {"software_update_policy": {"check_schedule": [{"hour": "x", "minute": "1", "day": "MONDAY"}]}},
        "check_schedule[0].hour",
    ),
    (MANAGEMENT, {"software_update_policy": {"check_schedule": [{}] * 10_081}}, "more than 10080 times"),
    (MANAGEMENT, {"backup_schedules": [{"schedule_id": "a", "location": "nowhere"}]}, "location"),
    (MANAGEMENT, {"backup_schedules": [{"schedule_id": "a", "location": "x"}] * 101}, "101 are more than 100"),
    (
        MANAGEMENT,
        {"backup_schedules": [{"schedule_id": "a", "location": "sftp://b.example.org/c"}] * 2},
        "another one of that id",
    ),
    (NETWORK, {"no_proxy": ["a b"]}, "no_proxy[0]"),
    (NETWORK, {"dns_server_configuration": {"mode": "IS_STATIC", "servers": []}}, "servers"),
    (NETWORK, {"dns_server_configuration": {"mode": "DHCP", "servers": [], "domains": ["-"]}}, "domains[0]"),
    (NETWORK, {"firewall_rule_policies": [{"address": "x", "prefix": 1, "policy": "ACCEPT"}]}, "[0].address"),
    (NETWORK, {"proxy_configuration": [{"protocol": "HTTP", "port": 1}]}, "[0].server"),
    (NETWORK, {"proxy_configuration": [{"protocol": "HTTP", "port": 1, "server": "p"}] * 2}, "another proxy"),
    (NETWORK, {"proxy_configuration": [{"protocol": "HTTP", "port": 0, "server": "p"}]}, "[0].port"),
    (NETWORK, {"interfaces": [{"name": "nic9"}]}, "interfaces[0].name"),
    (NETWORK, {"interfaces": [{"name": "nic0"}, {"name": "nic0"}]}, "interfaces[1].name"),
    (NETWORK, {"interfaces": [{"name": "nic0", "mac": "00:00:00:00:00:00"}]}, "the machine's"),
    (
        NETWORK,
        {"interfaces": [{"name": "nic0", "ipv4": {"mode": "STATIC", "address": "x", "prefix": 24}}]},
        "interfaces[0].ipv4.address",
    ),
    (
        NETWORK,
        {
            "interfaces": [
                {
                    "name": "nic0",
                    "ipv6": {
                        "dhcp": False,
                        "autoconf": False,
                        "configurable": True,
                        "addresses": [{}],
                        "default_gateway": "",
                    },
                }
            ]
        },
        "ipv6.addresses[0]",
    ),
    (AUTHENTICATION, {"roles": [{"name": ""}]}, "name: must be"),
    (AUTHENTICATION, {"roles": [{"name": "A", "privilege_ids": ["No.Such"]}]}, "No.Such"),
    (AUTHENTICATION, {"roles": [{"name": "A"}, {"name": "a"}]}, "another role"),
    (AUTHENTICATION, {"roles": [{"name": "A", "privilege_ids": ["x"] * 5_000}]}, "privilege_ids"),
    (AUTHENTICATION, {"roles": [{"name": "Admin", "privilege_ids": []}]}, "one of the system"),
    (AUTHENTICATION, {"roles": [{"name": "A"}] * 501}, "501 are more than 500"),
    (AUTHENTICATION, {"privileges": [{"id": "No", "group": "x", "is_on_parent": False}]}, "no privilege"),
    (
        AUTHENTICATION,
        {"identity_sources": [{"identity_source_type": "OPEN_LDAP", "names": ["x.org"]}]},
        "x.org",
    ),
    (
        AUTHENTICATION,
        {"lockout_policy": {"failed_login_attempts": 1, "failure_interval": 1, "unlock_time": 1}},
        "lockout_policy",
    ),
    (AUTHENTICATION, {"vc_groups": [{"principal": "a b"}]}, "no name of a group"),
    (AUTHENTICATION, {"vc_groups": [{"principal": "a"}, {"principal": "A"}]}, "another group"),
    (
        AUTHENTICATION,
        {"vc_groups": [{"principal": "a", "members": [{"name": "nobody", "group": False}]}]},
        "nobody",
    ),
    (
        AUTHENTICATION,
        {
            "vc_groups": [
                {"principal": "a", "members": [{"name": "b", "group": True}]},
                {"principal": "b", "members": [{"name": "a", "group": True}]},
            ]
        },
        "would be in itself",
    ),
    (
        AUTHENTICATION,
        {"vc_groups": [{"principal": "a", "members": [{"name": "u", "group": False}] * 2_001}]},
        "2001 members",
    ),
)
"""Profile, fields of it that cannot be, and words of the refusal."""


@pytest.fixture
def world(world: World) -> World:
    """With an administrator, as at a first start."""
    return first_started(world)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[World]:
    """Another vCenter, of which nobody has changed anything."""
    folder = tmp_path / "other"
    folder.mkdir()
    with World(folder) as other:
        yield first_started(other)


def exported(world: World, *names: str, key: Secret | None = None, description: str | None = None) -> str:
    profiles = frozenset(ids.InfraprofileProfileId(name) for name in names)
    spec = Configs.ProfilesSpec(profiles=profiles, encryption_key=key, description=description)
    return world.call(Configs.export, spec)


def profiles_in(text: str) -> dict[str, Any]:
    profiles: dict[str, Any] = json.loads(text)["profiles"]
    return profiles


def spec_of(text: str, *names: str, key: Secret | None = None) -> Configs.ImportProfileSpec:
    profiles = frozenset(ids.InfraprofileProfileId(name) for name in names)
    return Configs.ImportProfileSpec(
        config_spec=text, profile_spec=Configs.ProfilesSpec(profiles=profiles, encryption_key=key)
    )


def bring(world: World, text: str, *names: str, key: Secret | None = None) -> Any:
    """Import; what the task results in."""
    info = imported(world, text, *names, key=key)
    assert info.error is None, info.error
    return info.result


def imported(world: World, text: str, *names: str, key: Secret | None = None) -> cis_task.Info:
    """The task of an import."""
    task = world.call(Configs.import_profile_task, spec_of(text, *names, key=key))
    return world.call(cis.Tasks.get, ids.CisTaskId(task), None)


def validated(world: World, text: str, *names: str, key: Secret | None = None) -> ValidationResult:
    task = world.call(Configs.validate_task, spec_of(text, *names, key=key))
    result = world.call(cis.Tasks.get, ids.CisTaskId(task), None).result
    assert isinstance(result, ValidationResult)
    return result


def errors(world: World, text: str, *names: str, key: Secret | None = None) -> list[str]:
    """What is wrong with a document, which changes nothing, and which is not imported for the same reasons."""
    before = (dict(world.inventory.all(ApplianceSetting)), dict(world.inventory.all(Role)))
    result = validated(world, text, *names, key=key)
    assert result.status == "INVALID"
    assert result.notifications is not None
    found = [each.message.default_message for each in result.notifications.errors or ()]
    refusal = imported(world, text, *names, key=key).error
    assert refusal is not None
    assert refusal.error_type == "INVALID_ARGUMENT"
    assert [each.default_message for each in refusal.messages] == found
    assert before == (dict(world.inventory.all(ApplianceSetting)), dict(world.inventory.all(Role)))
    return found


def changed(text: str, name: str, **fields: object) -> str:
    """The document with other values in one of its profiles."""
    document = json.loads(text)
    document["profiles"][name]["config"].update(fields)
    return json.dumps(document)


def test_profiles_are_those_of_vcenter(world: World) -> None:
    assert [(each.name, each.info) for each in world.call(Configs.list)] == [
        (MANAGEMENT, "ApplianceManagement"),
        (NETWORK, "ApplianceNetwork"),
        (AUTHENTICATION, "Authentication & Authorization Management"),
    ]


def test_a_document_has_vcenters_frame(world: World) -> None:
    document = json.loads(exported(world, MANAGEMENT, description="of the first"))
    assert document["productName"] == "VMware vCenter Server"
    assert (document["version"], document["description"]) == ("8.0.3", "of the first")
    assert document["creationTime"] == "2026-01-02T03:04:05+0000"
    assert document["action"] == "NO_IMPACT"
    profile = document["profiles"][MANAGEMENT]
    assert (profile["name"], profile["version"], profile["action"]) == (MANAGEMENT, "8.0", "NO_IMPACT")
    assert list(document["profiles"]) == [MANAGEMENT]
    assert list(profiles_in(world.call(Configs.export, None))) == list(NAMES)


def test_another_vcenter_becomes_the_same(world: World, other: World) -> None:
    change_everything(world)
    authorize(world)
    text = exported(world)
    assert profiles_in(exported(other)) != profiles_in(text)
    assert validated(other, text) == ValidationResult(status=validated(world, text).status)
    assert profiles_in(exported(other)) != profiles_in(text)
    assert bring(other, text) == "8.0.3"
    assert profiles_in(exported(other)) == profiles_in(text)
    assert other.call(Ntp.get) == ("time.example.org", "192.0.2.1")
    assert other.call(Proxy.get, "http").server == "proxy.example.org"
    assert other.call(Services.get, ids.ApplianceServicesId("sendmail")).state is Services.State.STOPPED
    assert [role.name for role in other.inventory.all(Role).values()] == ["Starters"]
    assert other.inventory.all(Group)["outer@vsphere.local"].groups == ("starters@vsphere.local",)
    (permission,) = [each for each in other.inventory.all(Permission).values() if "starters" in each.principal]
    assert (permission.group, permission.propagate) == (True, False)


def test_each_change_is_an_event_with_its_cause(world: World, other: World) -> None:
    change_everything(world)
    authorize(world)
    text = exported(world)
    before = other.call(Events.list, None, None, None).events
    bring(other, text)
    told = other.call(Events.list, None, None, None).events[len(before) :]
    assert {each.object.id for each in told if each.object.type == "ApplianceSetting"} >= {"ntp_servers", "firewall"}
    assert {"Role", "Group", "Permission", "ApplianceSetting", "Task"} <= {each.object.type for each in told}
    assert {each.cause.operation for each in told if each.cause is not None} == {Configs.import_profile_task.id}


def test_what_is_not_named_stays(world: World, other: World) -> None:
    change_everything(world)
    text = exported(world)
    bring(other, text, NETWORK)
    assert other.call(Domains.list) == ("example.org",)
    assert other.call(Ntp.get) == ()
    assert not other.call(Ssh.get)


def test_an_import_of_what_is_so_changes_nothing(world: World) -> None:
    change_everything(world)
    authorize(world)
    before = [
        {id: world.inventory.revision_of(cls, id) for id in world.inventory.all(cls)}
        for cls in (ApplianceSetting, BackupSchedule, Role, Permission, Group)
    ]
    bring(world, exported(world))
    after = [
        {id: world.inventory.revision_of(cls, id) for id in world.inventory.all(cls)}
        for cls in (ApplianceSetting, BackupSchedule, Role, Permission, Group)
    ]
    assert before == after


def test_what_a_document_does_not_have_is_gone(world: World) -> None:
    plain = exported(world)
    change_everything(world)
    authorize(world)
    bring(world, plain)
    assert profiles_in(exported(world)) == profiles_in(plain)
    assert not world.inventory.all(BackupSchedule)
    assert not world.inventory.all(Role)
    assert "starters@vsphere.local" not in world.inventory.all(Group)


class TestSecrets:
    def test_none_are_in_what_everybody_can_read(self, world: World) -> None:
        change_everything(world)
        text = exported(world)
        assert not [password for password in PASSWORDS if password in text]

    def test_they_go_along_under_a_key(self, world: World, other: World) -> None:
        change_everything(world)
        text = exported(world, key=KEY)
        assert not [password for password in PASSWORDS if password in text]
        assert isinstance(profiles_in(text), str)
        assert validated(other, text, key=KEY).status == "VALID"
        bring(other, text, key=KEY)
        assert setting_of(other.inventory, Proxies).by_protocol["HTTP"].password == PASSWORDS[0]
        assert setting_of(other.inventory, KeptUpdates).password == PASSWORDS[1]
        schedule = other.inventory.all(BackupSchedule)["nightly"]
        assert (schedule.backup_password, schedule.location_password) == PASSWORDS[2:]

    def test_those_that_a_document_does_not_have_stay(self, world: World) -> None:
        change_everything(world)
        bring(world, exported(world))
        assert setting_of(world.inventory, Proxies).by_protocol["HTTP"].password == PASSWORDS[0]
        assert setting_of(world.inventory, KeptUpdates).password == PASSWORDS[1]
        schedule = world.inventory.all(BackupSchedule)["nightly"]
        assert (schedule.backup_password, schedule.location_password) == PASSWORDS[2:]

    def test_none_follows_to_another_place(self, world: World) -> None:
        change_everything(world)
        document = json.loads(exported(world))
        config = document["profiles"][MANAGEMENT]["config"]
        config["backup_schedules"][0]["location"] = "sftp://elsewhere.example.org/"
        config["software_update_policy"]["url"] = "https://elsewhere.example.org/"
        document["profiles"][NETWORK]["config"]["proxy_configuration"][0]["server"] = "elsewhere.example.org"
        bring(world, json.dumps(document))
        assert world.inventory.all(BackupSchedule)["nightly"].location_password is None
        assert setting_of(world.inventory, KeptUpdates).password is None
        assert setting_of(world.inventory, Proxies).by_protocol["HTTP"].password is None

    def test_who_does_not_administer_gets_none(self, world: World) -> None:
        change_everything(world)
        world.caller = Caller(user="reader@vsphere.local", principal=Principal("reader@vsphere.local", frozenset()))
        text = exported(world, MANAGEMENT, NETWORK, key=KEY)
        world.caller = Caller()
        bring(world, text, key=KEY)
        assert setting_of(world.inventory, Proxies).by_protocol["HTTP"].password == PASSWORDS[0]

    def test_another_key_opens_nothing(self, world: World) -> None:
        text = exported(world, key=KEY)
        (fault,) = errors(world, text, key=Secret("another key"))
        assert "cannot be decrypted" in fault
        (fault,) = errors(world, text)
        assert "encryption_key has to be given" in fault

    @pytest.mark.parametrize("sealed", ["", "?", "QUJD", "UkVTUEhFUkUtU0VBTEVEAQ=="])
    def test_what_is_not_sealed(self, world: World, sealed: str) -> None:
        document = json.loads(exported(world)) | {"profiles": sealed}
        (fault,) = errors(world, json.dumps(document), key=KEY)
        assert "cannot be decrypted" in fault


class TestDocuments:
    @pytest.mark.parametrize(
        "text",
        ["", "no JSON", "[]", "null", "{}", "\ud800", '{"profiles": {}}', "[" * 100_000, '{"a":' * 100_000],
        ids=["nothing", "text", "list", "null", "empty", "surrogate", "no-frame", "deep-lists", "deep-objects"],
    )
    def test_that_are_none(self, world: World, text: str) -> None:
        assert errors(world, text)

    def test_too_large(self, world: World) -> None:
        (fault,) = errors(world, " " * (4 * 1024 * 1024 + 1))
        assert "more than 4194304" in fault

    @pytest.mark.parametrize(
        ("field", "value"), [("version", "7.0.3"), ("version", "9.0"), ("version", ""), ("productName", "Other")]
    )
    def test_of_something_else(self, world: World, field: str, value: str) -> None:
        document = json.loads(exported(world)) | {field: value}
        (fault,) = errors(world, json.dumps(document))
        assert "fits VMware vCenter Server 8.0" in fault

    def test_of_another_patch_of_the_release(self, world: World) -> None:
        document = json.loads(exported(world)) | {"version": "8.0.1.00100"}
        assert bring(world, json.dumps(document)) == "8.0.1.00100"

    def test_with_a_profile_that_is_none(self, world: World) -> None:
        document = json.loads(exported(world))
        document["profiles"]["Other"] = document["profiles"][NETWORK]
        (fault,) = errors(world, json.dumps(document))
        assert "There is no profile Other" in fault

    def test_without_any(self, world: World) -> None:
        document = json.loads(exported(world)) | {"profiles": {}}
        assert errors(world, json.dumps(document)) == ["The document: there is no profile in it."]

    def test_names_that_are_none(self, world: World) -> None:
        text = exported(world, NETWORK)
        for name in ("Other", MANAGEMENT):
            for operation in (Configs.validate_task, Configs.import_profile_task):
                with pytest.raises(NotFound):
                    world.call(operation, spec_of(text, name))
        with pytest.raises(NotFound):
            exported(world, "Other")

    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            (MANAGEMENT, {"unknown": 1}),
            (MANAGEMENT, {"syslog": {}}),
            (MANAGEMENT, {"access_settings": {"ssh": {"enabled": "yes"}}}),
            (MANAGEMENT, {"services": {"sshd": "BROKEN"}}),
            (NETWORK, {"interfaces": [{"ipv4": {"mode": "STATIC"}}]}),
            (NETWORK, {"firewall_rule_policies": [{"address": "192.0.2.1", "prefix": 2**70, "policy": "ACCEPT"}]}),
            (AUTHENTICATION, {"roles": None}),
        ],
    )
    def test_of_another_form(self, world: World, name: str, fields: dict[str, object]) -> None:
        (fault,) = errors(world, changed(exported(world), name, **fields))
        assert fault.startswith(f"The profile {name}: ")

    def test_with_what_cannot_be(self, world: World) -> None:
        text = exported(world)
        for name, fields, words in IMPOSSIBLE:
            found = errors(world, changed(text, name, **fields))
            assert any(words in fault for fault in found), (fields, found)
            assert not any("Root-Secret1" in fault for fault in found)

    @pytest.mark.parametrize(
        ("permission", "words"),
        [
            ({"role_names": []}, "one role, not 0"),
            ({"role_names": ["Nothing"]}, "no role 'Nothing'"),
            ({"role_names": ["View"]}, "that can be given"),
            ({"principal": {"name": "nobody@vsphere.local", "group": False}}, "no user nobody"),
            ({"principal": {"name": "x@elsewhere.example", "group": True}}, "no identity source"),
            ({"principal": {"name": "", "group": True}}, "must be printable"),
        ],
    )
    def test_with_permissions_that_cannot_be(self, world: World, permission: dict[str, object], words: str) -> None:
        permissions = profiles_in(exported(world))[AUTHENTICATION]["config"]["global_permissions"]
        usual = {
            "principal": {"name": "Users@vsphere.local", "group": True},
            "role_names": ["Admin"],
            "propagate": True,
        }
        permissions.append(usual | permission)
        found = errors(world, changed(exported(world), AUTHENTICATION, global_permissions=permissions))
        assert any(words in fault for fault in found), found

    def test_all_faults_are_told_and_nothing_is_done(self, world: World) -> None:
        document = json.loads(exported(world))
        document["profiles"][MANAGEMENT]["config"] |= {"smtp": {"relay_port": "25"}, "ceip": {"enabled": True}}
        document["profiles"][NETWORK]["config"] |= {"no_proxy": ["a b"], "ipv6_enabled": False}
        document["profiles"][AUTHENTICATION]["config"]["roles"] = [{"name": f"\n{number}"} for number in range(200)]
        assert len(errors(world, json.dumps(document))) == MOST


class TestRefusals:
    def test_a_role_that_permissions_elsewhere_give(self, world: World) -> None:
        text = exported(world)
        authorize(world)
        (role,) = world.inventory.all(Role).values()
        user = world.environment.identities.accounts
        world.run(user.put("alice@vsphere.local", "Administrator1!", "ReadOnly"))
        permission = Permission(principal="alice@vsphere.local", object="group-d1", role=role.id)
        world.put(permission)
        found = errors(world, text)
        assert any("is given by permissions" in fault for fault in found)
        assert world.inventory.all(Role)

    def test_somebody_is_left_who_administers(self, world: World) -> None:
        lists: tuple[dict[str, object], ...] = (
            {"global_permissions": []},
            {"vc_groups": [{"principal": "Administrators"}]},
        )
        for fields in lists:
            found = errors(world, changed(exported(world), AUTHENTICATION, **fields))
            assert any("Nobody would be left" in fault or "stays in" in fault for fault in found), found

    def test_who_does_not_administer_gives_no_roles(self, world: World) -> None:
        text = exported(world)
        world.caller = Caller(user="reader@vsphere.local", principal=Principal("reader@vsphere.local", frozenset()))
        for operation in (Configs.validate_task, Configs.import_profile_task):
            with pytest.raises(Unauthorized):
                world.call(operation, spec_of(text))
            world.call(operation, spec_of(text, NETWORK))

    def test_who_does_not_administer_changes_nothing_of_root(self, world: World) -> None:
        root = {"root_account_policy": {"email": "root@example.org"}}
        text = changed(exported(world, MANAGEMENT), MANAGEMENT, user_account_settings=root)
        bring(world, text)
        assert world.call(LocalAccounts.get, "root").email == "root@example.org"
        other = changed(text, MANAGEMENT, user_account_settings={"root_account_policy": {"email": "other@example.org"}})
        world.caller = Caller(user="reader@vsphere.local", principal=Principal("reader@vsphere.local", frozenset()))
        bring(world, text)
        refusal = imported(world, other).error
        assert refusal is not None
        assert refusal.error_type == "UNAUTHORIZED"

    def test_nothing_is_imported_into_a_restoration(self, world: World) -> None:
        text = exported(world)
        world.put(RestoreJob(id="last", owner="test", location="file:///x", start_time=NOW))
        with pytest.raises(NotAllowedInCurrentState):
            bring(world, text)
        job = world.inventory.all(RestoreJob)["last"]
        world.put(msgspec.structs.replace(job, state=type(job.state).FAILED))

    def test_texts_that_are_too_long(self, world: World) -> None:
        with pytest.raises(InvalidArgument, match="description"):
            exported(world, description="x" * 1_025)
        with pytest.raises(InvalidArgument, match="encryption_key"):
            exported(world, key=Secret("x" * 1_025))


@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_any_profile_is_imported_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """What is valid is imported, what it makes of a server is exported, and that changes nothing any more."""
    with World(tmp_path_factory.mktemp("any")) as world:
        document = json.loads(exported(first_started(world), MANAGEMENT, NETWORK))
        for name, cls in ((MANAGEMENT, Management), (NETWORK, Network)):
            given_fields = wire(data.draw(from_contract(cls)))
            chosen = data.draw(st.sets(st.sampled_from(sorted(given_fields)), max_size=3)) if given_fields else ()
            document["profiles"][name]["config"] = {field: given_fields[field] for field in chosen}
        text = json.dumps(document)
        result, task = validated(world, text), imported(world, text)
        assert (result.status == "VALID") == (task.error is None), task.error
        assert task.error is None or task.error.error_type == "INVALID_ARGUMENT"
        before = exported(world, MANAGEMENT, NETWORK)
        bring(world, before)
        assert profiles_in(exported(world, MANAGEMENT, NETWORK)) == profiles_in(before)
