"""How what is too much is refused: with when to try again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from resphere.contract.errors import ServiceUnavailable, VapiError, message
from resphere.limits.policy import Logins, RateRule
from resphere.limits.rates import SECOND_NS

TOO_MANY_REQUESTS = 429
FAILED_LOGINS = "failed-logins"
RATE = "resphere.limits.rate"
"""The message of what refuses a call by a rule of rates."""
RETRY_SECONDS = 1
"""After which a place in a queue may be free; nobody knows better."""


def seconds(wait_ns: int) -> int:
    """Whole seconds, after which it is worth while."""
    return max(1, -(-wait_ns // SECOND_NS))


def retry_after(wait_seconds: int) -> tuple[str, str]:
    """The header (RFC 9110, 10.2.3)."""
    return "Retry-After", str(wait_seconds)


def policy_item(rule: RateRule) -> str:
    """A rule in ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers-10): quota, and the seconds it is for."""
    return f'"{rule.title}";q={rule.burst};w={rule.rate.window_seconds}'


def limit_headers(policies: Iterable[str], used_up: str, wait_seconds: int) -> tuple[tuple[str, str], ...]:
    """The headers of each refusal with 429: the limits that count the call, and the name of the one without room."""
    return (
        retry_after(wait_seconds),
        ("RateLimit-Policy", ", ".join(policies)),
        ("RateLimit", f'"{used_up}";r=0;t={wait_seconds}'),
    )


def too_fast(rules: Sequence[RateRule], used_up: RateRule, wait_ns: int) -> VapiError:
    """The refusal of a call for which a rule has no room."""
    wait_seconds = seconds(wait_ns)
    return ServiceUnavailable(
        message(
            RATE,
            "The limit {0} is reached: {1} calls a second of one {2}, and {3} at once. Try again in {4} seconds.",
            used_up.title,
            f"{used_up.per_second:g}",
            used_up.per.value,
            used_up.burst,
            wait_seconds,
        )
    ).http(TOO_MANY_REQUESTS, limit_headers(map(policy_item, rules), used_up.title, wait_seconds))


def too_many_of_one(party: str, most: int) -> VapiError:
    """The refusal of a call behind too many others of the same user, or address."""
    name = f"{party}-waiting"
    policy = f'"{name}";q={most};qu="concurrent-requests"'
    return ServiceUnavailable(
        message("resphere.limits.waiting", "{0} calls of this {1} wait already. Try again later.", most, party)
    ).http(TOO_MANY_REQUESTS, limit_headers([policy], name, RETRY_SECONDS))


def too_many() -> VapiError:
    """The refusal of a call where too many wait."""
    return ServiceUnavailable(
        message("resphere.limits.busy", "The server has too many calls to answer. Try again later.")
    ).http(503, [retry_after(RETRY_SECONDS)])


def too_many_failures(logins: Logins, wait_ns: int) -> VapiError:
    """The refusal of a login after others have failed: the same whether there is such a user or not, and whichever of
    the counts it was."""
    wait_seconds = seconds(wait_ns)
    policy = f'"{FAILED_LOGINS}";q={logins.free};w={seconds(int(logins.forget_seconds * SECOND_NS))}'
    return ServiceUnavailable(
        message(
            "resphere.limits.logins",
            "Too many logins have failed, of this name or from this address. Try again in {0} seconds.",
            wait_seconds,
        )
    ).http(TOO_MANY_REQUESTS, limit_headers([policy], FAILED_LOGINS, wait_seconds))


WITHOUT_RULE = {
    "resphere.limits.waiting": "waiting",
    "resphere.limits.busy": "busy",
    "resphere.limits.logins": FAILED_LOGINS,
    "resphere.events.too_many_of_user": "event-streams-of-user",
    "resphere.events.too_many": "event-streams",
}
"""By the message of a refusal, the limit that no rule of rates is."""


def limit_of(error: VapiError) -> str | None:
    """Which limit has refused a call: the title of a rule, or one of a few others; ``None``: none has."""
    if not error.messages:
        return None
    told = error.messages[0]
    return told.args[0] if told.id == RATE else WITHOUT_RULE.get(told.id)
