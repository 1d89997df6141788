"""``com.vmware.vcenter.environment_browser.config_option_descriptors``: the virtual hardware that clusters run."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_environment_browser import ConfigOptionDescriptors as Api
from resphere.inventory.model import Host
from resphere.rules.machines.guest_os_defaults import Version
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.environment_browser.clusters import hosts_asked_for, key_of, number_of, versions_of


@implements(Api.list, kept=True)
async def list_descriptors(call: Call, params: Api.ListParams) -> Api.ListResult:
    """One descriptor for each version that some host of the clusters runs, the newest first.

    The newest that all hosts run is the default, as vCenter 8.0 marks it.
    """
    hosts = hosts_asked_for(call, params.clusters)
    running: dict[Version, list[Host]] = {}
    for host in hosts:
        for version in versions_of(host):
            running.setdefault(version, []).append(host)
    default = default_of(hosts)
    return Api.ListResult(
        config_options_descriptors=tuple(
            Api.Summary(
                config_option=ids.VcenterConfigOptionId(key_of(version)),
                description=message(
                    "resphere.environment_browser.version", "Virtual hardware of version {0}", number_of(version)
                ),
                hosts=tuple(ids.HostSystemId(host.id) for host in running[version]),
                create_supported=True,
                default_config_option=version is default,
                run_supported=True,
                upgrade_supported=True,
            )
            for version in sorted(running, key=number_of, reverse=True)
        )
    )


def default_of(hosts: list[Host]) -> Version | None:
    """The newest version that all of the hosts run; ``None`` without hosts."""
    common = [version for version in Version if hosts and all(version in versions_of(host) for host in hosts)]
    return max(common, key=number_of, default=None)
