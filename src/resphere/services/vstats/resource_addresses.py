"""``com.vmware.vstats.resource_addresses``: the machines that have figures."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vstats import ResourceAddresses, RsrcId
from resphere.services.call import Call
from resphere.services.checks.paging import parse, token
from resphere.services.registry import implements
from resphere.services.vstats.catalog import TYPES
from resphere.services.vstats.resources import (
    CLASSES,
    KEYS,
    SCHEME,
    Named,
    address,
    exists,
    parse_address,
    require_type,
)

PAGE = 1000


@implements(ResourceAddresses.list)
async def list_addresses(call: Call, filter: ResourceAddresses.FilterSpec | None) -> ResourceAddresses.ListResult:
    """The machines that match, a page of 1000 at a time.

    :raises InvalidArgument: a type, resource or page is no such thing.
    """
    wanted = filter or ResourceAddresses.FilterSpec()
    types = [require_type(type, "filter.types") for type in wanted.types or ()] or list(TYPES)
    start = parse(wanted.page, int) if wanted.page is not None else 0
    if wanted.resources:
        named = [parse_address(text, "filter.resources") for text in wanted.resources]
        found = [each for each in dict.fromkeys(named) if each[0] in types and exists(call.inventory, each)]
    else:
        found = [(type, id) for type in TYPES if type in types for id in call.all(CLASSES[type])]
    page = found[max(0, start) : max(0, start) + PAGE]
    after = max(0, start) + PAGE
    return ResourceAddresses.ListResult(
        rsrc_addrs=tuple(_info(each) for each in page), next=token(after) if after < len(found) else None
    )


@implements(ResourceAddresses.get)
async def get_address(call: Call, id: ids.VstatsModelRsrcAddrId) -> ResourceAddresses.Info:
    """One machine.

    :raises InvalidArgument: the id is not of the form ``type.VM=vm-41``.
    :raises NotFound: there is no such machine.
    """
    named = parse_address(id, "id")
    if not exists(call.inventory, named):
        raise NotFound(
            message("resphere.vstats.unknown", "There is no {0} {1}; {2}.", "resource", id, "the list shows all")
        )
    return _info(named)


def _info(named: Named) -> ResourceAddresses.Info:
    type, id = named
    return ResourceAddresses.Info(
        id=ids.VstatsModelRsrcAddrId(address(named)),
        resource_ids=(RsrcId(key=KEYS[type], type=type, id_value=id, scheme=SCHEME),),
    )
