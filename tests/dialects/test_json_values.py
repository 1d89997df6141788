"""Values of ``/api`` whose type the contract leaves open."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from resphere.contract.generated.cis_task import Info, Status
from resphere.contract.generated.ids import VapiOperationId, VapiServiceId
from resphere.contract.model import LocalizableMessage
from resphere.dialects.json_values import encoded

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
ON_THE_WIRE = "2026-01-02T03:04:05.678Z"


def task(result: Any) -> Info:
    return Info(
        result=result,
        description=LocalizableMessage(id="id", default_message="words", args=()),
        service=VapiServiceId("service"),
        operation=VapiOperationId("operation"),
        status=Status.SUCCEEDED,
        cancelable=False,
        start_time=MOMENT,
        end_time=MOMENT,
    )


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (MOMENT, ON_THE_WIRE),
        ((MOMENT,), [ON_THE_WIRE]),
        ({"when": MOMENT}, {"when": ON_THE_WIRE}),
        ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901Z"),
        (12, 12),
    ],
)
def test_a_moment_in_a_result_is_written_as_every_moment(result: Any, shown: Any) -> None:
    assert json.loads(encoded(task(result), Info))["result"] == shown


def test_a_structure_in_a_result_is_written_by_its_own_type() -> None:
    inner = task(MOMENT)
    assert json.loads(encoded(task(inner), Info))["result"] == json.loads(encoded(inner, Info))
