"""States: the whole inventory as it was, to be put back."""

from __future__ import annotations

from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.releases import ALL_RELEASES

READ = (m.Requirement(("Global.Settings",)),)
# Permissions and roles are a part of it: who brings others back needs what changing them by hand needs.
MANAGE = (m.Requirement(("Global.Settings", "Authorization.ModifyPermissions", "Authorization.ModifyRoles")),)
REFUSALS = ("unauthenticated", "unauthorized")
ONE = "/api/resphere/states/{state}"


class States:
    """``resphere.states``: the inventory as it was at some moments, each under a name."""

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """What the state is called: ``name`` is 1 to 80 letters, digits, ``.``, ``_`` and ``-``, and becomes its
        id. ``replace``: a state of that name is forgotten for this one; unset, it is refused."""

        __vapi_name__ = "resphere.states.create_spec"
        name: str
        description: str | None = None
        replace: bool | None = None

    class RestoreSpec(m.Struct, frozen=True, kw_only=True):
        """``end_work``: tasks under way fail, and change nothing; unset, they keep the state from being restored."""

        __vapi_name__ = "resphere.states.restore_spec"
        end_work: bool | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A state. ``counts`` is how many documents it has of each kind; ``size_bytes`` what it takes besides the
        contents that it has in common with the inventory. ``restorations`` is how often it was restored."""

        __vapi_name__ = "resphere.states.info"
        state: str
        description: str
        created_time: m.DateTime
        size_bytes: m.Long
        counts: dict[str, m.Long]
        restorations: m.Long
        restored_time: m.DateTime | None = None

    class RestoreResult(m.Struct, frozen=True, kw_only=True):
        """What was different: how many documents were ``written`` and ``deleted``, and which ``tasks`` were ended."""

        __vapi_name__ = "resphere.states.restore_result"
        written: m.Long
        deleted: m.Long
        tasks: tuple[str, ...]

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: States.CreateSpec

    class StateInput(m.Struct, frozen=True, kw_only=True):
        state: str

    class RestoreInput(m.Struct, frozen=True, kw_only=True):
        state: str
        spec: States.RestoreSpec | None = None

    create: ClassVar[m.Operation[[States.CreateSpec], str]] = m.Operation(
        "resphere.states",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", "/api/resphere/states", 201, body=("spec",), flat=True),
        errors=(
            "already_exists",
            "invalid_argument",
            "service_unavailable",
            "unable_to_allocate_resource",
            "unsupported",
            *REFUSALS,
        ),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[], tuple[States.Info, ...]]] = m.Operation(
        "resphere.states",
        "list",
        output=lambda: tuple[States.Info, ...],
        api=m.Route("GET", "/api/resphere/states", 200),
        errors=REFUSALS,
        privileges=READ,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], States.Info]] = m.Operation(
        "resphere.states",
        "get",
        input=StateInput,
        output=lambda: States.Info,
        api=m.Route("GET", ONE, 200),
        errors=("not_found", *REFUSALS),
        privileges=READ,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.states",
        "delete",
        input=StateInput,
        api=m.Route("DELETE", ONE, 204),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    restore: ClassVar[m.Operation[[str, States.RestoreSpec | None], States.RestoreResult]] = m.Operation(
        "resphere.states",
        "restore",
        input=RestoreInput,
        output=lambda: States.RestoreResult,
        api=m.Route("POST", ONE, 200, dispatch=(("action", "restore"),), body=("spec",), flat=True),
        errors=("not_allowed_in_current_state", "not_found", "resource_busy", "unsupported", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )
