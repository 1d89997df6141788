"""A provider's users may have their groups in a directory, which is a real one here."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.contract.errors import ServiceUnavailable
from tests.auth.oidc.test_tokens import SECONDS, identified, reason
from tests.support.slapd import running_slapd
from tests.support.tokens import claims, provider, signed


def test_groups_of_a_directory_are_added(tmp_path: Path) -> None:
    with running_slapd(tmp_path / "slapd") as slapd:
        known = provider(directory=slapd.directory())
        principal = identified(signed(claims(SECONDS, groups=["told"])), tmp_path / "1", known)
        assert principal is not None
        assert principal.groups == {
            f"{group}@corp.example.com" for group in ("told", "developers", "engineering", "staff")
        }
        unknown = signed(claims(SECONDS, upn="mallory@corp.example.com"))
        assert "its directory does not know mallory" in reason(unknown, tmp_path / "2", known)
        slapd.stop()
        # Nobody is let in with a part of the groups.
        with pytest.raises(ServiceUnavailable):
            identified(signed(claims(SECONDS)), tmp_path / "3", known)
