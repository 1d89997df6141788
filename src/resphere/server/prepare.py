"""What happens once before workers start: certificates, password, and an inventory in an empty store."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from resphere.access.permissions import FIRST_PERMISSION
from resphere.access.roles import ADMIN
from resphere.access.samples import SAMPLE_ROLES
from resphere.access.wiring import TABLES as ACCESS_TABLES
from resphere.appliance.tls_versions import hand_on, oldest_versions
from resphere.auth.accounts import ADMINISTRATOR, Account, LocalAccounts
from resphere.auth.group_changes import put_built_in_groups
from resphere.auth.local_os import ROOT_ACCOUNT
from resphere.auth.wiring import WIRING as AUTH
from resphere.faults.record import FAULT_RULES, replace_file_rules
from resphere.inventory.appliance.power import APPLIANCE_POWER, AppliancePower, boot
from resphere.inventory.appliance.power import ONLY as ONLY_APPLIANCE
from resphere.inventory.appliance.settings import APPLIANCE_SETTINGS
from resphere.inventory.customization import CUSTOMIZATION_TABLES
from resphere.inventory.installation import INSTALLATION, ONLY, Installation
from resphere.inventory.model import ROOT_FOLDER, Cluster, Datacenter, Folder, Host, ManagedObject, VirtualMachine
from resphere.inventory.tables import FOLDERS
from resphere.providers.simulator.generate import generate
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.sealing import open_sealing
from resphere.replica.table import Stored, Table
from resphere.server.address import Address
from resphere.server.assembly import open_replica, password_rules
from resphere.server.backup import PASSWORD_FILE
from resphere.server.behind_proxies import client_trust
from resphere.server.exports.file import read_file
from resphere.server.faults import NO_FAULTS, read_faults, rules_of
from resphere.server.first_start import first_start, require_same
from resphere.server.forms.upgrade import bring_to_present_form
from resphere.server.identity_sources import declare, read_sources
from resphere.server.library_storage import keep_library_storage
from resphere.server.limit_file import read_limits
from resphere.server.memory import do_apart
from resphere.server.providers import choice, read_durations
from resphere.server.saml_trust import read_trust
from resphere.server.secrets_key import given_key
from resphere.server.served_certificate import ServedCertificate
from resphere.server.settings import Settings, variable
from resphere.server.tls import certificates, directory, oldest_versions_file, utc_now, watched
from resphere.server.wiring import WIRING
from resphere.store.engines import is_served, open_store, shown_url


class Made(msgspec.Struct, frozen=True):
    """How many there are of what people count in an inventory."""

    datacenters: int
    clusters: int
    hosts: int
    vms: int
    templates: int

    @property
    def sentence(self) -> str:
        """``1 datacenter, 2 clusters, ...``; people who count VMs by a list must know of the templates."""
        counted = {
            "datacenter": self.datacenters,
            "cluster": self.clusters,
            "host": self.hosts,
            "VM": self.vms,
            "template": self.templates,
        }
        text = ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counted.items())
        return f"{text} (lists of VMs leave templates out)" if self.templates else text


class Filled(msgspec.Struct, frozen=True):
    """What became of the store: the inventory that was put into an empty one, and the flags that may ask in vain for
    another one than was there. ``password_changed``: the administrator's password is no longer the one that the server
    made."""

    made: Made | None = None
    unheeded: tuple[str, ...] = ()
    password_changed: bool = False


class Prepared(msgspec.Struct, frozen=True):
    """What serving needs to know."""

    tls: ServedCertificate | None
    administrator: str
    password: str
    password_file: Path | None
    """Where the password stands, if the server made it."""
    filled: Filled = Filled()


def prepare(settings: Settings) -> Prepared:
    """Make whatever is missing; harmless to repeat.

    :raises ValueError: a setting, or a file that it names, cannot be used.
    :raises OSError: a folder or file cannot be made.
    """
    make_folder("--data-dir", settings.data_dir, 0o700)
    make_folder("--log-dir", settings.logs, 0o777)
    read_durations(settings.durations)
    if not choice(settings.provider).simulated and "vms" in settings.given:
        raise ValueError(f"--vms makes no sense with --provider {settings.provider}, which has its own VMs")
    if settings.faults:
        read_faults(settings.faults)
    if settings.limits:
        read_limits(settings.limits)
    if settings.identity_sources is not None:
        read_sources(settings.identity_sources)
    if settings.saml_trust:
        read_trust(settings.saml_trust)
    client_trust(settings)
    tls = served_certificate(settings) if settings.tls else None
    password, password_file = administrator_password(settings)
    root_password(settings)
    filled = do_apart(partial(fill_store, settings, password, password_file is None))
    if tls is not None:
        tls.take_versions()
    return Prepared(tls, ADMINISTRATOR, password, password_file, filled)


def make_folder(flag: str, path: Path, mode: int) -> None:
    """Make the folder, if there is none.

    :raises OSError: it cannot be made; names the flag.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise OSError(f"{flag}: cannot make the folder {path}: {error.strerror}") from error


def served_certificate(settings: Settings) -> ServedCertificate:
    """What is served, looked after from now on.

    :raises TlsError: it cannot be.
    """
    versions = oldest_versions_file(settings)
    return ServedCertificate(
        partial(certificates, settings), watched(settings), directory(settings), versions, time.monotonic
    )


def administrator_password(settings: Settings) -> tuple[str, Path | None]:
    """The password that is set, or the one kept in the data directory, or a new one kept there (mode 0600).

    :raises ValueError: the file that should hold it is empty.
    """
    if settings.admin_password is not None:
        return settings.admin_password, None
    if settings.admin_password_file is not None:
        return first_line(settings.admin_password_file), None
    path = settings.data_dir / PASSWORD_FILE
    if path.exists():
        return first_line(path), path
    password = secrets.token_urlsafe(12)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return password, path


def root_password(settings: Settings) -> str | None:
    """The password of the appliance's root that is set, if one is.

    :raises ValueError: the file that should hold it is empty, or cannot be read.
    """
    if settings.root_password_file is not None:
        return first_line(settings.root_password_file)
    return settings.root_password


def first_line(path: Path) -> str:
    """The first line of a password file.

    :raises ValueError: there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"the password file {path} is not UTF-8: byte {error.start}") from None
    if not lines or not lines[0].strip():
        raise ValueError(f"the first line of the password file {path} is empty")
    return lines[0]


def fill_store(settings: Settings, password: str, chosen: bool) -> Filled:
    """:func:`fill`, from its beginning to its end."""
    return asyncio.run(fill(settings, password, chosen))


def was_changed(account: Account | None) -> bool:
    """Whether somebody has given the administrator another password since the server made one."""
    return account is not None and account.password_time is not None and not account.given


async def fill(settings: Settings, password: str, chosen: bool = True) -> Filled:
    """Put an inventory into an empty store, and the administrator's account. Documents of earlier releases are brought
    to the present form, and their secrets sealed.

    ``chosen``: settings say what the administrator's password is, whatever it was before.

    :raises ValueError: the settings ask for another inventory than the one that is there.
    :raises StoreError: the contents of libraries are not where the settings say.
    """
    store = await open_store(settings.store_url)
    try:
        sealing = await open_sealing(store, secrets.token_bytes, given_key(settings))
        sealed = await bring_to_present_form(store, WIRING.tables, sealing, shown_url(settings.store_url))
        # Where there is an inventory already, the machines in it need not be read here, only in the workers.
        tables: tuple[Table[Any], ...] = (
            FOLDERS,
            INSTALLATION,
            APPLIANCE_POWER,
            APPLIANCE_SETTINGS,
            *AUTH.tables,
            *ACCESS_TABLES,
            *CUSTOMIZATION_TABLES,
            FAULT_RULES,
        )
        replica = Replica(store, tables, sealing=sealing)
        await replica.load()
        if replica.get(Folder, ROOT_FOLDER) is None:
            replica = await open_replica(store, sealing)
            filled = Filled(made=await put_inventory(settings, replica))
        else:
            filled = Filled(unheeded=await keep_inventory(settings, replica))
        await keep_library_storage(settings, store, replica)
        power = replica.get(AppliancePower, ONLY_APPLIANCE)
        # The appliance is there as long as any of its servers is.
        if power is None or power.powered_off is not None or not await is_served(settings.store_url):
            await replica.change(lambda edit: boot(edit, utc_now()))
        if settings.tls:
            hand_on(oldest_versions_file(settings), oldest_versions(replica))
        if await replica.seal_anew() or sealed:
            await store.compact()
        await replica.change(put_built_in_groups)
        accounts = LocalAccounts(replica, secrets.token_bytes, rules=password_rules(settings))
        if chosen or not was_changed(replica.get(Account, ADMINISTRATOR)):
            await accounts.put(ADMINISTRATOR, password, given=True)
        else:
            filled = replace(filled, password_changed=True)
        given_root = root_password(settings)
        if given_root is not None:
            await accounts.put(ROOT_ACCOUNT, given_root, ADMIN.name, given=True)
        await accounts.finish()
        file = read_faults(settings.faults) if settings.faults else NO_FAULTS
        rules = rules_of(file, utc_now(), secrets.token_bytes)
        await replica.change(partial(replace_file_rules, among=replica, rules=rules))
        await declare(replica, read_sources(settings.identity_sources) if settings.identity_sources else ())
    finally:
        await store.close()
    return filled


async def put_inventory(settings: Settings, replica: Replica) -> Made:
    """Fill an empty store, and note with what."""
    objects = tuple(initial_inventory(settings))
    await replica.pass_over(obj.id for obj in objects if isinstance(obj, ManagedObject))
    installation = Installation(
        time=utc_now(),
        provider=settings.provider,
        first_start=first_start(settings, simulated=choice(settings.provider).simulated),
    )

    def plan(edit: Edit) -> None:
        for obj in objects:
            edit.put(obj)
        edit.put(installation)
        for role in SAMPLE_ROLES:
            edit.put(role)
        edit.put(FIRST_PERMISSION)

    await replica.change(plan)
    return counted(objects)


async def keep_inventory(settings: Settings, replica: Replica) -> tuple[str, ...]:
    """See that the settings ask for no other inventory than the one that is there; returns the flags that may do so.

    :raises ValueError: some do.
    """
    installation = replica.get(Installation, ONLY)
    if installation is None:  # of a release that noted nothing
        installation = Installation(time=utc_now(), provider=settings.provider)
        await replica.change(lambda edit: edit.put(installation))
    if installation.provider != settings.provider:
        raise ValueError(
            f"--provider: the inventory in {settings.data_dir} is that of {installation.provider}, "
            f"not of {settings.provider}"
        )
    return require_same(settings, installation)


def counted(objects: tuple[Stored, ...]) -> Made:
    """How many there are."""
    counts = Counter(type(obj) for obj in objects)
    templates = sum(isinstance(obj, VirtualMachine) and obj.template for obj in objects)
    return Made(
        datacenters=counts[Datacenter],
        clusters=counts[Cluster],
        hosts=counts[Host],
        vms=counts[VirtualMachine] - templates,
        templates=templates,
    )


def initial_inventory(settings: Settings) -> Iterable[Stored]:
    """What the inventory file has, or simulated objects; no machines where the provider has its own.

    :raises ValueError: the file has such machines.
    """
    simulated = choice(settings.provider).simulated
    if settings.inventory is None:
        return generate(settings.sizes if simulated else replace(settings.sizes, vms=0), settings.seed)
    objects = read_file(settings.inventory)
    if not simulated and any(isinstance(obj, VirtualMachine) for obj in objects):
        raise ValueError(f"--inventory: {settings.inventory} has VMs, and the provider {settings.provider} its own")
    return objects


def banner(settings: Settings, prepared: Prepared, address: Address) -> Iterator[str]:
    """What the person who started the server needs: address, user, password and a line that works."""
    url = f"{'https' if settings.tls else 'http'}://{address.shown}"
    yield f"resphere serves vCenter {settings.version} at {url}"
    yield f"  user      {prepared.administrator}"
    if prepared.filled.password_changed:
        yield "  password  (as it was changed last)"
        login = prepared.administrator
    elif prepared.password_file:
        yield f"  password  {prepared.password}   (kept in {prepared.password_file})"
        login = shlex.quote(f"{prepared.administrator}:{prepared.password}")
    else:
        yield "  password  (as you set it)"
        login = f'"{prepared.administrator}:{given_password(settings)}"'
    if settings.appliance_port:
        appliance = Address(address.name, address.host, settings.appliance_port).shown
        yield f"  appliance {'https' if settings.tls else 'http'}://{appliance} (by name and password on each call)"
    yield f"  logs      {settings.logs}"
    if prepared.filled.made is not None:
        yield f"  inventory {prepared.filled.made.sentence}"
    if prepared.filled.unheeded:
        flags = ", ".join(prepared.filled.unheeded)
        yield f"  inventory as an earlier release filled it; {flags} changed nothing"
    yield "Try it:"
    # Some shells take the brackets of an IPv6 address for a pattern of file names.
    session, vms = (shlex.quote(f"{url}/api/{path}") for path in ("session", "vcenter/vm"))
    token = f"curl -sk -u {login} -X POST {session} | tr -d '\"'"
    yield f'  curl -sk -H "vmware-api-session-id: $({token})" {vms}'


def given_password(settings: Settings) -> str:
    """What a shell puts in for the password that was set, within double quotes."""
    if settings.admin_password is not None:
        return "$" + variable("admin_password")
    return f"$(head -n 1 {shlex.quote(str(settings.admin_password_file))})"
