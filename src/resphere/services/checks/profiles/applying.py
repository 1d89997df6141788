"""Profiles as they are, as they would be, and as they are made."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from resphere.access.permissions import Permission
from resphere.contract.errors import NotAllowedInCurrentState
from resphere.recovery.record import RestoreJob
from resphere.recovery.record import State as JobState
from resphere.recovery.work import in_use
from resphere.replica.edit import Edit
from resphere.services.call import Call
from resphere.services.checks.administrators import administers_all
from resphere.services.checks.profiles import authentication, management, network
from resphere.services.checks.profiles.authentication import principals_of, require_administrator
from resphere.services.checks.profiles.faults import Faults
from resphere.services.checks.profiles.sections import put_sections
from resphere.services.checks.profiles.state import Among, Places, Planned, State


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A state that is to be, and what was found out for it: ``principals`` are permissions that are new, ``early`` what
    is wrong whatever else is so."""

    state: State
    places: Places
    principals: Mapping[str, Permission]
    early: Faults


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """What a state would be: its faults by parts, and what is and would be, also as it is told, without passwords."""

    faults: Faults
    before: State
    after: State
    before_told: State
    after_told: State


def told(call: Call, among: Among, parts: Collection[str], *, secrets: bool = False) -> State:
    """What is so now, of the parts of these names: fields of :class:`State`."""
    return State(
        management=management.told(call, among, secrets=secrets) if "management" in parts else None,
        network=network.told(among, secrets=secrets) if "network" in parts else None,
        authentication=authentication.told(among) if "authentication" in parts else None,
    )


async def wanted(call: Call, state: State, places: Places) -> Wanted:
    """What is to be, ready to be tried and done.

    :raises Unauthorized: it has roles and permissions, and the caller does not administer.
    :raises ServiceUnavailable: a directory cannot be asked.
    """
    faults = Faults()
    principals: Mapping[str, Permission] = {}
    if state.authentication is not None:
        require_administrator(call)
        principals = await principals_of(call, state.authentication, places.authentication, faults)
    return Wanted(state=state, places=places, principals=principals, early=faults)


def put(call: Call, edit: Edit, wanted: Wanted) -> Faults:
    """Write what is wanted, and say what is wrong with it."""
    faults, state, places = Faults(), wanted.state, wanted.places
    for part, messages in wanted.early.by_part.items():
        faults.add(part, messages)
    if state.management is not None:
        put_sections(management.SECTIONS, call, edit, state.management, places.management, faults)
    if state.network is not None:
        put_sections(network.SECTIONS, call, edit, state.network, places.network, faults)
    if state.authentication is not None:
        authentication.put(call, edit, state.authentication, places.authentication, faults, wanted.principals)
    return faults


def require_no_restoration(call: Call) -> None:
    """Refuse to change what is about to be replaced.

    :raises NotAllowedInCurrentState: a restoration is in progress.
    """
    for work in call.unfiltered.by(RestoreJob, "state", JobState.RUNNING.value).values():
        raise NotAllowedInCurrentState(*in_use(work).messages)


async def considered(call: Call, wanted: Wanted) -> Considered:
    """What it would do, of which nothing is done. Whether passwords differ is for those alone who administer: others
    could guess them so."""
    secrets = administers_all(call)

    def plan(edit: Edit) -> Considered:
        planned = Planned(call.unfiltered, edit)
        parts = wanted.state.parts
        before = told(call, planned, parts, secrets=secrets)
        before_told = told(call, planned, parts)
        faults = put(call, edit, wanted)
        after = told(call, planned, parts, secrets=secrets)
        after_told = told(call, planned, parts)
        edit.withhold()
        return Considered(faults=faults, before=before, after=after, before_told=before_told, after_told=after_told)

    return await call.unfiltered.change(plan)
