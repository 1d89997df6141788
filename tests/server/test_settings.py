"""Settings, once from flags and once from the environment."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.cli.main import parser
from resphere.cli.serving import settings_from
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.server.assembly import session_limits
from resphere.server.settings import (
    NO_FLAG,
    RANGES,
    Setting,
    Settings,
    all_settings,
    flag,
    flag_of,
    from_strings,
    variable,
)
from resphere.store.engines import default_url
from tests.support.examples import examples

PATHS = {
    "client_ca",
    "client_crl",
    "client_certificate_users",
    "acme_ca",
    "secrets_key_file",
    "tls_cert",
    "tls_key",
    "data_dir",
    "log_dir",
    "admin_password_file",
    "inventory",
    "faults",
    "saml_trust",
}
SPECIAL = {
    "tls_names": "one.example.com two.example.com",
    "api_release": "8.0",
    "durations": "realistic",
    "store": default_url(Path("/some/where")),
    "library_storage": "s3://some/where",
    "library_storage_endpoint": "https://127.0.0.1:9000",
    "poweroff": "reboot",
    "audit_policy": "fail-closed",
    "audit_sync": "call",
    "metrics": "local",
    "product_version": "7.0.3",
    "product_build": "18700403",
    "trusted_proxies": "10.0.0.0/8 192.0.2.7",
    "fetch_from": "10.0.0.0/8 images.example.com:8443",
    "backup_folders": "nfs://nas.example.com/exports/vc=/mnt/vc",
    "acme_directory": "https://127.0.0.1/dir",
    "proxy_headers": "forwarded",
    "client_certificate_header": "x-ssl-client-cert",
    "client_certificate_user": "cn",
}
# Pairs that go together.
BESIDE: dict[str, dict[str, str]] = {
    "tls_cert": {"tls_key": "/some/where"},
    "tls_key": {"tls_cert": "/some/where"},
    "library_storage_endpoint": {"library_storage": "s3://some/where"},
    "library_storage_region": {"library_storage": "s3://some/where"},
    "acme_directory": {"tls_names": "vc.example.test"},
    "client_ca": {"trusted_proxies": "10.0.0.0/8"},
    "client_crl": {"trusted_proxies": "10.0.0.0/8", "client_ca": "/some/where"},
    "client_certificate_users": {"client_certificate_user": "fingerprint"},
}


def value_of(setting: Setting) -> str:
    """Another value than the default, as text."""
    if setting.name in SPECIAL:
        return SPECIAL[setting.name]
    if isinstance(setting.default, bool):
        return str(not setting.default).lower()
    if isinstance(setting.default, int):
        return str(setting.default + 1)
    return "/some/where" if setting.name in PATHS else "something"


def arguments(setting: Setting, text: str) -> list[str]:
    """Flags that set it."""
    if isinstance(setting.default, bool):
        return [flag(setting.name) if text == "true" else flag(f"no_{setting.name}")]
    if isinstance(setting.default, tuple):
        return [part for each in text.split() for part in (flag_of(setting), each)]
    return [flag(setting.name), text]


def from_flags(*given: str, environment: dict[str, str] | None = None) -> Settings:
    """Settings as ``resphere serve`` takes them."""
    return settings_from(vars(parser({"serve"}).parse_args(["serve", *given])), environment or {})


@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.name)
def test_every_setting_has_a_flag_and_a_variable(setting: Setting) -> None:
    text = value_of(setting)
    beside = BESIDE.get(setting.name, {})
    variables = {variable(name): value for name, value in beside.items()}
    by_variable = from_flags(environment={**variables, variable(setting.name): text})
    assert getattr(by_variable, setting.name) != setting.default
    if setting.name in NO_FLAG:
        return
    by_flag = from_flags(*arguments(setting, text), environment=variables)
    assert by_flag == by_variable
    # The flag wins.
    other = {**variables, variable(setting.name): "nonsense"}
    assert getattr(from_flags(*arguments(setting, text), environment=other), setting.name) == getattr(
        by_flag, setting.name
    )


@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.name)
def test_every_setting_is_described(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser({"serve"}).parse_args(["serve", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert setting.described.help
    assert (f"[{variable(setting.name)};" in shown) == (setting.name not in NO_FLAG)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"port": "x"}, "--port"),
        ({"port": "65536"}, "--port"),
        ({"port": "-1"}, "--port"),
        ({"port": ""}, "--port"),
        ({"workers": "0"}, "--workers"),
        ({"workers": "1.5"}, "--workers must be a whole number, not '1.5'"),
        ({"workers": "257"}, "--workers must be from 1 to 256, not 257"),
        ({"vms": "1e3"}, "--vms must be a whole number"),
        ({"vms": "200001"}, "--vms must be from 0 to 200000"),
        ({"hosts": "1", "clusters": "2"}, "--hosts must be at least --clusters"),
        ({"session_lifetime_seconds": "1000000000000"}, "--session-lifetime-seconds must be from 1 to 315360000"),
        ({"seed": "9" * 30}, "--seed must be a whole number"),
        ({"host": " "}, "--host must not be empty"),
        ({"data_dir": ""}, "--data-dir must not be empty"),
        ({"guest_user": ""}, "--guest-user must not be empty"),
        ({"guest_user": "\udc80"}, "--guest-user must be text in UTF-8"),
        ({"product_version": "banana"}, "--product-version must be numbers with dots, such as 8.0.3, not banana"),
        ({"product_version": "8"}, "--product-version"),
        ({"product_version": "8.0.3\n"}, "--product-version"),
        ({"product_build": "banana"}, "--product-build must be a number, such as 24022515, not banana"),
        ({"inventory": "x.yaml", "vms": "5"}, "--vms makes no sense with --inventory"),
        ({"tls": "maybe"}, "--tls"),
        ({"list_limits": "nein"}, "--list-limits must be true or false, not 'nein'"),
        ({"session_idle_seconds": "0"}, "--session-idle-seconds"),
        ({"session_lifetime_seconds": "-5"}, "--session-lifetime-seconds"),
        ({"max_sessions": "-1"}, "--max-sessions"),
        ({"audit_policy": "open"}, "--audit-policy must be one of drop-and-count, fail-closed, not open"),
        ({"audit_sync": "minute"}, "--audit-sync must be one of never, second, call, not minute"),
        ({"audit_file_bytes": "-1"}, "--audit-file-bytes"),
        ({"audit_keep_seconds": "-1"}, "--audit-keep-seconds"),
        ({"max_sessions_per_user": "many"}, "--max-sessions-per-user"),
        ({"max_body_bytes": "0"}, "--max-body-bytes"),
        ({"max_guest_file_bytes": "0"}, "--max-guest-file-bytes"),
        ({"seed": "-1"}, "--seed"),
        ({"store": "oracle:x"}, "--store: oracle:x is no URL of a store"),
        ({"tls_cert": "/a"}, "--tls-key"),
        ({"tls_key": "/a"}, "--tls-cert"),
        ({"tls_cert": "/a", "tls_key": "/b", "tls": "false"}, "--no-tls"),
        ({"api_release": "6.5"}, "--api-release"),
    ],
)
def test_bad_values_name_the_flag(given: dict[str, str | list[str]], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        from_strings(given)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"RESPHERE_PORT": "many"}, "RESPHERE_PORT must be a whole number, not 'many'"),
        ({"RESPHERE_HOSTS": "1"}, "RESPHERE_HOSTS must be at least --clusters (2), so that no cluster is empty, not 1"),
        (
            {"RESPHERE_TRUSTED_PROXIES": "0"},
            "RESPHERE_TRUSTED_PROXIES must be an address or a network: "
            "'0' does not appear to be an IPv4 or IPv6 network",
        ),
        ({"RESPHERE_PROT": "8443"}, "there is no setting RESPHERE_PROT; did you mean RESPHERE_PORT?"),
        ({"RESPHERE_TLS_NAME": "x"}, "there is no setting RESPHERE_TLS_NAME; did you mean RESPHERE_TLS_NAMES?"),
        ({"RESPHERE_NO_TLS": "1"}, "there is no setting RESPHERE_NO_TLS; --no-tls is RESPHERE_TLS=false"),
        ({"RESPHERE_NO_PORT": "1"}, "there is no setting RESPHERE_NO_PORT; did you mean RESPHERE_PORT?"),
        ({"RESPHERE_COLOUR": "1"}, "there is no setting RESPHERE_COLOUR"),
        ({"RESPHERE_COLOUR": ""}, "there is no setting RESPHERE_COLOUR"),
    ],
)
def test_bad_variables_are_named(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        from_flags(environment=environment)


def test_what_a_cluster_tells_of_a_service_of_our_name_is_no_setting() -> None:
    environment = {
        "RESPHERE_PORT": "tcp://10.0.0.7:8443",
        "RESPHERE_SERVICE_HOST": "10.0.0.7",
        "RESPHERE_SERVICE_PORT": "8443",
        "RESPHERE_SERVICE_PORT_HTTPS": "8443",
        "RESPHERE_PORT_8443_TCP": "tcp://10.0.0.7:8443",
        "RESPHERE_PORT_8443_TCP_PROTO": "tcp",
        "RESPHERE_PORT_8443_TCP_ADDR": "10.0.0.7",
        "RESPHERE_VMS": "",
    }
    assert from_flags(environment=environment) == Settings()


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("Off", False), ("1", True), ("0", False), ("TRUE", True)])
def test_truth_values_as_people_write_them(text: str, value: bool) -> None:
    assert from_strings({"tls": text}).tls is value


NAMES = [setting.name for setting in all_settings()]
TEXTS = (
    st.text(max_size=12)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["", "-", "true", "none", "8.0", "127.0.0.1", "::1", "/", default_url(Path()), "8.0.3", "\udcff", "1" * 400]
    )
)


@hypothesis.settings(max_examples=examples(500))
@given(given=st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=4))
@hypothesis.example({"trusted_proxies": "0"})
def test_any_text_is_refused_by_name_or_makes_sense(given: dict[str, str | list[str]]) -> None:
    try:
        settings = from_strings(given)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
        for name, (least, most) in RANGES.items():
            assert least <= getattr(settings, name) <= most
        assert re.fullmatch(r"\d+(\.\d+)+", settings.version)
        assert settings.build.isdigit()
        assert settings.sizes.vms == settings.vms
        assert (datetime(2100, 1, 1, tzinfo=UTC) + session_limits(settings).lifetime).year >= 2100
        assert str(settings.data_dir) != "."
    named = {flag_of(setting) for setting in all_settings() if setting.name in given}
    assert refusal == "" or any(name in refusal for name in (*named, "--clusters", "--tls-key", "--tls-cert"))
    assert "Expected" not in refusal


def test_one_machine_in_so_many_is_a_template_as_the_help_says() -> None:
    (setting,) = (setting for setting in all_settings() if setting.name == "vms")
    (every,) = re.findall(r"one in (\d+) is a template", setting.described.help)
    objects = generate(Sizes(vms=10 * int(every)), 1)
    assert sum(isinstance(obj, VirtualMachine) and obj.template for obj in objects) == 10


def test_where_things_are() -> None:
    settings = Settings(data_dir=Path("/data"))
    assert (settings.logs, settings.store_url) == (Path("/data/log"), default_url(Path("/data")))
    assert Settings(log_dir=Path("/log")).logs == Path("/log")
    url = default_url(Path("/elsewhere"))
    assert Settings(data_dir=Path("/data"), store=url).store_url == url
