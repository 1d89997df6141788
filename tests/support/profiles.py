"""vCenters whose settings are other than installed, for profiles to take along."""

from __future__ import annotations

from resphere.access.permissions import FIRST_PERMISSION
from resphere.auth.accounts import Account
from resphere.auth.group_changes import Members
from resphere.auth.groups import ADMINISTRATOR, built_in_groups
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import (
    HealthCheckSettings,
    Ntp,
    Services,
    Timesync,
)
from resphere.contract.generated.appliance_access import Consolecli, Dcui, Shell, Ssh
from resphere.contract.generated.appliance_local_accounts import Policy
from resphere.contract.generated.appliance_logging import Forwarding
from resphere.contract.generated.appliance_networking import NoProxy, Proxy
from resphere.contract.generated.appliance_networking_dns import Domains, Servers
from resphere.contract.generated.appliance_networking_firewall import Inbound
from resphere.contract.generated.appliance_networking_interfaces import Ipv4, Ipv6
from resphere.contract.generated.appliance_recovery_backup import Schedules
from resphere.contract.generated.appliance_system_security import GlobalFips
from resphere.contract.generated.appliance_system_time import Timezone
from resphere.contract.generated.appliance_update import Policy as UpdatePolicy
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_authorization import Permissions, Roles
from resphere.contract.model import Secret
from tests.support.world import World

PASSWORDS = ("Proxy-Secret1", "Update-Secret2", "Backup3!secret", "Location-Secret4")
"""Of a proxy, of updates, of backups, and of where these go."""
NIC = ids.ApplianceNetworkingInterfacesId("nic0")


def first_started(world: World) -> World:
    """With the administrator and the groups that every vCenter has."""
    world.put(FIRST_PERMISSION, *built_in_groups())
    world.put(Account(id=ADMINISTRATOR, name=ADMINISTRATOR, password_hash=""))
    return world


def change_everything(world: World) -> None:
    """Every setting that a profile has is other than installed, by the operations that clients use."""
    call = world.call
    call(Ssh.set, True)
    call(Dcui.set, False)
    call(Consolecli.set, False)
    call(Shell.set, Shell.ShellConfig(enabled=True, timeout=600))
    call(Timezone.set, "Europe/Berlin")
    call(Timesync.set, Timesync.TimeSyncMode.NTP)
    call(Ntp.set, ("time.example.org", "192.0.2.1"))
    receiver = Forwarding.Config(hostname="logs.example.org", port=514, protocol=Forwarding.Protocol.TLS)
    call(Forwarding.set, (receiver,))
    call(Policy.set, Policy.Info(max_days=None, min_days=1, warn_days=3, minimum_length=12))
    call(GlobalFips.update, GlobalFips.UpdateSpec(enabled=True))
    call(HealthCheckSettings.update, HealthCheckSettings.UpdateSpec(db_health_check_state_manual_backup=False))
    call(Services.stop, ids.ApplianceServicesId("sendmail"))
    call(
        UpdatePolicy.set,
        UpdatePolicy.Config(
            custom_URL="https://updates.example.org/",
            username="updater",
            password=Secret(PASSWORDS[1]),
            check_schedule=(UpdatePolicy.Time(day=UpdatePolicy.DayOfWeek.MONDAY, hour=3, minute=30),),
            auto_stage=True,
            certificate_check=False,
        ),
    )
    call(
        Schedules.create,
        ids.ApplianceRecoveryBackupScheduleId("nightly"),
        Schedules.CreateSpec(
            parts=("seat",),
            backup_password=Secret(PASSWORDS[2]),
            location="sftp://backups.example.org/vcenter",
            location_user="keeper",
            location_password=Secret(PASSWORDS[3]),
            recurrence_info=Schedules.RecurrenceInfo(minute=30, hour=1, days=(Schedules.DayOfWeek.SUNDAY,)),
            retention_info=Schedules.RetentionInfo(max_count=5),
        ),
    )
    rule = Inbound.Rule(address="192.0.2.0", prefix=24, policy=Inbound.Policy.REJECT, interface_name="nic0")
    call(Inbound.set, (rule,))
    call(Servers.set, Servers.DNSServerConfig(mode=Servers.DNSServerMode.is_static, servers=("192.0.2.53",)))
    call(Domains.set, ("example.org",))
    proxy = Proxy.Config(
        server="proxy.example.org", port=3128, username="user", password=Secret(PASSWORDS[0]), enabled=True
    )
    call(Proxy.set, "http", proxy)
    call(NoProxy.set, ("localhost", "example.org"))
    call(Ipv4.set, NIC, Ipv4.Config(mode=Ipv4.Mode.STATIC, address="192.0.2.7", prefix=24, default_gateway="192.0.2.1"))
    addresses = (Ipv6.Address(address="2001:db8::7", prefix=64),)
    call(Ipv6.set, NIC, Ipv6.Config(dhcp=False, autoconf=False, addresses=addresses, default_gateway="2001:db8::1"))


def authorize(world: World) -> None:
    """A role, a group with members, and a global permission that gives the one to the other."""
    role = world.call(
        Roles.create,
        Roles.CreateSpec(
            name="Starters", description="Start", privileges=frozenset({privilege("VirtualMachine.Interact.PowerOn")})
        ),
    )
    changes = world.environment.identities.group_changes
    world.run(changes.create("starters", "Who starts"))
    world.run(changes.create("outer", ""))
    world.run(changes.add("outer@vsphere.local", member_groups("starters")))
    principal = Permissions.Principal(type=Permissions.Principal.Type.GROUP, name="starters", domain="vsphere.local")
    spec = Permissions.CreateSpec(object=DynamicID(type="", id=""), principal=principal, role=role, propagating=False)
    world.call(Permissions.create, spec)


def privilege(name: str) -> ids.VcenterAuthorizationPrivilegeId:
    return ids.VcenterAuthorizationPrivilegeId(name)


def member_groups(*names: str) -> Members:
    return Members((), names)
