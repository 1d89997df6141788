"""The three dialects answer the same: equal calls on equal inventories give equal results, errors and inventories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere.contract.generated import ids, vcenter, vcenter_inventory, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Boot, Disk, Ethernet, ScsiAddressSpec
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation, Struct
from resphere.contract.unions import EXTRA
from resphere.inventory.model import KINDS, ManagedObject
from tests.support.calls import inputs, minimal_input
from tests.support.examples import examples
from tests.support.served import Failure, Served
from tests.support.world import IMPLEMENTATIONS

SESSION = "com.vmware.cis.session"
# Their answers are particular to a moment or to the session, which the worlds share with nobody.
EXCLUDED = ("com.vmware.cis.session", "com.vmware.cis.tagging")
COMMON = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTATIONS
    and operation.api is not None
    and operation.rest is not None
    and not operation.service.startswith(EXCLUDED)
]
READS = [operation for operation in COMMON if operation.name in ("get", "list")]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served, Served]]:
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(Served(tmp_path_factory.mktemp("served"))) for _ in range(3))
        yield first, second, third


@pytest.fixture(scope="module")
def some_ids(three: tuple[Served, Served, Served]) -> dict[str, list[str]]:
    """Ids that existed at the beginning: what is drawn must not depend on what earlier draws have made."""
    return real_ids(three[0])


def real_ids(served: Served) -> dict[str, list[str]]:
    """Ids that exist, by the name of their type."""
    inventory = served.world.inventory
    return {f"{cls.resource_type}Id": list(inventory.all(cls)) for cls in KINDS.values() if inventory.count(cls)}


def everything(served: Served) -> list[ManagedObject]:
    return [obj for cls in KINDS.values() for obj in served.world.inventory.all(cls).values()]


def ask(three: tuple[Served, Served, Served], operation: AnyOperation, value: object) -> object:
    """The one answer of the three."""
    one, two, three_ = three
    # All are asked before any answer is compared: else one of them would lag behind from then on.
    answer = alike(one, one.by_api(operation, value))  # type: ignore[arg-type]
    by_rest = alike(two, two.by_rest(operation, value))  # type: ignore[arg-type]
    by_jsonrpc = alike(three_, three_.by_jsonrpc(operation, value))  # type: ignore[arg-type]
    assert by_rest == answer, operation.id
    assert by_jsonrpc == answer, operation.id
    return answer


def alike(served: Served, answer: object) -> object:
    """The answer without the UUID of this store, which refusals write after the ids of objects."""
    if not isinstance(answer, Failure):
        return answer
    epoch = served.world.inventory.epoch
    return msgspec.structs.replace(answer, texts=tuple([text.replace(epoch, "vcenter") for text in answer.texts]))


def test_every_read_of_what_exists(three: tuple[Served, Served, Served]) -> None:
    real = real_ids(three[0])
    answers = [ask(three, operation, minimal_input(operation, real)) for operation in READS]
    good = [answer for answer in answers if not isinstance(answer, Failure)]
    assert len(READS) > 40
    assert len(good) > len(READS) // 2


@pytest.mark.parametrize(
    ("operation", "spec", "reason"),
    [
        (Disk.create, Disk.CreateSpec(scsi=ScsiAddressSpec(bus=0)), "spec.scsi: must not be set when type is unset"),
        (
            Ethernet.create,
            Ethernet.CreateSpec(mac_address="00:50:56:00:00:01"),
            "spec.mac_address: must not be set when mac_type is unset",
        ),
        (
            Boot.update,
            Boot.UpdateSpec(efi_legacy_boot=True),
            "spec.efi_legacy_boot: must not be set when type is unset",
        ),
    ],
    ids=["disk", "nic", "boot"],
)
def test_a_field_without_its_tag(
    three: tuple[Served, Served, Served], operation: AnyOperation, spec: Struct, reason: str
) -> None:
    value = msgspec.structs.replace(minimal_input(operation, real_ids(three[0])), spec=spec)
    assert ask(three, operation, value) == Failure("INVALID_ARGUMENT", (EXTRA,), (reason,))


def test_a_reply_is_kept_for_no_other_body(
    three: tuple[Served, Served, Served], some_ids: dict[str, list[str]]
) -> None:
    first, second, *_ = some_ids["DatastoreId"]
    find = vcenter_inventory.Datastore.find
    for identity in (first, second):
        found = ask(three, find, vcenter_inventory.Datastore.FindInput(datastores=(ids.DatastoreId(identity),)))
        assert found == {identity: vcenter_inventory.Datastore.Info(type="Datastore")}


def test_a_refusal_of_what_is_not_there(three: tuple[Served, Served, Served]) -> None:
    place = vcenter.VM.PlacementSpec(folder=ids.FolderId("group-v1"))
    spec = vcenter.VM.CreateSpec(guest_OS=vcenter_vm.GuestOS.DEBIAN_11_64, placement=place)
    refusal = ask(three, vcenter.VM.create, vcenter.VM.create.input(spec=spec))
    assert isinstance(refusal, Failure)
    assert "group-v1:vcenter" in refusal.texts[0]


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_call(three: tuple[Served, Served, Served], some_ids: dict[str, list[str]], data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(COMMON))
    real = some_ids if data.draw(st.booleans()) else None
    ask(three, operation, data.draw(inputs(operation, real)))


def test_changes_leave_equal_inventories(three: tuple[Served, Served, Served]) -> None:
    real = real_ids(three[0])
    changes = [operation for operation in COMMON if operation not in READS]
    assert changes
    for operation in changes:
        ask(three, operation, minimal_input(operation, real))
    first, second, third = (everything(served) for served in three)
    assert first == second == third


def test_worlds_are_made_alike(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Served(tmp_path / "one") as first, Served(tmp_path / "two") as second:
        assert everything(first) == everything(second)
