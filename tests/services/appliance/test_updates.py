"""Updates that are gone through, step by step, and change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.errors import (
    AlreadyExists,
    AlreadyInDesiredState,
    InvalidArgument,
    NotAllowedInCurrentState,
    NotFound,
    VapiError,
)
from resphere.contract.generated import ids
from resphere.contract.generated.appliance import Health, Update
from resphere.contract.generated.appliance_health import Softwarepackages, System
from resphere.contract.generated.appliance_update import Pending, Policy, Staged
from resphere.contract.model import Secret
from tests.services.vcenter.building import refused
from tests.support.world import NOW, World

FIRST, SECOND, MAJOR = (ids.ApplianceUpdatePendingId(each) for each in ("8.0.3.00100", "8.0.3.00200", "9.0.0.00000"))
OWN = ids.ApplianceUpdatePendingId("8.0.3.00000")
LOCAL = Pending.SourceType.LOCAL
AGREE = ids.ApplicanceUpdatePendingDataitemId("agree")
COLOR = ids.ApplicanceUpdatePendingDataitemId("color")
State = Update.State


@pytest.fixture(autouse=True)
def repository(world: World, tmp_path: Path) -> Path:
    folder = tmp_path / "updates"
    describe(folder, FIRST, update_type="SECURITY", components=[{"name": "vpxd", "services": ["vpxd"]}])
    questions = [
        {"id": "agree", "text": "Do you?", "type": "BOOLEAN"},
        {"id": "color", "text": "Which?", "allowed_values": ["red", "blue"], "default_answer": "red"},
    ]
    describe(folder, SECOND, questions=questions, eulas=["Agree."], contents=["a fix"], services=["vpxd"])
    describe(folder, MAJOR, update_type="UPGRADE")
    describe(folder, "7.0.3.99999")
    return folder


def describe(folder: Path, version: str, **fields: Any) -> None:
    described = {"version": version, "name": f"VC-{version}", "release_date": "2026-01-01T00:00:00Z", **fields}
    (folder / f"{version}.json").write_text(json.dumps(described))


def later(world: World, seconds: float) -> None:
    moment = world.environment.now() + timedelta(seconds=seconds)
    world.environment = msgspec.structs.replace(world.environment, now=lambda: moment)


def state(world: World) -> tuple[str, str]:
    info = world.call(Update.get)
    return info.state.value, info.version


def not_now(message_id: str, ask: Callable[[], object]) -> None:
    with pytest.raises(NotAllowedInCurrentState) as error:
        ask()
    assert refused(error) == (400, message_id)


def test_what_is_pending(world: World) -> None:
    assert world.call(Pending.list, Pending.SourceType.LAST_CHECK, None, None) == ()
    assert world.call(Update.get).latest_query_time is None
    assert [each.version for each in world.call(Pending.list, LOCAL, None, None)] == [FIRST, SECOND]
    assert [each.version for each in world.call(Pending.list, LOCAL, None, True)] == [FIRST, SECOND, MAJOR]
    assert len(world.call(Pending.list, Pending.SourceType.LAST_CHECK, None, None)) == 2
    info = world.call(Update.get)
    assert (info.state, info.version, info.latest_query_time) == (State.UPDATES_PENDING, OWN, NOW)
    found = world.call(Pending.get, SECOND, None)
    assert (found.name, found.staged, len(found.eulas), len(found.services_will_be_stopped)) == (
        "VC-8.0.3.00200",
        False,
        1,
        1,
    )
    (component,) = world.call(Pending.list_upgradeable_components, FIRST)
    assert (component.component, component.affected_services) == ("vpxd", ("vpxd",))
    assert world.call(Pending.get, FIRST, "vpxd").name == "VC-8.0.3.00100"


def test_what_is_not(world: World) -> None:
    with pytest.raises(AlreadyInDesiredState):
        world.call(Pending.get, OWN, None)
    for version, component in ((ids.ApplianceUpdatePendingId("7.0.3.99999"), None), (FIRST, "nothing")):
        with pytest.raises(NotFound):
            world.call(Pending.stage, version, component)
    with pytest.raises(NotFound):
        world.call(Pending.list_upgradeable_components, OWN)
    with pytest.raises(NotFound) as error:
        world.call(Pending.list, LOCAL, "https://updates.example.org", None)
    assert refused(error) == (404, "resphere.appliance.update.no_url")


def test_staged_installed_and_rolled_back(world: World) -> None:
    not_now("resphere.appliance.update.none_staged", lambda: world.call(Staged.get))
    not_now("resphere.appliance.update.not_staged", lambda: world.call(Pending.install, FIRST, {}, None))
    world.call(Pending.stage, FIRST, None)
    assert state(world) == ("STAGE_IN_PROGRESS", FIRST)
    later(world, 30)
    task = world.call(Update.get).task
    assert task is not None
    assert task.progress is not None
    assert (task.status, task.cancelable, task.progress.completed) == ("RUNNING", True, 50)
    for again in (
        lambda: world.call(Pending.stage, SECOND, None),
        lambda: world.call(Pending.precheck, FIRST, None),
        lambda: world.call(Pending.validate, FIRST, {}, None),
        lambda: world.call(Pending.install, FIRST, {}, None),
        lambda: world.call(Pending.stage_and_install, FIRST, {}, None),
        lambda: world.call(Pending.rollback),
    ):
        not_now("resphere.appliance.update.under_way", again)
    with pytest.raises(VapiError) as error:
        world.call(Staged.delete)
    assert refused(error) == (500, "resphere.appliance.update.under_way")
    later(world, 30)
    assert state(world) == ("UPDATES_PENDING", FIRST)
    assert world.call(Staged.get).version == FIRST
    assert world.call(Pending.get, FIRST, None).staged
    with pytest.raises(AlreadyExists):
        world.call(Pending.stage, FIRST, None)
    world.call(Pending.install, FIRST, {}, None)
    assert state(world) == ("INSTALL_IN_PROGRESS", FIRST)
    not_now("resphere.appliance.update.not_cancelable", lambda: world.call(Update.cancel))
    later(world, 600)
    assert state(world) == ("UPDATES_PENDING", FIRST)
    assert [each.version for each in world.call(Pending.list, LOCAL, None, None)] == [SECOND]
    world.call(Pending.rollback)
    assert state(world) == ("ROLLBACK_IN_PROGRESS", OWN)
    later(world, 600)
    assert state(world) == ("UPDATES_PENDING", OWN)
    with pytest.raises(NotFound) as none:
        world.call(Pending.rollback)
    assert refused(none) == (404, "resphere.appliance.update.no_snapshot")


def test_staging_is_canceled_and_what_is_staged_given_up(world: World) -> None:
    world.call(Pending.stage, FIRST, None)
    world.call(Update.cancel)
    info = world.call(Update.get)
    assert info.state is State.UPDATES_PENDING
    assert info.task is not None
    assert (info.task.status, info.task.error and info.task.error.error_type) == ("FAILED", "CANCELED")
    world.call(Pending.stage, FIRST, "vpxd")
    later(world, 60)
    assert world.call(Staged.get).component == "vpxd"
    world.call(Staged.delete)
    not_now("resphere.appliance.update.none_staged", lambda: world.call(Staged.get))


def test_questions_have_to_be_answered(world: World) -> None:
    asked = world.call(Pending.precheck, SECOND, None)
    assert [each.data_item for each in asked.questions] == [AGREE, COLOR]
    assert asked.issues is not None
    assert asked.issues.info is not None
    assert asked.issues.info[0].id == "resphere.appliance.update.nothing"
    assert world.call(Pending.validate, SECOND, {AGREE: "true"}, None).errors is None
    for answers, wrong in (
        ({}, AGREE),
        ({AGREE: "perhaps"}, AGREE),
        ({AGREE: "true", COLOR: "green"}, COLOR),
        ({AGREE: "true", ids.ApplicanceUpdatePendingDataitemId("x"): "y"}, "x"),
    ):
        errors = world.call(Pending.validate, SECOND, answers, None).errors
        assert errors is not None
        assert wrong in errors[0].message.default_message
        with pytest.raises(InvalidArgument) as error:
            world.call(Pending.stage_and_install, SECOND, answers, None)
        assert error.value.messages[0].args[0] == f"user_data[{wrong}]"
    world.call(Pending.stage_and_install, SECOND, {AGREE: "true", COLOR: "blue"}, None)
    later(world, 660)
    assert state(world) == ("UP_TO_DATE", SECOND)


def test_an_installation_that_fails(world: World, repository: Path) -> None:
    describe(repository, FIRST, fails="The disk is full.")
    world.call(Pending.stage_and_install, FIRST, {}, None)
    later(world, 660)
    info = world.call(Update.get)
    assert (info.state, info.version) == (State.INSTALL_FAILED, FIRST)
    assert info.task is not None
    assert info.task.error is not None
    assert info.task.error.messages[0].default_message == "The disk is full."
    world.call(Pending.rollback)
    later(world, 600)
    assert state(world) == ("UPDATES_PENDING", OWN)


def test_health_tells_of_updates(world: World, repository: Path) -> None:
    item = ids.ApplianceHealthId("software-packages")
    assert (world.call(Softwarepackages.get), world.call(System.get)) == ("red", "green")
    assert [each.id for each in world.call(Health.messages, item)] == ["resphere.appliance.health.updates"]
    (repository / f"{FIRST}.json").unlink()
    assert world.call(Softwarepackages.get) == "orange"
    for file in repository.iterdir():
        file.unlink()
    assert (world.call(Softwarepackages.get), state(world)) == ("green", ("UP_TO_DATE", OWN))
    repository.rmdir()
    assert world.call(Softwarepackages.get) == "gray"
    with pytest.raises(NotFound):
        world.call(Pending.list, LOCAL, None, None)
    for read in (lambda: world.call(Update.get), lambda: world.call(Staged.get)):
        with pytest.raises(VapiError) as error:
            read()
        assert refused(error) == (500, "resphere.appliance.update.no_source")


@pytest.mark.parametrize(
    "content",
    ["{", '{"version": "x", "name": "n", "release_date": "2026-01-01T00:00:00Z"}', '{"version": "1.2"}', "[" * 5000],
)
def test_a_file_that_is_no_description(world: World, repository: Path, content: str) -> None:
    (repository / "bad.json").write_text(content)
    with pytest.raises(VapiError) as error:
        world.call(Pending.list, LOCAL, None, None)
    assert refused(error) == (500, "resphere.appliance.update.bad_file")
    assert "bad.json" in str(error.value)


def test_the_policy(world: World) -> None:
    fresh = world.call(Policy.get)
    assert (fresh.custom_URL, fresh.check_schedule, fresh.certificate_check) == (None, (), True)
    time = Policy.Time(day=Policy.DayOfWeek.MONDAY, hour=4, minute=30)
    wanted = Policy.Config(
        custom_URL="https://updates.example.org/vc",
        username="reader",
        password=Secret("not told"),
        check_schedule=(time,),
        auto_stage=True,
        certificate_check=False,
    )
    world.call(Policy.set, wanted)
    kept = world.call(Policy.get)
    assert (kept.custom_URL, kept.username, kept.check_schedule, kept.auto_stage, kept.certificate_check) == (
        "https://updates.example.org/vc",
        "reader",
        (time,),
        True,
        False,
    )
    for changes, field in (
        ({"custom_URL": "ftp://x"}, "policy.custom_URL"),
        ({"check_schedule": (msgspec.structs.replace(time, hour=25),)}, "policy.check_schedule[0].hour"),
        ({"check_schedule": (time, msgspec.structs.replace(time, minute=60))}, "policy.check_schedule[1].minute"),
    ):
        with pytest.raises(InvalidArgument) as error:
            world.call(Policy.set, msgspec.structs.replace(wanted, **changes))
        assert error.value.messages[0].args[0] == field
    assert world.call(Policy.get) == kept
