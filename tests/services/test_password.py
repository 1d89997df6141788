"""The caller's own password, where the caller is none that has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from resphere.contract.errors import Unauthenticated
from resphere.contract.extensions.users import Password
from resphere.contract.model import Secret
from tests.support.world import World


def test_a_caller_whose_account_went_meanwhile_is_nobody(tmp_path: Path) -> None:
    with World(tmp_path) as world, pytest.raises(Unauthenticated) as refused:
        world.call(Password.change, Secret("Another-Passw0rd!"))
    assert refused.value.messages[0].id == "com.vmware.vapi.endpoint.method.authentication.required"
