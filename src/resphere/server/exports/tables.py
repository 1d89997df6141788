"""Of each table of the server, whether an inventory file has it, and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from resphere.access.permissions import FIRST_PERMISSION, Permission
from resphere.access.recording import Batch, Recording
from resphere.access.roles import Role
from resphere.access.samples import SAMPLE_ROLES
from resphere.auth.accounts import ADMINISTRATOR, Account
from resphere.auth.groups import Group, is_built_in
from resphere.auth.ldap.settings import LdapSource
from resphere.auth.lockout import Logins
from resphere.auth.oidc.providers import IdentityProvider
from resphere.auth.replays import TakenProof
from resphere.auth.saml.signing import TokenSigning
from resphere.auth.sessions import Session
from resphere.auth.tokens import ApiToken
from resphere.bulk.record import BulkRecord, Mark, Outcomes, Part, Share
from resphere.events.reports import Report
from resphere.events.webhooks import DeadLetter, Progress, Webhook
from resphere.faults.record import FaultRule
from resphere.inventory.appliance.forwarding import ForwardingProgress
from resphere.inventory.appliance.power import AppliancePower
from resphere.inventory.appliance.probe import DatabaseProbe
from resphere.inventory.appliance.samples import MonitoringSample
from resphere.inventory.appliance.settings import ApplianceSetting
from resphere.inventory.appliance.support_bundles import BundleRecord
from resphere.inventory.appliance.update import UpdateStatus
from resphere.inventory.clock import SetClock
from resphere.inventory.console import ConsoleTicket
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.libraries import LeavingLibrary, Library, LibraryUsage
from resphere.inventory.content.registries import ContainerRegistry, RegistryProject
from resphere.inventory.content.sessions import DownloadSession, UpdateSession
from resphere.inventory.content.settings import ContentConfiguration, TrustedCertificate
from resphere.inventory.content.subscriptions import LibrarySubscription, SyncRequest
from resphere.inventory.content.templates import CheckOut, ItemChange
from resphere.inventory.effects import Intent
from resphere.inventory.guest import GuestContent, GuestSystem, GuestTransfer
from resphere.inventory.installation import Installation
from resphere.inventory.model import KINDS
from resphere.inventory.states import SavedState
from resphere.inventory.vapp import VappConfiguration, VirtualApp
from resphere.inventory.vcenter_services import ServiceState
from resphere.limits.known import KnownAddress
from resphere.recovery.record import BackupJob, BackupSchedule, ReconciliationJob, RestoreJob
from resphere.replica.lease import Lease
from resphere.schedules.record import Cursor, Run, Schedule
from resphere.server.exports.attributes import CUSTOM_ATTRIBUTES, CUSTOM_VALUES
from resphere.server.exports.guests import CUSTOMIZATION_SPECS, CUSTOMIZATIONS, DATA_SETS, STARTS
from resphere.server.exports.hosts import ACQUISITIONS, DIRECT_PATH_DEVICES, ENTROPY_POOLS
from resphere.server.exports.policies import COMPUTE_POLICIES, STORAGE_POLICIES
from resphere.server.exports.sections import Section
from resphere.server.exports.tagging import ATTACHMENTS, CATEGORIES, TAGS
from resphere.tasks.record import Task

SECTIONS: tuple[Section, ...] = (
    CATEGORIES,
    TAGS,
    ATTACHMENTS,
    CUSTOM_ATTRIBUTES,
    CUSTOM_VALUES,
    STORAGE_POLICIES,
    COMPUTE_POLICIES,
    CUSTOMIZATION_SPECS,
    CUSTOMIZATIONS,
    STARTS,
    DATA_SETS,
    ENTROPY_POOLS,
    DIRECT_PATH_DEVICES,
    ACQUISITIONS,
)
"""What a file has besides managed objects, in an order in which nothing refers to what comes later."""

EXPORTED: frozenset[type[Any]] = frozenset((*KINDS.values(), *(cls for section in SECTIONS for cls in section.classes)))
"""The classes of all documents that a file has."""


class LeftOut(msgspec.Struct, frozen=True):
    """A kind of documents that no file has: what they are, in the plural, and ``why`` not.

    ``counts`` tells which of them somebody may miss; those are counted when a file is written.
    """

    what: str
    why: str
    counts: Callable[[Any], bool] = lambda _: True


def _nobody_misses(_: object) -> bool:
    return False


BYTES = "their files are bytes, which a backup has: resphere backup"
ON_DISKS = LeftOut("what disks hold", "bytes, which a backup has: resphere backup")
"""Part of machines and of files on datastores, which a file has with empty disks."""
DECLARED = "who may log in is the server's own: --identity-sources declares it there"

LEFT_OUT: Mapping[type[Any], LeftOut] = {
    Account: LeftOut(
        "accounts",
        "who may log in is the server's own: resphere user add makes them there",
        lambda account: account.id != ADMINISTRATOR,
    ),
    Permission: LeftOut(
        "permissions",
        "whoever has them logs in at the server: resphere permission add sets them there",
        lambda permission: permission != FIRST_PERMISSION,
    ),
    Role: LeftOut(
        "roles",
        "permissions give them, which are the server's own: resphere role add makes them there",
        lambda role: role not in SAMPLE_ROLES,
    ),
    KnownAddress: LeftOut("addresses of users", "they tell of logins to the server that has them", _nobody_misses),
    Batch: LeftOut("privilege checks", "they tell of calls to the server that has them", _nobody_misses),
    Recording: LeftOut("recordings of privilege checks", "they are the server's own", _nobody_misses),
    LdapSource: LeftOut("directories of users", DECLARED),
    IdentityProvider: LeftOut("identity providers", DECLARED),
    AppliancePower: LeftOut("since when the server runs", "a new server has its own", _nobody_misses),
    ForwardingProgress: LeftOut("how far logs are sent", "they are of this server", _nobody_misses),
    MonitoringSample: LeftOut("what was measured of the server", "it is of this server", _nobody_misses),
    BundleRecord: LeftOut("support bundles", "they are of this server", _nobody_misses),
    UpdateStatus: LeftOut("updates that were gone through", "they are of this server", _nobody_misses),
    DatabaseProbe: LeftOut("probes of the database", "they are of this server", _nobody_misses),
    ApplianceSetting: LeftOut("settings of the appliance", "they are the server's own, and begin as installed"),
    ServiceState: LeftOut("states of vCenter's services", "they are the server's own, and begin as installed"),
    GuestSystem: LeftOut(
        "guests with changed files and processes",
        "a guest begins as its system was installed; data sets are in the file",
    ),
    VappConfiguration: LeftOut(
        "OVF properties of machines", "they may be passwords; a package that is deployed there brings its own"
    ),
    VirtualApp: LeftOut("what makes vApps of pools", "as the properties of machines; the pools are in the file"),
    GuestContent: LeftOut("contents of files in guests", "as the guests", _nobody_misses),
    Library: LeftOut("content libraries", BYTES),
    LeavingLibrary: LeftOut("content libraries that were deleted just now", "nobody sees them", _nobody_misses),
    LibraryItem: LeftOut("items of content libraries", BYTES),
    LibraryUsage: LeftOut("usages of content libraries", "as the libraries", _nobody_misses),
    UpdateSession: LeftOut("sessions that change items", "they are of this server", _nobody_misses),
    DownloadSession: LeftOut("sessions that read items", "they are of this server", _nobody_misses),
    CheckOut: LeftOut("machines that are checked out of library items", "as the libraries", _nobody_misses),
    ItemChange: LeftOut("how items have changed", "as the libraries", _nobody_misses),
    SyncRequest: LeftOut("requests to sync content libraries", "they are of this server", _nobody_misses),
    LibrarySubscription: LeftOut("subscriptions to content libraries", "as the libraries", _nobody_misses),
    ContentConfiguration: LeftOut("settings of content libraries", "they are the server's own"),
    TrustedCertificate: LeftOut("certificates that content libraries trust", "they are the server's own"),
    ContainerRegistry: LeftOut("container registries", "they are made by a call"),
    RegistryProject: LeftOut("projects of container registries", "as the registries", _nobody_misses),
    SetClock: LeftOut("how the clock was set", "a new server goes by the machine's", _nobody_misses),
    SavedState: LeftOut("states", "they are what was on this server"),
    Intent: LeftOut("pieces of work under way", "the file has the inventory as it is before them"),
    BulkRecord: LeftOut("bulk operations", "they tell what was done on this server", _nobody_misses),
    Part: LeftOut("items of bulk operations", "as those", _nobody_misses),
    Outcomes: LeftOut("outcomes of bulk operations", "as those", _nobody_misses),
    Share: LeftOut("parts of bulk operations under way", "as those", _nobody_misses),
    Mark: LeftOut("items of bulk operations under way", "as those", _nobody_misses),
    Schedule: LeftOut("schedules", "they are of the server's own users"),
    Cursor: LeftOut("how far schedules have heard of events", "the events are this server's", _nobody_misses),
    Run: LeftOut("runs of schedules", "they tell what was done on this server", _nobody_misses),
    Report: LeftOut("reports", "they tell what was on this server", _nobody_misses),
    BackupJob: LeftOut("backups", "they tell what was done on this server", _nobody_misses),
    BackupSchedule: LeftOut("schedules of backups", "they have passwords, and are of this server"),
    RestoreJob: LeftOut("restorations", "they tell what was done on this server", _nobody_misses),
    ReconciliationJob: LeftOut("looks at what was restored", "as those", _nobody_misses),
    FaultRule: LeftOut("rules for faults", "they are of this server: --faults brings those of a file"),
    Webhook: LeftOut("webhooks", "they have secrets, and are of this server"),
    Progress: LeftOut("how far webhooks are", "as those", _nobody_misses),
    DeadLetter: LeftOut("events that webhooks could not send", "as those", _nobody_misses),
    Task: LeftOut("tasks", "they tell what was done on this server", _nobody_misses),
    Group: LeftOut(
        "groups",
        "they are of the server's own users: resphere group add makes them there",
        lambda group: not is_built_in(group),
    ),
    Logins: LeftOut("failed logins", "they are of this server", _nobody_misses),
    ApiToken: LeftOut("API tokens", "they are of this server", _nobody_misses),
    Session: LeftOut("sessions", "they are of this server", _nobody_misses),
    TokenSigning: LeftOut("keys for tokens", "a new server has its own", _nobody_misses),
    TakenProof: LeftOut("signed requests that were taken", "they are of this server", _nobody_misses),
    ConsoleTicket: LeftOut("console tickets", "they are of this server", _nobody_misses),
    GuestTransfer: LeftOut("transfers of guest files", "they are of this server", _nobody_misses),
    Installation: LeftOut("times of installation", "a new server has its own", _nobody_misses),
    Lease: LeftOut("leases of workers", "they are of this server", _nobody_misses),
}
"""Every other table's documents."""
