"""What of cloud-init's metadata a simulated guest understands: its host name."""

from __future__ import annotations

from resphere.rules.guests.host_names import is_host_name
from resphere.yaml_text import Value, YamlFault, read

NAMES = ("local-hostname", "hostname")


def read_metadata(text: str) -> dict[str, Value]:
    """Metadata in YAML or JSON.

    :raises ValueError: it is neither, or no mapping, or the host name in it is none.
    """
    try:
        found = read(text).value
    except YamlFault as fault:
        raise ValueError(f"is neither YAML nor JSON: {fault}") from None
    if not isinstance(found, dict):
        raise ValueError("must be a mapping")
    for name in NAMES:
        value = found.get(name)
        if value and not (isinstance(value, str) and is_host_name(value)):
            raise ValueError(f"{name} is no host name")
    return found


def host_name_in(metadata: str) -> str | None:
    """The host name, where the metadata give one.

    :raises ValueError: see :func:`read_metadata`.
    """
    found = read_metadata(metadata)
    return next((str(found[name]) for name in NAMES if found.get(name)), None)
