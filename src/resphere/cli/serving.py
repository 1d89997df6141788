"""``resphere serve``: the server, with a flag for every setting."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from resphere.server.environment import from_environment
from resphere.server.serve import serve
from resphere.server.settings import NO_FLAG, Setting, Settings, all_settings, flag, flag_of, from_strings, variable


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command of this module."""
    serving = commands.add_parser("serve", help="run the server", description="Run the server.")
    add_settings(serving)
    serving.set_defaults(run=run_serve)


def add_settings(to: argparse.ArgumentParser) -> None:
    """A flag for every setting, grouped as the settings are."""
    groups: dict[str, argparse._ArgumentGroup] = {}
    for setting in all_settings():
        if setting.name in NO_FLAG:
            continue
        title = setting.described.group
        group = groups.setdefault(title, to.add_argument_group(title) if title not in groups else groups[title])
        help = f"{setting.described.help} [{variable(setting.name)}; default: {shown_default(setting)}]"
        add_flag(group, setting, help.replace("%", "%%"))


def add_flag(group: argparse._ArgumentGroup, setting: Setting, help: str) -> None:
    """One flag; unset flags stay out of the result, so that the environment can speak."""
    name = flag(setting.name)
    if isinstance(setting.default, bool):
        group.add_argument(name, action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=help)
    elif isinstance(setting.default, tuple):
        group.add_argument(
            flag_of(setting),
            dest=setting.name,
            action="append",
            metavar="NAME",
            default=argparse.SUPPRESS,
            help=help,
        )
    else:
        metavar = setting.name.rpartition("_")[2].upper()
        group.add_argument(name, metavar=metavar, default=argparse.SUPPRESS, help=help)


def shown_default(setting: Setting) -> str:
    """The default as help shows it."""
    default = setting.default
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "none" if default is None or default == () else str(default)


def settings_from(options: Mapping[str, object], environment: Mapping[str, str]) -> Settings:
    """Settings from flags, else from environment variables (an empty one counts as unset), else defaults.

    :raises ValueError: names the flag, or the variable where the value is from there, or a variable that is none.
    """
    names = [setting.name for setting in all_settings()]
    variables = from_environment(environment)
    flags: dict[str, str | list[str]] = {}
    for name in names:
        if name in options:
            value = options[name]
            flags[name] = value if isinstance(value, list) else str(value)
    return from_strings({**variables, **flags}, frozenset(variables) - frozenset(flags))


def run_serve(options: argparse.Namespace) -> int:
    """``resphere serve``."""
    serve(settings_from(vars(options), os.environ))
    return 0
