"""Webhooks: events that the server sends by itself, signed, to where its operator lets it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.extensions.events import Events
from resphere.contract.releases import ALL_RELEASES

MANAGE = (m.Requirement(("Global.Settings",)),)
REFUSALS = ("unauthenticated", "unauthorized")


class Webhooks:
    """``resphere.webhooks``: to whom events are sent as CloudEvents 1.0."""

    class Mode(StrEnum):
        """How a CloudEvent is put into a request of HTTP."""

        STRUCTURED = "STRUCTURED"
        BINARY = "BINARY"

    class FilterSpec(m.Struct, frozen=True, kw_only=True):
        """Events of which each part is as it is given; as those of ``resphere.events`` are filtered."""

        __vapi_name__ = "resphere.webhooks.filter_spec"
        kinds: frozenset[Events.Kind] | None = None
        types: frozenset[str] | None = None
        objects: frozenset[str] | None = None
        branch: str | None = None

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """Where events are sent: those that the caller sees when they are sent, from the next one on, or from after
        that with the sequence ``after``. The ``secret`` signs them; unset, the server makes one. ``attempts`` is how
        often each is tried (10 unless set, 30 at most) before it is put aside."""

        __vapi_name__ = "resphere.webhooks.create_spec"
        name: str
        url: str
        secret: m.Secret | None = None
        mode: Webhooks.Mode | None = None
        filter: Webhooks.FilterSpec | None = None
        after: m.Long | None = None
        attempts: m.Long | None = None

    class UpdateSpec(m.Struct, frozen=True, kw_only=True):
        """What is to be different; unset stays. Not ``enabled``: nothing is sent until it is again. Who changes it owns
        it from then on."""

        __vapi_name__ = "resphere.webhooks.update_spec"
        name: str | None = None
        url: str | None = None
        secret: m.Secret | None = None
        mode: Webhooks.Mode | None = None
        filter: Webhooks.FilterSpec | None = None
        attempts: m.Long | None = None
        enabled: bool | None = None

    class ReplaySpec(m.Struct, frozen=True, kw_only=True):
        """All events after that with the sequence ``after`` are sent again."""

        __vapi_name__ = "resphere.webhooks.replay_spec"
        after: m.Long

    class CreateInfo(m.Struct, frozen=True, kw_only=True):
        """The new webhook and its secret, which is shown now and never again."""

        __vapi_name__ = "resphere.webhooks.create_info"
        webhook: str
        secret: m.Secret

    class Info(m.Struct, frozen=True, kw_only=True):
        """A webhook. ``position`` is the sequence up to which all is sent or put aside; ``failures`` how often the next
        one has failed in a row, ``last_error`` why, and ``dead_letters`` how many were put aside."""

        __vapi_name__ = "resphere.webhooks.info"
        webhook: str
        name: str
        url: str
        owner: str
        mode: Webhooks.Mode
        enabled: bool
        attempts: m.Long
        created_time: m.DateTime
        position: m.Long
        failures: m.Long
        dead_letters: m.Long
        last_error: str | None = None
        filter: Webhooks.FilterSpec | None = None

    class DeadLetter(m.Struct, frozen=True, kw_only=True):
        """An event that was put aside after all attempts."""

        __vapi_name__ = "resphere.webhooks.dead_letter"
        sequence: m.Long
        time: m.DateTime
        attempts: m.Long
        error: str
        waiting: bool
        """Whether it is to be sent again."""

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Webhooks.CreateSpec

    class WebhookInput(m.Struct, frozen=True, kw_only=True):
        webhook: str

    class UpdateInput(m.Struct, frozen=True, kw_only=True):
        webhook: str
        spec: Webhooks.UpdateSpec

    class ReplayInput(m.Struct, frozen=True, kw_only=True):
        webhook: str
        spec: Webhooks.ReplaySpec

    create: ClassVar[m.Operation[[Webhooks.CreateSpec], Webhooks.CreateInfo]] = m.Operation(
        "resphere.webhooks",
        "create",
        input=CreateInput,
        output=lambda: Webhooks.CreateInfo,
        api=m.Route("POST", "/api/resphere/webhooks", 201, body=("spec",), flat=True),
        errors=("invalid_argument", "not_found", "service_unavailable", "unsupported", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[], tuple[Webhooks.Info, ...]]] = m.Operation(
        "resphere.webhooks",
        "list",
        output=lambda: tuple[Webhooks.Info, ...],
        api=m.Route("GET", "/api/resphere/webhooks", 200),
        errors=REFUSALS,
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Webhooks.Info]] = m.Operation(
        "resphere.webhooks",
        "get",
        input=WebhookInput,
        output=lambda: Webhooks.Info,
        api=m.Route("GET", "/api/resphere/webhooks/{webhook}", 200),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    update: ClassVar[m.Operation[[str, Webhooks.UpdateSpec], None]] = m.Operation(
        "resphere.webhooks",
        "update",
        input=UpdateInput,
        api=m.Route("PATCH", "/api/resphere/webhooks/{webhook}", 204, body=("spec",), flat=True),
        errors=("invalid_argument", "not_found", "unsupported", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.webhooks",
        "delete",
        input=WebhookInput,
        api=m.Route("DELETE", "/api/resphere/webhooks/{webhook}", 204),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    replay: ClassVar[m.Operation[[str, Webhooks.ReplaySpec], None]] = m.Operation(
        "resphere.webhooks",
        "replay",
        input=ReplayInput,
        api=m.Route(
            "POST",
            "/api/resphere/webhooks/{webhook}",
            204,
            dispatch=(("action", "replay"),),
            body=("spec",),
            flat=True,
        ),
        errors=("invalid_argument", "not_found", "resource_inaccessible", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    list_dead_letters: ClassVar[m.Operation[[str], tuple[Webhooks.DeadLetter, ...]]] = m.Operation(
        "resphere.webhooks",
        "list_dead_letters",
        input=WebhookInput,
        output=lambda: tuple[Webhooks.DeadLetter, ...],
        api=m.Route("GET", "/api/resphere/webhooks/{webhook}/dead-letters", 200),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )

    redeliver: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.webhooks",
        "redeliver",
        input=WebhookInput,
        api=m.Route("POST", "/api/resphere/webhooks/{webhook}/dead-letters", 204, dispatch=(("action", "redeliver"),)),
        errors=("not_found", *REFUSALS),
        privileges=MANAGE,
        releases=ALL_RELEASES,
    )
