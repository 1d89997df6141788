"""Faults on purpose, while the server runs: for people who test what their clients do then."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import ids
from resphere.contract.releases import ALL_RELEASES

MANAGE = (m.Requirement(("Global.Settings",)),)
REFUSALS = ("unauthenticated", "unauthorized")
ALL, ONE = "/api/resphere/faults", "/api/resphere/faults/{fault}"


DATASTORE = "/api/resphere/faults/datastores/{datastore}"
ON_DATASTORES = (*MANAGE, m.Requirement(("System.Read",), resource="Datastore", parameter="datastore"))
HOST = "/api/resphere/faults/hosts/{host}"
ON_HOSTS = (*MANAGE, m.Requirement(("System.Read",), resource="HostSystem", parameter="host"))


class Faults:
    """``resphere.faults``: rules that say which calls are delayed, fail, or never get their answer. They are good for
    all workers at once, and stay until they are deleted or over. No rule is for these operations themselves."""

    class Rule(m.Struct, frozen=True, kw_only=True):
        """Which calls, and what becomes of them.

        **Which**: those of operations whose ids fit the shell pattern ``operation`` (``com.vmware.vcenter.*``); where
        they are set, about the ``object`` of that id, or of a name that fits it as a shell pattern, and by a
        ``caller`` whose name does (``alice@*``). Of these the share ``rate`` (0 to 1, default 1), ``times`` in all at
        most, and for ``lasts_seconds`` from when the rule was made. The rule with the lowest ``order`` that a call fits
        decides, of equal ones the older (default: after all that are there); one that is over leaves the call to the
        next. ``seed`` makes the same of its calls struck each time.

        **What**: they are late by ``latency_seconds``, or by a time from there to ``most_latency_seconds``; the body of
        their answer comes at ``bytes_per_second``; and one of these: ``error``, the name of a standard error, with
        ``message``; ``page_status`` (400 to 599), the HTML page of a proxy that could not reach the server; ``drop``,
        the connection is closed without an answer; ``truncate``, it is closed in the middle of the body;
        ``expire_session``, the caller's session is ended, and the call refused by that. ``retry_after_seconds`` is the
        header of an error or page. Calls that get one of them, but for ``truncate``, are not carried out, unless
        ``carried_out`` is true: then they are, and the client does not know.
        """

        __vapi_name__ = "resphere.faults.rule"
        operation: str
        object: str | None = None
        caller: str | None = None
        rate: float | None = None
        times: m.Long | None = None
        lasts_seconds: float | None = None
        order: m.Long | None = None
        seed: m.Long | None = None
        latency_seconds: float | None = None
        most_latency_seconds: float | None = None
        bytes_per_second: m.Long | None = None
        error: str | None = None
        message: str | None = None
        page_status: m.Long | None = None
        drop: bool | None = None
        truncate: bool | None = None
        expire_session: bool | None = None
        retry_after_seconds: m.Long | None = None
        carried_out: bool | None = None

    class Info(m.Struct, frozen=True, kw_only=True):
        """A rule. ``matched`` is how many calls it has decided about, and ``acted`` how many of these it has struck.
        ``active``: not over. ``warnings`` say what it waits for in vain at the moment: an object that is not there, a
        user whom nobody knows, a rule before it that has all its operations. ``from_file``: it is of ``--faults``, and
        comes anew with each start."""

        __vapi_name__ = "resphere.faults.info"
        fault: str
        rule: Faults.Rule
        order: m.Long
        matched: m.Long
        acted: m.Long
        active: bool
        warnings: tuple[str, ...]
        owner: str
        from_file: bool
        created_time: m.DateTime
        expires_time: m.DateTime | None = None

    class CreateInfo(m.Struct, frozen=True, kw_only=True):
        """The id of a new rule, and what it waits for in vain at the moment."""

        __vapi_name__ = "resphere.faults.create_info"
        fault: str
        warnings: tuple[str, ...]

    class RuleInput(m.Struct, frozen=True, kw_only=True):
        spec: Faults.Rule

    class FaultInput(m.Struct, frozen=True, kw_only=True):
        fault: str

    class SetInput(m.Struct, frozen=True, kw_only=True):
        fault: str
        spec: Faults.Rule

    create: ClassVar[m.Operation[[Faults.Rule], Faults.CreateInfo]] = m.Operation(
        "resphere.faults",
        "create",
        input=RuleInput,
        output=lambda: Faults.CreateInfo,
        api=m.Route("POST", ALL, 201, body=("spec",), flat=True),
        errors=("invalid_argument", "unable_to_allocate_resource", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[], tuple[Faults.Info, ...]]] = m.Operation(
        "resphere.faults",
        "list",
        output=lambda: tuple[Faults.Info, ...],
        api=m.Route("GET", ALL, 200),
        errors=REFUSALS,
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Faults.Info]] = m.Operation(
        "resphere.faults",
        "get",
        input=FaultInput,
        output=lambda: Faults.Info,
        api=m.Route("GET", ONE, 200),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    set: ClassVar[m.Operation[[str, Faults.Rule], None]] = m.Operation(
        "resphere.faults",
        "set",
        input=SetInput,
        api=m.Route("PUT", ONE, 204, body=("spec",), flat=True),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.faults",
        "delete",
        input=FaultInput,
        api=m.Route("DELETE", ONE, 204),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    delete_all: ClassVar[m.Operation[[], None]] = m.Operation(
        "resphere.faults",
        "delete_all",
        api=m.Route("DELETE", ALL, 204),
        errors=REFUSALS,
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )


class VCenterFaults:
    """``resphere.faults.vcenter``: a vCenter that restarts."""

    class Absence(StrEnum):
        """What clients get while it is away."""

        ERROR = "ERROR"
        """``SERVICE_UNAVAILABLE``, with ``Retry-After``."""
        PAGE = "PAGE"
        """503 with an HTML page, as of the proxy in front of services that are starting, with ``Retry-After``."""
        DROP = "DROP"
        """Connections are closed without an answer."""

    class RestartSpec(m.Struct, frozen=True, kw_only=True):
        """For how long it is away (0 to 86,400 seconds), and what clients get meanwhile (default ``ERROR``)."""

        __vapi_name__ = "resphere.faults.vcenter.restart_spec"
        away_seconds: float
        absence: VCenterFaults.Absence | None = None

    class RestartInput(m.Struct, frozen=True, kw_only=True):
        spec: VCenterFaults.RestartSpec

    restart: ClassVar[m.Operation[[VCenterFaults.RestartSpec], None]] = m.Operation(
        "resphere.faults.vcenter",
        "restart",
        input=RestartInput,
        api=m.Route(
            "POST", "/api/resphere/faults/vcenter", 204, dispatch=(("action", "restart"),), body=("spec",), flat=True
        ),
        errors=("invalid_argument", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )


class HostFaults:
    """``resphere.faults.hosts``: hosts that die, and come back."""

    class Restart(m.Struct, frozen=True, kw_only=True):
        """A virtual machine that HA starts again on another ``host``, by a ``task``."""

        __vapi_name__ = "resphere.faults.hosts.restart"
        vm: ids.VirtualMachineId
        host: ids.HostSystemId
        task: ids.CisTASKId

    class Info(m.Struct, frozen=True, kw_only=True):
        """What has become of the virtual machines that ran on a host which died: some HA starts elsewhere, ``left``
        are those that stay off, as there is no HA, or no other host has room for them."""

        __vapi_name__ = "resphere.faults.hosts.info"
        restarts: tuple[HostFaults.Restart, ...]
        left: tuple[ids.VirtualMachineId, ...]

    class HostInput(m.Struct, frozen=True, kw_only=True):
        host: ids.HostSystemId

    fail: ClassVar[m.Operation[[ids.HostSystemId], HostFaults.Info]] = m.Operation(
        "resphere.faults.hosts",
        "fail",
        input=HostInput,
        output=lambda: HostFaults.Info,
        api=m.Route("POST", HOST, 200, dispatch=(("action", "fail"),)),
        errors=("already_in_desired_state", "not_allowed_in_current_state", "not_found", "unsupported", *REFUSALS),
        privileges=ON_HOSTS,
        releases=ALL_RELEASES,
    )

    recover: ClassVar[m.Operation[[ids.HostSystemId], None]] = m.Operation(
        "resphere.faults.hosts",
        "recover",
        input=HostInput,
        api=m.Route("POST", HOST, 204, dispatch=(("action", "recover"),)),
        errors=("already_in_desired_state", "not_allowed_in_current_state", "not_found", "unsupported", *REFUSALS),
        privileges=ON_HOSTS,
        releases=ALL_RELEASES,
    )


class DatastoreFaults:
    """``resphere.faults.datastores``: datastores that cannot be reached for a while."""

    class DatastoreInput(m.Struct, frozen=True, kw_only=True):
        datastore: ids.DatastoreId

    fail: ClassVar[m.Operation[[ids.DatastoreId], None]] = m.Operation(
        "resphere.faults.datastores",
        "fail",
        input=DatastoreInput,
        api=m.Route("POST", DATASTORE, 204, dispatch=(("action", "fail"),)),
        errors=("already_in_desired_state", "not_found", "unsupported", *REFUSALS),
        privileges=ON_DATASTORES,
        releases=ALL_RELEASES,
    )

    recover: ClassVar[m.Operation[[ids.DatastoreId], None]] = m.Operation(
        "resphere.faults.datastores",
        "recover",
        input=DatastoreInput,
        api=m.Route("POST", DATASTORE, 204, dispatch=(("action", "recover"),)),
        errors=("already_in_desired_state", "not_found", "unsupported", *REFUSALS),
        privileges=ON_DATASTORES,
        releases=ALL_RELEASES,
    )
