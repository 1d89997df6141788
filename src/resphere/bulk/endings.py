"""Why bulk operations fail as a whole."""

from __future__ import annotations

from resphere.contract.errors import Canceled, InvalidArgument, VapiError, message


def canceled(skipped: int) -> VapiError:
    """Somebody has canceled it."""
    return Canceled(message("resphere.bulk.canceled", "It was canceled, and {0} items were not carried out.", skipped))


def stopped_at_error(skipped: int) -> VapiError:
    """An item has failed, and it was asked to stop then."""
    return VapiError(
        message("resphere.bulk.stopped_at_error", "An item has failed, and {0} were not carried out.", skipped)
    )


def failed_items(count: int, total: int) -> VapiError:
    """Some items have failed."""
    return VapiError(message("resphere.bulk.failed_items", "{0} of {1} items have failed.", count, total))


def no_values() -> VapiError:
    """The list that would give the values is no operation any more."""
    return InvalidArgument(message("resphere.bulk.no_list", "each.filter.operation: there is no such operation."))


def too_many_found(count: int, most: int) -> VapiError:
    """The filter finds more than one bulk operation may have."""
    return InvalidArgument(
        message("resphere.bulk.too_many_found", "each.filter: finds {0} objects, and may find {1}.", count, most)
    )
