"""What is told of each operation beside the metamodel: how callers authenticate, which privileges they need, and which
server it is routed to. Each kind has it along the same tree of components, packages, services and operations."""

from __future__ import annotations

from collections.abc import Iterator

from resphere.access.defaults import LOGIN, LOGINS, OWN_SESSION, PUBLIC, ruled
from resphere.contract.generated import ids
from resphere.contract.generated import vapi_metadata_authentication as authentication
from resphere.contract.generated import vapi_metadata_privilege as privilege
from resphere.contract.generated import vapi_metadata_routing as routing
from resphere.contract.metamodel.elements import Expression, OperationElement, Stated
from resphere.contract.metamodel.served import Served

Info = authentication.AuthenticationInfo
SECURITY = "com.vmware.vapi.std.security."
SESSION_MANAGER = LOGIN.rpartition(".")[0]


def sessionless(*schemes: str) -> tuple[authentication.AuthenticationInfo, ...]:
    return tuple([Info(scheme_type=Info.SchemeType.SESSIONLESS, scheme=SECURITY + scheme) for scheme in schemes])


NONE = sessionless("no_authentication")
BY_PROOF = sessionless("user_pass", "saml_bearer_token", "saml_hok_token", "oauth")
BY_SESSION = (
    Info(scheme_type=Info.SchemeType.SESSION_AWARE, session_manager=SESSION_MANAGER, scheme=SECURITY + "session_id"),
)


def schemes_of(operation: str) -> tuple[authentication.AuthenticationInfo, ...]:
    """How a caller of an operation shows who it is."""
    if operation in PUBLIC:
        return NONE
    return BY_PROOF if operation in LOGINS else BY_SESSION


def operation_schemes(service: str, name: str) -> authentication.OperationInfo:
    return authentication.OperationInfo(schemes=schemes_of(f"{service}.{name}"))


def service_schemes(served: Served, service: ids.VapiServiceId) -> authentication.ServiceInfo:
    operations = {name: operation_schemes(service, name) for name in served.services[service]}
    return authentication.ServiceInfo(schemes=BY_SESSION, operations=operations)


def package_schemes(served: Served, package: ids.VapiPackageId) -> authentication.PackageInfo:
    services = {service: service_schemes(served, service) for service in served.packages[package].services}
    return authentication.PackageInfo(schemes=BY_SESSION, services=services)


def operation_privileges(
    served: Served, service: ids.VapiServiceId, name: ids.VapiOperationId
) -> privilege.OperationInfo:
    """The privileges that are needed whatever the input is, and those on what the input names: stated by the contract,
    or else by the rules of this server."""
    element = served.service(service).operations[name]
    id = f"{service}.{name}"
    if id in PUBLIC or id in OWN_SESSION:
        return privilege.OperationInfo(privileges=(), privilege_info=())
    if not element.privileges:
        return privilege.OperationInfo(privileges=ruled(service, name), privilege_info=())
    anywhere: list[str] = []
    at: dict[str, list[str]] = {}
    for stated in element.privileges:
        paths = list(paths_of(served, element, stated))
        for found in [at.setdefault(path, []) for path in paths] or [anywhere]:
            found += [each for each in stated.privileges if each not in found]
    return privilege.OperationInfo(
        privileges=tuple(anywhere),
        privilege_info=tuple(
            [privilege.PrivilegeInfo(property_path=path, privileges=tuple(each)) for path, each in at.items()]
        ),
    )


def paths_of(served: Served, element: OperationElement, stated: Stated) -> Iterator[str]:
    """Where in the input of an operation the objects stand on which privileges are needed: ``vm``, ``spec.folder``."""
    if stated.parameter is not None:
        yield stated.parameter
    if stated.attribute is not None:
        structure, _, field = stated.attribute.partition(":")
        for name, expression in element.input:
            yield from paths_within(served, expression, (name,), structure, field, frozenset())


def paths_within(
    served: Served, expression: Expression, path: tuple[str, ...], structure: str, field: str, within: frozenset[str]
) -> Iterator[str]:
    """The paths to a field of a structure (``*``: of any) inside a type."""
    kind = expression[0]
    if kind in ("optional", "list", "set", "map"):
        yield from paths_within(served, expression[-1], path, structure, field, within)
    elif kind == "structure" and expression[1] not in within:
        id = expression[1]
        for name, inner in served.structure(id).fields:
            if name == field and structure in ("*", id):
                yield ".".join((*path, name))
            yield from paths_within(served, inner, (*path, name), structure, field, within | {id})


def service_privileges(served: Served, service: ids.VapiServiceId) -> privilege.ServiceInfo:
    operations = {name: operation_privileges(served, service, name) for name in served.services[service]}
    return privilege.ServiceInfo(operations=operations)


def package_privileges(served: Served, package: ids.VapiPackageId) -> privilege.PackageInfo:
    services = {service: service_privileges(served, service) for service in served.packages[package].services}
    return privilege.PackageInfo(privileges=(), services=services)


HERE = routing.RoutingInfo(routing_path="", routing_strategy="LOCAL", operation_hints=(), id_types={})
"""There is one server: nothing is handed on to others."""


def service_routing(served: Served, service: ids.VapiServiceId) -> routing.ServiceInfo:
    operations = {name: routing.OperationInfo(routing_info=HERE) for name in served.services[service]}
    return routing.ServiceInfo(routing_info=HERE, operations=operations)


def package_routing(served: Served, package: ids.VapiPackageId) -> routing.PackageInfo:
    services = {service: service_routing(served, service) for service in served.packages[package].services}
    return routing.PackageInfo(routing_info=HERE, services=services)
