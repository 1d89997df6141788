"""What may be said of TLS: versions, ciphers and curves that the listeners have."""

from __future__ import annotations

from collections.abc import Sequence

from resphere.inventory.appliance.tls import CIPHERS, CURVES, TlsParameters
from resphere.rules.appliance_values import invalid


def require_parameters(parameters: TlsParameters) -> None:
    """Refuse what is empty, unknown or said twice.

    :raises InvalidArgument: naming the field and what is allowed.
    """
    versions = [each.version for each in parameters.versions]
    require_among("spec.protocol_versions", "version", versions, tuple(CIPHERS), ".version")
    for place, each in enumerate(parameters.versions):
        require_among(f"spec.protocol_versions[{place}].ciphers", "cipher", each.ciphers, CIPHERS[each.version])
    require_among("spec.curves", "curve", parameters.curves, CURVES)


def require_among(field: str, what: str, given: Sequence[str], allowed: Sequence[str], within: str = "") -> None:
    """Refuse a list that has nothing, something that is not ``allowed``, or the same twice."""
    if not given:
        raise invalid(field, "there must be one {1} at least: {2}.", what, ", ".join(allowed))
    for place, each in enumerate(given):
        if each not in allowed:
            reason = "{1} is no {2} that this server speaks: {3}."
            raise invalid(f"{field}[{place}]{within}", reason, repr(each), what, ", ".join(allowed))
        if each in given[:place]:
            raise invalid(f"{field}[{place}]{within}", "{1} is there already.", each)
