"""Of which documents events tell, and as what: a line for each kind. What no event tells of stands here, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from resphere.access.permissions import Permission
from resphere.access.principal import canonical_name
from resphere.access.roles import Role
from resphere.auth.accounts import Account
from resphere.auth.groups import Group
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.sessions import Session
from resphere.auth.tokens import ApiToken
from resphere.events.event import Deed, Kind, Subject
from resphere.events.machines import Names, of_datastore, of_host, of_machine, of_network, of_pool
from resphere.events.reports import Report
from resphere.events.webhooks import Webhook
from resphere.faults.record import FaultRule
from resphere.inventory.acquisitions import Acquisition
from resphere.inventory.appliance.settings import ApplianceSetting
from resphere.inventory.clock import SetClock
from resphere.inventory.compute_policies import ComputePolicy
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import Library
from resphere.inventory.content.registries import ContainerRegistry, RegistryProject
from resphere.inventory.content.settings import ContentConfiguration, TrustedCertificate
from resphere.inventory.content.subscriptions import LibrarySubscription
from resphere.inventory.content.templates import CheckOut
from resphere.inventory.custom_attributes import CustomAttribute, CustomValue
from resphere.inventory.customization import CustomizationItem
from resphere.inventory.data_sets import DataSet
from resphere.inventory.host_parts import DirectPathDevice
from resphere.inventory.model import (
    Cluster,
    Datacenter,
    Datastore,
    DatastoreFile,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.inventory.states import SavedState
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.inventory.vcenter_services import ServiceState
from resphere.recovery.record import BackupJob, BackupSchedule, RestoreJob, State
from resphere.tasks.record import Task

MANAGE_SESSIONS = "Sessions.TerminateSession"
"""Who has it is told of everybody's sessions and API tokens, as lists of them are."""
LOGOUT = "com.vmware.cis.session.delete"
MANAGE_SETTINGS = "Global.Settings"
READ_IDENTITIES = "VcIdentityProviders.Read"

Details = dict[str, str | int]


def nothing(_before: Any, _after: Any) -> Details:
    """Of what needs no further words."""
    return {}


def no_subject(_obj: Any) -> None:
    """Of what is about nothing else."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How events tell of one kind of document.

    ``type`` is what it is called. ``about`` gives the id of the managed object that decides who sees it, empty for what
    stands nowhere in the tree; ``owner`` its user, and ``privilege`` what else lets somebody see it, unless it is
    ``private``. ``report`` gives what is told of one that has come. Changes of fields in ``passed_over`` alone are not
    told.
    """

    kind: Kind
    type: str
    names: Names
    id: Callable[[Any], str] = lambda obj: str(obj.id)
    name: Callable[[Any], str | None] = lambda obj: getattr(obj, "name", None)
    about: Callable[[Any], str] = lambda _: ""
    target: Callable[[Any], Subject | None] = no_subject
    owner: Callable[[Any], str | None] = no_subject
    privilege: str | None = None
    details: Callable[[Any, Any], Details] = nothing
    report: Callable[[Any], Any] = no_subject
    private: bool = False
    passed_over: frozenset[str] = frozenset()


def ours(noun: str) -> Names:
    """Names of what vSphere has no events of: ``resphere.folder.created``."""
    return lambda before, after, changed, operation: f"resphere.{noun}.{deed_of(before, after).lower()}"


def named(created: str, updated: str, deleted: str) -> Names:
    """vSphere's own names of the three."""
    names = {Deed.CREATED: created, Deed.UPDATED: updated, Deed.DELETED: deleted}
    return lambda before, after, changed, operation: names[deed_of(before, after)]


def deed_of(before: object, after: object) -> Deed:
    """What has become of a document."""
    if after is None:
        return Deed.DELETED
    return Deed.CREATED if before is None else Deed.UPDATED


def renamed_from(before: Any, after: Any) -> Details:
    """The name before, of what has another one now."""
    if before is None or after is None or before.name == after.name:
        return {}
    return {"old_name": before.name}


def managed(cls: type[ManagedObject], names: Names, passed_over: frozenset[str] = frozenset()) -> Told:
    """Of an object in the inventory tree."""
    return Told(
        kind=Kind.INVENTORY,
        type=cls.resource_type,
        names=names,
        about=lambda obj: str(obj.id),
        details=renamed_from,
        passed_over=passed_over,
    )


def held(type: str, noun: str, by: Callable[[Any], str], **more: Any) -> Told:
    """Of what belongs to the object that ``by`` names, or stands nowhere where that is empty."""
    return Told(kind=Kind.INVENTORY, type=type, names=more.pop("names", ours(noun)), about=by, **more)


def outside(type: str, noun: str, **more: Any) -> Told:
    """Of what stands nowhere in the tree."""
    return Told(kind=Kind.INVENTORY, type=type, names=more.pop("names", ours(noun)), **more)


def of_task(before: Any, after: Any) -> Details:
    """What a task does, and how far it is."""
    task: Task = after or before
    details: Details = {
        "description": task.description,
        "operation": f"{task.service}.{task.operation}",
        "status": task.status.value,
        "progress": task.progress,
    }
    if task.error is not None:
        details["error"] = task.error.error_type
    return details


def target_of_task(task: Task) -> Subject | None:
    """What a task is done to."""
    return None if task.target is None else Subject(task.target_type or "", task.target)


def of_permission(before: Any, after: Any) -> Details:
    """Who has which role."""
    permission: Permission = after or before
    return {
        "principal": permission.principal,
        "group": str(permission.group).lower(),
        "role": permission.role,
        "propagate": str(permission.propagate).lower(),
    }


def of_state(before: Any, after: Any) -> Details:
    """How much was different where the inventory was put back as a state has it."""
    if before is None or after is None:
        return {}
    return {"written": after.written, "deleted": after.deleted}


def of_session(before: Any, after: Any) -> Details:
    """How it was opened, and from where."""
    session: Session = after or before
    return {"method": session.method, "client": session.client}


def of_session_names(before: Any, after: Any, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a session: it was terminated where anything but its own end has ended it."""
    terminated = operation not in (None, LOGOUT)
    deleted = "SessionTerminatedEvent" if terminated else "UserLogoutSessionEvent"
    return named("UserLoginSessionEvent", "resphere.session.updated", deleted)(before, after, changed, operation)


def of_account(before: Any, after: Any, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of an account; names of vSphere's."""
    if changed >= {"password_hash"} and before is not None:
        return "AccountPasswordChangedEvent"
    return named("AccountCreatedEvent", "AccountUpdatedEvent", "AccountRemovedEvent")(before, after, changed, operation)


BACKUP_FAILED = "com.vmware.applmgmt.backup.job.failed.event"
"""vSphere's own, an ``EventEx``."""


def of_backup(before: Any, after: Any, changed: frozenset[str], operation: str | None) -> str:
    """The type of what has become of a backup."""
    if after is not None and "state" in changed and after.state is State.FAILED:
        return BACKUP_FAILED
    return ours("recovery.backup_job")(before, after, changed, operation)


def identity(type: str, noun: str, **more: Any) -> Told:
    """Of what only those may look at who manage users."""
    return Told(kind=Kind.ACCESS, type=type, names=more.pop("names", ours(noun)), privilege=READ_IDENTITIES, **more)


TOLD: Mapping[type[Any], Told] = MappingProxyType(
    {
        VirtualMachine: managed(VirtualMachine, of_machine),
        Host: managed(Host, of_host),
        ResourcePool: managed(ResourcePool, of_pool, frozenset({"admissions"})),
        Datastore: managed(Datastore, of_datastore),
        Network: managed(Network, of_network),
        Cluster: managed(Cluster, named("ClusterCreatedEvent", "ClusterReconfiguredEvent", "ClusterDestroyedEvent")),
        Datacenter: managed(
            Datacenter,
            lambda before, after, changed, operation: {
                Deed.CREATED: "DatacenterCreatedEvent",
                Deed.UPDATED: "DatacenterRenamedEvent" if "name" in changed else "resphere.datacenter.updated",
                Deed.DELETED: "resphere.datacenter.deleted",
            }[deed_of(before, after)],
        ),
        Folder: managed(Folder, ours("folder")),
        Snapshot: held("VirtualMachineSnapshot", "snapshot", lambda obj: obj.parent or ""),
        DatastoreFile: held("DatastoreFile", "datastore_file", lambda obj: obj.parent or ""),
        UnregisteredVm: held("UnregisteredVm", "unregistered_vm", lambda obj: obj.parent or ""),
        DirectPathDevice: held("DirectPathDevice", "direct_path_device", lambda obj: obj.host),
        DataSet: held("DataSet", "data_set", lambda obj: obj.machine),
        CheckOut: held("CheckOut", "check_out", lambda obj: obj.id),
        Attachment: held(
            "TagAttachment",
            "tag_attachment",
            lambda obj: obj.object,
            target=lambda obj: Subject(obj.type, obj.object),
            details=lambda before, after: {"tag": (after or before).tag},
        ),
        Tag: outside("Tag", "tag", details=renamed_from),
        Category: outside("TagCategory", "tag_category", details=renamed_from),
        CustomAttribute: outside(
            "CustomFieldDef",
            "custom_attribute",
            names=named("CustomFieldDefAddedEvent", "CustomFieldDefRenamedEvent", "CustomFieldDefRemovedEvent"),
            details=renamed_from,
        ),
        CustomValue: held(
            "CustomFieldValue",
            "custom_value",
            lambda obj: obj.object,
            names=lambda before, after, changed, operation: "CustomFieldValueChangedEvent",
            details=lambda before, after: {
                "key": (after or before).attribute,
                "value": "" if after is None else after.value,
            },
        ),
        CustomizationItem: outside("CustomizationSpec", "customization_spec"),
        Library: outside("ContentLibrary", "content_library"),
        LibraryItem: outside("ContentLibraryItem", "content_library_item"),
        LibrarySubscription: outside("ContentLibrarySubscription", "content_library_subscription"),
        TrustedCertificate: outside("TrustedCertificate", "content_trusted_certificate"),
        ContentConfiguration: outside("ContentConfiguration", "content_configuration"),
        ContainerRegistry: outside("ContainerRegistry", "container_registry"),
        RegistryProject: outside("ContainerRegistryProject", "container_registry_project"),
        ComputePolicy: outside("ComputePolicy", "compute_policy"),
        StoragePolicy: outside("StoragePolicy", "storage_policy"),
        ServiceState: outside("Service", "service"),
        ApplianceSetting: outside("ApplianceSetting", "appliance_setting"),
        Acquisition: outside("AcquisitionSpec", "acquisition_spec"),
        SetClock: outside("Clock", "clock", name=lambda clock: clock.id),
        SavedState: outside(
            "SavedState",
            "state",
            name=lambda state: state.id,
            names=named("resphere.state.created", "resphere.state.restored", "resphere.state.deleted"),
            details=of_state,
        ),
        Task: Told(
            kind=Kind.TASK,
            type="Task",
            names=named("TaskEvent", "TaskEvent", "resphere.task.deleted"),
            name=lambda task: task.description,
            about=lambda task: task.target or "",
            target=target_of_task,
            owner=lambda task: task.user,
            details=of_task,
        ),
        Session: Told(
            kind=Kind.SESSION,
            type="Session",
            names=of_session_names,
            id=lambda session: session.handle,
            name=lambda session: session.user,
            owner=lambda session: session.user,
            privilege=MANAGE_SESSIONS,
            details=of_session,
            passed_over=frozenset({"last_accessed_time"}),
        ),
        ApiToken: Told(
            kind=Kind.ACCESS,
            type="ApiToken",
            names=ours("api_token"),
            id=lambda token: token.handle,
            owner=lambda token: token.owner,
            privilege=MANAGE_SESSIONS,
            passed_over=frozenset({"last_used_time"}),
        ),
        Permission: Told(
            kind=Kind.ACCESS,
            type="Permission",
            names=named("PermissionAddedEvent", "PermissionUpdatedEvent", "PermissionRemovedEvent"),
            name=lambda permission: permission.principal,
            about=lambda permission: permission.object,
            details=of_permission,
        ),
        Role: Told(
            kind=Kind.ACCESS,
            type="Role",
            names=named("RoleAddedEvent", "RoleUpdatedEvent", "RoleRemovedEvent"),
        ),
        Account: identity("Account", "account", names=of_account, owner=lambda account: canonical_name(account.id)),
        Group: identity("Group", "group"),
        FaultRule: Told(kind=Kind.ACCESS, type="FaultRule", names=ours("fault_rule"), privilege=MANAGE_SETTINGS),
        Webhook: Told(kind=Kind.ACCESS, type="Webhook", names=ours("webhook"), privilege=MANAGE_SETTINGS),
        Report: Told(
            kind=Kind.INVENTORY,
            type="Report",
            names=ours("report"),
            owner=lambda report: report.owner,
            target=lambda report: None if report.webhook is None else Subject("Webhook", report.webhook),
            report=lambda report: msgspec.json.decode(report.content),
            private=True,
        ),
        BackupJob: Told(
            kind=Kind.ACCESS,
            type="BackupJob",
            names=of_backup,
            name=lambda job: job.archive,
            owner=lambda job: job.user,
            privilege=MANAGE_SETTINGS,
            details=lambda before, after: {"state": (after or before).state.value},
            passed_over=frozenset({"progress", "size_bytes", "cancel_requested"}),
        ),
        BackupSchedule: Told(
            kind=Kind.ACCESS,
            type="BackupSchedule",
            names=ours("backup_schedule"),
            name=lambda schedule: schedule.id,
            privilege=MANAGE_SETTINGS,
            passed_over=frozenset({"next_time", "time_zone"}),
        ),
        RestoreJob: Told(
            kind=Kind.ACCESS,
            type="RestoreJob",
            names=ours("recovery.restore_job"),
            name=lambda job: job.id,
            owner=lambda job: job.user,
            privilege=MANAGE_SETTINGS,
            details=lambda before, after: {"state": (after or before).state.value},
            passed_over=frozenset({"progress", "cancel_requested"}),
        ),
        LdapSource: identity("DirectorySource", "directory_source", name=lambda source: source.domain),
        IdentityProvider: identity("IdentityProvider", "identity_provider"),
    }
)
"""By the class of the documents."""

SILENT: Mapping[str, str] = MappingProxyType(
    {
        "appliance_power": "since when the server runs: what plans a shutdown is on record",
        "appliance_update": "an update that is gone through, and changes nothing",
        "bulk": "its task is told, and what its items do",
        "bulk_mark": "how far a bulk operation is",
        "bulk_outcomes": "what its task tells",
        "bulk_part": "the items of a bulk operation",
        "bulk_share": "which worker does what",
        "content_download_session": "work under way, which ends by itself",
        "content_item_change": "a history, kept with what it is of",
        "content_leaving_library": "a library was deleted, which was told",
        "content_library_usage": "kept for the library alone",
        "content_sync_request": "work under way",
        "content_update_session": "work under way: what comes of it is told of the item",
        "console_ticket": "a secret that is good for some seconds",
        "data_set_entry": "what machines write down for themselves",
        "database_probe": "written to see that the store writes",
        "entropy_pool": "follows from the host",
        "guest_content": "files in guests",
        "guest_customization": "what a guest does at its next start",
        "guest_reboot": "what a guest is about to do",
        "guest_system": "what is in guests",
        "guest_transfer": "a secret that is good for some minutes",
        "installation": "what this server is, which nobody changes",
        "intent": "work under way: its task is told",
        "known_address": "from where users have logged in, for the count of failed logins",
        "lease": "which worker does what",
        "log_forwarding_progress": "how far the logs are sent",
        "logins": "counts of failed logins",
        "monitoring_sample": "measured all the time",
        "privilege_checks": "what a recording has seen",
        "privilege_recording": "kept for who has begun it",
        "reconciliation_job": "a look at what is there, which changes nothing",
        "schedule": "its owner's alone: what it does is told",
        "schedule_cursor": "how far events were looked at: told, that would be looked at again",
        "schedule_run": "a history: what the run does is told",
        "support_bundle": "its task is told",
        "taken_proof": "tokens that were used up",
        "token_signing": "a key",
        "webhook_dead_letter": "what could not be told elsewhere",
        "webhook_progress": "how far a webhook is: told, it would be sent again and again",
        "vapp_configuration": "properties of machines that may be secrets",
        "virtual_app": "the resource pool that it is makes events",
    }
)
"""Kinds of documents of which no event tells, each with the reason."""
