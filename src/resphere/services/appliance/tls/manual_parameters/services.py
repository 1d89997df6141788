"""``com.vmware.appliance.tls.manual_parameters.services``: for the port of one service, before all others."""

from __future__ import annotations

from msgspec.structs import replace

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_tls_manual_parameters import Services
from resphere.inventory.appliance.tls import SERVICES, Tls, TlsParameters
from resphere.rules.appliance_tls import require_parameters
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting
from resphere.services.checks.appliance_tls import launch, parameters
from resphere.services.registry import implements

Id = ids.ApplianceTlsManualParametersServicesId


@implements(Services.list, kept=True)
async def list_services(call: Call) -> Services.ListResult:
    """All services that listen; those of which nothing was said go by what is set for the whole appliance."""
    own = setting(call, Tls).services
    return Services.ListResult(
        services=tuple(
            Services.ListItem(service=Id(name), info=info(own[name]) if name in own else None) for name in SERVICES
        )
    )


@implements(Services.get, kept=True)
async def get(call: Call, service: Id) -> Services.Info:
    """What is in effect for one.

    :raises NotFound: there is no such service.
    """
    require_service(service)
    return info(setting(call, Tls).of_service(service))


@implements(Services.set_task)
async def set_task(call: Call, service: Id, spec: Services.SetSpec) -> ids.CisTASKId:
    """Have one go by parameters of its own.

    :raises NotFound: there is no such service.
    :raises InvalidArgument: a list is empty, or has something that the listeners have not.
    """
    require_service(service)
    manual = parameters(spec.protocol_versions, spec.curves)
    require_parameters(manual)
    return await launch(
        call,
        "appliance.tls.manual_parameters.Services.set",
        lambda tls: replace(tls, services={**tls.services, service: manual}),
    )


@implements(Services.delete_task)
async def delete_task(call: Call, service: Id) -> ids.CisTASKId:
    """Have one go by what is set for the whole appliance again.

    :raises NotFound: there is no such service.
    """
    require_service(service)

    def without(tls: Tls) -> Tls:
        return replace(tls, services={name: each for name, each in tls.services.items() if name != service})

    return await launch(call, "appliance.tls.manual_parameters.Services.delete", without)


def require_service(service: str) -> None:
    """Refuse what does not listen.

    :raises NotFound: it does not.
    """
    if service not in SERVICES:
        text = "There is no service {0} that speaks TLS; there are {1}."
        raise NotFound(message("resphere.appliance.no_tls_service", text, service, ", ".join(SERVICES)))


def info(parameters: TlsParameters) -> Services.Info:
    """As they are shown."""
    return Services.Info(
        protocol_versions=tuple(
            Services.ProtocolVersionInfo(version=each.version, ciphers=each.ciphers) for each in parameters.versions
        ),
        curves=parameters.curves,
        fips_enforced=False,
    )
