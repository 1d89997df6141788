"""What goes for all content libraries."""

from __future__ import annotations

import ssl
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from resphere.contract.errors import InvalidArgument, NotFound, VapiError
from resphere.contract.generated import ids
from resphere.contract.generated.content import (
    Configuration,
    ConfigurationModel,
    SecurityPolicies,
    TrustedCertificates,
    Type,
)
from resphere.services.content.configuration import RANGES
from tests.support.saml import party
from tests.support.world import World

FIRST = {
    "automatic_sync_enabled": True,
    "automatic_sync_start_hour": 20,
    "automatic_sync_stop_hour": 7,
    "maximum_concurrent_item_syncs": 5,
}

VERSION_3 = bytes.fromhex("a003020102")


def test_the_configuration_begins_as_in_vcenter(world: World) -> None:
    assert msgspec.to_builtins(world.call(Configuration.get)) == FIRST


def test_later_releases_tell_the_ranges(world: World) -> None:
    product = msgspec.structs.replace(world.environment.product, api_releases=("9.1",))
    world.environment = msgspec.structs.replace(world.environment, product=product)
    found = world.call(Configuration.get)
    assert (found.transfer_threads_pool_size, found.automatic_sync_refresh_interval) == (20, 240)
    for name in RANGES:
        setting = getattr(found, f"{name}_setting")
        assert (setting.name, setting.reboot_required) == (name, False)
        (constraint,) = setting.constraints
        least, most = map(int, constraint.values())
        assert least <= getattr(found, name) <= most


def test_what_is_given_changes(world: World) -> None:
    world.call(Configuration.update, ConfigurationModel(automatic_sync_enabled=False, automatic_sync_stop_hour=0))
    world.call(Configuration.update, ConfigurationModel(maximum_concurrent_item_syncs=7))
    assert msgspec.to_builtins(world.call(Configuration.get)) == {
        **FIRST,
        "automatic_sync_enabled": False,
        "automatic_sync_stop_hour": 0,
        "maximum_concurrent_item_syncs": 7,
    }


@pytest.mark.parametrize("name", RANGES)
def test_a_number_out_of_its_range(world: World, name: str) -> None:
    before = world.call(Configuration.get)
    for number in (RANGES[name][0] - 1, RANGES[name][1] + 1):
        given: Any = {name: number}
        with pytest.raises(InvalidArgument, match=f"^{name}: must be from"):
            world.call(Configuration.update, ConfigurationModel(**given))
    assert world.call(Configuration.get) == before


def test_types_and_policies(world: World) -> None:
    types = {info.type: info for info in world.call(Type.list)}
    assert types.keys() == {"ovf", "iso", "vm-template"}
    (policy,) = world.call(SecurityPolicies.list)
    assert policy.name == "OVF default policy"
    assert policy.item_type_rules == {"ovf": "OVF_STRICT_VERIFICATION"}
    assert types["ovf"].supported_rules == ("OVF_STRICT_VERIFICATION",)


def test_trusted_certificates(world: World) -> None:
    text = party("signs contents").certificate_pem
    made = world.call(TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=text))
    again = world.call(TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=f"\n{text}"))
    other = world.call(
        TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=party("signs others").certificate_pem)
    )
    assert again == made != other
    assert world.call(TrustedCertificates.get, made).cert_text == text
    assert {each.certificate for each in world.call(TrustedCertificates.list).certificates} == {made, other}
    world.call(TrustedCertificates.delete, made)
    with pytest.raises(NotFound):
        world.call(TrustedCertificates.get, made)
    with pytest.raises(NotFound):
        world.call(TrustedCertificates.delete, made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "\ud800",
        "x" * 100_000,
    ],
)
def test_what_is_no_certificate(world: World, text: str) -> None:
    with pytest.raises(VapiError) as error:
        world.call(TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=text))
    assert (error.value.error_type, error.value.messages[0].id) == ("ERROR", "resphere.content.no_certificate")
    none = ids.ContentTrustedCertificateId("none")
    with pytest.raises(NotFound):
        world.call(TrustedCertificates.get, none)


def test_a_certificate_that_cannot_be_read_is_refused(world: World) -> None:
    """Of a version that there is not: the library refuses it by an error of its own."""
    whole = party("idp").certificate.public_bytes(Encoding.DER)
    assert whole.count(VERSION_3) == 1
    text = ssl.DER_cert_to_PEM_cert(whole.replace(VERSION_3, VERSION_3[:-1] + bytes([4])))
    with pytest.raises(VapiError) as refused:
        world.call(TrustedCertificates.create, TrustedCertificates.CreateSpec(cert_text=text))
    assert refused.value.messages[0].id == "resphere.content.no_certificate"
