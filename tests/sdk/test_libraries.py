"""Content libraries by the official SDK of both releases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.bindings import RELEASES, run_against
from tests.support.buckets import Service, StoredInBucket
from tests.support.libraries import kept
from tests.support.server import Server


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.xdist_group("sdk")
def test_libraries(release: str, tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        outcomes: dict[str, str | None] = run_against(server, release, "libraries")
    assert len(outcomes) == 11
    assert not {name: failure for name, failure in outcomes.items() if failure}


@pytest.mark.xdist_group("sdk")
def test_libraries_in_a_bucket(tmp_path: Path, s3_service: Service) -> None:
    stored = StoredInBucket(s3_service)
    with Server(tmp_path / "data", *stored.flags, environment=stored.environment) as server:
        outcomes: dict[str, str | None] = run_against(server, RELEASES[-1], "libraries")
        assert not {name: failure for name, failure in outcomes.items() if failure}
        assert kept(server) == {}
