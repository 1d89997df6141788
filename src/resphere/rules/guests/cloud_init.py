"""What of cloud-init's metadata a simulated guest understands: its host name."""

from __future__ import annotations

from typing import Any

import yaml

NAMES = ("local-hostname", "hostname")


def read_metadata(text: str) -> dict[str, Any]:
    """Metadata in YAML or JSON.

    :raises ValueError: it is neither, or no mapping.
    """
    try:
        found = yaml.load(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"is neither YAML nor JSON: {str(error).splitlines()[0]}") from None
    if not isinstance(found, dict):
        raise ValueError("must be a mapping")
    return found


def host_name_in(metadata: str) -> str | None:
    """The host name, where the metadata give one."""
    found = read_metadata(metadata)
    return next((str(found[name]) for name in NAMES if found.get(name)), None)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
