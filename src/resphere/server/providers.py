"""The providers that can be chosen by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from resphere.nearest import meant
from resphere.providers.base import Provider
from resphere.providers.processes.files import Machines
from resphere.providers.processes.provider import LACKS, Processes
from resphere.providers.processes.work import Verbs
from resphere.providers.simulator.durations import NONE, QUICK, REALISTIC, Durations
from resphere.providers.simulator.guest.tree import Limits
from resphere.providers.simulator.provider import Simulator
from resphere.providers.simulator.work.guests import GuestOptions
from resphere.replica.replica import Replica
from resphere.server.keys import require_keys
from resphere.server.settings import Settings
from resphere.store.base import Contents
from resphere.yaml_text import YamlFault, read_file

NAMED_DURATIONS = {"none": NONE, "quick": QUICK, "realistic": REALISTIC}
LARGEST_FILES = 4
"""How many of the largest files one guest has room for, if its disk has."""


class Parts(msgspec.Struct, frozen=True):
    """What providers are made of."""

    settings: Settings
    inventory: Replica
    contents: Contents
    now: Callable[[], datetime]


def simulator(parts: Parts) -> Provider:
    """The embedded simulated vCenter."""
    durations = read_durations(parts.settings.durations)
    return Simulator(parts.inventory, parts.contents, parts.now, durations, guest_options(parts.settings))


def processes(parts: Parts) -> Provider:
    """Machines that are processes of this computer."""
    machines = Machines(parts.settings.machines)
    return Processes(machines, Verbs(machines))


class Choice(msgspec.Struct, frozen=True):
    """A provider that can be chosen. ``simulated``: an empty store gets machines that are in the inventory alone;
    ``lacks``: the areas of capabilities that it has not, and why."""

    make: Callable[[Parts], Provider]
    simulated: bool = False
    lacks: Mapping[str, str] = {}


PROVIDERS: dict[str, Choice] = {
    "processes": Choice(processes, lacks=LACKS),
    "simulator": Choice(simulator, simulated=True),
}
"""By name: what ``--provider`` chooses from."""


def make_provider(parts: Parts) -> Provider:
    """The provider that the settings name.

    :raises ValueError: there is none of that name.
    """
    return choice(parts.settings.provider).make(parts)


def choice(name: str) -> Choice:
    """The provider of that name.

    :raises ValueError: there is none.
    """
    if name not in PROVIDERS:
        known = sorted(PROVIDERS)
        raise ValueError(f"--provider must be one of {', '.join(known)}, not {name}{meant(name, known)}")
    return PROVIDERS[name]


def read_durations(text: str) -> Durations:
    """``none``, ``quick``, ``realistic`` or a YAML file.

    :raises ValueError: the file is unreadable or against the form.
    """
    if text in NAMED_DURATIONS:
        return NAMED_DURATIONS[text]
    try:
        given = read_file(Path(text).read_bytes())
        require_keys(given, Durations)
        return msgspec.convert(given, Durations)
    except FileNotFoundError:
        known = tuple(NAMED_DURATIONS)
        raise ValueError(
            f"--durations must be {', '.join(known)} or a YAML file; there is no file {text}{meant(text, known)}"
        ) from None
    except (OSError, YamlFault, ValueError) as error:
        raise ValueError(f"--durations: none, quick, realistic or a YAML file of seconds; {text}: {error}") from error


def guest_options(settings: Settings) -> GuestOptions:
    """The settings that concern simulated guests. All files of one have no more room than some of the largest."""
    largest = settings.max_guest_file_bytes
    return GuestOptions(
        user=settings.guest_user,
        password=settings.guest_password,
        limits=Limits(file_bytes=largest, disk_bytes=LARGEST_FILES * largest),
    )
