"""Faults and delays on purpose, for people who test their clients: rules of a file, and what they do to a call.

A YAML file lists rules as the API has them (``resphere.faults``), in the order in which they are asked::

    seed: 7
    rules:
      - operation: com.vmware.vcenter.vm.power.*
        rate: 0.1
        error: SERVICE_UNAVAILABLE
        message: The host is busy.
      - operation: "*"
        latency_seconds: [0.05, 0.2]
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from resphere.auth.authentication import required
from resphere.auth.sessions import Sessions
from resphere.contract.errors import ERRORS, ServiceUnavailable, Unauthenticated, VapiError, message
from resphere.contract.extensions.faults import Faults as Contract
from resphere.faults.language import DEFAULT_MESSAGE, require_rule, shadowed
from resphere.faults.record import FaultRule, begun
from resphere.faults.rules import FaultRules, Strike, Target
from resphere.server.exchange import Exchange, Spoiled
from resphere.server.keys import require_keys
from resphere.uuids import new_uuid
from resphere.yaml_text import YamlFault, read_file

OWNER = "--faults"
"""Who made the rules of the file."""


COUNTS = "fault-counts"
"""The file in the data directory that counts what rules have done."""


class FaultsError(ValueError):
    """The fault file cannot be used; the message says what is wrong and where."""


class FaultFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as a whole; ``seed`` makes the draws of rules that have none repeatable."""

    rules: tuple[Contract.Rule, ...] = ()
    seed: int = 0


class Faults:
    """Does to calls what the rules say."""

    def __init__(self, rules: FaultRules, sessions: Sessions) -> None:
        self._rules = rules
        self._sessions = sessions

    @property
    def active(self) -> bool:
        """Whether there are any rules."""
        return self._rules.active

    async def disturb(self, exchange: Exchange, target: Target) -> None:
        """Delay the call, and note on ``exchange`` what becomes of its answer.

        :raises VapiError: what the rule says that it fails with, of calls that are not carried out.
        """
        strike = self._rules.strike(target)
        if strike is None:
            return
        if strike.delay_seconds > 0:
            await asyncio.sleep(strike.delay_seconds)
        rule = strike.rule
        if rule.expire_session:
            await self._expire(exchange)
            raise refusal(required(), rule)
        exchange.spoiled = spoiled(strike)
        if not rule.carried_out and (rule.error is not None or rule.page_status is not None or rule.drop):
            raise failure(rule)

    async def _expire(self, exchange: Exchange) -> None:
        """End the caller's session, if there is one."""
        handle = None if exchange.caller is None else exchange.caller.session.handle
        session = None if handle is None else self._sessions.by_handle(handle)
        if session is not None:
            await self._sessions.close(session)


def spoiled(strike: Strike) -> Spoiled | None:
    """What becomes of the answer; ``None``: it goes as it is."""
    rule = strike.rule
    error = failure(rule) if rule.error is not None and rule.carried_out else None
    truncated, dropped = bool(rule.truncate), bool(rule.drop)
    if error is None and rule.page_status is None and not truncated and not dropped and rule.bytes_per_second is None:
        return None
    return Spoiled(error, rule.page_status, rule.retry_after_seconds, truncated, dropped, rule.bytes_per_second)


def failure(rule: Contract.Rule) -> VapiError:
    """The error by which a call that is not carried out is on record, and answered where nothing else is sent."""
    if rule.error is None:
        return ServiceUnavailable(message("resphere.fault_injected", "{0}", DEFAULT_MESSAGE))
    error = ERRORS[rule.error](message("resphere.fault_injected", "{0}", rule.message or DEFAULT_MESSAGE))
    if rule.retry_after_seconds is not None:
        error.headers = (("Retry-After", str(rule.retry_after_seconds)),)
    return error


def refusal(error: Unauthenticated, rule: Contract.Rule) -> VapiError:
    """That of an ended session, in the rule's words if it has any."""
    if rule.message is None:
        return error
    return Unauthenticated(message("resphere.fault_injected", "{0}", rule.message))


NO_FAULTS = FaultFile()


def read_faults(path: Path) -> FaultFile:
    """The rules of a YAML file.

    :raises FaultsError: unreadable, not YAML, or against the form; names the place.
    """
    try:
        given = read_file(path.read_bytes())
        require_keys(given, FaultFile)
        rules = given.get("rules") if isinstance(given, dict) else None
        if isinstance(given, dict) and isinstance(rules, list):
            given["rules"] = [long_form(rule, f"rules[{place}]") for place, rule in enumerate(rules)]
        file = msgspec.convert(given, FaultFile)
        require_rules(file)
    except OSError as error:
        raise FaultsError(f"fault file {path}: {error.strerror}") from error
    except (YamlFault, ValueError) as error:
        raise FaultsError(f"fault file {path}: {error}") from error
    return file


def long_form(rule: Any, place: str) -> Any:
    """A rule as the API has it: in a file ``latency_seconds`` may be a range.

    :raises ValueError: it is no mapping, or has keys that are none.
    """
    require_keys(rule, Contract.Rule, place)
    latency = rule.get("latency_seconds")
    if not isinstance(latency, list):
        return rule
    if len(latency) != 2 or "most_latency_seconds" in rule:
        raise ValueError(f"{place}: latency_seconds must be a number, or a range of two: [0.05, 0.2]")
    return {**rule, "latency_seconds": latency[0], "most_latency_seconds": latency[1]}


def require_rules(file: FaultFile) -> None:
    """Refuse rules that are none, that no operation fits, or that are never reached as those before decide for all.

    :raises ValueError: there is such a rule.
    """
    for place, rule in enumerate(file.rules):
        if rule.order is not None:
            raise ValueError(f"rules[{place}]: order is their place in a file")
        try:
            require_rule(rule)
        except ValueError as error:
            raise ValueError(f"rules[{place}]: {error}") from None
    for shadow in shadowed(file.rules):
        raise ValueError(f"rules[{shadow.place}]: {shadow.words}")


def rules_of(file: FaultFile, moment: datetime, random_bytes: Callable[[int], bytes]) -> tuple[FaultRule, ...]:
    """The documents of a file's rules, which begin at that moment."""
    return tuple(
        begun(
            new_uuid(random_bytes),
            msgspec.structs.replace(rule, seed=file.seed + place if rule.seed is None else rule.seed),
            place,
            OWNER,
            moment,
            random_bytes,
            from_file=True,
        )
        for place, rule in enumerate(file.rules)
    )
