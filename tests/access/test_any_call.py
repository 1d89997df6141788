"""Any operation with any valid input, about what is seen and what is not, by somebody with a role on a part of the
inventory: no reply, whether it answers or refuses, names what the caller may not know of, and nothing is put there.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.access.roles import ADMIN
from tests.access.test_matrix import ELSEWHERE, MACHINE, OPERATIONS, PLACES, Scope
from tests.support.calls import aimed, api_call, inputs
from tests.support.examples import examples

CALLS = 25
WIDE = {**PLACES, "folder, cluster and stores": ("group-v14", "domain-c28", "network-22", "datastore-32")}


@pytest.mark.parametrize("place", ["folder", "pool", "host", "folder, cluster and stores"])
@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_no_call_tells_of_what_is_not_seen(place: str, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        scope = Scope(Path(folder), WIDE[place], ADMIN)
        mine, theirs = scope.real(True), scope.real(False)
        real = {kind: [*mine[kind], *theirs[kind]] for kind in ELSEWHERE}
        with scope.served:
            for _ in range(CALLS):
                operation = data.draw(st.sampled_from(OPERATIONS))
                value = aimed(data.draw(inputs(operation, real)), mine, data.draw)
                if "object" in type(value).__struct_fields__ and isinstance(value.object, str):
                    value = msgspec.structs.replace(value, object=MACHINE)
                call = api_call(operation, value)
                reply = scope.served.ask_api(call)
                words = f"{operation.id} [{call.method} {call.target}] {reply.status} {bytes(reply.body)[:300]!r}"
                assert not scope.leaks(call, reply), words
                assert b"resphere.internal_error" not in bytes(reply.body), words
                after = {each.id: each for each in scope.objects()}
                assert not {id for id in after if id not in scope.known and not scope.view.sees(after[id])}, words
                scope.known |= after.keys()
