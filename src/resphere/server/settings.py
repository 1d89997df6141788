"""Everything that can be set, once: flags, environment variables and the documentation's table come from here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec

from resphere.appliance.receivers import SETTING as SYSLOG_TO
from resphere.auth.certificate_forms import FORMS
from resphere.auth.client_certificates import RULES
from resphere.auth.names import is_domain
from resphere.contract.releases import ALL_RELEASES
from resphere.fetching.allowed import read_rules
from resphere.fetching.errors import SETTING as FETCH_FROM
from resphere.fetching.posting import SETTING as WEBHOOK_TO
from resphere.providers.simulator.sizes import Sizes
from resphere.recovery.means import read_folders
from resphere.recovery.places.errors import FOLDERS_SETTING as BACKUP_FOLDER
from resphere.recovery.places.errors import SETTING as BACKUP_TO
from resphere.server.proxies import HEADERS
from resphere.store.buckets.location import FORM, BucketLocation, location_of, require_endpoint, require_region
from resphere.store.engines import DEFAULT_URL, check_url, completed_url, default_url

ENVIRONMENT_PREFIX = "RESPHERE_"

DEFAULT_RELEASE = "8.0"
DEFAULT_GUEST_PASSWORD = "VMware1!"  # noqa: S105 - documented
"""Known to everybody: nothing in a simulated guest is worth more."""

VERSIONS = {"7.0": ("7.0.3", "18700403"), "8.0": ("8.0.3", "24022515"), "9.1": ("9.1.0", "24957454")}
"""Version and build that go with an API release. No build of 9.1 is known to us: the newest known one of 9.0 stands."""

TEN_YEARS_SECONDS = 10 * 365 * 24 * 60 * 60
RANGES = {
    "port": (0, 65_535),
    "appliance_port": (0, 65_535),
    "workers": (1, 256),
    "drain_seconds": (0, 3600),
    "session_idle_seconds": (1, TEN_YEARS_SECONDS),
    "session_lifetime_seconds": (1, TEN_YEARS_SECONDS),
    "max_sessions_per_user": (0, 10_000_000),
    "max_sessions": (0, 10_000_000),
    "max_token_days": (1, 3660),
    "password_length": (1, 256),
    "password_reuse": (0, 20),
    "password_days": (0, 3660),
    "lockout_attempts": (0, 64),
    "lockout_interval_seconds": (1, TEN_YEARS_SECONDS),
    "lockout_seconds": (1, TEN_YEARS_SECONDS),
    "max_wait_seconds": (0, 86_400),
    "idempotency_seconds": (1, 366 * 24 * 60 * 60),
    "max_idempotency_keys": (0, 1_000_000),
    "max_body_bytes": (1, 2**30),
    "max_guest_file_bytes": (1, 2**44),
    "max_library_file_bytes": (1, 2**44),
    "bulk_keep_hours": (1, 87_600),
    "audit_file_bytes": (0, 2**40),
    "audit_file_seconds": (0, TEN_YEARS_SECONDS),
    "audit_keep_seconds": (0, 100 * 365 * 24 * 60 * 60),
    "audit_keep_bytes": (0, 2**50),
    "events_keep_seconds": (0, 100 * 365 * 24 * 60 * 60),
    "events_keep_bytes": (0, 2**50),
    "max_event_streams": (1, 1_000_000),
    "max_event_streams_per_user": (1, 1_000_000),
    "max_connections": (64, 1_000_000),
    "connection_request_seconds": (1, 86_400),
    "connection_idle_seconds": (1, 86_400),
    "connection_stall_seconds": (1, 86_400),
    "acme_http_port": (1, 65_535),
    "hsts_seconds": (0, TEN_YEARS_SECONDS),
    "seed": (0, 2**63 - 1),
}
"""The least and the most of numbers; those of an inventory are ``Sizes``."""
CHOICES = {
    "poweroff": ("end", "reboot"),
    "audit_policy": ("drop-and-count", "fail-closed"),
    "audit_sync": ("never", "second", "call"),
    "metrics": ("off", "token", "local", "anybody"),
}
"""The words that some may be."""
VERSION = re.compile(r"[0-9]{1,3}(\.[0-9]{1,5}){1,3}\Z")
BUILD = re.compile(r"[0-9]{1,12}\Z")
NUMBER = re.compile(r"-?[0-9]{1,20}\Z")
TRUTH = {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0")}
"""Truth values as people write them."""


class Described(msgspec.Struct, frozen=True):
    """A setting's place in the help: its group and one sentence.

    ``first_start``: it says what an empty store is filled with, and nothing afterwards.
    """

    group: str
    help: str
    first_start: bool = False


def _(group: str, help: str, *, first_start: bool = False) -> msgspec.Meta:
    return msgspec.Meta(extra={"described": Described(group, help, first_start)})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``resphere serve`` can be told.

    A field ``data_dir`` is the flag ``--data-dir`` and the environment variable ``RESPHERE_DATA_DIR``; the flag wins.
    """

    host: Annotated[str, _("listen", "Address or host name to listen on.")] = "127.0.0.1"
    port: Annotated[int, _("listen", "Port to listen on; 0 is a free one, which the banner tells.")] = 8443
    appliance_port: Annotated[
        int, _("listen", "A second port, for what concerns the appliance, as vCenter's 5480 is; 0: there is none.")
    ] = 0
    workers: Annotated[int, _("listen", "Worker processes.")] = 1
    drain_seconds: Annotated[
        int,
        _(
            "listen",
            "For so long a server that is told to stop goes on, and /readyz says that it is about to end, so that "
            "balancers send it nothing new; told again, it ends at once.",
        ),
    ] = 0
    poweroff: Annotated[
        str,
        _(
            "listen",
            "What becomes of the server when somebody powers off the appliance: end (it ends, with status 0) or reboot "
            "(it is away for a while).",
        ),
    ] = "end"
    tls: Annotated[bool, _("TLS", "Serve HTTPS. --no-tls serves plain HTTP: passwords travel readable.")] = True
    tls_cert: Annotated[Path | None, _("TLS", "Certificate chain (PEM) to serve instead of one by our own CA.")] = None
    tls_key: Annotated[Path | None, _("TLS", "Private key (PEM) of --tls-cert.")] = None
    tls_names: Annotated[
        tuple[str, ...], _("TLS", "Further host names or addresses for our own certificate (repeat the flag).")
    ] = ()
    acme_directory: Annotated[
        str | None, _("TLS", "Directory (URL) of an ACME authority that issues a certificate for the --tls-name's.")
    ] = None
    acme_email: Annotated[str | None, _("TLS", "Address that this authority writes to.")] = None
    acme_http_port: Annotated[
        int,
        _(
            "TLS",
            "Port that answers it while it issues; port 80 of the names must lead here.",
        ),
    ] = 80
    acme_ca: Annotated[Path | None, _("TLS", "Authorities (PEM) of its own certificate, if not the usual.")] = None
    hsts_seconds: Annotated[
        int, _("TLS", "How long browsers shall insist on HTTPS (0: no such header; localhost never gets it).")
    ] = 31_536_000
    trusted_proxies: Annotated[
        tuple[str, ...],
        _("proxies", "Address or network of a proxy whose word on its clients is taken (repeat the flag)."),
    ] = ()
    proxy_headers: Annotated[
        str, _("proxies", "Headers that these write: x-forwarded (-For, -Proto, -Host) or forwarded (RFC 7239).")
    ] = "x-forwarded"
    client_ca: Annotated[
        Path | None, _("proxies", "Authorities (PEM) whose clients may log in by certificate, over trusted proxies.")
    ] = None
    client_crl: Annotated[
        Path | None,
        _("proxies", "Their revocation lists (PEM); without a valid one of its issuer no client passes."),
    ] = None
    client_certificate_header: Annotated[
        str,
        _(
            "proxies",
            "In which these hand a certificate on: client-cert (RFC 9440), x-ssl-client-cert (escaped PEM: nginx, "
            "Apache) or x-forwarded-client-cert (Envoy).",
        ),
    ] = "client-cert"
    client_certificate_user: Annotated[
        str, _("proxies", "What of a certificate is the user: cn, email, upn, or fingerprint.")
    ] = "upn"
    client_certificate_users: Annotated[
        Path | None, _("proxies", "YAML file of fingerprints (SHA-256) and their users.")
    ] = None
    data_dir: Annotated[Path, _("data", "Where everything is kept: inventory, certificates, password.")] = Path(
        "resphere-data"
    )
    store: Annotated[str | None, _("data", f"URL of the store; unset: {DEFAULT_URL}.")] = None
    library_storage: Annotated[
        str | None,
        _("data", f"Where the files of content libraries lie: {FORM}; unset: beside the store."),
    ] = None
    library_storage_endpoint: Annotated[
        str | None, _("data", "URL of the service that has that bucket; unset: Amazon's.")
    ] = None
    library_storage_region: Annotated[
        str | None, _("data", "Region of that bucket; unset: as AWS_DEFAULT_REGION or ~/.aws say, or us-east-1.")
    ] = None
    update_repository: Annotated[
        Path | None, _("data", "Folder of descriptions of updates (JSON) that the appliance can be taken through.")
    ] = None
    log_dir: Annotated[Path | None, _("data", "Where logs are written; unset: <data dir>/log.")] = None
    root_password_file: Annotated[
        Path | None, _("access", "File whose first line is the password of the appliance's root.")
    ] = None
    root_password: Annotated[
        str | None,
        _(
            "access",
            "The password of the appliance's root, as an environment variable only; unset: root has the "
            "administrator's.",
        ),
    ] = None
    admin_password_file: Annotated[
        Path | None, _("access", "File whose first line is the administrator's password.")
    ] = None
    admin_password: Annotated[
        str | None, _("access", "The administrator's password; only as an environment variable, flags are visible.")
    ] = None
    identity_sources: Annotated[
        Path | None, _("access", "YAML file of the directories and identity providers whose users may log in.")
    ] = None
    saml_trust: Annotated[
        Path | None, _("access", "YAML file of further SAML issuers that are trusted, and of solution users.")
    ] = None
    default_domain: Annotated[
        str | None, _("access", "The domain of a user name that says none; unset: that of local accounts.")
    ] = None
    single_use_tokens: Annotated[
        bool, _("access", "A token of an identity provider, or of SAML, opens one session, or is exchanged once.")
    ] = False
    secrets_key: Annotated[
        str | None,
        _(
            "data",
            "Key of secrets, 64 hexadecimal digits; only as an environment variable. Unset: secrets.key.",
        ),
    ] = None
    secrets_key_file: Annotated[Path | None, _("data", "File that holds the key of secrets.")] = None
    secrets_key_command: Annotated[
        str | None,
        _("data", "Command that writes it, such as one that asks a vault; no shell reads it."),
    ] = None
    session_idle_seconds: Annotated[int, _("access", "An unused session ends after this long.")] = 1800
    session_lifetime_seconds: Annotated[int, _("access", "Every session ends after this long.")] = 172800
    max_sessions_per_user: Annotated[int, _("access", "Open sessions of one user (0: any number).")] = 550
    max_sessions: Annotated[
        int, _("access", "Open sessions in all (0: any number); one in ten is kept for administrators.")
    ] = 12_000
    max_token_days: Annotated[int, _("access", "For so many days an API token is good at most.")] = 366
    password_length: Annotated[int, _("access", "Characters of a new password at least.")] = 8
    password_classes: Annotated[
        bool,
        _(
            "access",
            "A new password needs upper and lower case, a digit and a special character (--no-...: it need not).",
        ),
    ] = True
    password_reuse: Annotated[int, _("access", "So many of a user's last passwords are not taken again.")] = 5
    password_days: Annotated[
        int, _("access", "After so many days a password must be changed (0: never; vCenter: 90).")
    ] = 0
    lockout_attempts: Annotated[
        int, _("access", "So many wrong passwords lock an account, never the administrator's (0: none).")
    ] = 5
    lockout_interval_seconds: Annotated[int, _("access", "Within this time they count together.")] = 180
    lockout_seconds: Annotated[int, _("access", "For so long an account is locked.")] = 300
    max_wait_seconds: Annotated[
        int, _("limits", "For so long a call waits at most that prefers to (Prefer: wait=N; 0: none does).")
    ] = 60
    idempotency_seconds: Annotated[
        int, _("limits", "For so long what was done under an Idempotency-Key is not done again.")
    ] = 86_400
    max_idempotency_keys: Annotated[
        int, _("limits", "Such keys that are kept of one user; of all ten times as many (0: none is taken).")
    ] = 10_000
    max_body_bytes: Annotated[int, _("limits", "Largest request body.")] = 16 * 1024 * 1024
    max_guest_file_bytes: Annotated[int, _("limits", "Largest file that is sent into a simulated guest.")] = (
        1024 * 1024 * 1024
    )
    max_library_file_bytes: Annotated[int, _("limits", "Largest file that is put into a content library.")] = (
        64 * 1024 * 1024 * 1024
    )
    limits: Annotated[
        Path | None, _("limits", "YAML file of rates, calls at once and how failed logins slow down the next ones.")
    ] = None
    max_connections: Annotated[
        int, _("limits", "Connections at a time, over all workers, as far as the system's limit of open files allows.")
    ] = 4096
    connection_request_seconds: Annotated[
        int, _("limits", "A connection ends that has brought no whole request header after this long.")
    ] = 20
    connection_idle_seconds: Annotated[
        int, _("limits", "A connection ends that brings no further request for this long.")
    ] = 60
    connection_stall_seconds: Annotated[
        int, _("limits", "A connection ends whose client neither sends its body nor reads its reply for this long.")
    ] = 30
    max_event_streams: Annotated[
        int, _("limits", "Streams of events, and calls that wait for some, at each worker at a time.")
    ] = 2000
    max_event_streams_per_user: Annotated[int, _("limits", "And of one user.")] = 1000
    fetch_from: Annotated[
        tuple[str, ...],
        _(
            "fetching",
            "HOST, HOST:PORT or network (10.0.0.0/8) from which files of content libraries are fetched (repeat the "
            "flag); unset: none are.",
        ),
    ] = ()
    webhook_to: Annotated[
        tuple[str, ...],
        _(
            "fetching",
            "HOST, HOST:PORT or network to which webhooks send events (repeat the flag); unset: they send nothing.",
        ),
    ] = ()
    syslog_to: Annotated[
        tuple[str, ...],
        _(
            "fetching",
            "HOST, HOST:PORT or network to which logs may be forwarded (repeat the flag); unset: none are.",
        ),
    ] = ()
    backup_to: Annotated[
        tuple[str, ...],
        _(
            "fetching",
            "HOST, HOST:PORT or network at which backups of the API may lie (repeat the flag); unset: none do.",
        ),
    ] = ()
    backup_known_hosts: Annotated[
        Path | None,
        _(
            "fetching",
            "File with the keys of SSH servers for backups, as OpenSSH's known_hosts; unset: no SFTP.",
        ),
    ] = None
    backup_folders: Annotated[
        tuple[str, ...],
        _(
            "fetching",
            "nfs://HOST/EXPORT=/FOLDER: the folder on which an NFS export is mounted, for backups (repeat the flag).",
        ),
    ] = ()
    list_limits: Annotated[
        bool, _("limits", "Refuse lists longer than vCenter returns (4,000 VMs). --no-list-limits lifts that.")
    ] = True
    bulk_keep_hours: Annotated[
        int, _("limits", "For so long it is kept what became of bulk operations, and of what schedules ran.")
    ] = 168
    audit_policy: Annotated[
        str,
        _(
            "audit",
            "While calls cannot be recorded: drop-and-count answers them and tells how many were not recorded, "
            "fail-closed refuses them.",
        ),
    ] = "drop-and-count"
    audit_sync: Annotated[
        str,
        _(
            "audit",
            "When records are on the disk (a killed server loses none, a power failure may): never waits for the "
            "system, second, or call, before a call is answered.",
        ),
    ] = "second"
    audit_file_bytes: Annotated[int, _("audit", "The audit log goes on in another file at this size (0: never).")] = (
        64 * 1024 * 1024
    )
    audit_file_seconds: Annotated[int, _("audit", "And at this age of a file (0: never).")] = 86_400
    audit_keep_seconds: Annotated[int, _("audit", "Older files of the audit log are deleted (0: none).")] = 31_536_000
    audit_keep_bytes: Annotated[int, _("audit", "And the oldest while all are larger than this (0: none).")] = (
        4 * 1024 * 1024 * 1024
    )
    events_keep_seconds: Annotated[int, _("events", "Older events are forgotten (0: none).")] = 2_592_000
    events_keep_bytes: Annotated[int, _("events", "And the oldest while all are larger than this (0: none).")] = (
        1024 * 1024 * 1024
    )
    metrics: Annotated[
        str,
        _(
            "metrics",
            "Who may read /metrics: token (who logs in with an API token or a session, and has the privilege "
            "Global.Diagnostics), local (these, and whoever calls from this machine), anybody, or off (nobody).",
        ),
    ] = "token"
    provider: Annotated[
        str,
        _("inventory", "Who does the work: simulator, the embedded simulated vCenter, or processes, a small example."),
    ] = "simulator"
    seed: Annotated[
        int, _("inventory", "Seed of the simulated inventory: the same seed makes the same vCenter.", first_start=True)
    ] = 1
    datacenters: Annotated[int, _("inventory", "Datacenters of the simulated inventory.", first_start=True)] = 1
    clusters: Annotated[int, _("inventory", "Clusters, over all datacenters.", first_start=True)] = 2
    hosts: Annotated[int, _("inventory", "Hosts, over all clusters.", first_start=True)] = 6
    vms: Annotated[
        int,
        _(
            "inventory",
            "Virtual machines, over all hosts; one in 23 is a template, which vcenter/vm leaves out.",
            first_start=True,
        ),
    ] = 40
    inventory: Annotated[
        Path | None, _("inventory", "YAML file to read the inventory from instead.", first_start=True)
    ] = None
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
    given: frozenset[str] = frozenset()
    """The names of those that somebody has set, to whatever value."""

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{flag(name)} must be from {least} to {most}, not {getattr(self, name)}")
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{flag(name)} must be one of {', '.join(words)}, not {getattr(self, name)}")
        _ = self.sizes
        self._require_domain()
        if self.api_release not in (None, *ALL_RELEASES):
            raise ValueError(f"--api-release must be one of {', '.join(ALL_RELEASES)}, not {self.api_release}")
        if self.product_version is not None and not VERSION.match(self.product_version):
            raise ValueError(f"--product-version must be numbers with dots, such as 8.0.3, not {self.product_version}")
        if self.product_build is not None and not BUILD.match(self.product_build):
            raise ValueError(f"--product-build must be a number, such as 24022515, not {self.product_build}")
        try:
            check_url(self.store_url)
        except ValueError as error:
            raise ValueError(f"{flag('store')}: {error}") from None
        _ = self.library_bucket
        require_ports(self)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key go together")
        require_proxies(self)
        require_sources(self)
        require_acme(self)
        require_one_key(self)
        if self.tls_cert is not None and not self.tls:
            raise ValueError("--tls-cert makes no sense with --no-tls")

    def _require_domain(self) -> None:
        if self.default_domain is not None and not is_domain(self.default_domain):
            raise ValueError(f"--default-domain must be a domain in lower case, not {self.default_domain}")

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
    def sizes(self) -> Sizes:
        """How large a generated inventory is.

        :raises ValueError: the numbers make none.
        """
        return Sizes(datacenters=self.datacenters, clusters=self.clusters, hosts=self.hosts, vms=self.vms)

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return default_url(self.data_dir) if self.store is None else completed_url(self.store, self.data_dir)

    @property
    def library_bucket(self) -> BucketLocation | None:
        """The part of a bucket in which the files of content libraries lie; ``None``: beside the store.

        :raises ValueError: what is said of it makes no sense; names the flag.
        """
        endpoint, region = self.library_storage_endpoint, self.library_storage_region
        if self.library_storage is None:
            if endpoint is not None or region is not None:
                name = "endpoint" if endpoint is not None else "region"
                raise ValueError(f"--library-storage-{name} makes no sense without --library-storage")
            return None
        with told_of("library_storage_endpoint"):
            if endpoint is not None:
                require_endpoint(endpoint)
        with told_of("library_storage_region"):
            if region is not None:
                require_region(region)
        with told_of("library_storage"):
            return location_of(self.library_storage, endpoint, region)

    @property
    def machines(self) -> Path:
        """The folder of machines that are processes."""
        return self.data_dir / "machines"


SECRETS_KEYS = ("secrets_key", "secrets_key_file", "secrets_key_command")


@contextmanager
def told_of(name: str) -> Iterator[None]:
    """Say of which flag a refusal is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{flag(name)} {error}") from None


def require_one_key(settings: Settings) -> None:
    """See that the key of secrets comes from one place.

    :raises ValueError: it comes from several.
    """
    ways = [name for name in SECRETS_KEYS if getattr(settings, name) is not None]
    if len(ways) > 1:
        raise ValueError(f"{flag(ways[0])} and {flag(ways[1])} exclude each other")


def require_acme(settings: Settings) -> None:
    """Refuse what is said of ACME and makes no sense.

    :raises ValueError: names the flag.
    """
    if settings.acme_directory is None:
        return
    if not settings.acme_directory.startswith(("https://", "http://")):
        raise ValueError(f"--acme-directory must be a URL, not {settings.acme_directory}")
    if not settings.tls_names:
        raise ValueError("--acme-directory needs --tls-name: the names of the certificate")
    if settings.tls_cert is not None or not settings.tls:
        raise ValueError(f"--acme-directory makes no sense with {'--tls-cert' if settings.tls else '--no-tls'}")


def require_sources(settings: Settings) -> None:
    """Refuse what says of no host that something may be fetched from it.

    :raises ValueError: names the flag.
    """
    try:
        read_folders(settings.backup_folders)
    except ValueError as error:
        raise ValueError(f"{BACKUP_FOLDER}: {error}") from None
    given = (
        (FETCH_FROM, settings.fetch_from),
        (WEBHOOK_TO, settings.webhook_to),
        (SYSLOG_TO, settings.syslog_to),
        (BACKUP_TO, settings.backup_to),
    )
    for name, rules in given:
        try:
            read_rules(rules)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def require_ports(settings: Settings) -> None:
    """Refuse the server's own port for the appliance.

    :raises ValueError: it is that.
    """
    if settings.appliance_port and settings.appliance_port == settings.port:
        raise ValueError(f"--appliance-port and --port must not both be {settings.port}")


def require_proxies(settings: Settings) -> None:
    """Refuse what is said of proxies and makes no sense.

    :raises ValueError: names the flag.
    """
    for network in settings.trusted_proxies:
        try:
            ip_network(network)
        except ValueError as error:
            raise ValueError(f"--trusted-proxy must be an address or a network: {error}") from None
    choices = {
        "proxy_headers": HEADERS,
        "client_certificate_header": tuple(FORMS),
        "client_certificate_user": RULES,
    }
    for name, known in choices.items():
        if getattr(settings, name) not in known:
            raise ValueError(f"{flag(name)} must be one of {', '.join(known)}, not {getattr(settings, name)}")
    if settings.client_ca is not None and not settings.trusted_proxies:
        raise ValueError("--client-ca makes no sense without --trusted-proxy: the server asks for no certificate")
    if settings.client_crl is not None and settings.client_ca is None:
        raise ValueError("--client-crl makes no sense without --client-ca")
    if (settings.client_certificate_user == "fingerprint") != (settings.client_certificate_users is not None):
        raise ValueError("--client-certificate-user fingerprint and --client-certificate-users go together")


NO_FLAG = frozenset({"admin_password", "guest_password", "root_password", "secrets_key"})
"""Settings that have an environment variable only."""


def flag(name: str) -> str:
    """``data_dir`` -> ``--data-dir``."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """``data_dir`` -> ``RESPHERE_DATA_DIR``."""
    return ENVIRONMENT_PREFIX + name.upper()


class Setting(msgspec.Struct, frozen=True):
    """One setting: name, default and description. ``is_path``: its value is a file or a folder."""

    name: str
    default: Any
    described: Described
    is_path: bool


def flag_of(setting: Setting) -> str:
    """The flag of one value: ``tls_names`` -> ``--tls-name``, ``trusted_proxies`` -> ``--trusted-proxy``."""
    name = flag(setting.name)
    if not isinstance(setting.default, tuple):
        return name
    return f"{name.removesuffix('ies')}y" if name.endswith("ies") else name.removesuffix("s")


@cache
def all_settings() -> tuple[Setting, ...]:
    """Every setting in the order of the help."""
    found = []
    for field in msgspec.structs.fields(Settings):
        if field.name == "given":
            continue
        described = next(
            m.extra["described"] for m in field.type.__metadata__ if isinstance(m, msgspec.Meta) and m.extra
        )
        of = field.type.__origin__
        found.append(Setting(field.name, field.default, described, Path in (of, *get_args(of))))
    return tuple(found)


def from_strings(given: Mapping[str, str | list[str]], variables: Collection[str] = ()) -> Settings:
    """Settings from texts, as flags and environment variables give them; ``variables`` says which are from the latter.

    :raises ValueError: a value is not of its type or out of range; names the flag, or else the variable.
    """
    try:
        return converted(given)
    except ValueError as error:
        text = str(error)
        # Longest first: --admin-password begins --admin-password-file.
        flags = {flag_of(setting): variable(setting.name) for setting in all_settings() if setting.name in variables}
        for name in sorted(flags, key=len, reverse=True):
            text = re.sub(rf"{name}(?![a-z-])", flags[name], text)
        raise ValueError(text) from None


def converted(given: Mapping[str, str | list[str]]) -> Settings:
    """Settings from texts.

    :raises ValueError: a value is not of its type or out of range; names the flag.
    """
    values: dict[str, object] = {}
    for setting in all_settings():
        if setting.name in given:
            values[setting.name] = value_of(setting, given[setting.name])
            if setting.described.first_start and setting.name != "inventory" and "inventory" in given:
                raise ValueError(f"{flag(setting.name)} makes no sense with --inventory: the file says what there is")
    return Settings(**values, given=frozenset(values))  # type: ignore[arg-type]


def value_of(setting: Setting, text: str | list[str]) -> object:
    """The text as the setting's type has it.

    :raises ValueError: it is none of that type; names the flag.
    """
    name = flag(setting.name)
    if isinstance(setting.default, tuple):
        return tuple(text.replace(",", " ").split() if isinstance(text, str) else text)
    assert isinstance(text, str), name
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} must be text in UTF-8") from None
    if isinstance(setting.default, bool):
        return truth(name, text)
    if isinstance(setting.default, int):
        if not NUMBER.match(text):
            raise ValueError(f"{name} must be a whole number, not {text!r}")
        return int(text)
    if not text.strip():
        raise ValueError(f"{name} must not be empty")
    return Path(text) if setting.is_path else text


def truth(name: str, text: str) -> bool:
    """The truth value that ``text`` is.

    :raises ValueError: it is none; names the flag.
    """
    for value, words in TRUTH.items():
        if text.lower() in words:
            return value
    raise ValueError(f"{name} must be true or false, not {text!r}")
