"""``com.vmware.vstats``: what can be measured: counters, their metadata and sets, metrics, and who measures."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids, vstats
from resphere.inventory.model import Host
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import COUNTERS, EDITION, HOST, SETS, TYPES, AnyCounter, text
from resphere.services.vstats.resources import KEYS, SCHEME

CounterId = ids.VstatsModelCounterId
MetadataId = ids.VstatsModelCounterMetadataId
Metadata = vstats.CounterMetadata
Schemas = vstats.ResourceAddressSchemas


def unknown(what: str, id: str, known: str) -> NotFound:
    """The refusal of an unknown id."""
    return NotFound(message("resphere.vstats.unknown", "There is no {0} {1}; {2}.", what, id, known))


def require_counter(id: str) -> AnyCounter:
    """The counter of that id.

    :raises NotFound: there is none.
    """
    found = COUNTERS.get(id)
    if found is None:
        raise unknown("counter", id, "the list of counters shows all")
    return found


@implements(vstats.Counters.list)
async def list_counters(call: Call, filter: vstats.Counters.FilterSpec | None) -> tuple[vstats.Counters.Info, ...]:
    """The counters that match."""
    wanted = filter or vstats.Counters.FilterSpec()
    return tuple(
        _counter(counter)
        for id, counter in COUNTERS.items()
        if wanted.cid in (None, id)
        and wanted.metric in (None, counter.metric)
        and (not wanted.types or counter.type in wanted.types)
    )


@implements(vstats.Counters.get)
async def get_counter(call: Call, cid: CounterId) -> vstats.Counters.Info:
    """One counter.

    :raises NotFound: there is none of that id.
    """
    return _counter(require_counter(cid))


def _counter(counter: AnyCounter) -> vstats.Counters.Info:
    return vstats.Counters.Info(
        cid=CounterId(counter.id),
        metric=ids.VstatsModelMetricId(counter.metric),
        resource_address_schema=ids.VstatsModelRsrcAddrSchemaId(counter.type),
    )


@implements(Metadata.list)
async def list_metadata(call: Call, cid: CounterId, filter: Metadata.FilterSpec | None) -> tuple[Metadata.Info, ...]:
    """The counter's editions: there is one, the default.

    :raises NotFound: there is no such counter.
    """
    found = _metadata(require_counter(cid))
    wanted = filter.status if filter is not None else None
    return (found,) if wanted in (None, found.status) else ()


@implements(Metadata.get)
async def get_metadata(call: Call, cid: CounterId, mid: MetadataId) -> Metadata.Info:
    """One edition.

    :raises NotFound: there is no such counter or edition.
    """
    found = _metadata(require_counter(cid))
    if mid != found.mid:
        raise unknown("metadata", mid, f"the counter has {EDITION} only")
    return found


@implements(Metadata.get_default)
async def get_default_metadata(call: Call, cid: CounterId) -> tuple[Metadata.Info, ...]:
    """The default edition.

    :raises NotFound: there is no such counter.
    """
    return (_metadata(require_counter(cid)),)


def _metadata(counter: AnyCounter) -> Metadata.Info:
    label = text(counter.id, counter.label)
    return Metadata.Info(
        cid=CounterId(counter.id),
        mid=MetadataId(EDITION),
        status=Metadata.CounterEditionStatus.DEFAULT,
        type=Metadata.SampleType.ABSOLUTE,
        units=counter.units,
        scale=counter.scale,
        user_info=vstats.UserInfo(label=label, description=label),
    )


@implements(vstats.CounterSets.list)
async def list_sets(call: Call) -> tuple[vstats.CounterSets.Info, ...]:
    """Sets of counters that can be recorded together."""
    return tuple(_set(id) for id in SETS)


@implements(vstats.CounterSets.get)
async def get_set(call: Call, counter_set: ids.VstatsModelCounterSetId) -> vstats.CounterSets.Info:
    """One set.

    :raises NotFound: there is none of that id.
    """
    if counter_set not in SETS:
        raise unknown("counter set", counter_set, "there are " + ", ".join(SETS))
    return _set(counter_set)


def _set(id: str) -> vstats.CounterSets.Info:
    area, _, type = id.partition(".")
    label = text(f"set.{id}", f"Figures of {area} of a {type}")
    return vstats.CounterSets.Info(
        id=id,
        counters=tuple(vstats.CidMid(cid=CounterId(cid), mid=MetadataId(EDITION)) for cid in SETS[id]),
        user_info=vstats.UserInfo(label=label, description=label),
    )


@implements(vstats.Metrics.list)
async def list_metrics(call: Call) -> tuple[vstats.Metrics.Summary, ...]:
    """What is measured, of whatever."""
    metrics = dict.fromkeys(counter.metric for counter in COUNTERS.values())
    return tuple(vstats.Metrics.Summary(metric=ids.VstatsModelMetricId(metric)) for metric in metrics)


@implements(vstats.ResourceTypes.list)
async def list_types(call: Call) -> tuple[vstats.ResourceTypes.Summary, ...]:
    """Hosts and virtual machines."""
    return tuple(vstats.ResourceTypes.Summary(type=ids.VstatsModelRsrcTypeId(type)) for type in TYPES)


@implements(Schemas.get)
async def get_schema(call: Call, id: str) -> Schemas.Info:
    """How a machine of a type is named.

    :raises NotFound: there is no such schema.
    """
    if id not in TYPES:
        raise unknown("resource address schema", id, "there are " + ", ".join(TYPES))
    return Schemas.Info(
        id=ids.VstatsModelRsrcAddrSchemaId(id),
        schema=(
            Schemas.ResourceIdDefinition(
                key=KEYS[id],
                type=ids.VstatsModelRsrcTypeId(id),
                query_options=Schemas.QueryCapabilities.EQUAL_ALL,
            ),
        ),
    )


@implements(vstats.Providers.list, kept=True)
async def list_providers(call: Call) -> tuple[vstats.Providers.Summary, ...]:
    """Who measures: each host, itself and its virtual machines."""
    return tuple(
        vstats.Providers.Summary(
            id=ids.VstatsModelProviderId(host.host_uuid), id_value=host.id, type=HOST, scheme=SCHEME
        )
        for host in call.inventory.all(Host).values()
    )
