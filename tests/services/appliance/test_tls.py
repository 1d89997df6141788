"""Profiles and parameters of TLS: what is shown, what is refused, what goes before what."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from resphere.appliance.tls_versions import OldestVersions, TlsVersions, hand_on, handed_on, oldest_versions
from resphere.contract.errors import InvalidArgument, NotFound
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_tls import Profiles
from resphere.contract.generated.appliance_tls_manual_parameters import Global as Manual
from resphere.contract.generated.appliance_tls_manual_parameters import Services
from resphere.contract.generated.appliance_tls_profiles import Global
from tests.services.vcenter.building import refused
from tests.support.guests import ended
from tests.support.world import World

COMPATIBLE, NIST, BY_HAND = map(ids.ApplianceTlsProfilesId, ("COMPATIBLE", "NIST_2024", "MANUAL"))
ENVOY, APPLMGMT = map(ids.ApplianceTlsManualParametersServicesId, ("envoy", "applmgmt"))
CIPHER = "TLS_AES_256_GCM_SHA384"
MODERN = Manual.SetSpecEx(
    protocol_versions=(Manual.ProtocolVersionInfo(version="tlsv1_3", ciphers=(CIPHER,)),), curves=("secp384r1",)
)
MODERN_SERVICE = Services.SetSpec(
    protocol_versions=(Services.ProtocolVersionInfo(version="tlsv1_3", ciphers=(CIPHER,)),), curves=("secp384r1",)
)


def done(world: World, task: ids.CisTASKId) -> None:
    """Wait for the end of a task, which must have succeeded."""
    assert ended(world, task) == "SUCCEEDED"


def oldest(world: World) -> tuple[str, str]:
    """At both ports."""
    found = oldest_versions(world.inventory)
    return found.main, found.appliance


def test_as_installed(world: World) -> None:
    assert world.call(Global.get).profile == COMPATIBLE
    listed = {each.profile: each.info for each in world.call(Profiles.list).profiles}
    assert set(listed) == {"COMPATIBLE", "COMPATIBLE-NON-FIPS", "NIST_2024"}
    for profile, info in listed.items():
        assert world.call(Profiles.get, profile) == info
        assert [each.version for each in info.protocol_versions] == ["tlsv1_2", "tlsv1_3"]
    assert not any("CHACHA" in cipher for each in listed[NIST].protocol_versions for cipher in each.ciphers)
    manual = world.call(Manual.get)
    assert (manual.manual_active, manual.spec.curves) == (False, listed[COMPATIBLE].curves)
    assert [each.info for each in world.call(Services.list).services] == [None, None]
    assert world.call(Services.get, ENVOY).curves == listed[COMPATIBLE].curves
    assert oldest(world) == ("tlsv1_2", "tlsv1_2")


def test_a_profile_is_set(world: World) -> None:
    done(world, world.call(Global.set_task, Global.SetSpec(profile=NIST)))
    assert world.call(Global.get).profile == NIST
    assert world.call(Services.get, ENVOY).curves == world.call(Profiles.get, NIST).curves == ("secp256r1", "secp384r1")


def test_parameters_by_hand_go_before_the_profile_until_one_is_set(world: World) -> None:
    done(world, world.call(Manual.set_task, MODERN))
    manual = world.call(Manual.get)
    assert (manual.manual_active, manual.spec.curves, manual.spec.fips_enforced) == (True, ("secp384r1",), False)
    assert [(each.version, each.ciphers) for each in manual.spec.protocol_versions] == [("tlsv1_3", (CIPHER,))]
    assert world.call(Global.get).profile == BY_HAND
    assert world.call(Profiles.get, BY_HAND).curves == ("secp384r1",)
    assert world.call(Services.get, APPLMGMT).curves == ("secp384r1",)
    assert oldest(world) == ("tlsv1_3", "tlsv1_3")
    done(world, world.call(Global.set_task, Global.SetSpec(profile=COMPATIBLE)))
    assert world.call(Manual.get) == replace(manual, manual_active=False)
    assert oldest(world) == ("tlsv1_2", "tlsv1_2")


def test_those_of_a_service_go_before_all(world: World) -> None:
    done(world, world.call(Services.set_task, APPLMGMT, MODERN_SERVICE))
    assert {each.service: each.info is None for each in world.call(Services.list).services} == {
        "applmgmt": False,
        "envoy": True,
    }
    assert oldest(world) == ("tlsv1_2", "tlsv1_3")
    done(world, world.call(Global.set_task, Global.SetSpec(profile=NIST)))
    assert world.call(Services.get, APPLMGMT).curves == ("secp384r1",)
    for _ in range(2):
        done(world, world.call(Services.delete_task, APPLMGMT))
        assert world.call(Services.get, APPLMGMT) == world.call(Services.get, ENVOY)
        assert oldest(world) == ("tlsv1_2", "tlsv1_2")


VERSION = {"version": "tlsv1_3", "ciphers": (CIPHER,)}


@pytest.mark.parametrize(
    ("versions", "curves", "told"),
    [
        ((), ("x25519",), "spec.protocol_versions: there must be one version at least"),
        (
            (VERSION | {"version": "tlsv1_1"},),
            ("x25519",),
            "spec.protocol_versions[0].version: 'tlsv1_1' is no version",
        ),
        ((VERSION, VERSION), ("x25519",), "spec.protocol_versions[1].version: tlsv1_3 is there already"),
        ((VERSION | {"ciphers": ()},), ("x25519",), "spec.protocol_versions[0].ciphers: there must be one cipher"),
        (
            (VERSION | {"ciphers": (CIPHER, "TLS_RSA_WITH_AES_128_CBC_SHA")},),
            ("x25519",),
            "spec.protocol_versions[0].ciphers[1]: 'TLS_RSA_WITH_AES_128_CBC_SHA' is no cipher that this server speaks",
        ),
        ((VERSION,), (), "spec.curves: there must be one curve at least: x25519, secp256r1, secp384r1"),
        ((VERSION,), ("x25519", "x25519"), "spec.curves[1]: x25519 is there already"),
        ((VERSION,), ("", "\x00"), "spec.curves[0]: '' is no curve that this server speaks"),
    ],
)
def test_parameters_that_are_none(world: World, versions: tuple[Any, ...], curves: tuple[str, ...], told: str) -> None:
    of_all = Manual.SetSpecEx(
        protocol_versions=tuple(Manual.ProtocolVersionInfo(**each) for each in versions), curves=curves
    )
    of_one = Services.SetSpec(
        protocol_versions=tuple(Services.ProtocolVersionInfo(**each) for each in versions), curves=curves
    )
    with pytest.raises(InvalidArgument) as error:
        world.call(Manual.set_task, of_all)
    with pytest.raises(InvalidArgument) as same:
        world.call(Services.set_task, ENVOY, of_one)
    assert error.value.messages == same.value.messages
    assert refused(error) == (400, "resphere.appliance.invalid")
    assert error.value.messages[0].default_message.startswith(told)
    assert not world.call(Manual.get).manual_active


@pytest.mark.parametrize("name", ["", "vpxd", "../envoy", "x" * 10_000])
def test_what_is_no_profile_and_no_service(world: World, name: str) -> None:
    service = ids.ApplianceTlsManualParametersServicesId(name)
    profile = ids.ApplianceTlsProfilesId(name)
    for ask in (
        lambda: world.call(Profiles.get, profile),
        lambda: world.call(Services.get, service),
        lambda: world.call(Services.set_task, service, MODERN_SERVICE),
        lambda: world.call(Services.delete_task, service),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(InvalidArgument, match=r"spec\.profile"):
        world.call(Global.set_task, Global.SetSpec(profile=profile))
    with pytest.raises(InvalidArgument, match=r"spec\.profile"):
        world.call(Global.set_task, Global.SetSpec(profile=BY_HAND))


def test_what_is_set_is_handed_on(world: World, tmp_path: Path) -> None:
    path = tmp_path / "tls" / "oldest.json"
    assert handed_on(path) == OldestVersions()

    async def pass_by() -> None:
        running = asyncio.ensure_future(TlsVersions(world.inventory, path).run())
        await world.begin(Services.set_task, APPLMGMT, MODERN_SERVICE)
        for _ in range(2000):
            if handed_on(path) != OldestVersions():
                break
            await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.run(pass_by())
    assert handed_on(path) == OldestVersions(appliance="tlsv1_3")
    for damaged in ("", '{"main": "SSLv3"}'):
        path.write_text(damaged)
        hand_on(path, OldestVersions())
        assert handed_on(path) == OldestVersions()
