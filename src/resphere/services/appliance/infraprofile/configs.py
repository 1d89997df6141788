"""``com.vmware.appliance.infraprofile.configs``: profiles are exported, validated and imported."""

from __future__ import annotations

from enum import StrEnum

from resphere.contract.generated import ids
from resphere.contract.generated.appliance_infraprofile import Configs
from resphere.contract.mentions import told as told_to
from resphere.contract.model import DateTime, LocalizableMessage, Struct
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid
from resphere.services.call import Call
from resphere.services.checks.administrators import administers_all
from resphere.services.checks.profiles.applying import considered, put, require_no_restoration, told, wanted
from resphere.services.checks.profiles.documents import (
    FIELDS,
    INFOS,
    LONGEST_DESCRIPTION,
    PLACES,
    Read,
    chosen,
    read,
    written,
)
from resphere.services.checks.profiles.faults import Faults
from resphere.services.checks.profiles.state import State
from resphere.services.registry import implements

LONGEST_KEY = 1024
NONE_NAMED = Configs.ProfilesSpec()


class ValidationStatus(StrEnum):
    """The bindings know this and what follows only as the results of tasks."""

    INVALID = "INVALID"
    VALID = "VALID"


class Notification(Struct, frozen=True, kw_only=True):
    """Something that was found."""

    __vapi_name__ = "com.vmware.appliance.infraprofile.notification"
    notification: str
    time: DateTime | None = None
    message: LocalizableMessage
    resolution: LocalizableMessage | None = None


class Notifications(Struct, frozen=True, kw_only=True):
    """All that was found."""

    __vapi_name__ = "com.vmware.appliance.infraprofile.notifications"
    info: tuple[Notification, ...] | None = None
    warnings: tuple[Notification, ...] | None = None
    errors: tuple[Notification, ...] | None = None


class ValidationResult(Struct, frozen=True, kw_only=True):
    """Whether a document can be imported."""

    __vapi_name__ = "com.vmware.appliance.infraprofile.configs.validation_result"
    status: ValidationStatus
    notifications: Notifications | None = None


@implements(Configs.list, kept=True)
async def list_(_: Call) -> tuple[Configs.ProfileInfo, ...]:
    """The profiles that there are."""
    return tuple(Configs.ProfileInfo(name=ids.InfraprofileProfileId(name), info=info) for name, info in INFOS.items())


@implements(Configs.export)
async def export(call: Call, spec: Configs.ProfilesSpec | None) -> str:
    """The settings as a document: all profiles, or those that are named. Passwords are in it only under an encryption
    key, for those who administer.

    :raises NotFound: there is no profile of a name.
    """
    spec = spec or NONE_NAMED
    key = key_of(spec)
    names, description = chosen(spec.profiles), spec.description or ""
    if len(description) > LONGEST_DESCRIPTION:
        raise invalid("spec.description", "it has more than {1} characters.", LONGEST_DESCRIPTION)
    state = told(
        call, call.inventory, [FIELDS[name] for name in names], secrets=key is not None and administers_all(call)
    )
    return await written(call, state, description, key)


@implements(Configs.validate_task, result=ValidationResult)
async def validate(call: Call, spec: Configs.ImportProfileSpec) -> ids.CisTASKId:
    """Whether a document can be imported, and why not.

    :raises NotFound: there is no profile of a name.
    :raises Unauthorized: it has roles and permissions, and the caller does not administer.
    """
    found = await read_in(call, spec)
    faults = found.faults
    if not faults.by_part:
        faults = (await considered(call, await wanted(call, found.state, PLACES))).faults
    result = result_of(call, faults)
    return await call.launch_change("Infraprofile.validate", call.referred(Folder, ROOT_FOLDER), lambda *_: result)


@implements(Configs.import_profile_task, result=str)
async def import_profile(call: Call, spec: Configs.ImportProfileSpec) -> ids.CisTASKId:
    """Have the settings be as a document says, all of them or none; the task results in the version of the vCenter
    that the document is of, and fails with all that is wrong with it.

    :raises NotFound: there is no profile of a name.
    :raises NotAllowedInCurrentState: a restoration is in progress.
    :raises Unauthorized: it has roles and permissions, and the caller does not administer.
    """
    found = await read_in(call, spec)
    state = State() if found.faults.by_part else found.state
    ready = await wanted(call, state, PLACES)

    def plan(edit: Edit, _: Folder) -> str:
        found.faults.refuse()
        put(call, edit, ready).refuse()
        return found.version

    root = call.referred(Folder, ROOT_FOLDER)
    return await call.launch_change("Infraprofile.importProfile", root, plan, lambda _: require_no_restoration(call))


async def read_in(call: Call, spec: Configs.ImportProfileSpec) -> Read:
    """The document that is brought."""
    profiles = spec.profile_spec or NONE_NAMED
    return await read(call, spec.config_spec, profiles.profiles, key_of(profiles))


def key_of(spec: Configs.ProfilesSpec) -> str | None:
    """The key, where there is one; an empty one, as forms send it, is none.

    :raises InvalidArgument: it is too long.
    """
    key = spec.encryption_key or None
    if key is not None and len(key) > LONGEST_KEY:
        raise invalid("encryption_key", "it has more than {1} characters.", LONGEST_KEY)
    return key


def result_of(call: Call, faults: Faults) -> ValidationResult:
    """What is told of a document."""
    if not faults.by_part:
        return ValidationResult(status=ValidationStatus.VALID)
    now = call.environment.now()
    errors = tuple(
        Notification(notification=each.id, time=now, message=told_to(each, call.knows)) for each in faults.messages
    )
    return ValidationResult(status=ValidationStatus.INVALID, notifications=Notifications(errors=errors))
