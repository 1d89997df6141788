"""What each operation on users, groups, tokens, sessions, certificates and permissions is asked, to succeed and to be
refused. ``tests/live/test_security_in_dialects.py`` asks it in every dialect."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from resphere.contract.extensions.sessions import ApiTokens, OpenSessions
from resphere.contract.extensions.users import Groups, Password, Users
from resphere.contract.generated import ids
from resphere.contract.generated import vcenter_authorization as authorization
from resphere.contract.generated.vapi_std import DynamicID
from resphere.contract.generated.vcenter_authorization_privilege_checks import Latest
from resphere.contract.generated.vcenter_authorization_vt_containers import Mappings
from resphere.contract.generated.vcenter_certificate_management import X509CertChain
from resphere.contract.generated.vcenter_certificate_management_vcenter import (
    SigningCertificate,
    Tls,
    TlsCsr,
    TrustedRootChains,
    VmcaRoot,
)
from resphere.contract.model import AnyOperation, Secret
from tests.support.certificates import NAMED, WHO, Foreign, pem
from tests.support.saml import party
from tests.support.server import ADMINISTRATOR, Server
from tests.support.speaking import Speaker

AUDITOR = "auditor@vsphere.local"
PASSWORD = "a good Password 1!"
ROOT = DynamicID(type="Folder", id="group-d1")
GLOBAL = DynamicID(type="Global", id="")
Fields = dict[str, Any]
NUMBERS = itertools.count(1)


class Stage:
    """A server with what the cases need: ``administrator`` prepares, over ``/api``."""

    def __init__(self, server: Server, administrator: Speaker) -> None:
        self.server = server
        self.administrator = administrator
        self.foreign = Foreign()

    def done(self, operation: AnyOperation, **fields: Any) -> Any:
        """The result of what must succeed."""
        result = self.administrator.ask(operation, **fields)
        assert not hasattr(result, "error_type"), result
        return result

    def user(self) -> str:
        """A new user."""
        spec = Users.CreateSpec(name=new("user"), password=Secret(PASSWORD))
        return str(self.done(Users.create, spec=spec))

    def group(self) -> str:
        """A new group."""
        return str(self.done(Groups.create, spec=Groups.CreateSpec(name=new("group"))))

    def role(self) -> str:
        """A new role."""
        return str(self.done(authorization.Roles.create, spec=role_spec()))

    def permission(self) -> str:
        """A new user's permission."""
        return str(self.done(authorization.Permissions.create, spec=permission_spec(self.user())))

    def token(self) -> str:
        """A new token of the administrator's."""
        made: ApiTokens.CreateInfo = self.done(ApiTokens.create, spec=ApiTokens.CreateSpec(name=new("token")))
        return made.token

    def session(self) -> str:
        """A session of a new user."""
        user = self.user()
        self.server.session(user, PASSWORD).close()
        [found] = self.done(OpenSessions.list, filter=OpenSessions.FilterSpec(users=frozenset({user})))
        return str(found.session)

    def chain(self) -> str:
        """A chain that is trusted."""
        spec = TrustedRootChains.CreateSpec(cert_chain=foreign_chain(), chain=new("chain").partition("@")[0])
        return str(self.done(TrustedRootChains.create, spec=spec))


class Asker(StrEnum):
    """Who asks."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    NOBODY = "nobody"


class Case(msgspec.Struct, frozen=True):
    """One operation: with ``good`` fields it succeeds (unset: it never does), with ``bad`` ones it is refused.

    ``refused`` says who is: the administrator, unless it is somebody who may only read, or who has no session.
    """

    operation: AnyOperation
    good: Callable[[Stage], Fields] | None
    bad: Callable[[Stage], Fields]
    error_type: str
    refused: Asker = Asker.ADMINISTRATOR


def new(what: str) -> str:
    """A name that nothing has had."""
    return f"{what}-{next(NUMBERS)}@vsphere.local"


def nothing(_: Stage) -> Fields:
    return {}


def role_spec() -> authorization.Roles.CreateSpec:
    return authorization.Roles.CreateSpec(name=new("role"), description="", privileges=frozenset())


def permission_spec(user: str, role: str = "-2") -> Any:
    name, _, domain = user.partition("@")
    principal = authorization.Permissions.Principal(
        type=authorization.Permissions.Principal.Type.USER, name=name, domain=domain
    )
    return authorization.Permissions.CreateSpec(
        object=ROOT, principal=principal, role=ids.VcenterAuthorizationRoleId(role), propagating=True
    )


def foreign_chain() -> X509CertChain:
    return X509CertChain(cert_chain=(pem(Foreign().root.certificate),))


def signing(key_of: str, certificate_of: str) -> SigningCertificate.SetSpec:
    chain = X509CertChain(cert_chain=(party(certificate_of).certificate_pem,))
    return SigningCertificate.SetSpec(signing_cert_chain=chain, private_key=party(key_of).key_pem)


def csr(**fields: Any) -> TlsCsr.Spec:
    return TlsCsr.Spec(**{**WHO, **named(), **fields})


def replacement(**fields: Any) -> Tls.ReplaceSpec:
    return Tls.ReplaceSpec(**{**WHO, **named(), **fields})


def named() -> Fields:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in NAMED.items()}


def issued(stage: Stage) -> Tls.Spec:
    cert, key = stage.foreign.issue("127.0.0.1", "localhost")
    return Tls.Spec(cert=cert, key=Secret(key), root_cert=pem(stage.foreign.root.certificate))


def joined(stage: Stage, group: str, user: str) -> Fields:
    """A group, and its only member."""
    stage.done(Groups.add_members, group=group, members=members(users=user))
    return {"group": group, "members": members(users=user)}


def given_role(stage: Stage) -> Fields:
    """A role that a permission gives."""
    role = stage.role()
    stage.done(authorization.Permissions.create, spec=permission_spec(stage.user(), role))
    return {"role": role}


def members(**names: str) -> Groups.Members:
    return Groups.Members(**{kind: frozenset({name}) for kind, name in names.items()})


NO_ROLE = ids.VcenterAuthorizationRoleId("404")
Roles, Privileges, Permissions = authorization.Roles, authorization.Privileges, authorization.Permissions
Checks = authorization.PrivilegeChecks

IDENTITIES = (
    Case(Users.list, nothing, nothing, "UNAUTHORIZED", refused=Asker.AUDITOR),
    Case(Users.get, lambda stage: {"user": stage.user()}, lambda _: {"user": "nobody"}, "NOT_FOUND"),
    Case(
        Users.create,
        lambda _: {"spec": Users.CreateSpec(name=new("user"), password=Secret(PASSWORD))},
        lambda _: {"spec": Users.CreateSpec(name=ADMINISTRATOR, password=Secret(PASSWORD))},
        "ALREADY_EXISTS",
    ),
    Case(
        Users.update,
        lambda stage: {"user": stage.user(), "spec": Users.UpdateSpec(description="of the night")},
        lambda stage: {"user": stage.user(), "spec": Users.UpdateSpec(role="Root")},
        "INVALID_ARGUMENT",
    ),
    Case(Users.delete, lambda stage: {"user": stage.user()}, lambda _: {"user": ADMINISTRATOR}, "INVALID_ARGUMENT"),
    Case(
        Users.set_password,
        lambda stage: {"user": stage.user(), "password": PASSWORD + "2"},
        lambda stage: {"user": stage.user(), "password": "x"},
        "INVALID_ARGUMENT",
    ),
    Case(Users.unlock, lambda stage: {"user": stage.user()}, lambda _: {"user": "nobody"}, "NOT_FOUND"),
    Case(
        Password.change,
        lambda stage: {"login": (stage.user(), PASSWORD), "new_password": PASSWORD + "2"},
        lambda stage: {"login": (stage.user(), PASSWORD), "new_password": "x"},
        "INVALID_ARGUMENT",
    ),
    Case(Groups.list, nothing, nothing, "UNAUTHORIZED", refused=Asker.AUDITOR),
    Case(Groups.get, lambda stage: {"group": stage.group()}, lambda _: {"group": "nobody"}, "NOT_FOUND"),
    Case(
        Groups.create,
        lambda _: {"spec": Groups.CreateSpec(name=new("group"))},
        lambda _: {"spec": Groups.CreateSpec(name="Administrators@vsphere.local")},
        "ALREADY_EXISTS",
    ),
    Case(
        Groups.update,
        lambda stage: {"group": stage.group(), "spec": Groups.UpdateSpec(description="of the night")},
        lambda _: {"group": "nobody", "spec": Groups.UpdateSpec(description="of the night")},
        "NOT_FOUND",
    ),
    Case(
        Groups.delete,
        lambda stage: {"group": stage.group()},
        lambda _: {"group": "administrators@vsphere.local"},
        "INVALID_ARGUMENT",
    ),
    Case(
        Groups.add_members,
        lambda stage: {"group": stage.group(), "members": members(users=stage.user(), groups=stage.group())},
        lambda stage: {"group": stage.group(), "members": members(users="nobody@vsphere.local")},
        "NOT_FOUND",
    ),
    Case(
        Groups.remove_members,
        lambda stage: joined(stage, stage.group(), stage.user()),
        lambda stage: {"group": stage.group(), "members": members(users=ADMINISTRATOR)},
        "NOT_FOUND",
    ),
    Case(OpenSessions.list, nothing, nothing, "UNAUTHENTICATED", refused=Asker.NOBODY),
    Case(OpenSessions.get, lambda stage: {"session": stage.session()}, lambda _: {"session": "none"}, "NOT_FOUND"),
    Case(
        OpenSessions.delete,
        lambda stage: {"session": stage.session()},
        lambda stage: {"session": stage.session()},
        "UNAUTHORIZED",
        refused=Asker.AUDITOR,
    ),
    Case(
        ApiTokens.create,
        lambda _: {"spec": ApiTokens.CreateSpec(name=new("token"))},
        lambda _: {"spec": ApiTokens.CreateSpec(name=new("token"), privileges=frozenset({"None.Such"}))},
        "INVALID_ARGUMENT",
    ),
    Case(ApiTokens.list, nothing, nothing, "UNAUTHENTICATED", refused=Asker.NOBODY),
    Case(
        ApiTokens.get,
        lambda stage: {"token": stage.token()},
        lambda stage: {"token": stage.token()},
        "UNAUTHORIZED",
        refused=Asker.AUDITOR,
    ),
    Case(ApiTokens.delete, lambda stage: {"token": stage.token()}, lambda _: {"token": "none"}, "NOT_FOUND"),
)

AUTHORIZATION = (
    Case(
        Permissions.create,
        lambda stage: {"spec": permission_spec(stage.user())},
        lambda _: {"spec": permission_spec("nobody@vsphere.local")},
        "INVALID_ARGUMENT",
    ),
    Case(
        Permissions.get,
        lambda stage: {"permission": stage.permission()},
        lambda _: {"permission": "group-d1:user:nobody"},
        "NOT_FOUND",
    ),
    Case(
        Permissions.update,
        lambda stage: {"permission": stage.permission(), "spec": Permissions.UpdateSpec(is_propagating=False)},
        lambda stage: {"permission": stage.permission(), "spec": Permissions.UpdateSpec(role=NO_ROLE)},
        "INVALID_ARGUMENT",
    ),
    Case(
        Permissions.delete,
        lambda stage: {"permission": stage.permission()},
        lambda stage: {"permission": stage.permission()},
        "UNAUTHORIZED",
        refused=Asker.AUDITOR,
    ),
    Case(
        Permissions.list,
        lambda _: {"filter": Permissions.FilterSpec(objects=(GLOBAL,))},
        lambda _: {"iterate": Permissions.IterationSpec(page_size=0)},
        "INVALID_ARGUMENT",
    ),
    Case(
        Roles.create,
        lambda _: {"spec": role_spec()},
        lambda _: {"spec": Roles.CreateSpec(name="Admin", description="", privileges=frozenset())},
        "ALREADY_EXISTS",
    ),
    Case(Roles.get, lambda stage: {"role": stage.role()}, lambda _: {"role": "404"}, "NOT_FOUND"),
    Case(
        Roles.update,
        lambda stage: {"role": stage.role(), "spec": Roles.UpdateSpec(description="of the night")},
        lambda _: {"role": "-1", "spec": Roles.UpdateSpec(name="Root")},
        "UNSUPPORTED",
    ),
    Case(Roles.delete, lambda stage: {"role": stage.role()}, given_role, "RESOURCE_IN_USE"),
    Case(
        Roles.list,
        lambda _: {"filter": Roles.FilterSpec(is_system=True)},
        lambda _: {"iterate": Roles.IterationSpec(page_size=0)},
        "INVALID_ARGUMENT",
    ),
    Case(
        Privileges.get,
        lambda _: {"privilege": "VirtualMachine.Interact.PowerOn"},
        lambda _: {"privilege": "None.Such"},
        "NOT_FOUND",
    ),
    Case(
        Privileges.list,
        lambda _: {"filter": Privileges.FilterSpec(is_on_parent=True)},
        lambda _: {"iterate": Privileges.IterationSpec(page_size=0)},
        "INVALID_ARGUMENT",
    ),
    Case(Checks.list, nothing, lambda _: {"iteration": Checks.IterationSpec(size=0)}, "INVALID_ARGUMENT"),
    Case(Latest.get, nothing, nothing, "UNAUTHORIZED", refused=Asker.AUDITOR),
    Case(Mappings.list, nothing, lambda _: {"iterate": Mappings.IterationSpec(size=0)}, "INVALID_ARGUMENT"),
    Case(Mappings.get, None, lambda _: {"mapping": "none"}, "NOT_FOUND"),
    Case(Mappings.delete, None, lambda _: {"mapping": "none"}, "NOT_FOUND"),
    Case(
        Mappings.create,
        None,
        lambda _: {"spec": Mappings.CreateSpec(vtcontainer=ids.VcenterAuthorizationVtContainerId("none"), object=ROOT)},
        "NOT_FOUND",
    ),
)

CERTIFICATES = (
    Case(SigningCertificate.get, nothing, nothing, "UNAUTHENTICATED", refused=Asker.NOBODY),
    Case(SigningCertificate.refresh, nothing, nothing, "UNAUTHORIZED", refused=Asker.AUDITOR),
    Case(
        SigningCertificate.set,
        lambda _: {"spec": signing("idp", "idp")},
        lambda _: {"spec": signing("other", "idp")},
        "INVALID_ARGUMENT",
    ),
    Case(Tls.get, nothing, nothing, "UNAUTHENTICATED", refused=Asker.NOBODY),
    Case(TlsCsr.create, lambda _: {"spec": csr()}, lambda _: {"spec": csr(country="Germany")}, "INVALID_ARGUMENT"),
    Case(
        TrustedRootChains.create,
        lambda _: {"spec": TrustedRootChains.CreateSpec(cert_chain=foreign_chain())},
        lambda _: {"spec": TrustedRootChains.CreateSpec(cert_chain=X509CertChain(cert_chain=("none",)))},
        "INVALID_ARGUMENT",
    ),
    Case(TrustedRootChains.get, lambda stage: {"chain": stage.chain()}, lambda _: {"chain": "none"}, "NOT_FOUND"),
    Case(TrustedRootChains.delete, lambda stage: {"chain": stage.chain()}, lambda _: {"chain": "none"}, "NOT_FOUND"),
    Case(TrustedRootChains.list, nothing, nothing, "UNAUTHENTICATED", refused=Asker.NOBODY),
)

NEW_CERTIFICATES = (
    Case(Tls.renew, nothing, lambda _: {"duration": 731}, "INVALID_ARGUMENT"),
    Case(
        Tls.replace_vmca_signed,
        lambda _: {"spec": replacement()},
        lambda _: {"spec": replacement(key_size=1024)},
        "INVALID_ARGUMENT",
    ),
    Case(
        VmcaRoot.create,
        lambda _: {"spec": VmcaRoot.CreateSpec(common_name="an authority")},
        lambda _: {"spec": VmcaRoot.CreateSpec(country="Germany")},
        "INVALID_ARGUMENT",
    ),
    Case(
        Tls.set,
        lambda stage: {"spec": issued(stage)},
        lambda _: {"spec": Tls.Spec(cert="none")},
        "INVALID_ARGUMENT",
    ),
)
"""Those after which the server shows another certificate; the last is not the server's own authority's."""
