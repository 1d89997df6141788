"""What the password of a backup has to be, as the API's documentation says."""

from __future__ import annotations

from resphere.contract.errors import message
from resphere.contract.model import LocalizableMessage

SHORTEST, LONGEST = 8, 20


def refusal(password: str) -> LocalizableMessage | None:
    """Why it is not good, ``None`` where it is."""
    if not SHORTEST <= len(password) <= LONGEST:
        why = f"it has to have {SHORTEST} to {LONGEST} characters"
    elif any(not "!" <= each <= "~" for each in password):
        why = "only visible characters of ASCII may be in it, no space"
    elif not any("A" <= each <= "Z" for each in password):
        why = "an uppercase letter has to be in it"
    elif not any("a" <= each <= "z" for each in password):
        why = "a lowercase letter has to be in it"
    elif not any("0" <= each <= "9" for each in password):
        why = "a digit has to be in it"
    elif password.isalnum():
        why = "a special character has to be in it"
    else:
        return None
    return message("resphere.recovery.backup_password", "The field backup_password is not good: {0}.", why)
