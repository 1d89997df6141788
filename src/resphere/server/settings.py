"""Everything that can be set, once: flags, environment variables and the documentation's table come from here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from resphere.contract.releases import ALL_RELEASES
from resphere.store.engines import DEFAULT_URL, check_url, default_url

ENVIRONMENT_PREFIX = "RESPHERE_"

DEFAULT_RELEASE = "8.0"
DEFAULT_GUEST_PASSWORD = "VMware1!"
"""Known to everybody: nothing in a simulated guest is worth more."""

VERSIONS = {"7.0": ("7.0.3", "18700403"), "8.0": ("8.0.3", "24022515"), "9.1": ("9.1.0", "24957454")}
"""Version and build that go with an API release. No build of 9.1 is known to us: the newest known one of 9.0 stands."""

AT_LEAST_ONE = ("workers", "session_idle_seconds", "session_lifetime_seconds", "max_body_bytes", "max_guest_file_bytes")


class Described(msgspec.Struct, frozen=True):
    """A setting's place in the help: its group and one sentence."""

    group: str
    help: str


def _(group: str, help: str) -> msgspec.Meta:
    return msgspec.Meta(extra={"described": Described(group, help)})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``resphere serve`` can be told.

    A field ``data_dir`` is the flag ``--data-dir`` and the environment variable ``RESPHERE_DATA_DIR``; the flag wins.
    """

    host: Annotated[str, _("listen", "Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _("listen", "Port to listen on.")] = 8443
    workers: Annotated[int, _("listen", "Worker processes.")] = 1
    tls: Annotated[bool, _("TLS", "Serve HTTPS. --no-tls serves plain HTTP: passwords travel readable.")] = True
    tls_cert: Annotated[Path | None, _("TLS", "Certificate chain (PEM) to serve instead of one by our own CA.")] = None
    tls_key: Annotated[Path | None, _("TLS", "Private key (PEM) of --tls-cert.")] = None
    tls_names: Annotated[
        tuple[str, ...], _("TLS", "Further host names or addresses for our own certificate (repeat the flag).")
    ] = ()
    data_dir: Annotated[Path, _("data", "Where everything is kept: inventory, certificates, password.")] = Path(
        "resphere-data"
    )
    store: Annotated[str | None, _("data", f"URL of the store; unset: {DEFAULT_URL}.")] = None
    log_dir: Annotated[Path | None, _("data", "Where logs are written; unset: <data dir>/log.")] = None
    admin_password_file: Annotated[
        Path | None, _("access", "File whose first line is the administrator's password.")
    ] = None
    admin_password: Annotated[
        str | None, _("access", "The administrator's password; only as an environment variable, flags are visible.")
    ] = None
    session_idle_seconds: Annotated[int, _("access", "An unused session ends after this long.")] = 1800
    session_lifetime_seconds: Annotated[int, _("access", "Every session ends after this long.")] = 172800
    max_sessions_per_user: Annotated[int, _("access", "Open sessions of one user (0: any number).")] = 2000
    max_sessions: Annotated[int, _("access", "Open sessions in all (0: any number).")] = 4000
    max_body_bytes: Annotated[int, _("limits", "Largest request body.")] = 16 * 1024 * 1024
    max_guest_file_bytes: Annotated[int, _("limits", "Largest file that is sent into a simulated guest.")] = (
        1024 * 1024 * 1024
    )
    list_limits: Annotated[
        bool, _("limits", "Refuse lists longer than vCenter returns (4,000 VMs). --no-list-limits lifts that.")
    ] = True
    provider: Annotated[
        str,
        _("inventory", "Who does the work: simulator, the embedded simulated vCenter, or processes, a small example."),
    ] = "simulator"
    seed: Annotated[int, _("inventory", "Seed of the simulated inventory: the same seed makes the same vCenter.")] = 1
    datacenters: Annotated[int, _("inventory", "Datacenters of the simulated inventory.")] = 1
    clusters: Annotated[int, _("inventory", "Clusters, over all datacenters.")] = 2
    hosts: Annotated[int, _("inventory", "Hosts, over all clusters.")] = 6
    vms: Annotated[
        int, _("inventory", "Virtual machines, over all hosts; one in 23 is a template, which lists of VMs leave out.")
    ] = 40
    inventory: Annotated[Path | None, _("inventory", "YAML file to read the inventory from instead.")] = None
    durations: Annotated[str, _("simulation", "How long work takes: none, quick, realistic, or a YAML file.")] = "quick"
    guest_user: Annotated[
        str | None, _("simulation", "The user of simulated guests; unset: root, or Administrator on Windows.")
    ] = None
    guest_password: Annotated[
        str, _("simulation", "Password of that user; only as an environment variable, flags are visible.")
    ] = DEFAULT_GUEST_PASSWORD
    faults: Annotated[Path | None, _("simulation", "YAML file of faults and delays to inject.")] = None
    api_release: Annotated[
        str | None, _("simulation", "Serve only what this release has: 7.0, 8.0 or 9.1; unset: everything.")
    ] = None
    product_version: Annotated[
        str | None, _("simulation", "vCenter version that the server says it is; unset: one of the API release.")
    ] = None
    product_build: Annotated[
        str | None, _("simulation", "vCenter build that the server says it is; unset: that of the version.")
    ] = None

    def __post_init__(self) -> None:
        for name in AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ValueError(f"{flag(name)} must be at least 1")
        for name in ("max_sessions_per_user", "max_sessions", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{flag(name)} must not be negative")
        if not 0 <= self.port <= 65535:
            raise ValueError("--port must be from 0 to 65535")
        if self.api_release not in (None, *ALL_RELEASES):
            raise ValueError(f"--api-release must be one of {', '.join(ALL_RELEASES)}, not {self.api_release}")
        try:
            check_url(self.store_url)
        except ValueError as error:
            raise ValueError(f"{flag('store')}: {error}") from None
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key go together")
        if self.tls_cert is not None and not self.tls:
            raise ValueError("--tls-cert makes no sense with --no-tls")

    @property
    def logs(self) -> Path:
        """Where logs are written."""
        return self.log_dir or self.data_dir / "log"

    @property
    def version(self) -> str:
        """The vCenter version that the server says it is."""
        return self.product_version or VERSIONS[self.api_release or DEFAULT_RELEASE][0]

    @property
    def build(self) -> str:
        """The vCenter build that the server says it is."""
        return self.product_build or VERSIONS[self.api_release or DEFAULT_RELEASE][1]

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return self.store or default_url(self.data_dir)

    @property
    def machines(self) -> Path:
        """The folder of machines that are processes."""
        return self.data_dir / "machines"


NO_FLAG = frozenset({"admin_password", "guest_password"})
"""Settings that have an environment variable only."""


def flag(name: str) -> str:
    """``data_dir`` -> ``--data-dir``."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """``data_dir`` -> ``RESPHERE_DATA_DIR``."""
    return ENVIRONMENT_PREFIX + name.upper()


class Setting(msgspec.Struct, frozen=True):
    """One setting: name, default and description."""

    name: str
    default: Any
    described: Described


def all_settings() -> tuple[Setting, ...]:
    """Every setting in the order of the help."""
    found = []
    for field in msgspec.structs.fields(Settings):
        described = next(
            m.extra["described"] for m in field.type.__metadata__ if isinstance(m, msgspec.Meta) and m.extra
        )
        found.append(Setting(field.name, field.default, described))
    return tuple(found)


def from_strings(given: dict[str, str | list[str]]) -> Settings:
    """Settings from texts, as flags and environment variables give them.

    :raises ValueError: a value is not of its type or out of range; names the flag.
    """
    for name, value in given.items():
        if name == "tls_names" and isinstance(value, str):
            given = {**given, name: [part for part in value.replace(",", " ").split() if part]}
    try:
        return msgspec.convert(given, Settings, strict=False, dec_hook=to_path)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`").split("[")[0]
        raise ValueError(f"{flag(name)}: {reason}" if name else reason) from None


def to_path(expected: type, value: Any) -> Any:
    """The only type of ours that is not msgspec's own."""
    if expected is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected {expected.__name__}")
