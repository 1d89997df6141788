"""``com.vmware.appliance.update.pending``: the updates that the repository describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from resphere.appliance.repository import Description, Question
from resphere.contract.errors import AlreadyExists, NotAllowedInCurrentState, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Notification, Notifications
from resphere.contract.generated.appliance_update import Pending, ServiceInfo, Summary
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.update import UpdateStatus
from resphere.rules.appliance_values import invalid
from resphere.services.call import Call
from resphere.services.checks.appliance_updates import (
    BOTH,
    INSTALL,
    ROLLBACK,
    STAGE,
    begun,
    change,
    complaints,
    pending,
    present,
    require_pending,
    require_rest,
)
from resphere.services.registry import implements

Version = ids.ApplianceUpdatePendingId
Answers = dict[ids.ApplicanceUpdatePendingDataitemId, str]
SERVICE = Pending.install.service
SourceType = Pending.SourceType


@implements(Pending.list)
async def list_pending(
    call: Call, source_type: SourceType, url: str | None, enable_list_major_upgrade_versions: bool | None
) -> tuple[Summary, ...]:
    """Those that are newer than what is installed; of the last check only where there was one.

    :raises NotFound: another repository is asked for, or the server's has gone.
    """
    if url is not None:
        raise NotFound(
            message("resphere.appliance.update.no_url", "{0} is not looked into: --update-repository says where.", url)
        )
    if source_type is SourceType.LAST_CHECK:
        if present(call).queried is None:
            return ()
    else:
        now = call.environment.now()
        await change(call, lambda status: replace(status, queried=now))
    found = await pending(call, present(call), upgrades=bool(enable_list_major_upgrade_versions))
    return tuple(Summary(version=Version(each.version), **common(each)) for each in found)


@implements(Pending.get)
async def get(call: Call, version: Version, component: str | None) -> Pending.Info:
    """All that is known of one.

    :raises AlreadyInDesiredState: it is installed.
    :raises NotFound: there is none of that version, or no such component.
    """
    found = await require_pending(call, version, component)
    return Pending.Info(
        contents=tuple(map(text, found.contents)),
        services_will_be_stopped=tuple(
            ServiceInfo(service=ids.ApplianceServiceId(each), description=text(each)) for each in found.services
        ),
        estimated_time_to_install=found.minutes,
        eulas=tuple(map(text, found.eulas)),
        staged=present(call).staged == found.version,
        knowledge_base=found.knowledge_base,
        **common(found),
    )


@implements(Pending.list_upgradeable_components)
async def list_upgradeable_components(call: Call, version: Version) -> tuple[Pending.UpgradeableComponent, ...]:
    """The parts of one that can be installed alone.

    :raises NotFound: there is none of that version.
    """
    found = next((each for each in await pending(call, present(call)) if each.version == version), None)
    if found is None:
        raise NotFound(message("resphere.appliance.update.unknown", "There is no update to the version {0}.", version))
    return tuple(
        Pending.UpgradeableComponent(
            component=each.name, affected_services=each.services, version=version, **common(found)
        )
        for each in found.components
    )


@implements(Pending.precheck)
async def precheck(call: Call, version: Version, component: str | None) -> Pending.PrecheckResult:
    """What one asks, and what it would do.

    :raises NotAllowedInCurrentState: something is under way.
    """
    found = await require_pending(call, version, component)
    require_rest(present(call))
    return Pending.PrecheckResult(
        check_time=call.environment.now(),
        estimated_time_to_install=found.minutes,
        estimated_time_to_rollback=found.minutes,
        reboot_required=found.reboot_required,
        issues=Notifications(info=(nothing_changes(call),)),
        questions=tuple(map(question, found.questions)),
    )


@implements(Pending.validate)
async def validate(call: Call, version: Version, user_data: Answers, component: str | None) -> Notifications:
    """Whether one could be installed with these answers.

    :raises NotAllowedInCurrentState: something is under way.
    """
    found = await require_pending(call, version, component)
    require_rest(present(call))
    wrong = complaints(found, plain(user_data))
    errors = tuple(Notification(id=each.id, time=call.environment.now(), message=each) for each in wrong.values())
    return Notifications(info=(nothing_changes(call),), errors=errors or None)


@implements(Pending.stage)
async def stage(call: Call, version: Version, component: str | None) -> None:
    """Have one be there to be installed, in place of what was.

    :raises AlreadyExists: it is.
    :raises NotAllowedInCurrentState: something is under way.
    """
    found = await require_pending(call, version, component)

    def changed(status: UpdateStatus) -> UpdateStatus:
        require_rest(status)
        if status.staged == found.version and status.staged_component == component:
            raise AlreadyExists(
                message("resphere.appliance.update.staged", "The update {0} is staged already.", found.version)
            )
        return begun(call, status, STAGE, found.version, component)

    await change(call, changed)


@implements(Pending.install)
async def install(call: Call, version: Version, user_data: Answers, component: str | None) -> None:
    """Go through the installation of what is staged.

    :raises NotAllowedInCurrentState: it is not staged, or something is under way.
    :raises InvalidArgument: a question is not answered, or not so.
    """
    found = await answered(call, version, user_data, component)

    def changed(status: UpdateStatus) -> UpdateStatus:
        require_rest(status)
        if status.staged != found.version:
            raise NotAllowedInCurrentState(
                message("resphere.appliance.update.not_staged", "The update {0} is not staged.", found.version)
            )
        return begun(call, status, INSTALL, found.version, component, failure(found))

    await change(call, changed)


@implements(Pending.stage_and_install)
async def stage_and_install(call: Call, version: Version, user_data: Answers, component: str | None) -> None:
    """Go through staging and installation.

    :raises NotAllowedInCurrentState: something is under way.
    :raises InvalidArgument: a question is not answered, or not so.
    """
    found = await answered(call, version, user_data, component)

    def changed(status: UpdateStatus) -> UpdateStatus:
        require_rest(status)
        return begun(call, status, BOTH, found.version, component, failure(found))

    await change(call, changed)


@implements(Pending.rollback)
async def rollback(call: Call) -> None:
    """Go back to what was installed before the last update.

    :raises NotFound: there is nothing to go back to.
    :raises NotAllowedInCurrentState: something is under way.
    """

    def changed(status: UpdateStatus) -> UpdateStatus:
        require_rest(status)
        if not status.rollback_possible or status.work is None:
            raise NotFound(
                message("resphere.appliance.update.no_snapshot", "There is nothing that could be gone back to.")
            )
        return begun(call, status, ROLLBACK, status.work.previous)

    await change(call, changed)


async def answered(call: Call, version: Version, user_data: Answers, component: str | None) -> Description:
    """The update of that version, whose questions are answered.

    :raises InvalidArgument: one is not, or not so.
    """
    found = await require_pending(call, version, component)
    for id, complaint in complaints(found, plain(user_data)).items():
        raise invalid(f"user_data[{id}]", "{1}", complaint.default_message)
    return found


def plain(answers: Answers) -> Mapping[str, str]:
    """Answers by the ids of questions as texts."""
    return {str(id): answer for id, answer in answers.items()}


def failure(update: Description) -> LocalizableMessage | None:
    """Why the installation of one fails, where its description says so."""
    if update.fails is None:
        return None
    return message("resphere.appliance.update.fails", "{0}", update.fails)


def nothing_changes(call: Call) -> Notification:
    """What has to be said of every update here."""
    said = message(
        "resphere.appliance.update.nothing",
        "The update is gone through, and nothing of this server changes: it is updated by its own means.",
    )
    return Notification(id=said.id, time=call.environment.now(), message=said)


def common(update: Description) -> dict[str, Any]:
    """What is told of an update wherever it is."""
    return {
        "name": update.name,
        "description": text(update.description),
        "priority": update.priority,
        "severity": update.severity,
        "update_type": update.update_type,
        "release_date": update.release_date,
        "reboot_required": update.reboot_required,
        "size": update.size,
    }


def question(asked: Question) -> Pending.Question:
    """One as it is shown."""
    is_text = asked.type is Pending.Question.InputType.PLAIN_TEXT
    return Pending.Question(
        data_item=ids.ApplicanceUpdatePendingDataitemId(asked.id),
        text=text(asked.text),
        description=text(asked.description),
        type=asked.type,
        allowed_values=asked.allowed_values if is_text else None,
        regexp=asked.regexp if is_text else None,
        default_answer=asked.default_answer if is_text else None,
    )


def text(words: str) -> LocalizableMessage:
    """Words of a description."""
    return message("resphere.appliance.update.text", "{0}", words)
