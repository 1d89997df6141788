"""What the API says of itself, held against the contract that the server is made of."""

from __future__ import annotations

import json
from itertools import chain

import pytest

from resphere.access.defaults import PUBLIC, SELF_DESCRIPTION
from resphere.contract import extensions
from resphere.contract.catalogue import Catalogue
from resphere.contract.extensions.users import Users
from resphere.contract.fields import fields_of
from resphere.contract.generated.vapi_metadata_cli import Command, Namespace
from resphere.contract.generated.vapi_metadata_metamodel import Type
from resphere.contract.generated.vapi_std_introspection import Operation as Introspected
from resphere.contract.lookup import all_operations, operation_at
from resphere.contract.metamodel import commands, definitions, infos, navigation, swagger
from resphere.contract.metamodel.elements import GENERIC, Expression
from resphere.contract.metamodel.own import own
from resphere.contract.metamodel.served import Served, served
from resphere.contract.releases import ALL_RELEASES

WHOLE = served(ALL_RELEASES)
VM = "com.vmware.vcenter.VM"
Kind = Introspected.DataDefinition.DataType
BUILTIN, GENERIC_TYPE = Type.Category.BUILTIN, Type.Category.GENERIC


def no_words(service: str, name: str) -> str:
    return ""


def is_optional(expression: Expression) -> bool:
    return bool(expression[0] == "optional")


@pytest.mark.parametrize("releases", [ALL_RELEASES, *((release,) for release in ALL_RELEASES)])
def test_operations_are_those_that_the_release_serves(releases: tuple[str, ...]) -> None:
    catalogues = [Catalogue(release) for release in releases]
    expected = {
        operation.id
        for operation in all_operations()
        if any(each.place_of(operation.service, operation.name) for each in catalogues)
    }
    assert {f"{service}.{name}" for service, names in served(releases).services.items() for name in names} == expected


def test_what_a_release_has_not_does_not_appear() -> None:
    old, new = served(("7.0",)), served(("9.1",))
    assert "com.vmware.vapi.metadata.routing.service" not in old.services
    assert "com.vmware.vapi.metadata.routing.routing_info" not in old.structures
    assert "com.vmware.vapi.metadata.routing" not in old.packages
    assert "com.vmware.vapi.metadata.routing.routing_info" in new.structures
    assert "com.vmware.vapi.rest.navigation.root" in old.services
    assert "com.vmware.vapi.rest.navigation.root" not in new.services


def test_inputs_have_the_fields_of_the_typed_contract() -> None:
    for operation in all_operations():
        element = WHOLE.operation(operation.service, operation.name)
        fields = fields_of(operation.input)
        assert [name for name, _ in element.input] == [field.encode_name for field in fields], operation.id
        for (name, expression), field in zip(element.input, fields, strict=True):
            assert not is_optional(expression) or not field.required, f"{operation.id}.{name}"
        assert (element.output == ["void"]) is (operation.output is None), operation.id
        assert {each.rpartition(".")[2] for each in element.error_ids} == set(operation.errors), operation.id
        assert (element.api, element.rest) == (operation.api, operation.rest), operation.id


def test_everything_that_is_named_is_there_once() -> None:
    placed = list(chain.from_iterable(p.structures for p in WHOLE.packages.values()))
    placed += chain.from_iterable(structures for structures, _ in WHOLE.nested.values())
    assert sorted(placed) == sorted(WHOLE.structures)
    placed_enumerations = list(chain.from_iterable(p.enumerations for p in WHOLE.packages.values()))
    placed_enumerations += chain.from_iterable(enumerations for _, enumerations in WHOLE.nested.values())
    assert sorted(placed_enumerations) == sorted(WHOLE.enumerations)
    for id in WHOLE.structures:
        infos.structure_info(WHOLE, id)


def test_ours_are_a_component_of_their_own() -> None:
    assert set(WHOLE.components["resphere"]) == {each for each in WHOLE.packages if each.startswith("resphere")}  # type: ignore[index]
    ours = {operation.service for operation in extensions.OPERATIONS.values()}
    assert {each for each in WHOLE.services if each.startswith("resphere.")} == ours
    assert own().structures["resphere.users.info"].fields
    create = WHOLE.operation(Users.create.service, Users.create.name)
    assert create.api == Users.create.api


def test_types_are_told_with_all_that_is_inside() -> None:
    told = infos.type_of(["optional", ["map", ["id", "VirtualMachine"], ["list", ["structure", f"{VM}.info"]]]])
    assert told.category is GENERIC_TYPE
    inner = told.generic_instantiation.element_type.generic_instantiation  # type: ignore[union-attr]
    assert inner.map_key_type.builtin_type is Type.BuiltinType.ID  # type: ignore[union-attr]
    element = inner.map_value_type.generic_instantiation.element_type  # type: ignore[union-attr]
    assert element.user_defined_type.resource_id == f"{VM}.info"  # type: ignore[union-attr]


def test_metadata_says_where_an_operation_stands() -> None:
    told = infos.operation_info(
        "com.vmware.vcenter.vm.power", "start", WHOLE.operation("com.vmware.vcenter.vm.power", "start"), no_words
    )
    mapping, verb = told.metadata["RequestMapping"].elements, told.metadata["POST"].elements
    assert mapping["value"].string_value == "/vcenter/vm/{vm}/power/start"
    assert verb["path"].string_value == "/vcenter/vm/{vm}/power"
    assert verb["params"].list_value == ("action=start",)
    [vm] = told.params
    assert vm.metadata["PathVariable"].elements["value"].string_value == "vm"
    assert vm.metadata["Resource"].elements["value"].string_value == "VirtualMachine"


def test_unions_errors_and_models_are_marked() -> None:
    backing = infos.structure_info(WHOLE, "com.vmware.vcenter.vm.hardware.cdrom.backing_spec")
    fields = {each.name: each for each in backing.fields}
    assert "UnionTag" in fields["type"].metadata
    assert fields["iso_file"].metadata["UnionCase"].elements["value"].list_value == ("ISO_FILE",)
    error = infos.structure_info(WHOLE, "com.vmware.vapi.std.errors.not_found")
    assert error.type == "ERROR"
    assert error.metadata["Response"].elements["code"].string_value == "404"
    model = infos.structure_info(WHOLE, "com.vmware.content.library_model")
    assert model.metadata["Model"].elements["value"].list_value == ("id",)
    assert set(WHOLE.models("com.vmware.content.Library")) == {"com.vmware.content.library_model"}
    policies = WHOLE.operation("com.vmware.vcenter.compute.policies", "create")
    [spec] = infos.operation_info("x", "create", policies, no_words).params
    assert (
        spec.metadata["HasFieldsOf"].elements["value"].string_value == "com.vmware.vcenter.compute.policies.create_spec"
    )


def test_a_structure_inside_itself_is_referred_to() -> None:
    found = definitions.definition(WHOLE, ["structure", "com.vmware.vapi.metadata.metamodel.type"], frozenset())
    inside = found.fields["generic_instantiation"].element_definition.fields["element_type"].element_definition  # type: ignore[index, union-attr]
    assert (inside.type, inside.name) == (Kind.STRUCTURE_REF, "com.vmware.vapi.metadata.metamodel.type")  # type: ignore[union-attr]


def test_each_operation_is_a_command() -> None:
    tree = commands.tree_of(WHOLE)
    identities = commands.identities(tree, None)
    assert identities is not None
    assert len(set(identities)) == sum(map(len, WHOLE.services.values()))
    for identity in identities:
        found = commands.command(WHOLE, identity, no_words)
        assert found is not None
        names = [option.long_option for option in found.options]
        assert len(set(names)) == len(names), identity


def test_options_of_a_list_of_vms() -> None:
    found = commands.command(WHOLE, Command.Identity(path="com.vmware.vcenter.vm", name="list"), no_words)
    assert found is not None
    options = {option.long_option: (option.field_name, option.type, option.generic) for option in found.options}
    assert options["names"] == ("filter.names", "string", Command.GenericType.OPTIONAL_LIST)
    assert options["power-states"] == (
        "filter.power_states",
        "com.vmware.vcenter.vm.power.state",
        Command.GenericType.OPTIONAL_LIST,
    )
    assert found.formatter is Command.FormatterType.TABLE
    [output] = found.output_field_list
    assert [each.field_name for each in output.output_fields][:2] == ["vm", "name"]


def test_namespaces_lead_to_every_command() -> None:
    tree = commands.tree_of(WHOLE)
    reached, waiting = set(), [Namespace.Identity(path="", name="")]
    while waiting:
        found = commands.namespace(tree, waiting.pop())
        assert found is not None
        reached.add(commands.joined(found.identity.path, found.identity.name))
        waiting += found.children
    assert set(tree.commands) <= reached
    assert commands.namespace(tree, Namespace.Identity(path="com.vmware", name="nothing")) is None
    assert commands.identities(tree, "com.vmware.nothing") is None


def test_what_is_asked_before_login_is_public() -> None:
    ids = {operation.id for operation in all_operations()}
    told = {each for each in SELF_DESCRIPTION if each in ids}
    kinds = ("authentication", "cli", "metamodel", "privilege", "routing")
    sources = {
        each for each in ids if any(each.startswith(f"com.vmware.vapi.metadata.{kind}.source.") for kind in kinds)
    }
    described = {
        each
        for each in ids - sources
        if each.startswith(("com.vmware.vapi.metadata.", "com.vmware.vapi.rest.", "com.vmware.vapi.std.introspection."))
    }
    assert described <= told <= PUBLIC
    assert not sources & PUBLIC


@pytest.mark.parametrize("url", ["/rest/vcenter/vm/{vm}", "/vcenter/vm/vm-12", "/rest//vcenter/vm/vm-12?x=1"])
def test_operations_at_an_address(url: str) -> None:
    found = navigation.operations_at(WHOLE, url, "https://vc/rest", no_words)
    assert {"get", "delete"} <= {each.name for each in found}
    assert all(each.links[0].href.startswith("https://vc/rest/vcenter/vm/{vm}") for each in found)


def test_a_service_tells_of_those_below_it_too() -> None:
    found = navigation.operations_at(WHOLE, "/rest/com/vmware/content/library", "", no_words)
    assert {"com.vmware.content.library", "com.vmware.content.library.item"} <= {each.service for each in found}
    assert navigation.operations_at(WHOLE, "/rest/com/vmware/nothing", "", no_words) == ()


def test_an_id_is_put_into_the_addresses_of_a_resource() -> None:
    found = navigation.resource_operations(WHOLE, "VirtualMachine", "vm-1", "", no_words)
    hrefs = {each.name: each.links[0].href for each in found if each.service == VM}
    assert hrefs["get"] == "/vcenter/vm/vm-1"
    assert navigation.resource_operations(WHOLE, "Nothing", None, "", no_words) == ()


def documents(api: Served) -> dict[str, dict[str, object]]:
    return {
        area: json.loads(swagger.document(api, area, no_words, lambda operation: "session_id"))
        for area in swagger.areas(api)
    }


@pytest.mark.parametrize("release", ALL_RELEASES)
def test_swagger_documents_are_whole(release: str) -> None:
    api = served((release,))
    made = documents(api)
    assert json.loads(swagger.index(api)) == {"files": list(made)}
    for area, document in made.items():
        text = json.dumps(document)
        definitions = document["definitions"]
        assert isinstance(definitions, dict)
        referred = {part.partition('"')[0] for part in text.split('"#/definitions/')[1:]}
        assert referred <= set(definitions), area
        assert document["swagger"] == "2.0"


def test_generic_kinds_are_those_with_types_inside() -> None:
    assert set(GENERIC) == {"optional", "list", "set", "map"}


def test_places_of_the_index_and_of_the_metamodel_agree() -> None:
    for service, names in WHOLE.services.items():
        for name in names:
            place = Catalogue().place_of(service, name)
            assert place is not None
            assert operation_at(place).id == f"{service}.{name}"
