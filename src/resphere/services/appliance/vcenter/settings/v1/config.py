"""``com.vmware.appliance.vcenter.settings.v1.config``: the state that is desired, checked, applied and compared with
what is so."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.contract.errors import AlreadyExists, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_vcenter_settings_v1 import Config, DesiredState
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.desired_profile import DesiredProfile
from resphere.inventory.appliance.settings import keep_setting, setting_of
from resphere.inventory.model import ROOT_FOLDER, Folder
from resphere.replica.edit import Edit
from resphere.rules.appliance_values import invalid
from resphere.services.appliance.vcenter.settings.v1.results import (
    ApplyImpact,
    ApplyResult,
    ApplyStatus,
    CheckResult,
    ComplianceResult,
    ComplianceStatus,
    DiffResult,
    Impact,
    Notifications,
    ScanResult,
    StatusType,
    notified,
)
from resphere.services.appliance.vcenter.settings.v1.states import (
    APPLIANCE,
    AUTHENTICATION,
    PLACES,
    given_components,
    state_of,
    unknown_components,
)
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting
from resphere.services.checks.profiles.applying import Considered, considered, put, require_no_restoration, wanted
from resphere.services.checks.profiles.differences import Difference, differences
from resphere.services.checks.profiles.faults import Faults
from resphere.services.checks.profiles.state import without_secrets
from resphere.services.registry import implements

ProfileId = ids.ApplianceVcenterSettingsV1ConfigProfileId
VersionId = ids.ApplianceVcenterSettingsV1ConfigVersionId
LONGEST_NAME = 80
LONGEST_TEXT = 1024
PARTS_OF = {"management": (APPLIANCE, ""), "network": (APPLIANCE, "/network"), "authentication": (AUTHENTICATION, "")}
"""The component that a part is of, and where it stands in that."""


@implements(Config.create)
async def create(call: Call, spec: Config.CreateSpec) -> ProfileId:
    """Keep a desired state, which has to be one that can be applied; nothing is applied.

    :raises AlreadyExists: there is one.
    :raises InvalidArgument: all that is wrong with it.
    """
    if not spec.name.strip() or not spec.name.isprintable() or len(spec.name) > LONGEST_NAME:
        raise invalid("spec.name", "it has 1 to {1} visible characters.", LONGEST_NAME)
    require_short("spec.description", spec.description)
    (await looked_at(call, spec.desired_state)).faults.refuse()
    made = DesiredProfile(
        profile=call.new_uuid(),
        version=1,
        name=spec.name,
        description=spec.description,
        owner=call.session.user,
        creation_time=call.environment.now(),
        appliance=spec.desired_state.appliance,
        authmgmt=spec.desired_state.authmgmt,
    )

    def plan(edit: Edit) -> ProfileId:
        if setting_of(edit, DesiredProfile).name:
            raise AlreadyExists(message("resphere.settings.profile_exists", "There is a profile already."))
        keep_setting(edit, made)
        return ProfileId(made.profile)

    return await call.settle(plan)


@implements(Config.get, kept=True)
async def get(call: Call) -> Config.Info:
    """The profile, without the passwords in it.

    :raises NotFound: there is none.
    """
    kept = require_present(setting(call, DesiredProfile))
    assert kept.creation_time is not None
    return Config.Info(
        profile=ProfileId(kept.profile),
        version=VersionId(str(kept.version)),
        name=kept.name,
        creation_time=kept.creation_time,
        owner=kept.owner,
        description=kept.description,
        desired_state=without_secrets(desired_in(kept)),
    )


@implements(Config.delete)
async def delete(call: Call) -> None:
    """Forget the profile; what was applied stays.

    :raises NotFound: there is none.
    """

    def plan(edit: Edit) -> None:
        require_present(setting_of(edit, DesiredProfile))
        keep_setting(edit, DesiredProfile())

    await call.settle(plan)


@implements(Config.scan_task, result=ScanResult)
async def scan(call: Call, version: VersionId) -> ids.CisTASKId:
    """In what the settings differ from the profile.

    :raises NotFound: there is none, or not in that version.
    """
    kept = require_present(setting(call, DesiredProfile))
    if version != str(kept.version):
        text = "The profile has the version {0}, not {1}."
        raise NotFound(message("resphere.settings.no_version", text, kept.version, version[:LONGEST_NAME]))
    return await compared(call, desired_in(kept), ())


@implements(Config.scan_desired_state_task, result=ScanResult)
async def scan_desired_state(call: Call, spec: Config.ScanSpec) -> ids.CisTASKId:
    """In what the settings differ from a state."""
    require_short("spec.message", spec.message)
    return await compared(call, spec.desired_state, words(spec.message))


@implements(Config.check_desired_state_task, result=CheckResult)
async def check_desired_state(call: Call, spec: Config.CheckDesiredStateSpec) -> ids.CisTASKId:
    """Whether a state can be applied."""
    require_short("spec.check_spec.message", spec.check_spec.message)
    began = call.environment.now()
    faults = (await looked_at(call, spec.desired_state)).faults
    given = frozenset(given_components(spec.desired_state))
    wrong = faulty(faults)
    profile, version = known_by(setting(call, DesiredProfile))
    result = CheckResult(
        impact=Impact(
            apply_impact=ApplyImpact.NO_IMPACT,
            message=(),
            status=StatusType.INVALID if faults.by_part else StatusType.VALID,
            notifications=Notifications(
                info=notified(call, words(spec.check_spec.message)), errors=notified(call, faults.messages)
            ),
        ),
        start_time=began,
        end_time=call.environment.now(),
        profile=profile,
        version=version,
        valid=given - wrong,
        invalid=wrong,
    )
    return await launch(call, "VcenterSettings.check", result)


@implements(Config.apply_desired_state_task, result=ApplyResult)
async def apply_desired_state(call: Call, spec: Config.ApplyDesiredStateSpec) -> ids.CisTASKId:
    """Have the settings be so, all of them or none; the task fails with all that is wrong with them. Where there is a
    profile, it has this state from then on.

    :raises InvalidArgument: a component cannot be applied here.
    :raises NotAllowedInCurrentState: a restoration is in progress.
    """
    require_short("spec.apply_spec.message", spec.apply_spec.message)
    began, desired = call.environment.now(), spec.desired_state
    for refusal in unknown_components(desired).values():
        raise refusal
    state = await wanted(call, state_of(desired), PLACES)
    info = notified(call, words(spec.apply_spec.message))

    def plan(edit: Edit, _: Folder) -> ApplyResult:
        put(call, edit, state).refuse()
        kept = setting_of(edit, DesiredProfile)
        if kept.name:
            kept = replace(kept, version=kept.version + 1, appliance=desired.appliance, authmgmt=desired.authmgmt)
            keep_setting(edit, kept)
        profile, version = known_by(kept)
        return ApplyResult(
            status=ApplyStatus.SUCCESS,
            start_time=began,
            end_time=call.environment.now(),
            notifications=Notifications(info=info),
            profile=profile,
            version=version,
            success=frozenset(given_components(desired)),
            failed=frozenset(),
            skipped=frozenset(),
        )

    root = call.referred(Folder, ROOT_FOLDER)
    return await call.launch_change("VcenterSettings.apply", root, plan, lambda _: require_no_restoration(call))


async def compared(call: Call, desired: DesiredState, info: tuple[LocalizableMessage, ...]) -> ids.CisTASKId:
    """A scan, as a task. A component that cannot be applied cannot be compared."""
    began = call.environment.now()
    found = await looked_at(call, desired)
    given, unavailable = frozenset(given_components(desired)), faulty(found.faults)
    differing = {
        component: those for component, those in differences_of(found).items() if component not in unavailable and those
    }
    status = ComplianceStatus.NON_COMPLIANT if differing else ComplianceStatus.COMPLIANT
    profile, version = known_by(setting(call, DesiredProfile))
    result = ScanResult(
        status=ComplianceStatus.UNAVAILABLE if unavailable else status,
        notifications=Notifications(info=notified(call, info), errors=notified(call, found.faults.messages)),
        start_time=began,
        end_time=call.environment.now(),
        profile=profile,
        version=version,
        compliant=given - unavailable - differing.keys(),
        non_compliant=frozenset(differing),
        unavailable=unavailable,
        compliance_result={
            component: ComplianceResult(diff_results={each.path: told(component, each) for each in those})
            for component, those in differing.items()
        },
    )
    return await launch(call, "VcenterSettings.scan", result)


async def launch(call: Call, description: str, result: CheckResult | ScanResult) -> ids.CisTASKId:
    """A task that is done already."""
    return await call.launch_change(description, call.referred(Folder, ROOT_FOLDER), lambda *_: result)


async def looked_at(call: Call, desired: DesiredState) -> Considered:
    """What a state would be; components that cannot be applied are faults."""
    found = await considered(call, await wanted(call, state_of(desired), PLACES))
    for component, refusal in unknown_components(desired).items():
        found.faults.add(f"desired_state.{component}", refusal.messages)
    return found


def differences_of(found: Considered) -> dict[str, tuple[Difference, ...]]:
    """What differs, by components."""
    by_component: dict[str, tuple[Difference, ...]] = {}
    for part in found.before.parts:
        component, at = PARTS_OF[part]
        states = (found.before, found.after, found.before_told, found.after_told)
        those = differences(*(getattr(each, part) for each in states))
        by_component[component] = (
            *by_component.get(component, ()),
            *(replace(each, path=f"{at}{each.path}") for each in those),
        )
    return by_component


def faulty(faults: Faults) -> frozenset[str]:
    """The components in which something is wrong; one that cannot be applied is by its own name."""
    return frozenset(part.removeprefix("desired_state.").partition(".")[0] for part in faults.by_part)


def told(component: str, difference: Difference) -> DiffResult:
    """One difference."""
    return DiffResult(
        current_value=difference.current,
        desired_value=difference.desired,
        category=difference.path.split("/")[1],
        path=difference.path,
        description=f"{component}{difference.path} is not as desired.",
    )


def desired_in(kept: DesiredProfile) -> DesiredState:
    """The state of a profile."""
    return DesiredState(appliance=kept.appliance, authmgmt=kept.authmgmt)


def known_by(kept: DesiredProfile) -> tuple[str, str]:
    """Id and version of a profile, empty where there is none."""
    return (kept.profile, str(kept.version)) if kept.name else ("", "")


def require_present(kept: DesiredProfile) -> DesiredProfile:
    """The profile, if there is one.

    :raises NotFound: there is none.
    """
    if not kept.name:
        raise NotFound(message("resphere.settings.no_profile", "There is no profile of vCenter's settings."))
    return kept


def require_short(field: str, text: str | None) -> None:
    """Refuse a text that is too long.

    :raises InvalidArgument: it is.
    """
    if text is not None and len(text) > LONGEST_TEXT:
        raise invalid(field, "it has more than {1} characters.", LONGEST_TEXT)


def words(text: str | None) -> tuple[LocalizableMessage, ...]:
    """What somebody has given along."""
    return (message("resphere.settings.message", "{0}", text),) if text else ()
