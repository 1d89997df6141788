"""``com.vmware.vcenter.content.registries.harbor.projects``: the projects of a registry, each for images of its own."""

from __future__ import annotations

import re

from msgspec.structs import replace

from resphere.contract.errors import AlreadyExists, InvalidArgument, NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_content_registries_harbor import Projects
from resphere.inventory.content.registries import ContainerRegistry, RegistryProject
from resphere.replica.edit import Edit
from resphere.replica.table import Lookup
from resphere.services.call import Call
from resphere.services.checks.registries import host_of, require_registry, require_served
from resphere.services.registry import implements

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
MOST = 1000


@implements(Projects.list, kept=True)
async def list_projects(call: Call, registry: ids.VcenterContentRegistryId) -> tuple[Projects.Summary, ...]:
    """All of a registry."""
    require_served(call)
    found = require_registry(call, registry)
    projects = call.by(RegistryProject, "registry", found.id).values()
    return tuple(Projects.Summary(project=each.id, name=each.name, scope=each.scope) for each in projects)


@implements(Projects.get, kept=True)
async def get(
    call: Call, registry: ids.VcenterContentRegistryId, project: ids.VcenterContentRegistryHarborProjectId
) -> Projects.Info:
    """One of them: what is simulated is ready at once."""
    require_served(call)
    of = require_registry(call, registry)
    found = require_project(call, of, project)
    return Projects.Info(
        name=found.name,
        config_status=Projects.ConfigStatus.READY,
        scope=found.scope,
        creation_time=found.created,
        update_time=found.updated,
        access_url=f"{host_of(call, of)}/{found.name}",
    )


@implements(Projects.create)
async def create(
    call: Call, registry: ids.VcenterContentRegistryId, spec: Projects.CreateSpec
) -> ids.VcenterContentRegistryHarborProjectId:
    """Add a project.

    :raises InvalidArgument: the name is none, or there are very many.
    :raises AlreadyExists: the registry has a project of that name.
    """
    require_served(call)
    if not NAME.match(spec.name):
        raise InvalidArgument(
            message(
                "resphere.registry.name",
                "spec.name: must be 1 to 63 of a-z, 0-9 and hyphens, with none at the beginning and the end.",
            )
        )
    id = ids.VcenterContentRegistryHarborProjectId(call.new_uuid())
    moment = call.environment.now()

    def plan(edit: Edit) -> None:
        of = require_registry(edit, registry)
        present = call.unfiltered.by(RegistryProject, "registry", of.id)
        if any(each.name == spec.name for each in present.values()):
            raise AlreadyExists(
                message("resphere.registry.project_exists", "The registry has a project {0}.", spec.name)
            )
        if not edit.take(f"container-registry-projects/{of.id}", 1, MOST - len(present)):
            raise InvalidArgument(message("resphere.registry.projects", "A registry has at most {0} projects.", MOST))
        edit.put(
            RegistryProject(id=id, registry=of.id, name=spec.name, scope=spec.scope, created=moment, updated=moment)
        )

    await call.unfiltered.change(plan)
    return id


@implements(Projects.delete)
async def delete(
    call: Call, registry: ids.VcenterContentRegistryId, project: ids.VcenterContentRegistryHarborProjectId
) -> None:
    """Delete a project with its images."""
    require_served(call)

    def plan(edit: Edit) -> None:
        edit.delete(RegistryProject, require_project(edit, require_registry(edit, registry), project).id)

    await call.settle(plan)


@implements(Projects.purge)
async def purge(
    call: Call, registry: ids.VcenterContentRegistryId, project: ids.VcenterContentRegistryHarborProjectId
) -> None:
    """Take all images out of a project: here it is only noted when."""
    require_served(call)
    moment = call.environment.now()

    def plan(edit: Edit) -> None:
        found = require_project(edit, require_registry(edit, registry), project)
        edit.put(replace(found, updated=moment))

    await call.settle(plan)


def require_project(among: Lookup, registry: ContainerRegistry, id: str) -> RegistryProject:
    """The project of that registry.

    :raises NotFound: there is none.
    """
    found = among.get(RegistryProject, id)
    if found is None or found.registry != registry.id:
        raise NotFound(message("resphere.registry.project_not_found", "The registry has no project {0}.", id))
    return found
