"""The guard of refusals: what operations do not declare is not let pass."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from resphere.contract.errors import InvalidArgument, NotFound, ResourceInUse, VapiError, message
from resphere.contract.generated import ids, vcenter
from resphere.services.registry import Implementation
from tests.support.refusals import Witness, watched


def answering(error: VapiError, witness: Witness) -> Any:
    """``VM.get`` with a handler that answers ``error``."""

    async def get(*_: object) -> None:
        raise error

    implementation = Implementation(vcenter.VM.get, get, kept=False)
    handler = watched({vcenter.VM.get.id: implementation}, witness)[vcenter.VM.get.id].handler
    return asyncio.run(cast(Any, handler(None, ids.VirtualMachineId("vm-1"))))


@pytest.mark.parametrize("error", [NotFound, InvalidArgument])
def test_what_is_declared_and_what_any_operation_may_answer(error: type[VapiError]) -> None:
    witness = Witness()
    with pytest.raises(error):
        answering(error(message("a", "b")), witness)
    assert witness.undeclared == []


def test_an_undeclared_error_passes_nobody() -> None:
    witness = Witness()
    with pytest.raises(AssertionError, match=r"VM\.get answered RESOURCE_IN_USE"):
        answering(ResourceInUse(message("a", "b")), witness)
    assert len(witness.undeclared) == 1
