"""What every test module shares."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.buckets import Service, service
from tests.support.examples import PROFILE, SHORT_PROFILE, register_profiles
from tests.support.in_process import skip_what_starts_processes
from tests.support.refusals import WITNESS

register_profiles()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="skip tests that start a process, and try fewer examples")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module asks how many examples to try."""
    settings.load_profile(SHORT_PROFILE if config.getoption("quick") else PROFILE)
    # Shells have what they start in the background ignore it, and so do all processes that tests start to interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def in_process(pytestconfig: pytest.Config) -> None:
    """With ``--quick`` nothing may start a process where tests run; xdist has started its own before."""
    if pytestconfig.getoption("quick"):
        skip_what_starts_processes()


@pytest.fixture(autouse=True)
def nothing_undeclared() -> Iterator[None]:
    """Fail the test that let an undeclared error pass, whatever became of it on its way."""
    yield
    undeclared, WITNESS.undeclared = WITNESS.undeclared, []
    assert not undeclared


@pytest.fixture(scope="session")
def s3_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Storage that speaks S3, one for each test process; each test has a bucket of its own."""
    with service(tmp_path_factory.mktemp("s3")) as running:
        yield running
