"""Has a server tell of itself through the official SDK's own classes, without logging in, and compares it with the
types of that SDK. Prints what is different, and what was compared."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import com
import com.vmware.vapi.metadata.authentication_client as authentication
import com.vmware.vapi.metadata.cli_client as cli
import com.vmware.vapi.metadata.metamodel_client as metamodel
import com.vmware.vapi.metadata.privilege_client as privilege
import com.vmware.vapi.metadata.routing_client as routing
import com.vmware.vapi.std.errors_client as errors
import com.vmware.vapi.std.introspection_client as introspection
import requests
from com.vmware.vapi.metadata.authentication.service_client import Operation as AuthenticationOperation
from com.vmware.vapi.metadata.metamodel.resource_client import Model
from com.vmware.vapi.metadata.metamodel.service_client import Operation as MetamodelOperation
from com.vmware.vapi.metadata.privilege.service_client import Operation as PrivilegeOperation
from com.vmware.vapi.metadata.routing.service_client import Operation as RoutingOperation
from vmware.vapi.bindings import type as t
from vmware.vapi.core import MethodIdentifier
from vmware.vapi.lib.connect import get_requests_connector
from vmware.vapi.stdlib.client.factories import StubConfigurationFactory
from vmware.vapi.stdlib.client.introspection import IntrospectableApiProvider

BUILTIN = {
    t.VoidType: "VOID",
    t.IntegerType: "LONG",
    t.DoubleType: "DOUBLE",
    t.BooleanType: "BOOLEAN",
    t.StringType: "STRING",
    t.BlobType: "BINARY",
    t.SecretType: "SECRET",
    t.DateTimeType: "DATE_TIME",
    t.URIType: "URI",
    t.OpaqueType: "OPAQUE",
    t.DynamicStructType: "DYNAMIC_STRUCTURE",
    t.AnyErrorType: "ANY_ERROR",
    t.IdType: "ID",
}
UNKNOWN = "no.such.thing"


class Told:
    """All that the components tell, by id."""

    def __init__(self, stubs: Any) -> None:
        component = metamodel.Component(stubs)
        self.services: dict[str, Any] = {}
        self.structures: dict[str, Any] = {}
        self.enumerations: dict[str, Any] = {}
        self.fingerprints: dict[str, list[str]] = {}
        for id in component.list():
            data = component.get(id)
            self.fingerprints[id] = [data.fingerprint, component.fingerprint(id)]
            for package in data.info.packages.values():
                self.services.update(package.services)
                self.enumerations.update(package.enumerations)
                self._add_structures(package.structures)
                for service in package.services.values():
                    self.enumerations.update(service.enumerations)
                    self._add_structures(service.structures)

    def _add_structures(self, structures: dict[str, Any]) -> None:
        self.structures.update(structures)
        for structure in structures.values():
            self.enumerations.update(structure.enumerations)


class Comparison:
    """What of the SDK's types is told differently. ``all``: the server has all operations that the SDK knows."""

    def __init__(self, told: Told, all: bool) -> None:
        self.told = told
        self.all = all
        self.differences: list[str] = []
        self.more: list[str] = []
        self.compared: set[str] = set()

    def require(self, what: str, told: Any, known: Any) -> None:
        if told != known:
            self.differences.append(f"{what}: told {told}, but it is {known}")

    def service(self, cls: Any, stub: Any) -> None:
        id = cls._VAPI_SERVICE_ID
        info = self.told.services.get(id)
        if info is None:
            return
        self.compared.add(id)
        known = set(stub._operations)
        if self.all:
            self.require(f"{id} operations", sorted(known - set(info.operations)), [])
        self.more += sorted(f"{id}.{name}" for name in set(info.operations) - known)
        own = vars(cls).items()
        constants = [name for name, value in own if name.isupper() and name[0] != "_" and isinstance(value, str | list)]
        self.require(f"{id} constants", sorted(info.constants), sorted(constants))
        for name in known & set(info.operations):
            self.operation(f"{id}.{name}", info.operations[name], stub._operations[name])

    def operation(self, where: str, info: Any, known: dict[str, Any]) -> None:
        given = known["input_type"]
        self.fields(where, info.params, {name: given.get_field(name) for name in given.get_field_names()})
        self.require(f"{where} output", self.shape(info.output.type), self.of_binding(known["output_type"]))
        self.require(f"{where} errors", sorted(e.structure_id for e in info.errors), sorted(known["errors"]))

    def fields(self, where: str, told: Any, known: dict[str, Any]) -> None:
        types = {field.name: self.shape(field.type) for field in told}
        for name, binding in known.items():
            self.require(f"{where}.{name}", types.get(name), self.of_binding(binding))
        self.require(f"{where} fields", list(types), list(known))
        for field in told:
            if field.name in known:
                self.resource(f"{where}.{field.name}", field, known[field.name])

    def resource(self, where: str, field: Any, binding: Any) -> None:
        """That identifiers are of the resources that the SDK says, where it does."""
        while isinstance(binding, t.OptionalType | t.ListType | t.SetType):
            binding = binding.element_type
        if isinstance(binding, t.IdType) and isinstance(binding.resource_types, str):
            told = field.metadata["Resource"].elements["value"].string_value if "Resource" in field.metadata else None
            self.require(f"{where} resource", told, binding.resource_types)

    def shape(self, type: Any) -> str:
        """A type as it is told, in words."""
        if type.category == "BUILTIN":
            return str(type.builtin_type)
        if type.category == "USER_DEFINED":
            return f"{type.user_defined_type.resource_type} {type.user_defined_type.resource_id}"
        generic = type.generic_instantiation
        if generic.generic_type == "MAP":
            return f"MAP({self.shape(generic.map_key_type)}, {self.shape(generic.map_value_type)})"
        return f"{generic.generic_type}({self.shape(generic.element_type)})"

    def of_binding(self, binding: Any) -> str:
        """A type of the SDK in the same words; what is named is compared too."""
        while isinstance(binding, t.ReferenceType):
            binding = binding.resolved_type
        for kind, word in ((t.OptionalType, "OPTIONAL"), (t.SetType, "SET"), (t.ListType, "LIST")):
            if isinstance(binding, kind):
                return f"{word}({self.of_binding(binding.element_type)})"
        if isinstance(binding, t.MapType):
            return f"MAP({self.of_binding(binding.key_type)}, {self.of_binding(binding.value_type)})"
        if type(binding) in BUILTIN:
            return BUILTIN[type(binding)]
        if isinstance(binding, t.EnumType):
            self.enumeration(binding)
            return f"com.vmware.vapi.enumeration {binding.name}"
        self.structure(binding)
        return f"com.vmware.vapi.structure {binding.name}"

    def enumeration(self, binding: Any) -> None:
        if binding.name in self.compared:
            return
        self.compared.add(binding.name)
        told = self.told.enumerations.get(binding.name)
        values = [each.value for each in told.values] if told is not None else None
        known = [str(each) for each in binding.binding_class.get_values()]
        self.require(f"{binding.name} values", values, known)

    def structure(self, binding: Any) -> None:
        if binding.name in self.compared:
            return
        self.compared.add(binding.name)
        told = self.told.structures.get(binding.name)
        if told is None:
            self.differences.append(f"{binding.name} is not told")
            return
        self.fields(binding.name, told.fields, {name: binding.get_field(name) for name in binding.get_field_names()})
        self.unions(binding, {field.name: field.metadata for field in told.fields})
        self.require(f"{binding.name} is a model", "Model" in told.metadata, bool(binding.is_model))

    def unions(self, binding: Any, told: dict[str, Any]) -> None:
        for validator in getattr(binding.binding_class, "_validator_list", None) or []:
            if type(validator).__name__ != "UnionValidator":
                continue
            tag = validator._discriminant_name
            if tag not in told:
                continue  # some of the SDK's own are of another structure
            self.require(f"{binding.name}.{tag} is a tag", "UnionTag" in told[tag], True)
            cases: dict[str, set[str]] = {}
            for case, members in validator._case_map.items():
                for member, _ in members:
                    cases.setdefault(member, set()).add(case)
            for member, within in cases.items():
                said = told[member]["UnionCase"].elements if "UnionCase" in told[member] else {}
                listed = set(said["value"].list_value) if said else None
                self.require(f"{binding.name}.{member} cases", listed, within)


def services() -> Iterator[Any]:
    """The service classes of the SDK."""
    for root in com.__path__:
        base = Path(root).parent
        for folder, _, files in sorted(os.walk(root)):
            for file in sorted(files):
                if file.endswith("_client.py"):
                    name = ".".join(Path(folder, file).relative_to(base).with_suffix("").parts)
                    for cls in list(vars(importlib.import_module(name)).values()):
                        if isinstance(cls, type) and getattr(cls, "_VAPI_SERVICE_ID", None) and cls.__module__ == name:
                            yield cls


def introspected(connector: Any, told: Told, known: list[tuple[Any, Any]]) -> list[str]:
    """The operations whose data is told differently from what the SDK sends and takes."""
    provider = IntrospectableApiProvider(connector)
    wrong = []
    for cls, stub in known:
        service = cls._VAPI_SERVICE_ID
        for name in stub._operations:
            if service not in told.services or name not in told.services[service].operations:
                continue
            said = provider.get_method(service, name)
            real = stub.get_method_definition(MethodIdentifier(stub._iface_id, name))
            if said.get_input_definition() != real.get_input_definition():
                wrong.append(f"{service}.{name} input")
            if said.get_output_definition() != real.get_output_definition():
                wrong.append(f"{service}.{name} output")
    return wrong


def refused(call: Any, *arguments: Any) -> bool:
    """Whether there is no such thing."""
    try:
        call(*arguments)
    except errors.NotFound:
        return True
    return False


def unknown_ids(stubs: Any) -> list[str]:
    """The operations that tell of what there is not."""
    service = "com.vmware.vcenter.VM"
    identity = {"path": "com.vmware", "name": UNKNOWN}
    asked = {
        "metamodel component": (metamodel.Component(stubs).get, UNKNOWN),
        "metamodel component fingerprint": (metamodel.Component(stubs).fingerprint, UNKNOWN),
        "metamodel package": (metamodel.Package(stubs).get, UNKNOWN),
        "metamodel service": (metamodel.Service(stubs).get, UNKNOWN),
        "metamodel structure": (metamodel.Structure(stubs).get, UNKNOWN),
        "metamodel enumeration": (metamodel.Enumeration(stubs).get, UNKNOWN),
        "metamodel operation": (MetamodelOperation(stubs).get, service, UNKNOWN),
        "metamodel operations": (MetamodelOperation(stubs).list, UNKNOWN),
        "metamodel models": (Model(stubs).list, UNKNOWN),
        "introspection service": (introspection.Service(stubs).get, UNKNOWN),
        "introspection operations": (introspection.Operation(stubs).list, UNKNOWN),
        "introspection operation": (introspection.Operation(stubs).get, service, UNKNOWN),
        "command": (cli.Command(stubs).get, cli.Command.Identity(**identity)),
        "commands": (cli.Command(stubs).list, UNKNOWN),
        "namespace": (cli.Namespace(stubs).get, cli.Namespace.Identity(**identity)),
    }
    kinds = [
        ("authentication", authentication, AuthenticationOperation),
        ("privilege", privilege, PrivilegeOperation),
    ]
    if "com.vmware.vapi.metadata.routing.service" in metamodel.Service(stubs).list():
        kinds.append(("routing", routing, RoutingOperation))
    for kind, module, operation in kinds:
        asked[f"{kind} component"] = (module.Component(stubs).get, UNKNOWN)
        asked[f"{kind} fingerprint"] = (module.Component(stubs).fingerprint, UNKNOWN)
        asked[f"{kind} package"] = (module.Package(stubs).get, UNKNOWN)
        asked[f"{kind} service"] = (module.Service(stubs).get, UNKNOWN)
        asked[f"{kind} operation"] = (operation(stubs).get, service, UNKNOWN)
        asked[f"{kind} operations"] = (operation(stubs).list, UNKNOWN)
    return [name for name, (call, *arguments) in asked.items() if not refused(call, *arguments)]


def same_by_themselves(stubs: Any, told: Told) -> list[str]:
    """What is told differently when it is asked for by itself; one of each kind in a hundred."""
    wrong = []
    for get, all_of in (
        (metamodel.Service(stubs).get, told.services),
        (metamodel.Structure(stubs).get, told.structures),
        (metamodel.Enumeration(stubs).get, told.enumerations),
    ):
        wrong += [id for id in sorted(all_of)[::100] if get(id) != all_of[id]]
    return wrong


def main() -> None:
    given = json.load(sys.stdin)
    session = requests.Session()
    session.verify = given["ca"]
    connector = get_requests_connector(session, url=f"https://{given['server']}/api")
    stubs = StubConfigurationFactory.new_std_configuration(connector)
    told = Told(stubs)
    known = [(cls, cls(stubs)._api_interface) for cls in services()]
    comparison = Comparison(told, given["all"])
    for cls, stub in known:
        comparison.service(cls, stub)
    ids = {
        "component": (metamodel.Component(stubs).list(), list(told.fingerprints)),
        "service": (metamodel.Service(stubs).list(), list(told.services)),
        "structure": (metamodel.Structure(stubs).list(), list(told.structures)),
        "enumeration": (metamodel.Enumeration(stubs).list(), list(told.enumerations)),
        "introspected": (list(introspection.Service(stubs).list()), list(told.services)),
    }
    json.dump(
        {
            "differences": comparison.differences,
            "compared": len(comparison.compared),
            "more": comparison.more,
            "untold": sorted(cls._VAPI_SERVICE_ID for cls, _ in known if cls._VAPI_SERVICE_ID not in told.services),
            "introspected": introspected(connector, told, known) if given["all"] else [],
            "not refused": unknown_ids(stubs),
            "other by themselves": same_by_themselves(stubs, told),
            "other lists": [kind for kind, (listed, found) in ids.items() if sorted(listed) != sorted(found)],
            "fingerprints": told.fingerprints,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
