"""Certificates, roles, permissions and privilege checks through the official SDK."""

from __future__ import annotations

import importlib
from typing import Any

import com.vmware.vapi.std.errors_client as errors
import com.vmware.vapi.std_client as std
import com.vmware.vcenter.authorization_client as authorization
import com.vmware.vcenter.certificate_management.vcenter_client as certificates
import com.vmware.vcenter.certificate_management_client as management

from tests.sdk.scripts.client import Check, Given, raises, run_checks

WHO = {
    "organization": "Example",
    "organization_unit": "Lab",
    "locality": "Ulm",
    "state_or_province": "BW",
    "country": "DE",
    "email_address": "root@vc.example.test",
}


def server_certificate(given: Given) -> None:
    tls = certificates.Tls(given.stubs)
    info = tls.get()
    assert "BEGIN CERTIFICATE" in info.cert
    request = certificates.TlsCsr(given.stubs).create(certificates.TlsCsr.Spec(common_name="vc.example.test", **WHO))
    assert "BEGIN CERTIFICATE REQUEST" in request.csr
    with raises(errors.InvalidArgument):
        certificates.TlsCsr(given.stubs).create(certificates.TlsCsr.Spec(**{**WHO, "country": "Germany"}))
    with raises(errors.InvalidArgument):
        tls.renew(duration=731)
    with raises(errors.InvalidArgument):
        tls.set(certificates.Tls.Spec(cert="none"))


def root_chains(given: Given) -> None:
    chains = certificates.TrustedRootChains(given.stubs)
    [own] = chains.list()
    chain = chains.get(own.chain).cert_chain
    spec = certificates.TrustedRootChains.CreateSpec(cert_chain=chain, chain=own.chain)
    with raises(errors.AlreadyExists):
        chains.create(spec)
    made = chains.create(certificates.TrustedRootChains.CreateSpec(cert_chain=chain, chain="again"))
    assert {each.chain for each in chains.list()} == {own.chain, made}
    chains.delete(made)
    with raises(errors.NotFound):
        chains.get(made)
    nothing = management.X509CertChain(cert_chain=["none"])
    with raises(errors.InvalidArgument):
        chains.create(certificates.TrustedRootChains.CreateSpec(cert_chain=nothing))


def signing_certificate(given: Given) -> None:
    signing = certificates.SigningCertificate(given.stubs)
    before = signing.get().active_cert_chain.cert_chain
    assert signing.refresh().cert_chain != before
    chain = management.X509CertChain(cert_chain=before)
    with raises(errors.InvalidArgument):
        signing.set(certificates.SigningCertificate.SetSpec(signing_cert_chain=chain, private_key="none"))


def privilege_checks(given: Given) -> None:
    latest = importlib.import_module("com.vmware.vcenter.authorization.privilege_checks_client").Latest(given.stubs)
    checks = authorization.PrivilegeChecks
    begin = latest.get()
    vm = given.vm("POWERED_ON")
    given.client.vcenter.VM.get(vm)
    name, _, domain = given.user.partition("@")
    # Those of another worker may be seen a moment later.
    iteration = checks.IterationSpec(marker=begin, timeout_ms=10_000)
    filter = checks.FilterSpec(principals=[checks.Principal(name=name, domain=domain)])
    found = checks(given.stubs).list(iteration=iteration, filter=filter)
    assert vm in {each.object.id for each in found.items}
    with raises(errors.InvalidArgument):
        checks(given.stubs).list(iteration=checks.IterationSpec(size=0))


def roles(given: Given) -> None:
    stub: Any = authorization.Roles(given.stubs)
    spec = authorization.Roles.CreateSpec
    role = stub.create(spec(name="Night", description="", privileges={"VirtualMachine.Interact.Suspend"}))
    assert stub.get(role).name == "Night"
    stub.update(role, authorization.Roles.UpdateSpec(description="at night"))
    system = stub.list(filter=authorization.Roles.FilterSpec(is_system=True)).items
    assert {each.info.name for each in system} >= {"Admin", "ReadOnly", "NoAccess", "NoCryptoAdmin"}
    with raises(errors.AlreadyExists):
        stub.create(spec(name="night", description="", privileges=set()))
    with raises(errors.Unsupported):
        stub.delete("-1")
    permissions(given, role)
    stub.delete(role)
    with raises(errors.NotFound):
        stub.get(role)
    privileges: Any = authorization.Privileges(given.stubs)
    assert privileges.get("VirtualMachine.Inventory.Delete").on_parent
    with raises(errors.NotFound):
        privileges.get("None.Such")


def permissions(given: Given, role: str) -> None:
    stub: Any = authorization.Permissions(given.stubs)
    kind = authorization.Permissions
    anywhere = std.DynamicID(type="Global", id="")

    def spec(name: str, type: str = kind.Principal.Type.GROUP) -> Any:
        principal = kind.Principal(type=type, name=name, domain="vsphere.local")
        return kind.CreateSpec(object=anywhere, principal=principal, role=role, propagating=True)

    permission = stub.create(spec("CAAdmins"))
    assert stub.get(permission).role == role
    with raises(errors.AlreadyExists):
        stub.create(spec("caadmins"))
    for nobody in (spec("Nobody"), spec("nobody", kind.Principal.Type.USER)):
        with raises(errors.InvalidArgument):
            stub.create(nobody)
    stub.update(permission, kind.UpdateSpec(is_propagating=False))
    [found] = stub.list(filter=kind.FilterSpec(roles={role})).items
    assert (found.permission, found.info.propagating) == (permission, False)
    stub.delete(permission)
    with raises(errors.NotFound):
        stub.delete(permission)


CHECKS: list[Check] = [server_certificate, root_chains, signing_certificate, privilege_checks]
if hasattr(authorization, "Roles"):  # as bindings of 9.1 have them
    CHECKS.append(roles)


if __name__ == "__main__":
    run_checks(CHECKS)
