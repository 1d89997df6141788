"""Users, groups, tokens, sessions, certificates and permissions in every dialect: each operation, done and refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from resphere import services
from resphere.access.roles import READ_ONLY
from resphere.contract.errors import ERRORS
from resphere.contract.lookup import all_operations
from resphere.services.registry import load
from tests.support.certificates import shown
from tests.support.cli import add_user
from tests.support.security_cases import (
    AUDITOR,
    AUTHORIZATION,
    CERTIFICATES,
    IDENTITIES,
    NEW_CERTIFICATES,
    Asker,
    Case,
    Stage,
)
from tests.support.served import Failure
from tests.support.server import ADMINISTRATOR, PASSWORD, Server, wait_until
from tests.support.speaking import Dialect, Speaker

SERVICES = (
    "resphere.users",
    "resphere.groups",
    "resphere.password",
    "resphere.tokens",
    "resphere.sessions",
    "com.vmware.vcenter.authorization",
    "com.vmware.vcenter.certificate_management",
)
CASES = (*IDENTITIES, *AUTHORIZATION, *CERTIFICATES)
Speakers = dict[tuple[Dialect, Asker], Speaker]
IMPLEMENTED = load(services).keys()


def in_dialects(cases: tuple[Case, ...]) -> list[object]:
    """Each case in each dialect that has its operation."""
    return [
        pytest.param(case, dialect, id=f"{case.operation.id} {dialect}")
        for case in cases
        for dialect in Dialect
        if dialect.speaks(case.operation)
    ]


def test_each_operation_has_its_case() -> None:
    cases = (*CASES, *NEW_CERTIFICATES)
    operations = {each.id for each in all_operations() if each.id in IMPLEMENTED and each.id.startswith(SERVICES)}
    assert {case.operation.id for case in cases} == operations
    assert len(cases) == len(operations)
    # Nothing of this API makes a vTContainer.
    never = {case.operation.id for case in cases if case.good is None}
    assert all(".vt_containers." in each for each in never)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own, with somebody who may only read."""
    with Server(tmp_path_factory.mktemp("security") / "data", "--vms", "5") as server:
        add_user(server.data_dir, AUDITOR, "secret", READ_ONLY.name)
        yield server


@pytest.fixture(scope="module")
def stage(server: Server) -> Iterator[Stage]:
    with Speaker(server, Dialect.API) as administrator:
        yield Stage(server, administrator)


@pytest.fixture(scope="module")
def speakers(server: Server) -> Iterator[Speakers]:
    """Those who ask."""
    users = {
        Asker.ADMINISTRATOR: (ADMINISTRATOR, PASSWORD),
        Asker.AUDITOR: (AUDITOR, "secret"),
        Asker.NOBODY: (None, ""),
    }
    with ExitStack() as stack:
        yield {
            (dialect, asker): stack.enter_context(Speaker(server, dialect, *login))
            for dialect in Dialect
            for asker, login in users.items()
        }


@pytest.mark.parametrize(("case", "dialect"), in_dialects(tuple(each for each in CASES if each.good is not None)))
def test_done(case: Case, dialect: Dialect, stage: Stage, speakers: Speakers) -> None:
    assert case.good is not None
    result = speakers[dialect, Asker.ADMINISTRATOR].ask(case.operation, **case.good(stage))
    assert not isinstance(result, Failure), result
    assert (result == b"") == (case.operation.output is None)


@pytest.mark.parametrize(("case", "dialect"), in_dialects(CASES))
def test_refused(case: Case, dialect: Dialect, stage: Stage, speakers: Speakers) -> None:
    refuse(case, speakers[dialect, case.refused], stage)


def refuse(case: Case, speaker: Speaker, stage: Stage) -> None:
    """See that it is refused so, in words."""
    failure = speaker.ask(case.operation, **case.bad(stage))
    assert isinstance(failure, Failure), failure
    assert failure.error_type == case.error_type, failure
    assert all(failure.texts)
    assert case.error_type in ERRORS


@pytest.mark.parametrize("dialect", Dialect)
def test_new_certificates(dialect: Dialect, tmp_path: Path) -> None:
    """That it is the new one which is served then, ``test_certificates.py`` looks at."""
    with Server(tmp_path / "data", "--vms", "1") as server, Speaker(server, dialect) as speaker:
        stage = Stage(server, speaker)
        for case in NEW_CERTIFICATES:
            assert case.good is not None
            assert dialect.speaks(case.operation)
            refuse(case, speaker, stage)
            result = speaker.ask(case.operation, **case.good(stage))
            assert result == b"", result
        issuer = stage.foreign.root.certificate.subject
        wait_until(lambda: shown(server).issuer == issuer, "the serving of the last certificate", 90)
