"""Settings, once from flags and once from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resphere.cli.main import parser, settings_from
from resphere.server.settings import NO_FLAG, Setting, Settings, all_settings, flag, from_strings, variable
from resphere.store.engines import default_url

PATHS = {"tls_cert", "tls_key", "data_dir", "log_dir", "admin_password_file", "inventory", "faults"}
SPECIAL = {
    "tls_names": "one.example.com two.example.com",
    "api_release": "8.0",
    "durations": "realistic",
    "store": default_url(Path("/some/where")),
}
# Pairs that go together.
BESIDE: dict[str, dict[str, str]] = {"tls_cert": {"tls_key": "/some/where"}, "tls_key": {"tls_cert": "/some/where"}}


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
        return [part for each in text.split() for part in (flag(setting.name).removesuffix("s"), each)]
    return [flag(setting.name), text]


def from_flags(*given: str, environment: dict[str, str] | None = None) -> Settings:
    """Settings as ``resphere serve`` takes them."""
    return settings_from(vars(parser().parse_args(["serve", *given])), environment or {})


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
    other: Any = {**variables, variable(setting.name): "nonsense" if setting.name != "tls_names" else "x"}
    assert getattr(from_flags(*arguments(setting, text), environment=other), setting.name) == getattr(
        by_flag, setting.name
    )


@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.name)
def test_every_setting_is_described(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["serve", "--help"])
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
        ({"workers": "1.5"}, "--workers"),
        ({"tls": "maybe"}, "--tls"),
        ({"list_limits": "no"}, "--list-limits"),
        ({"session_idle_seconds": "0"}, "--session-idle-seconds"),
        ({"session_lifetime_seconds": "-5"}, "--session-lifetime-seconds"),
        ({"max_sessions": "-1"}, "--max-sessions"),
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
def test_bad_values_name_the_flag(given: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        from_strings(dict(given))


def test_where_things_are() -> None:
    settings = Settings(data_dir=Path("/data"))
    assert (settings.logs, settings.store_url) == (Path("/data/log"), default_url(Path("/data")))
    assert Settings(log_dir=Path("/log")).logs == Path("/log")
    url = default_url(Path("/elsewhere"))
    assert Settings(data_dir=Path("/data"), store=url).store_url == url
