"""What ``com.vmware.vapi.rest.navigation`` tells: where on ``/rest`` everything is.

URLs are whole where their base is given, else relative to ``/rest``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from resphere.contract.extensions import route_text
from resphere.contract.generated import ids
from resphere.contract.generated import vapi_rest_navigation as nav
from resphere.contract.metamodel.infos import Describe
from resphere.contract.metamodel.served import Served
from resphere.contract.model import Route

REST = "/rest"
NAVIGATION = "/com/vmware/vapi/rest/navigation"
METAMODEL = "/com/vmware/vapi/metadata/metamodel"
GET = nav.HttpMethodModel.GET


def root(base: str) -> nav.Root.Info:
    """Where to go from here."""
    return nav.Root.Info(
        components=link(asked(f"{base}{NAVIGATION}/component", base)),
        resources=link(asked(f"{base}{NAVIGATION}/resource", base)),
    )


def asked(href: str, base: str) -> str:
    """The URL of something that has links in it itself, so that those begin with the same base."""
    return href if not base else f"{href}{'&' if '?' in href else '?'}base_url={quote(base, safe='')}"


def link(href: str) -> nav.LinkModel:
    """Where something is read, and where it is told what may be done with it."""
    return nav.LinkModel(href=href, method=GET, metadata=options_of(href))


def options_of(href: str) -> nav.ReferenceModel:
    """Where it is told what may be done at a URL."""
    return nav.ReferenceModel(href=f"{href}{'&' if '?' in href else '?'}~method=OPTIONS", method=GET)


def components(served: Served, base: str) -> tuple[nav.Component.Info, ...]:
    """The components that have something on ``/rest``, with where their services are listed."""
    return tuple(
        [
            nav.Component.Info(
                name=component,
                documentation="",
                services=link(asked(f"{base}{NAVIGATION}/service?component_id={quote(component)}", base)),
            )
            for component in served.components
            if any(services_of(served, component))
        ]
    )


def services_of(served: Served, component: ids.VapiComponentId) -> Iterator[ids.VapiServiceId]:
    """The services of a component that have something on ``/rest``."""
    for package in served.components[component]:
        for service in served.packages[package].services:
            if any(True for _ in routes_of(served, service)):
                yield service


def routes_of(served: Served, service: ids.VapiServiceId) -> Iterator[tuple[str, Route]]:
    """(name, route) of the operations of a service that stand on ``/rest``."""
    element = served.service(service)
    for name in served.services[service]:
        route = element.operations[name].rest
        if route is not None:
            yield name, route


def services(served: Served, component: ids.VapiComponentId, base: str) -> tuple[nav.Service.Info, ...]:
    """The services of a component."""
    found = []
    for service in services_of(served, component):
        href = base + mapped(service)
        found.append(nav.Service.Info(name=service, documentation="", href=href, method=GET, metadata=options_of(href)))
    return tuple(found)


def mapped(service: str) -> str:
    """Where a service stands by its id: ``com.vmware.cis.tagging.tag_association`` with slashes and dashes."""
    return "/" + service.replace(".", "/").replace("_", "-")


def operations_at(served: Served, url: str, base: str, describe: Describe) -> tuple[nav.OperationModel, ...]:
    """What may be done at a URL: of the service that stands there by its id, also what those below it do; else the
    operations of the very address. Empty where there is nothing."""
    path = "/" + "/".join(part for part in url.partition("?")[0].split("/") if part)
    path = path.removeprefix(REST) if path.startswith(REST + "/") else path
    below = mapped_ids(served).get(path)
    if below is None:
        known = [each for each in served.services if addressed(served, each, path)]
        return tuple([each for service in known for each in operations(served, service, base, describe, path)])
    prefix = below + "."
    inside = [each for each in served.services if each == below or each.startswith(prefix)]
    return tuple([each for service in inside for each in operations(served, service, base, describe)])


def mapped_ids(served: Served) -> dict[str, ids.VapiServiceId]:
    """Path -> service that stands there by its id."""
    return {mapped(service): service for service in served.services if any(True for _ in routes_of(served, service))}


def addressed(served: Served, service: ids.VapiServiceId, path: str) -> bool:
    """Whether an operation of the service stands at an address."""
    return any(fits(route, path) for _, route in routes_of(served, service))


def fits(route: Route, path: str) -> bool:
    """Whether an address is one of a route's."""
    template = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path.removeprefix(REST)))
    return re.fullmatch(template, path) is not None


def operations(
    served: Served, service: ids.VapiServiceId, base: str, describe: Describe, path: str | None = None
) -> Iterator[nav.OperationModel]:
    """The operations of a service, or those of one address."""
    for name, route in routes_of(served, service):
        if path is None or fits(route, path):
            href = base + route_text(route).removeprefix(REST)
            yield nav.OperationModel(
                service=service,
                name=name,
                documentation=describe(service, name),
                links=(nav.ReferenceModel(href=href, method=nav.HttpMethodModel(route.method)),),
                metadata=nav.ReferenceModel(
                    href=f"{base}{METAMODEL}/service/operation/id:{service}/id:{quote(name)}", method=GET
                ),
            )


def resources(served: Served, base: str) -> tuple[nav.Resource.Info, ...]:
    """The types of resources that services are about."""
    found = []
    for type in sorted({type for type, _ in about(served)}):
        href = asked(f"{base}{NAVIGATION}/resource/id:{quote(type)}", base)
        found.append(nav.Resource.Info(name=type, href=href, method=GET, metadata=options_of(href)))
    return tuple(found)


def about(served: Served) -> Iterator[tuple[str, ids.VapiServiceId]]:
    """(type of resources, service that is about it)."""
    for service in served.services:
        for type in served.resource_types(service):
            yield type, service


def resource_operations(
    served: Served, type: str, instance: str | None, base: str, describe: Describe
) -> tuple[nav.OperationModel, ...]:
    """What may be done with resources of a type; with ``instance``, URLs have its id where that of one stands."""
    services = sorted({service for each, service in about(served) if each == type})
    found = [made for service in services for made in operations(served, service, base, describe)]
    return tuple([made if instance is None else filled(served, made, type, instance) for made in found])


def filled(served: Served, made: nav.OperationModel, type: str, instance: str) -> nav.OperationModel:
    """An operation's links with an id in them."""
    element = served.service(made.service).operations[made.name]
    links = []
    for each in made.links:
        href = each.href
        for name, expression in element.input:
            if expression[0] == "id" and expression[1] == type:
                href = href.replace(f"{{{name}}}", quote(instance, safe=""))
        links.append(nav.ReferenceModel(href=href, method=each.method))
    return nav.OperationModel(
        service=made.service,
        name=made.name,
        documentation=made.documentation,
        links=tuple(links),
        metadata=made.metadata,
    )
