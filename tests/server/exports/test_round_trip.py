"""What is exported is there again where a server starts from it, and is exported as the same text."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resphere import services
from resphere.contract.errors import VapiError
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.inventory.customization import CustomizationItem, GuestCustomization
from resphere.inventory.model import KINDS, ManagedObject
from resphere.inventory.tagging import Attachment, Category, Tag
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.edit import Edit
from resphere.replica.table import Stored
from resphere.server.exports.file import file_parts, parse_file, read_file
from resphere.server.exports.tables import EXPORTED
from resphere.services.registry import load
from tests.support.belongings import belongings
from tests.support.calls import aimed, inputs
from tests.support.examples import examples
from tests.support.from_contract import Real
from tests.support.invariants import require_sound
from tests.support.world import World

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "inventory.yaml"
OBJECTS = generate(Sizes(datacenters=1, clusters=1, hosts=3, vms=12), 1)
ALL = (*OBJECTS, *belongings(OBJECTS))


def text_of(documents: Iterable[Stored], *, passwords: bool = True) -> str:
    return "".join(file_parts(documents, passwords=passwords))


def by_id(documents: Iterable[Stored]) -> dict[tuple[str, str], Stored]:
    return {(each.kind, each.id): each for each in documents}


def exported(world: World) -> list[Stored]:
    return [document for cls in EXPORTED for document in world.inventory.all(cls).values()]


def put(world: World, documents: Iterable[Stored]) -> None:
    def plan(edit: Edit) -> None:
        for document in documents:
            edit.put(document)

    world.run(world.inventory.change(plan))


def test_something_of_everything_is_tried() -> None:
    """Who adds a section adds to :mod:`tests.support.belongings`."""
    # The simulator makes neither of these; tests/services has them in its own round trip.
    elsewhere = {KINDS["datastore_file"], KINDS["unregistered_vm"]}
    assert {type(each) for each in ALL} == EXPORTED - elsewhere


def test_everything_is_read_back() -> None:
    text = text_of(ALL)
    read = parse_file(text, "file")
    assert by_id(read) == by_id(ALL)
    assert text_of(read) == text
    assert text_of(reversed(ALL)) == text


def test_the_example_of_the_documentation_loads(tmp_path: Path) -> None:
    read = read_file(EXAMPLE)
    with World(tmp_path, ()) as world:
        put(world, read)
        require_sound(world.inventory)
    assert {Category, Tag, Attachment, CustomizationItem} <= {type(each) for each in read}
    assert by_id(parse_file(text_of(read), "again")) == by_id(read)


def test_another_server_begins_with_all_of_it(tmp_path: Path) -> None:
    read = parse_file(text_of(ALL), "file")
    with World(tmp_path, ()) as world:
        put(world, read)
        require_sound(world.inventory)
        assert by_id(exported(world)) == by_id(ALL)
        assert text_of(exported(world)) == text_of(ALL)


def test_passwords_are_written_only_where_that_is_asked_for() -> None:
    assert text_of(ALL).count("very secret") == 4
    text = text_of(ALL, passwords=False)
    assert "very secret" not in text
    assert text.startswith("# The inventory of a vCenter, for resphere serve --inventory FILE.\n# Passwords in ")
    read = parse_file(text, "file")
    assert text_of(read, passwords=False) == text

    def others(documents: Iterable[Stored]) -> dict[tuple[str, str], Stored]:
        return by_id(each for each in documents if not isinstance(each, CustomizationItem | GuestCustomization))

    assert others(read) == others(ALL)


ABOUT = (
    "com.vmware.cis.tagging",
    "com.vmware.vcenter.tagging",
    "com.vmware.vcenter.compute.policies",
    "com.vmware.vcenter.guest.customization_specs",
    "com.vmware.vcenter.host.entropy",
    "com.vmware.vcenter.host.hardware",
    "com.vmware.vcenter.vm.data_sets",
    "com.vmware.vcenter.vm.guest.customization",
    "com.vmware.vcenter.vm.power",
    "com.vmware.vcenter.vm.storage",
    "com.vmware.vcenter.vm.delete",
    "com.vmware.vcenter.vm.register",
    "com.vmware.vcenter.vm.unregister",
    "com.vmware.vcenter.vm.clone",
    "com.vmware.vcenter.vm.instant_clone",
    "com.vmware.vstats.acq_specs",
    "resphere.vcenter.storage.policies",
    "resphere.vcenter.vm.snapshots",
    "resphere.vcenter.network",
    "resphere.vcenter.cluster",
)
"""What changes what belongs to objects, and what changes objects that something belongs to."""
IMPLEMENTED = load(services).keys()
OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTED
    and operation.api is not None
    and operation.api.method != "GET"
    and operation.id.startswith(ABOUT)
]
CALLS = 15


def real_of(documents: Iterable[Stored]) -> Real:
    """The ids of everything, by the names of their types."""
    documents = tuple(documents)
    names = {
        "tag_category": "CisTaggingCategoryId",
        "tag": "CisTaggingTagId",
        "storage_policy": "VcenterStoragePolicyId",
    }
    names |= {"compute_policy": "VcenterComputePolicyId", "customization_spec": "VcenterGuestCustomizationSpecId"}
    names |= {"acquisition": "VstatsModelAcqSpecId"}
    names |= {kind: f"{cls.resource_type}Id" for kind, cls in KINDS.items()}
    found: dict[str, list[str]] = {}
    for each in documents:
        if each.kind in names:
            found.setdefault(names[each.kind], []).append(each.id)
    return {**found, "VirtualMachineId": found["VirtualMachineId"][:3], "VcenterVmDataSetId": ["com.example/ä"]}


REAL = real_of(ALL)


def call(world: World, operation: AnyOperation, value: Any) -> None:
    with suppress(VapiError):
        world.ask(operation, value)


def normal(document: Stored) -> Any:
    """As it is after reading: what an attachment claims follows from its category's cardinality as it is."""
    return (document.tag, document.object) if isinstance(document, Attachment) else document


@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_was_done_is_exported_and_read_back(data: st.DataObject) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other, World(Path(one), OBJECTS) as world:
        put(world, belongings(OBJECTS))
        for _ in range(CALLS):
            operation = data.draw(st.sampled_from(OPERATIONS))
            call(world, operation, aimed(data.draw(inputs(operation, REAL)), REAL, data.draw))
        before = exported(world)
        text = text_of(before)
        read = parse_file(text, "what was written")
        assert {key: normal(each) for key, each in by_id(read).items()} == {
            key: normal(each) for key, each in by_id(before).items()
        }
        with World(Path(other), ()) as next_world:
            put(next_world, read)
            require_sound(next_world.inventory)
            assert text_of(exported(next_world)) == text
        assert all(isinstance(each, ManagedObject) for each in parse_file(text_of(OBJECTS), "objects alone"))
