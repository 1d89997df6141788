"""The update of the appliance: a state that is gone through as vCenter does, by a clock and nobody's work.

What is under way is kept with the moment at which it is over; what follows from that, whoever looks then.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from resphere.appliance.repository import BadRepository, Description, Question, numbers, read_repository
from resphere.contract.errors import (
    AlreadyInDesiredState,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
    message,
)
from resphere.contract.generated.appliance import Update
from resphere.contract.generated.appliance_update import CommonInfo, Pending
from resphere.contract.model import LocalizableMessage
from resphere.inventory.appliance.update import UpdateStatus, UpdateWork, status_of
from resphere.replica.edit import Edit
from resphere.services.appliance.system.version import UNPATCHED
from resphere.services.call import Call

State = Update.State
STAGE, INSTALL, BOTH, ROLLBACK = "stage", "install", "stage_and_install", "rollback"
STATES = {
    STAGE: State.STAGE_IN_PROGRESS,
    INSTALL: State.INSTALL_IN_PROGRESS,
    BOTH: State.INSTALL_IN_PROGRESS,
    ROLLBACK: State.ROLLBACK_IN_PROGRESS,
}


async def repository(call: Call) -> list[Description]:
    """All updates that there are.

    :raises NotFound: the folder has gone, of operations that declare it.
    :raises VapiError: it has, or a file in it is no description.
    """
    folder = call.environment.updates.repository
    if folder is None:
        return []
    try:
        return await asyncio.to_thread(read_repository, folder)
    except FileNotFoundError:
        refusal = NotFound if "not_found" in call.operation.errors else VapiError
        raise refusal(
            message("resphere.appliance.update.no_source", "The folder of --update-repository is not there.")
        ) from None
    except BadRepository as error:
        raise VapiError(
            message("resphere.appliance.update.bad_file", "The repository of updates: {0}.", error)
        ) from None
    except OSError as error:
        raise VapiError(
            message("resphere.appliance.update.bad_file", "The repository: {0}.", error.strerror or error)
        ) from None


def installed(call: Call, status: UpdateStatus) -> str:
    """The version that updates have come to."""
    return status.version or call.environment.product.version + UNPATCHED


async def pending(call: Call, status: UpdateStatus, *, upgrades: bool = True) -> list[Description]:
    """The updates that are newer than what is installed; ``upgrades``: to another release, too."""
    own = numbers(installed(call, status))
    return [
        each
        for each in await repository(call)
        if each.numbers > own and (upgrades or each.update_type is not CommonInfo.Category.UPGRADE)
    ]


async def require_pending(call: Call, version: str, component: str | None) -> Description:
    """The update of that version.

    :raises AlreadyInDesiredState: it is installed.
    :raises NotFound: there is none, or no such component of it.
    """
    status = present(call)
    if version == installed(call, status):
        raise AlreadyInDesiredState(
            message("resphere.appliance.update.installed", "The version {0} is installed already.", version)
        )
    found = next((each for each in await pending(call, status) if each.version == version), None)
    if found is None:
        raise NotFound(message("resphere.appliance.update.unknown", "There is no update to the version {0}.", version))
    if component is not None and component not in [each.name for each in found.components]:
        raise NotFound(
            message("resphere.appliance.update.no_component", "{0} has no component {1}.", version, component)
        )
    return found


def present(call: Call) -> UpdateStatus:
    """How it is now."""
    return settled(status_of(call.inventory), call.environment.now())


def settled(status: UpdateStatus, now: datetime) -> UpdateStatus:
    """What a status has become by now: work that is over has done what it was to do."""
    work = status.work
    if work is None or not is_over(work, now) or status.state is None:
        return status
    over = replace(status, state=None)
    if work.canceled:
        return over
    if work.error is not None:
        return replace(over, state=State.INSTALL_FAILED, rollback_possible=True)
    match work.operation:
        case "stage":
            return replace(over, staged=work.version, staged_component=work.component)
        case "rollback":
            return replace(over, version=work.version, previous=None, rollback_possible=False, staged=None)
        case _:
            return replace(
                over,
                version=work.version,
                previous=work.previous,
                rollback_possible=True,
                staged=None,
                staged_component=None,
            )


def is_over(work: UpdateWork, now: datetime) -> bool:
    """Whether nothing more is done."""
    return work.ends <= now


def state_of(status: UpdateStatus, *, any_pending: bool) -> Update.State:
    """How it is, as vCenter calls it."""
    if status.state is not None:
        return status.state
    return State.UPDATES_PENDING if any_pending or status.staged is not None else State.UP_TO_DATE


async def change(call: Call, changed: Callable[[UpdateStatus], UpdateStatus]) -> None:
    """Keep what ``changed`` makes of the present status, which may refuse it."""

    def plan(edit: Edit) -> None:
        edit.put(changed(settled(status_of(edit), call.environment.now())))

    await call.unfiltered.change(plan)


def require_rest(status: UpdateStatus) -> None:
    """Refuse while something is under way.

    :raises NotAllowedInCurrentState: it is.
    """
    if status.state in STATES.values():
        assert status.work is not None
        raise NotAllowedInCurrentState(
            message(
                "resphere.appliance.update.under_way",
                "The operation {0} of the version {1} is under way.",
                status.work.operation,
                status.work.version,
            )
        )


def begun(
    call: Call,
    status: UpdateStatus,
    operation: str,
    version: str,
    component: str | None = None,
    error: LocalizableMessage | None = None,
) -> UpdateStatus:
    """The status with work that begins now."""
    now, updates = call.environment.now(), call.environment.updates
    seconds = {STAGE: updates.stage_seconds, INSTALL: updates.install_seconds, ROLLBACK: updates.install_seconds}
    total = updates.stage_seconds + updates.install_seconds if operation == BOTH else seconds[operation]
    work = UpdateWork(
        operation=operation,
        version=version,
        component=component,
        previous=installed(call, status),
        user=call.session.user,
        started=now,
        ends=now + timedelta(seconds=total),
        error=error,
    )
    return settled(replace(status, work=work, state=STATES[operation]), now)


def complaints(update: Description, answers: Mapping[str, str]) -> dict[str, LocalizableMessage]:
    """What is wrong with the answers to an update's questions, by the question."""
    known = {question.id: question for question in update.questions}
    found = {
        id: message("resphere.appliance.update.no_question", "The update does not ask {0}.", id)
        for id in answers
        if id not in known
    }
    for asked, question in known.items():
        answer = answers.get(asked, question.default_answer)
        if answer is None or not is_good(question, answer):
            found[asked] = message(
                "resphere.appliance.update.bad_answer",
                "The question {0} has to be answered{1}.",
                asked,
                "" if question.allowed_values is None else f" by one of {', '.join(question.allowed_values)}",
            )
    return found


def is_good(question: Question, answer: str) -> bool:
    """Whether a question may be answered so."""
    if question.type is Pending.Question.InputType.BOOLEAN:
        return answer.lower() in ("true", "false")
    if question.allowed_values is not None and answer not in question.allowed_values:
        return False
    return question.regexp is None or re.fullmatch(question.regexp, answer) is not None
