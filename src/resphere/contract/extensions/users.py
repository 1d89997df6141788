"""Local users and their passwords, and local groups."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

READ = (m.Requirement(("VcIdentityProviders.Read",)),)
MANAGE = (m.Requirement(("VcIdentityProviders.Manage",)),)
REFUSALS = ("unauthenticated", "unauthorized")


class Users:
    """``resphere.users``: local users. What is about users and groups who administer is for those who do."""

    class Summary(m.Struct, frozen=True, kw_only=True):
        """A user by name; ``user`` is what other operations call it."""

        __vapi_name__ = "resphere.users.summary"
        user: str
        name: str
        disabled: bool

    class Info(m.Struct, frozen=True, kw_only=True):
        """A user. ``groups`` are all that it is in, through others too; ``roles`` are had on the root folder, by itself
        or by groups.

        ``locked_until`` is set while too many wrong passwords keep it out.
        """

        __vapi_name__ = "resphere.users.info"
        user: str
        name: str
        description: str
        roles: tuple[str, ...]
        groups: tuple[str, ...]
        disabled: bool
        must_change_password: bool
        password_time: m.DateTime | None = None
        locked_until: m.DateTime | None = None

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A new user; ``role`` is had on the root folder; unset: none."""

        __vapi_name__ = "resphere.users.create_spec"
        name: str
        password: m.Secret
        role: str | None = None
        description: str | None = None
        must_change_password: bool | None = None

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """What is to be another way; unset stays."""

        __vapi_name__ = "resphere.users.update_spec"
        role: str | None = None
        description: str | None = None
        disabled: bool | None = None
        must_change_password: bool | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Users.CreateSpec

    class UserInput(m.Struct, frozen=True, kw_only=True):
        user: str

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        user: str
        spec: Users.UpdateSpec

    class SetPasswordInput(m.Struct, frozen=True, kw_only=True):
        user: str
        password: m.Secret
        must_change_password: bool | None = None

    list: ClassVar[m.Operation[[], tuple[Users.Summary, ...]]] = m.Operation(
        "resphere.users",
        "list",
        output=lambda: tuple[Users.Summary, ...],
        api=m.Route("GET", "/api/resphere/users", 200),
        errors=REFUSALS,
        privileges=READ,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Users.Info]] = m.Operation(
        "resphere.users",
        "get",
        input=UserInput,
        output=lambda: Users.Info,
        api=m.Route("GET", "/api/resphere/users/{user}", 200),
        errors=("not_found", *REFUSALS),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    create: ClassVar[m.Operation[[Users.CreateSpec], str]] = m.Operation(
        "resphere.users",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", "/api/resphere/users", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[str, Users.UpdateSpec], None]] = m.Operation(
        "resphere.users",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/resphere/users/{user}", 204, body=("spec",), flat=True),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.users",
        "delete",
        input=UserInput,
        api=m.Route("DELETE", "/api/resphere/users/{user}", 204),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    set_password: ClassVar[m.Operation[[str, m.Secret, bool | None], None]] = m.Operation(
        "resphere.users",
        "set_password",
        input=SetPasswordInput,
        api=m.Route(
            "POST",
            "/api/resphere/users/{user}",
            204,
            dispatch=(("action", "set-password"),),
            body=("password", "must_change_password"),
        ),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    unlock: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.users",
        "unlock",
        input=UserInput,
        api=m.Route("POST", "/api/resphere/users/{user}", 204, dispatch=(("action", "unlock"),)),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )


class Password:
    """``resphere.password``: the caller's own, who is known by name and present password alone."""

    class ChangeInput(m.Struct, frozen=True, kw_only=True):
        new_password: m.Secret

    change: ClassVar[m.Operation[[m.Secret], None]] = m.Operation(
        "resphere.password",
        "change",
        input=ChangeInput,
        api=m.Route("POST", "/api/resphere/password", 204, body=("new_password",)),
        errors=("invalid_argument", "unauthenticated", "unsupported"),
        releases=ALL_RELEASES,
    )


class Groups:
    """``resphere.groups``: local groups, whose members are users and groups of any identity source."""

    class Summary(m.Struct, frozen=True, kw_only=True):
        """A group by name; ``group`` is what other operations call it. ``built_in``: every vCenter has it."""

        __vapi_name__ = "resphere.groups.summary"
        group: str
        name: str
        description: str
        built_in: bool

    class Info(m.Struct, frozen=True, kw_only=True):
        """A group, and who was added to it: ``users`` and ``groups``."""

        __vapi_name__ = "resphere.groups.info"
        group: str
        name: str
        description: str
        built_in: bool
        users: tuple[str, ...]
        groups: tuple[str, ...]

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """A new group; the domain vsphere.local need not be written."""

        __vapi_name__ = "resphere.groups.create_spec"
        name: str
        description: str | None = None

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """What is to be another way; unset stays."""

        __vapi_name__ = "resphere.groups.update_spec"
        description: str | None = None

    class Members(m.Struct, frozen=True, kw_only=True):
        """Names of users and groups."""

        __vapi_name__ = "resphere.groups.members"
        users: frozenset[str] | None = None
        groups: frozenset[str] | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Groups.CreateSpec

    class GroupInput(m.Struct, frozen=True, kw_only=True):
        group: str

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        group: str
        spec: Groups.UpdateSpec

    class MembersInput(m.Struct, frozen=True, kw_only=True):
        group: str
        members: Groups.Members

    list: ClassVar[m.Operation[[], tuple[Groups.Summary, ...]]] = m.Operation(
        "resphere.groups",
        "list",
        output=lambda: tuple[Groups.Summary, ...],
        api=m.Route("GET", "/api/resphere/groups", 200),
        errors=REFUSALS,
        privileges=READ,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Groups.Info]] = m.Operation(
        "resphere.groups",
        "get",
        input=GroupInput,
        output=lambda: Groups.Info,
        api=m.Route("GET", "/api/resphere/groups/{group}", 200),
        errors=("not_found", *REFUSALS),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    create: ClassVar[m.Operation[[Groups.CreateSpec], str]] = m.Operation(
        "resphere.groups",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", "/api/resphere/groups", 201, body=("spec",), flat=True),
        errors=("already_exists", "invalid_argument", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[str, Groups.UpdateSpec], None]] = m.Operation(
        "resphere.groups",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/resphere/groups/{group}", 204, body=("spec",), flat=True),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.groups",
        "delete",
        input=GroupInput,
        api=m.Route("DELETE", "/api/resphere/groups/{group}", 204),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    add_members: ClassVar[m.Operation[[str, Groups.Members], None]] = m.Operation(
        "resphere.groups",
        "add_members",
        input=MembersInput,
        api=m.Route(
            "POST",
            "/api/resphere/groups/{group}",
            204,
            dispatch=(("action", "add-members"),),
            body=("members",),
            flat=True,
        ),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    remove_members: ClassVar[m.Operation[[str, Groups.Members], None]] = m.Operation(
        "resphere.groups",
        "remove_members",
        input=MembersInput,
        api=m.Route(
            "POST",
            "/api/resphere/groups/{group}",
            204,
            dispatch=(("action", "remove-members"),),
            body=("members",),
            flat=True,
        ),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )
