"""Values whose type the contract leaves open, as ``/api`` and ``/rest`` write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from resphere.contract.generated.cis_task import Info, Status
from resphere.contract.generated.ids import VapiOperationId, VapiServiceId
from resphere.contract.model import LocalizableMessage
from resphere.dialects import rest_values
from resphere.wire import json_values
from resphere.wire.codec import Codec, Write
from resphere.wire.plain_values import document, written

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
ON_THE_WIRE = "2026-01-02T03:04:05.678Z"


BOTH = pytest.mark.parametrize("writing", [json_values.WRITING, rest_values.WRITING], ids=["api", "rest"])


def shown_by(writing: Codec[Write], value: Info) -> Any:
    return json.loads(document(written(value, Info, writing)))


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


@BOTH
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
def test_a_moment_in_a_result_is_written_as_every_moment(writing: Codec[Write], result: Any, shown: Any) -> None:
    assert shown_by(writing, task(result))["result"] == shown


@BOTH
def test_a_structure_in_a_result_is_written_by_its_own_type(writing: Codec[Write]) -> None:
    inner = task(MOMENT)
    assert shown_by(writing, task(inner))["result"] == shown_by(writing, inner)
