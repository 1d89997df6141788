"""Customization specifications as texts: vCenter's JSON, and the XML that its other interfaces export and import."""

from __future__ import annotations

from typing import Any

import msgspec

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_guest import CustomizationSpec, CustomizationSpecs
from resphere.contract.model import Secret
from resphere.inventory.customization import CustomizationItem
from resphere.services.call import StructureForm
from resphere.services.vcenter.guest.vim_spec import from_vim, to_vim
from resphere.services.vcenter.guest.vim_xml import TYPE, read_xml, write_xml


def written(structures: StructureForm, item: CustomizationItem, format: CustomizationSpecs.Format) -> str:
    """A specification as text, with blank passwords."""
    spec = without_secrets(item.spec)
    if format is CustomizationSpecs.Format.JSON:
        made = CustomizationSpecs.CreateSpec(name=item.id, description=item.description, spec=spec)
        return structures.write(made)
    windows = spec.configuration_spec.windows_config is not None
    info = {
        TYPE: "vim.CustomizationSpecInfo",
        "changeVersion": str(int(item.last_modified.timestamp())),
        "description": item.description,
        "lastUpdateTime": f"{item.last_modified:%Y-%m-%dT%H:%M:%SZ}",
        "name": item.id,
        "type": "Windows" if windows else "Linux",
    }
    return write_xml({TYPE: "vim.CustomizationSpecItem", "info": info, "spec": to_vim(spec)})


def read_document(structures: StructureForm, text: str) -> CustomizationSpecs.CreateSpec:
    """The specification that a text holds: in XML, in vCenter's JSON, or in that which ``/api`` carries.

    :raises InvalidArgument: it holds none.
    """
    text = text.lstrip("\ufeff \t\r\n")
    try:
        if not text.startswith("<"):
            plain = msgspec.json.decode(text)
            if isinstance(plain, dict) and "STRUCTURE" in plain:
                return structures.read(plain, CustomizationSpecs.CreateSpec)
            return msgspec.convert(plain, CustomizationSpecs.CreateSpec)
        item = read_xml(text)
        info, spec = item.get("info"), item.get("spec")
        if not isinstance(info, dict) or not isinstance(spec, dict):
            raise ValueError("the XML has no specification item")
        return CustomizationSpecs.CreateSpec(
            name=info.get("name", ""), description=info.get("description", ""), spec=from_vim(spec)
        )
    except RecursionError:
        raise InvalidArgument(
            message("resphere.guest.customization", "{0}: {1}.", "customization_spec", "is nested too deeply")
        ) from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidArgument(
            message("resphere.guest.customization", "{0}: {1}.", "customization_spec", str(error) or "is malformed")
        ) from None


def without_secrets(spec: CustomizationSpec) -> CustomizationSpec:
    """``spec`` with blank passwords."""
    windows = spec.configuration_spec.windows_config
    if windows is None or windows.sysprep is None:
        return spec
    sysprep: Any = windows.sysprep
    if sysprep.gui_unattended.password is not None:
        sysprep = msgspec.structs.replace(
            sysprep, gui_unattended=msgspec.structs.replace(sysprep.gui_unattended, password=Secret(""))
        )
    if sysprep.domain is not None and sysprep.domain.domain_password is not None:
        sysprep = msgspec.structs.replace(
            sysprep, domain=msgspec.structs.replace(sysprep.domain, domain_password=Secret(""))
        )
    return msgspec.structs.replace(
        spec,
        configuration_spec=msgspec.structs.replace(
            spec.configuration_spec, windows_config=msgspec.structs.replace(windows, sysprep=sysprep)
        ),
    )
