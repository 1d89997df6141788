"""The directory that tests share; those that change it undo that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.slapd import Slapd, running_slapd


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """OpenLDAP's server with a few people."""
    with running_slapd(tmp_path_factory.mktemp("slapd")) as running:
        yield running
