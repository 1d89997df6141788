"""Message ids: those in VMware's name spaces are ones that a vCenter, or its runtime, is known to write."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "resphere"
GIVEN = r'(?:message|worded)\(\s*f?"((?:com\.vmware|vapi|cis|vmsg)\.[^"]*)"'
NAMED = r'(?:id=f?|^[A-Z_]+ = )"((?:vapi|vmsg|com\.vmware\.vapi\.(?:rest|endpoint))\.[^"]*)"'
THEIRS = re.compile(f"{GIVEN}|{NAMED}", re.MULTILINE)

KNOWN = {
    # Records of real servers.
    "cis.tagging.attach.invalidArgument.cardinality.error",
    "cis.tagging.objectNotFound.error",
    "com.vmware.api.vcenter.vm.console.tickets.not_allowed_in_current_state",
    "com.vmware.api.vcenter.vm.guest.information_not_available",
    "com.vmware.api.vcenter.vm.guest.tools_not_running",
    "com.vmware.api.vcenter.vm.power.already_{state}",
    "com.vmware.api.vcenter.{name}.not_found",
    "com.vmware.api.vcenter.{name}.too_many_matches",
    "com.vmware.vapi.endpoint.failedToLoginMaxUserSessionCountReached",
    "com.vmware.vapi.endpoint.method.authentication.required",
    "com.vmware.vapi.rest.httpNotFound",
    "com.vmware.vapi.rest.operationsForUrlNotFound",
    "com.vmware.vapi.rest.unsupportedProperty",
    "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
    "com.vmware.vdcs.cls-main.file_probe_unsupported_uri_scheme",
    "com.vmware.vdcs.cls-main.http_request_error",
    "com.vmware.vdcs.cls-main.http_request_error_peer_not_authenticated",
    "com.vmware.vdcs.cls-main.invalid_url_format",
    "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files",
    "com.vmware.vdcs.cls-main.update_session_file_not_received",
    "com.vmware.vdcs.util.duplicate_name",
    "com.vmware.vdcs.vmtx-main.invalid_source_vm_template_not_supported",
    "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_SELF_SIGNED",
    "com.vmware.vdcs.vsphere-cs-lib.CERTIFICATE_UNTRUSTED",
    "com.vmware.vstats.data_points_invalid_resource_filter",
    "vapi.authz.error.no.privs",
    "vapi.data.structure.field.unexpected",
    "vapi.invoke.invalid.input",
    # The messages of the official runtime.
    "vapi.data.structure.name.mismatch",
    "vapi.data.structure.union.extra",
    "vapi.data.structure.union.missing",
    "vapi.method.input.invalid.interface",
    "vapi.method.input.invalid.method",
    "vapi.security.authentication.invalid",
}

FAULTS = {
    "DirectoryNotEmpty",
    "DuplicateName",
    "FileAlreadyExists",
    "FileNameTooLong",
    "FileNotFound",
    "FileTooLarge",
    "GuestPermissionDenied",
    "GuestProcessNotFound",
    "HostNotConnected",
    "InvalidGuestLogin",
    "InvalidPowerState",
    "ManagedObjectNotFound",
    "NicSettingMismatch",
    "NoCompatibleHost",
    "NoDiskSpace",
    "NotADirectory",
    "NotAFile",
    "TaskInProgress",
    "UncustomizableGuest",
}
"""Faults of vSphere's Web Services API."""


def test_ids_in_the_name_spaces_of_vmware_are_known() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if "generated" not in path.parts
    )
    used = {one or other for one, other in THEIRS.findall(source)}
    faults = {f"vmsg.{fault}.summary" for fault in FAULTS}
    guests = {"vmsg.guestos.{vim_guest_id(found.guest_OS)}.label"}
    assert used == KNOWN | faults | guests
