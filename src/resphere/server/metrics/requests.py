"""What is counted of each request."""

from __future__ import annotations

from resphere.access.defaults import LOGINS as LOGIN_OPERATIONS
from resphere.contract.errors import ServiceUnavailable, Unauthenticated, VapiError
from resphere.limits.refusals import limit_of
from resphere.metrics.tally import Tally
from resphere.server.exchange import Exchange
from resphere.server.metrics.families import DURATIONS, ERRORS, IN_FLIGHT, LIMITED, LOGINS, NO_OPERATION, REQUESTS
from resphere.server.record import CLIENT_GONE, tried

ACCEPTED, REFUSED, LIMITED_LOGIN = "accepted", "refused", "limited"
UNKNOWN = "unknown"
"""What proved a login that showed nothing, or failed before anybody looked."""


class RequestMetrics:
    """Counts the requests of one worker."""

    def __init__(self, tally: Tally) -> None:
        self._requests = tally.counter(REQUESTS)
        self._durations = tally.histogram(DURATIONS)
        self._in_flight = tally.gauge(IN_FLIGHT)
        self._errors = tally.counter(ERRORS)
        self._logins = tally.counter(LOGINS)
        self._limited = tally.counter(LIMITED)

    def begin(self) -> None:
        """One has come."""
        self._in_flight.add(1)

    def end(self, exchange: Exchange, seconds: float) -> None:
        """It is over, whatever became of it."""
        self._in_flight.add(-1)
        resolved, reply, error = exchange.resolved, exchange.reply, exchange.error
        operation = NO_OPERATION if resolved is None else resolved.operation.id
        status = CLIENT_GONE if reply is None else reply.status
        self._requests.add((operation, exchange.dialect.name, str(status)))
        self._durations.observe(seconds, (operation,))
        if error is not None:
            self._failed(error)
        if operation in LOGIN_OPERATIONS:
            self._logged_in(exchange)

    def _failed(self, error: VapiError) -> None:
        self._errors.add((error.error_type,))
        limit = limit_of(error) if isinstance(error, ServiceUnavailable) else None
        if limit is not None:
            self._limited.add((limit,))

    def _logged_in(self, exchange: Exchange) -> None:
        if exchange.caller is not None:
            self._logins.add((exchange.caller.method or UNKNOWN, ACCEPTED))
            return
        if exchange.error is None or exchange.outcome is None:
            return
        _, shown = tried(exchange.outcome.credentials)
        if isinstance(exchange.error, Unauthenticated):
            self._logins.add((shown or UNKNOWN, REFUSED))
        elif isinstance(exchange.error, ServiceUnavailable) and limit_of(exchange.error) is not None:
            self._logins.add((shown or UNKNOWN, LIMITED_LOGIN))
