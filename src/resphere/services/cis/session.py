"""``com.vmware.cis.session``: the caller's own session."""

from __future__ import annotations

from resphere.contract.generated import cis
from resphere.contract.model import Secret
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(cis.Session.create)
async def create(call: Call) -> Secret:
    """Open a session for the caller, who gave a name and password."""
    return Secret(await call.session.open())


@implements(cis.Session.get)
async def get(call: Call) -> cis.Session.Info:
    """Whose session it is."""
    session = call.session
    return cis.Session.Info(
        user=session.user, created_time=session.created_time, last_accessed_time=session.last_accessed_time
    )


@implements(cis.Session.delete)
async def delete(call: Call) -> None:
    """End the session."""
    await call.session.close()
