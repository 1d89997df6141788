"""The generated pages, each a function of the code alone."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from typing import get_args

from resphere import services
from resphere.contract import extensions
from resphere.contract.coverage import Area, Count, coverage, total
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation
from resphere.contract.releases import ALL_RELEASES
from resphere.inventory.appliance.settings import AnySetting
from resphere.server.providers import PROVIDERS
from resphere.server.settings import NO_FLAG, Setting, all_settings, flag, flag_of, variable
from resphere.services.registry import Implementation, load
from tools.docs.areas import operations_by_area
from tools.docs.commands import command_pages
from tools.docs.metrics import metrics_page

MADE = "<!-- Made by `make docs`; do not edit. -->\n"


def pages() -> dict[str, str]:
    """File name in ``docs/`` -> text."""
    implemented = load(services)
    return {
        "settings.md": "".join(settings_page()),
        "extensions.md": "".join(extensions_page(implemented)),
        "coverage.md": "".join(coverage_page(implemented)),
        "appliance-settings.md": "".join(appliance_settings_page()),
        **command_pages(),
        "metrics.md": MADE + metrics_page(),
    }


def settings_page() -> Iterator[str]:
    """Every setting with its flag, variable, default and meaning."""
    yield f"{MADE}# Settings\n\n"
    yield (
        "Every setting of `resphere serve` is a flag and an environment variable; the flag wins. "
        "A name that is none is refused.\n"
    )
    group = ""
    for setting in all_settings():
        if setting.described.group != group:
            group = setting.described.group
            yield f"\n## {group[0].upper()}{group[1:]}\n\n"
            yield "| Flag | Variable | Default | Meaning |\n| --- | --- | --- | --- |\n"
        shown = "(none)" if setting.name in NO_FLAG else f"`{setting_flag(setting)}`"
        yield f"| {shown} | `{variable(setting.name)}` | {default(setting)} | {setting.described.help} |\n"


def setting_flag(setting: Setting) -> str:
    """The flag as it is written."""
    if isinstance(setting.default, tuple):
        return flag_of(setting)
    if setting.default is True:
        return f"--no-{setting.name.replace('_', '-')}"
    return flag(setting.name)


def default(setting: Setting) -> str:
    """The default as a table shows it."""
    if isinstance(setting.default, bool):
        return "yes" if setting.default else "no"
    return "" if setting.default in (None, ()) else f"`{setting.default}`"


def extensions_page(implemented: dict[str, Implementation]) -> Iterator[str]:
    """Our own operations with their routes, privileges and meaning."""
    yield f"{MADE}# Extensions\n\n"
    yield (
        "What vCenter's REST API lacks and this server adds. The service ids begin with `resphere.`, so that nobody\n"
        "takes them for vCenter's; the paths stand where users look for them. What was taken over from other\n"
        "virtualization APIs, and why: [beyond-vcenter.md](beyond-vcenter.md).\n"
    )
    service = ""
    for operation in extensions.OPERATIONS.values():
        if operation.service != service:
            service = operation.service
            yield f"\n## {service}\n\n"
            yield "| Operation | Request | Success | Privilege | What it does |\n| --- | --- | --- | --- | --- |\n"
        yield extension_row(operation, implemented.get(operation.id))
    yield "\n## Further paths of vCenter's operations\n\n| Request | Operation |\n| --- | --- |\n"
    for method, path, place in extensions.ALIASES:
        yield f"| `{method} {path}` | `{extensions.alias_target(place)}` |\n"


def extension_row(operation: AnyOperation, implementation: Implementation | None) -> str:
    """One operation's line."""
    route = operation.api or operation.rest
    assert route is not None
    privileges = ", ".join(f"`{p}`" for r in operation.privileges for p in r.privileges) or "none"
    purpose = first_line(implementation) if implementation else "not implemented"
    request = f"{route.method} {extensions.route_text(route)}"
    if route.query:
        request += "".join(f" [{name.rpartition('.')[2]}=…]" for name in route.query)
    return f"| `{operation.name}` | `{request}` | {route.status} | {privileges} | {purpose} |\n"


def first_line(implementation: Implementation) -> str:
    """What the handler's documentation begins with."""
    return (inspect.getdoc(implementation.handler) or "").splitlines()[0].replace("``", "`")


def appliance_settings_page() -> Iterator[str]:
    """What is kept of the appliance's settings, and by which of them this server does something."""
    settings = sorted(get_args(AnySetting), key=lambda setting: setting.about)
    yield f"{MADE}# Settings of the appliance\n\n"
    yield (
        "All of them are validated, kept in the store (encrypted), shown again by every worker, and told as events\n"
        "(`resphere.appliance_setting.*`). See [the appliance](appliance.md).\n\n## What this server acts by\n\n"
    )
    yield "| Setting | What it does |\n| --- | --- |\n"
    yield from (f"| {setting.about} | {setting.acts} |\n" for setting in settings if setting.acts is not None)
    yield "\n## What is only kept\n\nThe machine below, and how it is reached, stay as they are.\n\n"
    yield from (f"- {setting.about}\n" for setting in settings if setting.acts is None)


def coverage_page(implemented: dict[str, Implementation]) -> Iterator[str]:
    """The areas of the contract, and what is implemented of each."""
    areas = coverage(implemented)
    everything = total(areas)
    yield f"{MADE}# Coverage\n\n"
    done, used = everything.operations, everything.used_by_clients
    yield (
        f"Of the contract's {done.total:,} operations {done.implemented:,} do their work; of the {used.total} that\n"
        f"public clients (the official SDK, Ansible, Terraform, govc) use, {used.implemented}. The others are routed,\n"
        "authorized and validated all the same, and answer `UNSUPPORTED` with the message id\n"
        "`resphere.operation.not_implemented`. `resphere coverage` prints this table, `resphere coverage\n"
        "--operations` the list.\n\n"
    )
    releases = " | ".join(ALL_RELEASES)
    yield f"| Area | Operations | Used by clients | {releases} |\n"
    yield f"| --- | ---: | ---: |{' ---: |' * len(ALL_RELEASES)}\n"
    for area in sorted(areas, key=lambda a: (a.operations.implemented == 0, a.name)):
        yield coverage_row(area, area.name)
    yield coverage_row(everything, "**all**")
    yield from areas_of_providers(implemented)
    yield "\n## Implemented operations\n\n"
    for operation in all_operations():
        if operation.id in implemented:
            yield f"- `{operation.id}`\n"


def areas_of_providers(implemented: dict[str, Implementation]) -> Iterator[str]:
    """What providers may lack, and which operations they then refuse."""
    yield "\n## What a provider may lack\n\n"
    yield (
        "What changes or measures machines and hosts is the provider's work (`--provider`). One that lacks an area\n"
        "refuses its operations, where they come to it, with its sentence and the message id\n"
        "`resphere.provider.lacking`; so it refuses what it can do only in part. `GET /api` tells which areas there\n"
        "are (`capabilities`). All other operations work with any provider.\n\n"
    )
    names = sorted(PROVIDERS, key=lambda name: (len(PROVIDERS[name].lacks), name))
    yield f"| Area | {' | '.join(f'`{name}`' for name in names)} | Operations |\n"
    yield f"| --- |{' --- |' * len(names)} --- |\n"
    for area, ids in operations_by_area(implemented).items():
        cells = " | ".join(PROVIDERS[name].lacks.get(area, "yes") for name in names)
        yield f"| `{area}` | {cells} | {'; '.join(by_service(ids))} |\n"


def by_service(ids: list[str]) -> Iterator[str]:
    """Operations as their services, each with those of it."""
    for service, operations in groupby(ids, lambda id: id.rpartition(".")[0]):
        yield f"`{service}`: {', '.join(id.rpartition('.')[2] for id in operations)}"


def coverage_row(area: Area, name: str) -> str:
    """One area's line."""
    cells = " | ".join(cell(area.releases[release]) for release in ALL_RELEASES)
    return f"| {name} | {cell(area.operations)} | {cell(area.used_by_clients)} | {cells} |\n"


def cell(count: Count) -> str:
    """``12 / 143``, nothing where there is nothing to cover."""
    return f"{count.implemented} / {count.total}" if count.total else ""
