"""What is known of the OVF package of an update session, as it is shown, and what keeps it from being complete."""

from __future__ import annotations

from collections.abc import Collection

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated.content_library_item import CertVerificationStatus
from resphere.contract.generated.content_library_item_updatesession import (
    CertificateInfo,
    PreviewInfo,
    PreviewWarningInfo,
    WarningBehavior,
)
from resphere.inventory.content.items import LibraryItem
from resphere.inventory.content.packages import LEADING, METADATA, Part, part_of
from resphere.inventory.content.sessions import UpdateSession
from resphere.libraries import package_trust
from resphere.ovf.certificate import CertificateWarning
from resphere.rules.content_packages import missing, signature_of, uncovered, verification
from resphere.services.call import Call

State = PreviewInfo.State


async def warnings_of(call: Call, session: UpdateSession) -> tuple[CertificateWarning, ...]:
    """What is to be said of who has signed the package that comes: as of now, by those whom this server trusts now."""
    return await package_trust.warnings_of(call.unfiltered, session, call.environment.now())


def preview_of(session: UpdateSession, item: LibraryItem, warnings: Collection[CertificateWarning]) -> PreviewInfo:
    """What is known of a package before it is complete."""
    if not item.is_package:
        return PreviewInfo(state=State.NOT_APPLICABLE)
    leading = [file for file in session.files if part_of(file.name) in LEADING]
    metadata = [file for file in session.files if part_of(file.name) in METADATA]
    descriptor = any(file.received is not None and part_of(file.name) is Part.DESCRIPTOR for file in leading)
    if not descriptor or not all(file.received is not None for file in metadata):
        coming = bool(leading) and all(file.error is None for file in (*leading, *metadata))
        return PreviewInfo(state=State.PREPARING if coming else State.UNAVAILABLE)
    signature = signature_of(session)
    return PreviewInfo(
        state=State.AVAILABLE,
        warnings=tuple(
            [
                PreviewWarningInfo(type=warning.type, message=warning.message, ignored=is_ignored(session, warning))
                for warning in warnings
            ]
        ),
        certificate_info=(
            None
            if signature is None
            else CertificateInfo(
                issuer=signature.issuer,
                subject=signature.subject,
                self_signed=signature.self_signed,
                x509=signature.chain[0],
            )
        ),
        cert_chain=None if signature is None else signature.chain,
    )


def is_ignored(session: UpdateSession, warning: CertificateWarning) -> bool:
    """Whether the client has said that a warning does not matter."""
    return WarningBehavior(type=warning.type, ignored=True) in session.warning_behavior


def require_whole(item: LibraryItem, session: UpdateSession) -> None:
    """Refuse a package that lacks files; id, arguments and words as a vCenter 8.0 wrote them.

    :raises NotAllowedInCurrentState: naming them.
    """
    absent = sorted(missing(item, session))
    if absent:
        raise NotAllowedInCurrentState(
            message(
                "com.vmware.vdcs.cls-main.session_has_missing_or_invalid_files",
                "Session has missing file(s): {0} or invalid file(s): {1}.",
                "".join(f"{name} " for name in absent),
                "",
            )
        )


def require_ignored(session: UpdateSession, warnings: Collection[CertificateWarning]) -> None:
    """Refuse a package with a warning that the client has not said to ignore.

    :raises NotAllowedInCurrentState: with what the warnings say.
    """
    left = [warning for warning in warnings if not is_ignored(session, warning)]
    if left:
        raise NotAllowedInCurrentState(
            message(
                "resphere.content.warnings",
                "The package has warnings that are not said to be ignored (warning_behavior): {0}.",
                ", ".join(warning.type for warning in left),
            ),
            *(warning.message for warning in left),
        )


def require_verified(item: LibraryItem, session: UpdateSession, warnings: Collection[CertificateWarning]) -> None:
    """Refuse what a library does not take that demands strict verification of packages.

    :raises NotAllowedInCurrentState: nobody has signed it, somebody who is not trusted, or not all of it.
    """
    types = [warning.type for warning in warnings]
    status = verification(item, session, types)
    if status is CertVerificationStatus.VERIFIED:
        return
    if status is CertVerificationStatus.UNTRUSTED:
        reason = ", ".join(types)
    elif signature_of(session) is None:
        reason = "it is not signed"
    else:
        reason = f"its manifest lacks {', '.join(sorted(uncovered(item, session)))}"
    raise NotAllowedInCurrentState(
        message(
            "resphere.content.not_verified",
            "The security policy of the library takes OVF packages only that are signed by a certificate which is "
            "valid and trusted (content/trusted-certificates): {0}.",
            reason,
        )
    )
