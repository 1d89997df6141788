"""What the services of container registries have in common."""

from __future__ import annotations

from resphere.contract.errors import NotFound, VapiError, message
from resphere.contract.generated.vcenter_content_registries import Health
from resphere.contract.releases import numbers
from resphere.inventory.content.registries import ContainerRegistry
from resphere.replica.table import Lookup
from resphere.services.call import Call

DISABLED_SINCE = (9, 0)
"""vCenter's documentation: "disabled and returns errors as of vSphere API 9.0.0.0"."""


def require_served(call: Call) -> None:
    """Refuse where only releases are served that have no such registries any more.

    :raises VapiError: so it is.
    """
    if all(numbers(release) >= DISABLED_SINCE for release in call.environment.product.api_releases):
        raise VapiError(
            message(
                "resphere.registry.disabled",
                "Harbor registries of clusters are disabled since vSphere 9.0; Harbor is a Supervisor service there.",
            )
        )


def require_registry(among: Lookup, id: str) -> ContainerRegistry:
    """The registry of that id.

    :raises NotFound: there is none.
    """
    found = among.get(ContainerRegistry, id)
    if found is None:
        raise NotFound(message("resphere.registry.not_found", "There is no container registry with the id {0}.", id))
    return found


def health_of(registry: ContainerRegistry) -> Health.Info:
    """A simulated registry runs as long as it is there."""
    return Health.Info(status=Health.Status.RUNNING)


def host_of(call: Call, registry: ContainerRegistry) -> str:
    """The name of its host, where nobody answers: there is no registry but what is said of it."""
    return f"registry-{registry.id[:8]}.{call.environment.product.sso_domain}"
