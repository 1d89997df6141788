"""The privileges of operations whose contract states none, and the operations that are public.

The first rule that fits an operation decides. Rules name the service and the operation as shell patterns; privileges
are vCenter's own where its documentation of the user interface names them for the same act. On what objects they are
needed follows from the types of the input, see :mod:`resphere.access.targets`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache

import msgspec

from resphere.access.targets import lists_objects, named_by_parameters, named_within
from resphere.contract.model import AnyOperation, Requirement

READ = "System.Read"
VIEW = "System.View"
ANONYMOUS = "System.Anonymous"

PUBLISHED: frozenset[str] = frozenset(
    f"resphere.content.publications.{name}" for name in ("file", "item", "items", "library")
)
"""Operations on published libraries: they ask for the password of the library in the path, where it has one."""

_READ = ("fingerprint", "get", "list")
_METADATA = "com.vmware.vapi.metadata"
SELF_DESCRIPTION: frozenset[str] = frozenset(
    {
        *(f"{_METADATA}.cli.{service}.{name}" for service in ("command", "namespace") for name in _READ),
        *(
            f"{_METADATA}.{kind}.{service}.{name}"
            for kind in ("authentication", "metamodel", "privilege", "routing")
            for service in ("component", "package", "service", "service.operation")
            for name in _READ
        ),
        *(f"{_METADATA}.metamodel.{service}.{name}" for service in ("enumeration", "structure") for name in _READ),
        *(f"{_METADATA}.metamodel.{service}.list" for service in ("resource", "resource.model", "service.hidden")),
        *(
            f"com.vmware.vapi.std.introspection.{service}.{name}"
            for service in ("operation", "provider", "service")
            for name in _READ
        ),
        *(
            f"com.vmware.vapi.rest.navigation.{service}.{name}"
            for service in ("component", "options", "resource", "root", "service")
            for name in _READ
        ),
        "resphere.navigation.options",
        "resphere.navigation.root",
    }
)
"""What the API tells of itself. vCenter's runtime states that these, and not the sources of metadata, need no
authentication; of the navigation VMware's openapi generator shows it, and of all that dcli asks before it logs in."""

PUBLIC: frozenset[str] = frozenset(
    {
        *SELF_DESCRIPTION,
        "com.vmware.vcenter.identity.providers.list",
        "com.vmware.vcenter.system.hello",
        "resphere.certificates.download",
        *PUBLISHED,
        "resphere.content.transfers.download",
        "resphere.content.transfers.upload",
        "resphere.content.transfers.upload_by_post",
        "resphere.explorer.document",
        "resphere.explorer.file",
        "resphere.explorer.page",
        "resphere.explorer.start",
        "resphere.openapi.get",
        "resphere.probes.live",
        "resphere.probes.ready",
        "resphere.sts.describe",
        "resphere.sts.validate",
        "resphere.vcenter.vm.console.open",
        "resphere.vcenter.vm.guest.transfers.download",
        "resphere.vcenter.vm.guest.transfers.upload",
    }
)
"""Operations that answer anybody: the CA certificate must be had before anything can be trusted, and the description
of the API and the page that shows it say nothing that is not published; who asks whether a worker is ready has no
account. Transfers of guest files and of files of content libraries, and console tickets, have tokens of their own in
their addresses; published libraries may have passwords of their own, see :data:`PUBLISHED`."""

LOGIN = "com.vmware.cis.session.create"
"""The operation that opens a session."""
CHANGE_PASSWORD = "resphere.password.change"  # noqa: S105 - an operation
"""The operation that changes the caller's own password."""

LOGINS: frozenset[str] = frozenset({LOGIN, CHANGE_PASSWORD, "resphere.sts.issue", "resphere.sts.renew"})
"""Operations that take a name and a password, or what else opens a session, and no session."""

OWN_SESSION: frozenset[str] = LOGINS | {
    "com.vmware.cis.session.get",
    "com.vmware.cis.session.delete",
    *(f"resphere.sessions.{name}" for name in ("delete", "get", "list")),
    *(f"resphere.tokens.{name}" for name in ("create", "delete", "get", "list")),
}
"""Operations on the caller's own sessions, API tokens and password need no privilege; those that reach others' ask for
one themselves."""


class Rule(msgspec.Struct, frozen=True):
    """``privileges`` for operations of ``service`` whose name fits one of ``operations``."""

    service: str
    operations: tuple[str, ...]
    privileges: tuple[str, ...]


CHECKS = ("check", "check_[!io]*")
"""What looks whether something is so: not ``check_in`` and ``check_out``."""
READS = ("get*", "list*", "find*", "query*", *CHECKS, "validate*", "test*", "used_by*", "probe*", "hello*")

MODIFY_PERMISSIONS = "Authorization.ModifyPermissions"
CANCEL = "Global.CancelTask"
"""Unlike others of its group it is had on objects: on those that tasks are about."""

_TAG = "InventoryService.Tagging."
_VM = "VirtualMachine."

RULES: tuple[Rule, ...] = (
    Rule("com.vmware.vapi.metadata.*.source", ("create", "delete", "reload"), ("Global.Settings",)),
    Rule("com.vmware.vapi.*.activation*", ("cancel",), (VIEW,)),
    Rule("com.vmware.vapi.*", ("*",), (ANONYMOUS,)),
    Rule("com.vmware.vcenter.tokenservice.*", ("*",), (ANONYMOUS,)),
    Rule("com.vmware.vcenter.authentication.token", ("*",), (ANONYMOUS,)),
    Rule("com.vmware.cis.tasks", ("cancel",), (CANCEL,)),
    Rule("com.vmware.cis.tasks", ("list",), (READ,)),
    Rule("com.vmware.cis.tasks", ("*",), (VIEW,)),
    Rule("com.vmware.cis.tagging.tag", ("create*",), (_TAG + "CreateTag",)),
    Rule("com.vmware.cis.tagging.tag", ("update*",), (_TAG + "EditTag",)),
    Rule("com.vmware.cis.tagging.tag", ("delete*",), (_TAG + "DeleteTag",)),
    Rule("com.vmware.cis.tagging.tag", ("add_to*", "remove_from*", "revoke*"), (_TAG + "ModifyUsedByForTag",)),
    Rule("com.vmware.cis.tagging.category", ("create*",), (_TAG + "CreateCategory",)),
    Rule("com.vmware.cis.tagging.category", ("update*",), (_TAG + "EditCategory",)),
    Rule("com.vmware.cis.tagging.category", ("delete*",), (_TAG + "DeleteCategory",)),
    Rule(
        "com.vmware.cis.tagging.category", ("add_to*", "remove_from*", "revoke*"), (_TAG + "ModifyUsedByForCategory",)
    ),
    Rule("com.vmware.cis.tagging.tag_association", ("attach*", "detach*"), (_TAG + "AttachTag",)),
    Rule("com.vmware.vcenter.tagging.*", ("add*", "update*", "remove*", "set*"), (_TAG + "AttachTag",)),
    # Also what looks at backups: it names places and users elsewhere, and goes there.
    Rule("com.vmware.appliance.recovery*", ("*",), ("Global.Settings",)),
    # As the same is stated of profiles, com.vmware.appliance.infraprofile.configs.
    Rule("com.vmware.appliance.vcenter.settings.v1.config", ("scan*",), ("Infraprofile.Read",)),
    Rule("com.vmware.appliance.vcenter.settings.v1.config", ("apply*", "check*"), ("Infraprofile.Write",)),
    Rule("com.vmware.*", READS, (READ,)),
    Rule("com.vmware.vcenter.datacenter", ("create",), ("Datacenter.Create",)),
    Rule("com.vmware.vcenter.datacenter", ("delete",), ("Datacenter.Delete",)),
    Rule("com.vmware.vcenter.host", ("create",), ("Host.Inventory.AddHostToCluster",)),
    Rule("com.vmware.vcenter.host", ("delete",), ("Host.Inventory.RemoveHostFromCluster",)),
    Rule("com.vmware.vcenter.host", ("*connect",), ("Host.Config.Connection",)),
    Rule("com.vmware.vcenter.resource_pool", ("delete",), ("Resource.DeletePool",)),
    Rule("com.vmware.vcenter.storage.*", ("*",), ("StorageProfile.Update",)),
    Rule("com.vmware.vcenter.vm.hardware.adapter.*", ("*",), (_VM + "Config.AddRemoveDevice",)),
    Rule("com.vmware.vcenter.vm.hardware.disk", ("create",), (_VM + "Config.AddNewDisk",)),
    Rule("com.vmware.vcenter.vm.hardware.disk", ("delete",), (_VM + "Config.RemoveDisk",)),
    Rule("com.vmware.vcenter.vm.hardware.cpu", ("*",), (_VM + "Config.CPUCount",)),
    Rule("com.vmware.vcenter.vm.hardware.memory", ("*",), (_VM + "Config.Memory",)),
    Rule("com.vmware.vcenter.vm.hardware", ("upgrade*",), (_VM + "Config.UpgradeVirtualHardware",)),
    Rule("com.vmware.vcenter.vm.hardware.*", ("connect", "disconnect"), (_VM + "Interact.DeviceConnection",)),
    Rule("com.vmware.vcenter.vm.hardware.*", ("create", "delete"), (_VM + "Config.AddRemoveDevice",)),
    Rule("com.vmware.vcenter.vm.hardware.*", ("*",), (_VM + "Config.EditDevice",)),
    Rule("com.vmware.vcenter.vm.guest.power", ("*",), (_VM + "Interact.PowerOff",)),
    Rule("com.vmware.vcenter.vm.guest.*", ("*",), (_VM + "GuestOperations.Modify",)),
    Rule("com.vmware.vcenter.vm.tools*", ("*",), (_VM + "Interact.ToolsInstall",)),
    Rule("com.vmware.vcenter.vm.console.*", ("*",), (_VM + "Interact.ConsoleInteract",)),
    Rule("com.vmware.vcenter.vm*", ("*",), (_VM + "Config.Settings",)),
    Rule("com.vmware.vcenter.VM", ("*",), (_VM + "Config.Settings",)),
    Rule("com.vmware.vcenter.compute.*", ("*",), ("ComputePolicy.Manage",)),
    Rule("com.vmware.vcenter.authorization.*", ("*",), (MODIFY_PERMISSIONS,)),
    Rule("com.vmware.content*", ("*",), ("ContentLibrary.UpdateLibrary",)),
    Rule("com.vmware.esx.*", ("*",), ("VcIntegrity.lifecycleSettings.Write",)),
    Rule("com.vmware.appliance.*", ("*",), ("Global.Settings",)),
    Rule("*", ("*",), ("Global.VCServer",)),
)
"""What is not stated and not a read needs an administrator's privilege."""

_REGISTRIES = "com.vmware.vcenter.content.registries.harbor"
IN_WORDS: dict[str, tuple[Requirement, ...]] = {
    f"{_REGISTRIES}.create": (
        Requirement(("CertificateAuthority.Manage", "ContentLibrary.ManageRegistry")),
        Requirement(
            ("ContentLibrary.ManageClusterRegistryResource",),
            "ClusterComputeResource",
            attribute=f"{_REGISTRIES}.create_spec:cluster",
        ),
    ),
    f"{_REGISTRIES}.delete": (Requirement(("ContentLibrary.ManageRegistry",)),),
    **{
        f"{_REGISTRIES}.projects.{name}": (Requirement(("ContentLibrary.ManageRegistryProject",)),)
        for name in ("create", "delete", "purge")
    },
}
"""What the documentation of operations names in its words, of :class:`Unauthorized`, and not among the privileges."""

VISIBLE = (
    "com.vmware.cis.tasks.*",
    "com.vmware.cis.tagging.*.list",
    "com.vmware.cis.tagging.*.list_used_*",
    "com.vmware.cis.tagging.tag_association.list_attach*_tags",
    "com.vmware.cis.tagging.tag_association.list_attached_*_on_*",
    "com.vmware.vcenter.authorization.permissions.*",
    "com.vmware.vcenter.storage.policies.compliance.VM.list",
    "com.vmware.vcenter.tagging.*.list",
    "com.vmware.vstats.counter*",
    "com.vmware.vstats.data.*",
    "com.vmware.vstats.metrics.*",
    "com.vmware.vstats.providers.*",
    "com.vmware.vstats.resource_*",
)
"""Operations, as patterns, that name no managed object, or several, and answer of what the caller sees: so does vCenter
document lists of tags ("will only contain tags for which you have read privileges"). Lists of managed objects need not
stand here, and what is about one tag or category needs the privilege on that, which hangs below the root folder."""

USING: dict[str, str] = {"Datastore": "Datastore.AllocateSpace", "Network": "Network.Assign"}
"""The privilege that a change of one object needs on others that it uses; ``System.Read`` where none is named."""

PLACING: frozenset[str] = frozenset(
    {
        *(f"com.vmware.vcenter.VM.{name}" for name in ("clone", "clone$task", "create", "instant_clone", "register")),
        "com.vmware.vcenter.ovf.library_item.deploy",
    }
)
"""Operations that put something where they choose themselves, if their input leaves it open. Before, it is only asked
whether the caller has the privileges on such an object at all; on those that are chosen the operation asks them."""
CHOSEN = ("Folder", "ResourcePool", "Datastore")
"""The types of what they choose."""


@cache
def needed_to_use(operation: AnyOperation, resource: str) -> tuple[str, ...]:
    """The privileges that the caller of ``operation`` needs on an object of that type that the operation chooses: those
    that are needed on one that the input names."""
    stated = {
        privilege
        for each in requirements_of(operation)
        if each.resource == resource and each.attribute is not None
        for privilege in each.privileges
    }
    return tuple(sorted(stated)) or (USING.get(resource, READ),)


@cache
def needed_to_find(operation: AnyOperation, resource: str) -> str:
    """The privilege with which the caller of ``operation`` finds an object of that type: ``System.View`` where its
    contract asks for nothing else on such objects, else ``System.Read``."""
    asked = {each.privileges for each in requirements_of(operation) if each.resource == resource}
    return VIEW if asked == {(VIEW,)} else READ


@cache
def requirements_of(operation: AnyOperation) -> tuple[Requirement, ...]:
    """The privileges that a caller of ``operation`` needs: stated by the contract, or else by :data:`RULES`.

    Empty only for public operations and for those on the caller's own session.
    """
    if operation.id in PUBLIC or operation.id in OWN_SESSION:
        return ()
    if operation.privileges:
        return (*operation.privileges, *IN_WORDS.get(operation.id, ()), *unstated(operation))
    return given(operation, ruled(operation.service, operation.name))


def ruled(service: str, name: str) -> tuple[str, ...]:
    """The privileges that :data:`RULES` give an operation."""
    plain = name.removesuffix("$task")
    for rule in RULES:
        if fnmatchcase(service, rule.service) and any(fnmatchcase(plain, pattern) for pattern in rule.operations):
            return rule.privileges
    raise LookupError(f"no rule gives {service}.{name} a privilege")


def unstated(operation: AnyOperation) -> Iterator[Requirement]:
    """``System.Read`` on what a change refers to and its contract states no privilege on, such as a placement's host:
    whoever does not see an object cannot use it. What reads name are filters."""
    if all(each.privileges in ((READ,), (VIEW,)) for each in operation.privileges):
        return
    stated = {each.attribute.partition(":")[2] for each in operation.privileges if each.attribute is not None}
    for each in named_within(operation):
        if each.attribute is not None and each.attribute.partition(":")[2] not in stated:
            yield Requirement((READ,), each.resource, attribute=each.attribute)


def given(operation: AnyOperation, privileges: tuple[str, ...]) -> tuple[Requirement, ...]:
    """``privileges`` on what the input of ``operation`` names.

    Those are the objects that its parameters are; where none is one, those that a change's specification names. What
    the structures of a read name (filters) is what is asked about, and filtered like all else. Privileges of the group
    ``Global`` are had on the root folder only.
    """
    is_global = any(privilege.startswith("Global.") and privilege != CANCEL for privilege in privileges)
    subjects = named_by_parameters(operation)
    within = [] if privileges in ((READ,), (VIEW,)) else named_within(operation)
    if not is_global and not subjects:
        if within:
            return tuple(Requirement(privileges, each.resource, attribute=each.attribute) for each in within)
        anywhere = lists_objects(operation) or any(fnmatchcase(operation.id, pattern) for pattern in VISIBLE)
        return (Requirement(privileges, anywhere=anywhere),)
    own = (READ,) if is_global else privileges
    return (
        *((Requirement(privileges),) if is_global else ()),
        *(Requirement(own, each.resource, parameter=each.parameter) for each in subjects),
        *(Requirement((USING.get(each.resource, READ),), each.resource, attribute=each.attribute) for each in within),
    )
