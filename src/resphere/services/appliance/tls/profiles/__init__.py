"""``com.vmware.appliance.tls.profiles``: the standard profiles, of what the listeners have."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_tls import Profiles
from resphere.inventory.appliance.tls import MANUAL, PROFILES, Tls, TlsParameters
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting
from resphere.services.registry import implements


@implements(Profiles.get, kept=True)
async def get(call: Call, profile: ids.ApplianceTlsProfilesId) -> Profiles.Info:
    """The parameters of one; of ``MANUAL``, which is in effect where parameters were set by hand, those.

    :raises NotFound: there is no such profile.
    """
    found = setting(call, Tls).manual if profile == MANUAL else PROFILES.get(profile)
    if found is None:
        text = "There is no TLS profile {0}; there are {1}."
        raise NotFound(message("resphere.appliance.no_tls_profile", text, profile, ", ".join((*PROFILES, MANUAL))))
    return info(found)


@implements(Profiles.list, kept=True)
async def list_profiles(call: Call) -> Profiles.ListResult:
    """All standard ones."""
    return Profiles.ListResult(
        profiles=tuple(
            Profiles.ListItem(profile=ids.ApplianceTlsProfilesId(name), info=info(each))
            for name, each in PROFILES.items()
        )
    )


def info(parameters: TlsParameters) -> Profiles.Info:
    """As they are shown. No profile is FIPS-compliant here, as from 9.0 on vCenter's are: nobody has validated what the
    listeners compute with."""
    return Profiles.Info(
        protocol_versions=tuple(
            Profiles.ProtocolVersionInfo(version=each.version, ciphers=each.ciphers) for each in parameters.versions
        ),
        curves=parameters.curves,
        fips_enforced=False,
    )
