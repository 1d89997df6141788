"""Settings from environment variables; a misspelled one is refused, as a misspelled flag is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resphere.nearest import nearest
from resphere.server.settings import ENVIRONMENT_PREFIX, Setting, all_settings, flag, variable

OF_A_CLUSTER = re.compile(
    r".*_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)\Z"
)
AN_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")
"""Kubernetes and Docker tell each container of services beside it: of one that is called ``resphere``, by variables
such as ``RESPHERE_SERVICE_HOST`` and ``RESPHERE_PORT=tcp://10.0.0.7:8443``. They are meant for its clients."""


def from_environment(environment: Mapping[str, str]) -> dict[str, str | list[str]]:
    """The texts that the variables give, by the settings' names. An empty one counts as unset.

    :raises ValueError: a variable begins as ours and is none.
    """
    names = {variable(setting.name): setting for setting in all_settings()}
    found: dict[str, str | list[str]] = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or OF_A_CLUSTER.match(name) or AN_ADDRESS.match(text):
            continue
        if name not in names:
            raise ValueError(f"there is no setting {name}{meant_by(name, names)}")
        if text:
            found[names[name].name] = text
    return found


def meant_by(name: str, names: Mapping[str, Setting]) -> str:
    """What to write instead."""
    without = name.removeprefix(ENVIRONMENT_PREFIX)
    positive = names.get(ENVIRONMENT_PREFIX + without.removeprefix("NO_"))
    if positive is not None and isinstance(positive.default, bool):
        return f"; {flag(without.lower())} is {variable(positive.name)}=false"
    known = {each.removeprefix(ENVIRONMENT_PREFIX) for each in names}
    found = nearest(without, known)
    return "" if found is None else f"; did you mean {ENVIRONMENT_PREFIX}{found}?"
