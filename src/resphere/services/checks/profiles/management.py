"""The part ``ApplianceManagement``: told, and written into an edit."""

from __future__ import annotations

from types import MappingProxyType

import msgspec

from resphere.auth.local_os import ROOT, account_of_root
from resphere.contract.generated import (
    appliance_vcenter_settings_v1_config_components_applmgmt as form,
)
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import (
    HealthCheckSettings,
    LocalAccounts,
    Services,
    Timesync,
)
from resphere.contract.generated.appliance_access import Shell as ShellForm
from resphere.contract.generated.appliance_local_accounts import Policy as AccountPolicy
from resphere.contract.generated.appliance_logging import Forwarding
from resphere.contract.generated.appliance_system_security import GlobalFips as FipsForm
from resphere.contract.generated.appliance_update import Policy as UpdateForm
from resphere.contract.model import Secret
from resphere.inventory.appliance.access import ConsoleCli, Dcui, Shell, Ssh
from resphere.inventory.appliance.accounts import LocalAccount, LocalAccountPolicy
from resphere.inventory.appliance.accounts import LocalAccounts as KeptAccounts
from resphere.inventory.appliance.clock import NtpServers, TimeSync, TimeZone
from resphere.inventory.appliance.forwarding import LogForwarding
from resphere.inventory.appliance.health import HealthChecks
from resphere.inventory.appliance.security import GlobalFips
from resphere.inventory.appliance.settings import keep_setting, setting_of
from resphere.inventory.appliance.system_services import SystemServices
from resphere.inventory.appliance.update import UpdatePolicy
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid, require_few, require_hosts
from resphere.services.appliance.access.shell import allowed
from resphere.services.appliance.access.shell import told as shell_told
from resphere.services.appliance.local_accounts import root_stays
from resphere.services.appliance.local_accounts.policy import checked as checked_account_policy
from resphere.services.appliance.logging.forwarding import checked as checked_receivers
from resphere.services.appliance.services import ALL, RUNNING, described, state_of, stopped
from resphere.services.appliance.system.time.timezone import require_zone
from resphere.services.appliance.update.policy import MOST_TIMES
from resphere.services.appliance.update.policy import checked as checked_update_policy
from resphere.services.call import Call
from resphere.services.checks.administrators import require_equal_to_user
from resphere.services.checks.appliance_accounts import SUPER_ADMIN, profile, role_of
from resphere.services.checks.profiles.schedules import keep_schedules, told_schedules
from resphere.services.checks.profiles.sections import Sections
from resphere.services.checks.profiles.state import Among, Management

ROOT_AS_INSTALLED = LocalAccount(roles=(SUPER_ADMIN,))
OF_USERS = ("max_days", "min_days", "warn_days")
"""What of the policy of passwords the contract's structure of users has."""
DAYS = ("min_days", "max_days", "warn_days")
EVERY_DAY = tuple(UpdateForm.DayOfWeek(day) for day in form.Time.UpdateDay if day is not form.Time.UpdateDay.EVERYDAY)


def told(call: Call, among: Among, *, secrets: bool) -> Management:
    """What is set; passwords only with ``secrets``."""
    return Management(
        software_update_policy=told_updates(setting_of(among, UpdatePolicy), secrets=secrets),
        backup_schedules=told_schedules(call, among, secrets=secrets),
        access_settings=told_access(call, among),
        datetime_config=form.DatetimeConfig(
            time_zone=form.Timezone(name=setting_of(among, TimeZone).name),
            time_sync=form.Timesync(mode=form.Timesync.TimeSyncMode(setting_of(among, TimeSync).mode)),
            ntp=form.Ntp(servers=setting_of(among, NtpServers).servers),
        ),
        syslog=tuple(
            form.LogForwarding(hostname=each.host, port=each.port, protocol=form.LogForwarding.Protocol(each.protocol))
            for each in setting_of(among, LogForwarding).receivers
        ),
        user_account_settings=told_users(among),
        services=told_services(among),
        local_accounts_policy=AccountPolicy.Info(
            **{
                name: value
                for name, value in msgspec.structs.asdict(setting_of(among, LocalAccountPolicy)).items()
                if name not in OF_USERS
            }
        ),
        global_fips=FipsForm.Info(enabled=setting_of(among, GlobalFips).enabled),
        health_check_settings=told_health(setting_of(among, HealthChecks)),
    )


def told_updates(kept: UpdatePolicy, *, secrets: bool) -> form.SoftwareUpdatePolicy:
    """Policy of updates."""
    return form.SoftwareUpdatePolicy(
        url=kept.custom_url,
        auto_stage=kept.auto_stage,
        check_schedule=tuple(
            form.Time(hour=str(each.hour), minute=str(each.minute), day=form.Time.UpdateDay(each.day))
            for each in kept.check_schedule
        ),
        username=kept.username,
        password=Secret(kept.password) if secrets and kept.password is not None else None,
        enable_SSL_cert_validation=kept.certificate_check,
    )


def keep_updates(_: Call, edit: Edit, wanted: form.SoftwareUpdatePolicy, field: str) -> None:
    """Policy of updates. ``default_URL`` belongs to the release. A password belongs to an address and a user: where it
    is not given, it stays with these."""
    if len(wanted.check_schedule or ()) > MOST_TIMES:
        raise invalid(f"{field}.check_schedule", "it has more than {1} times.", MOST_TIMES)
    before = setting_of(edit, UpdatePolicy)
    same = wanted.url == before.custom_url and wanted.username == before.username
    password = Secret(before.password) if same and before.password is not None else None
    times = tuple(
        time
        for place, each in enumerate(wanted.check_schedule or ())
        for time in update_times(each, f"{field}.check_schedule[{place}]")
    )
    keep_setting(
        edit,
        checked_update_policy(
            field,
            UpdateForm.Config(
                custom_URL=wanted.url,
                username=wanted.username,
                password=password if wanted.password is None else wanted.password,
                check_schedule=times,
                auto_stage=bool(wanted.auto_stage),
                certificate_check=wanted.enable_SSL_cert_validation,
            ),
        ),
    )


def update_times(wanted: form.Time, field: str) -> tuple[UpdateForm.Time, ...]:
    """A time of one day, or of each."""
    if wanted.day is None:
        raise invalid(f"{field}.day", "it has to be given.")
    days = EVERY_DAY if wanted.day is form.Time.UpdateDay.EVERYDAY else (UpdateForm.DayOfWeek(wanted.day),)
    hour, minute = number(wanted.hour, f"{field}.hour"), number(wanted.minute, f"{field}.minute")
    return tuple(UpdateForm.Time(day=day, hour=hour, minute=minute) for day in days)


def number(text: str | None, field: str) -> int:
    """The number that a text of one or two digits is."""
    if text is None or not (text.isascii() and text.isdecimal() and len(text) <= len("59")):
        raise invalid(field, "it has to be a number of one or two digits.")
    return int(text)


def told_access(call: Call, among: Among) -> form.AccessSettings:
    """Ways in."""
    shell = shell_told(setting_of(among, Shell), call.environment.now())
    return form.AccessSettings(
        ssh=form.Ssh(enabled=setting_of(among, Ssh).enabled),
        dcui=form.Dcui(enabled=setting_of(among, Dcui).enabled),
        console_cli=form.Consolecli(enabled=setting_of(among, ConsoleCli).enabled),
        shell=form.Shell(enabled=shell.enabled, timeout=shell.timeout),
    )


def keep_access(call: Call, edit: Edit, wanted: form.AccessSettings, field: str) -> None:
    """Ways in."""
    if wanted.ssh is not None and wanted.ssh.enabled is not None:
        keep_setting(edit, Ssh(enabled=wanted.ssh.enabled))
    if wanted.dcui is not None and wanted.dcui.enabled is not None:
        keep_setting(edit, Dcui(enabled=wanted.dcui.enabled))
    if wanted.console_cli is not None and wanted.console_cli.enabled is not None:
        keep_setting(edit, ConsoleCli(enabled=wanted.console_cli.enabled))
    if wanted.shell is not None:
        now = call.environment.now()
        before = shell_told(setting_of(edit, Shell), now)
        enabled = before.enabled if wanted.shell.enabled is None else wanted.shell.enabled
        config = ShellForm.ShellConfig(enabled=enabled, timeout=wanted.shell.timeout)
        kept = allowed(f"{field}.shell", config, now)
        # What was allowed for a while does not begin anew.
        if shell_told(kept, now) != before:
            keep_setting(edit, kept)


def keep_clock(_: Call, edit: Edit, wanted: form.DatetimeConfig, field: str) -> None:
    """Zone, source and servers of the time."""
    if wanted.time_zone is not None and wanted.time_zone.name is not None:
        require_zone(f"{field}.time_zone.name", wanted.time_zone.name)
        keep_setting(edit, TimeZone(name=wanted.time_zone.name))
    if wanted.time_sync is not None:
        keep_setting(edit, TimeSync(mode=Timesync.TimeSyncMode(wanted.time_sync.mode)))
    if wanted.ntp is not None:
        require_hosts(f"{field}.ntp.servers", wanted.ntp.servers)
        keep_setting(edit, NtpServers(servers=wanted.ntp.servers))


def keep_receivers(_: Call, edit: Edit, wanted: tuple[form.LogForwarding, ...], field: str) -> None:
    """To where logs are sent."""
    require_few(field, wanted)
    known = {each.value for each in Forwarding.Protocol}
    configs = []
    for place, each in enumerate(wanted):
        if each.hostname is None or each.port is None or each.protocol is None:
            raise invalid(f"{field}[{place}]", "hostname, port and protocol have to be given.")
        if each.protocol not in known:
            raise invalid(f"{field}[{place}].protocol", "{1} is none of {2}.", each.protocol, ", ".join(sorted(known)))
        protocol = Forwarding.Protocol(each.protocol)
        configs.append(Forwarding.Config(hostname=each.hostname, port=each.port, protocol=protocol))
    keep_setting(edit, checked_receivers(field, configs))


def told_users(among: Among) -> form.UserAccountSettings:
    """The policy of passwords as far as the contract has it here, and what is kept of root."""
    policy = setting_of(among, LocalAccountPolicy)
    root = setting_of(among, KeptAccounts).by_name.get(ROOT, ROOT_AS_INSTALLED)
    return form.UserAccountSettings(
        local_accounts_policy=form.LocalAccountsPolicy(
            max_days=policy.max_days, min_days=policy.min_days, warn_days=policy.warn_days
        ),
        root_account_policy=form.LocalAccounts(
            fullname=root.full_name,
            roles=root.roles,
            min_days_between_password_change=policy.min_days if root.min_days is None else root.min_days,
            max_days_between_password_change=policy.max_days if root.max_days is None else root.max_days,
            warn_days_before_password_expiration=policy.warn_days if root.warn_days is None else root.warn_days,
            email=root.email,
        ),
    )


def keep_users(call: Call, edit: Edit, wanted: form.UserAccountSettings, field: str) -> None:
    """The same."""
    if wanted.local_accounts_policy is not None:
        days = msgspec.structs.asdict(wanted.local_accounts_policy)
        policy = msgspec.structs.asdict(setting_of(edit, LocalAccountPolicy)) | days
        keep_setting(edit, checked_account_policy(f"{field}.local_accounts_policy", AccountPolicy.Info(**policy)))
    if wanted.root_account_policy is not None:
        keep_root(call, edit, wanted.root_account_policy, f"{field}.root_account_policy")


def keep_root(call: Call, edit: Edit, wanted: form.LocalAccounts, field: str) -> None:
    """What is kept of root. Days that are those of the policy go on following it.

    :raises Unauthorized: something changes, and the caller does not administer.
    """
    if wanted.password is not None:
        raise invalid(f"{field}.password", "a profile sets no passwords; those of accounts are set one by one.")
    roles = None if wanted.roles is None else tuple(ids.ApplianceRolesId(role) for role in wanted.roles)
    if roles is not None:
        role_of(roles, field)
    if wanted.enabled is False or wanted.has_password is False or (roles is not None and SUPER_ADMIN not in roles):
        raise root_stays()
    accounts, policy = setting_of(edit, KeptAccounts), setting_of(edit, LocalAccountPolicy)
    before = accounts.by_name.get(ROOT, ROOT_AS_INSTALLED)
    given = {
        "min_days": wanted.min_days_between_password_change,
        "max_days": wanted.max_days_between_password_change,
        "warn_days": wanted.warn_days_before_password_expiration,
    }
    for name in DAYS:
        if getattr(before, name) is None and given[name] == getattr(policy, name):
            given[name] = None
    kept = profile(
        LocalAccounts.UpdateConfig(
            full_name=wanted.fullname,
            email=wanted.email,
            roles=roles,
            min_days_between_password_change=given["min_days"],
            max_days_between_password_change=given["max_days"],
            warn_days_before_password_expiration=given["warn_days"],
        ),
        before,
        field,
    )
    if kept != before:
        require_equal_to_user(call, account_of_root(edit))
        keep_setting(edit, KeptAccounts(by_name={**accounts.by_name, ROOT: kept}))


def told_services(among: Among) -> dict[str, Services.State]:
    """Services of the operating system."""
    states = setting_of(among, SystemServices).states
    return {name: state_of(states, name) for name in ALL}


def keep_services(_: Call, edit: Edit, wanted: dict[str, Services.State], field: str) -> None:
    """The same; those that are not given are as on a fresh appliance."""
    states = {}
    for name, state in wanted.items():
        if name not in ALL:
            described(name[:80])
        if state not in (Services.State.STARTED, Services.State.STOPPED):
            raise invalid(f"{field}.{name}", "{1} is none of {2}.", state, "STARTED, STOPPED")
        if state is Services.State.STOPPED and name in RUNNING:
            states[name] = stopped(name)
        elif state is Services.State.STARTED and name not in RUNNING:
            states[name] = state
    before = setting_of(edit, SystemServices).states
    if any(state_of(states, name) is not state_of(before, name) for name in ALL):
        keep_setting(edit, SystemServices(states=states))


def keep_rest_of_policy(_: Call, edit: Edit, wanted: AccountPolicy.Info, field: str) -> None:
    """What of the policy of passwords is not among the settings of users."""
    for name in OF_USERS:
        if getattr(wanted, name) is not None:
            raise invalid(f"{field}.{name}", "it belongs to user_account_settings.local_accounts_policy.")
    before = setting_of(edit, LocalAccountPolicy)
    days = {name: getattr(before, name) for name in OF_USERS}
    keep_setting(edit, checked_account_policy(field, msgspec.structs.replace(wanted, **days)))


def keep_fips(_: Call, edit: Edit, wanted: FipsForm.Info, __: str) -> None:
    """FIPS mode."""
    keep_setting(edit, GlobalFips(enabled=wanted.enabled))


def told_health(kept: HealthChecks) -> HealthCheckSettings.SettingSpec:
    """Checks before backups."""
    return HealthCheckSettings.SettingSpec(
        db_health_check_state_manual_backup=kept.before_manual_backup,
        db_health_check_state_scheduled_backup=kept.before_scheduled_backup,
    )


def keep_health(_: Call, edit: Edit, wanted: HealthCheckSettings.SettingSpec, __: str) -> None:
    """The same."""
    keep_setting(
        edit,
        HealthChecks(
            before_manual_backup=wanted.db_health_check_state_manual_backup,
            before_scheduled_backup=wanted.db_health_check_state_scheduled_backup,
        ),
    )


def refuse_mail(_: Call, __: Edit, wanted: form.Smtp, field: str) -> None:
    """This server sends no mail."""
    if wanted.mail_server or wanted.relay_port:
        raise invalid(field, "this server sends no mail, and keeps no mail server.")


def refuse_ceip(_: Call, __: Edit, wanted: form.Ceip, field: str) -> None:
    """This server tells VMware nothing."""
    if wanted.enabled:
        raise invalid(f"{field}.enabled", "this server takes part in no such program.")


def refuse_network(_: Call, __: Edit, ___: form.ApplianceNetwork, field: str) -> None:
    """It is a part of its own."""
    raise invalid(field, "the network has a profile of its own, ApplianceNetwork.")


SECTIONS: Sections = MappingProxyType(
    {
        "software_update_policy": keep_updates,
        "backup_schedules": keep_schedules,
        "access_settings": keep_access,
        "datetime_config": keep_clock,
        "syslog": keep_receivers,
        "user_account_settings": keep_users,
        "smtp": refuse_mail,
        "network": refuse_network,
        "ceip": refuse_ceip,
        "services": keep_services,
        "local_accounts_policy": keep_rest_of_policy,
        "global_fips": keep_fips,
        "health_check_settings": keep_health,
    }
)
"""What keeps each field."""
