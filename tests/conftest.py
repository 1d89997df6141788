"""What every test module shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.refusals import WITNESS

# No deadline: a test never asserts a time. Derandomised, no database: the same run
# everywhere, with any number of workers.
settings.register_profile("resphere", deadline=None, derandomize=True, database=None)
settings.load_profile("resphere")


@pytest.fixture(autouse=True)
def nothing_undeclared() -> Iterator[None]:
    """Fail the test that let an undeclared error pass, whatever became of it on its way."""
    yield
    undeclared, WITNESS.undeclared = WITNESS.undeclared, []
    assert not undeclared
