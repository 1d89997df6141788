"""Bulk operations: many calls as one task."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from resphere.contract import model as m
from resphere.contract.generated import cis_task
from resphere.contract.releases import ALL_RELEASES

ANYBODY = (m.Requirement(("System.View",), anywhere=True),)
"""Each item asks for the privileges of its own operation."""
REFUSALS = ("unauthenticated", "unauthorized")


class Bulk:
    """``resphere.bulk``: many operations, or one on many objects, in one call and as one task.

    Every item is a call of its own: with the caller's rights at the moment when it is carried out, and with its own
    record in the audit log.
    """

    class ItemState(StrEnum):
        """What has become of an item."""

        PENDING = "PENDING"
        """It has not been carried out yet."""
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"
        SKIPPED = "SKIPPED"
        """It was not carried out: the bulk operation was canceled, or stopped at an error."""

    class Item(m.Struct, frozen=True, kw_only=True):
        """``operation`` is an id, such as ``com.vmware.vcenter.vm.power.start``; ``input`` has the operation's
        parameters by name, those of the path and the query and the body alike."""

        __vapi_name__ = "resphere.bulk.item"
        operation: str
        input: m.Dynamic | None = None

    class Filter(m.Struct, frozen=True, kw_only=True):
        """The objects that a list operation answers with: ``operation`` is its id, ``input`` its parameters by name,
        with the options ``$filter``, ``$orderby`` and ``$top`` of lists as text beside them. ``field`` is the member of
        what is listed that identifies it; unset: the one that is called as the parameter.

        The list is asked for when the bulk operation begins.
        """

        __vapi_name__ = "resphere.bulk.filter"
        operation: str
        input: m.Dynamic | None = None
        field: str | None = None

    class Each(m.Struct, frozen=True, kw_only=True):
        """One operation on many: ``parameter`` is the operation's that is different for each item, and takes one of
        the ``values`` after the other, or of what ``filter`` finds. ``input`` are the parameters that all share."""

        __vapi_name__ = "resphere.bulk.each"
        operation: str
        parameter: str
        values: tuple[str, ...] | None = None
        filter: Bulk.Filter | None = None
        input: m.Dynamic | None = None

    class CreateSpec(m.Struct, frozen=True, kw_only=True):
        """Either ``items`` or ``each``.

        ``concurrency``: so many items are under way at the same time (1 to 64, default 16); ``rate``: and so many are
        begun in a second at most (default: any number). ``stop_on_error``: after an item has failed no other is begun
        (default false). ``dry_run``: items are authorized, checked and decided, and nothing is changed (default false).
        ``idempotency_key`` means what the header ``Idempotency-Key`` does: a second request with the same key is
        answered with the bulk operation of the first one.
        """

        __vapi_name__ = "resphere.bulk.create_spec"
        items: tuple[Bulk.Item, ...] | None = None
        each: Bulk.Each | None = None
        name: str | None = None
        concurrency: m.Long | None = None
        rate: float | None = None
        stop_on_error: bool | None = None
        dry_run: bool | None = None
        idempotency_key: str | None = None

    class Counts(m.Struct, frozen=True, kw_only=True):
        """How many items there are of each state, and in all."""

        __vapi_name__ = "resphere.bulk.counts"
        total: m.Long
        pending: m.Long
        succeeded: m.Long
        failed: m.Long
        skipped: m.Long

    class Info(m.Struct, frozen=True, kw_only=True):
        """A bulk operation, which is a task of the same id.

        It has ``FAILED`` where an item has, or where it was canceled; ``error`` says which. ``counts`` is unset while
        it is not known how many items there are. ``operation`` is the one of all items, where ``each`` was given.
        ``retried`` is the bulk operation whose failed items these are, ``schedule`` what has begun it.
        """

        __vapi_name__ = "resphere.bulk.info"
        bulk: str
        name: str | None = None
        operation: str | None = None
        status: cis_task.Status
        user: str
        counts: Bulk.Counts | None = None
        error: m.ErrorValue | None = None
        created_time: m.DateTime
        start_time: m.DateTime | None = None
        end_time: m.DateTime | None = None
        cancel_requested: bool
        concurrency: m.Long
        rate: float | None = None
        stop_on_error: bool
        dry_run: bool
        retried: str | None = None
        schedule: str | None = None

    class ListSpec(m.Struct, frozen=True, kw_only=True):
        """Those in one of these states, of these users, that one of these schedules has begun; unset: any."""

        __vapi_name__ = "resphere.bulk.list_spec"
        status: frozenset[cis_task.Status] | None = None
        users: frozenset[str] | None = None
        schedules: frozenset[str] | None = None

    class ItemsSpec(m.Struct, frozen=True, kw_only=True):
        """Items in one of these states (unset: any), ``page_size`` of them (1 to 1,000, default 100), from where
        ``marker`` says, which is that of the page before."""

        __vapi_name__ = "resphere.bulk.items_spec"
        states: frozenset[Bulk.ItemState] | None = None
        page_size: m.Long | None = None
        marker: str | None = None

    class ItemInfo(m.Struct, frozen=True, kw_only=True):
        """What became of an item: ``number`` counts from 0, ``target`` is what it was about, ``request`` the id by
        which the audit log has it.

        ``result`` is what the operation answered with, unset where that is nothing or larger than 16 KiB
        (``result_omitted``). ``task`` is the task that the item was, or has begun.
        """

        __vapi_name__ = "resphere.bulk.item_info"
        number: m.Long
        operation: str
        target: str | None = None
        state: Bulk.ItemState
        request: str
        task: str | None = None
        result: m.Opaque | None = None
        result_omitted: bool | None = None
        error: m.ErrorValue | None = None
        end_time: m.DateTime | None = None

    class Items(m.Struct, frozen=True, kw_only=True):
        """A page of items; ``marker`` leads to the next one, and is unset on the last."""

        __vapi_name__ = "resphere.bulk.items"
        items: tuple[Bulk.ItemInfo, ...]
        marker: str | None = None

    class CreateInput(m.Struct, frozen=True, kw_only=True):
        spec: Bulk.CreateSpec

    class BulkInput(m.Struct, frozen=True, kw_only=True):
        bulk: str

    class ListInput(m.Struct, frozen=True, kw_only=True):
        filter: Bulk.ListSpec | None = None

    class ItemsInput(m.Struct, frozen=True, kw_only=True):
        bulk: str
        filter: Bulk.ItemsSpec | None = None

    create: ClassVar[m.Operation[[Bulk.CreateSpec], str]] = m.Operation(
        "resphere.bulk",
        "create",
        input=CreateInput,
        output=lambda: str,
        api=m.Route("POST", "/api/resphere/bulk", 201, body=("spec",), flat=True),
        key_field=("spec", "idempotency_key"),
        errors=("error", "invalid_argument", "service_unavailable", *REFUSALS),
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )

    list: ClassVar[m.Operation[[Bulk.ListSpec | None], tuple[Bulk.Info, ...]]] = m.Operation(
        "resphere.bulk",
        "list",
        input=ListInput,
        output=lambda: tuple[Bulk.Info, ...],
        api=m.Route("GET", "/api/resphere/bulk", 200, query=("filter.status", "filter.users", "filter.schedules")),
        errors=REFUSALS,
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )

    get: ClassVar[m.Operation[[str], Bulk.Info]] = m.Operation(
        "resphere.bulk",
        "get",
        input=BulkInput,
        output=lambda: Bulk.Info,
        api=m.Route("GET", "/api/resphere/bulk/{bulk}", 200),
        errors=("not_found", *REFUSALS),
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )

    items: ClassVar[m.Operation[[str, Bulk.ItemsSpec | None], Bulk.Items]] = m.Operation(
        "resphere.bulk",
        "items",
        input=ItemsInput,
        output=lambda: Bulk.Items,
        api=m.Route(
            "GET",
            "/api/resphere/bulk/{bulk}/items",
            200,
            query=("filter.states", "filter.page_size", "filter.marker"),
        ),
        errors=("invalid_argument", "not_found", *REFUSALS),
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )

    cancel: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.bulk",
        "cancel",
        input=BulkInput,
        api=m.Route("POST", "/api/resphere/bulk/{bulk}", 204, dispatch=(("action", "cancel"),)),
        errors=("not_allowed_in_current_state", "not_found", *REFUSALS),
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )

    retry: ClassVar[m.Operation[[str], str]] = m.Operation(
        "resphere.bulk",
        "retry",
        input=BulkInput,
        output=lambda: str,
        api=m.Route("POST", "/api/resphere/bulk/{bulk}", 201, dispatch=(("action", "retry"),)),
        errors=("not_allowed_in_current_state", "not_found", "service_unavailable", *REFUSALS),
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )

    delete: ClassVar[m.Operation[[str], None]] = m.Operation(
        "resphere.bulk",
        "delete",
        input=BulkInput,
        api=m.Route("DELETE", "/api/resphere/bulk/{bulk}", 204),
        errors=("not_allowed_in_current_state", "not_found", *REFUSALS),
        privileges=ANYBODY,
        releases=ALL_RELEASES,
    )
