"""A pytest plugin: an example that fails is enough, and is not made smaller, which takes far longer than to find it."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings

from tests.support.examples import PROFILE, register_profiles

NAME = "resphere-unshrunk"


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """After the tests' own profile was loaded, or without that."""
    register_profiles()
    settings.register_profile(NAME, settings.get_profile(PROFILE), phases=(Phase.explicit, Phase.generate))
    settings.load_profile(NAME)
