"""The appliance's own accounts: what is kept beside what lets them log in, and the policy of their passwords."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from resphere.inventory.appliance.setting import Setting


class LocalAccount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is kept of one; unset days are those of the policy. ``expires_at``: its password, whatever the days are."""

    roles: tuple[str, ...]
    full_name: str | None = None
    email: str | None = None
    password_expires: bool = True
    expires_at: datetime | None = None
    inactive_after_expiration: bool = True
    inactive_days: int | None = None
    min_days: int | None = None
    max_days: int | None = None
    warn_days: int | None = None


class LocalAccounts(Setting, frozen=True, kw_only=True, tag="local_accounts"):
    """All of them, by name. Which there are is said by the accounts of this server."""

    about: ClassVar[str] = "roles, names and password times of local accounts"
    acts: ClassVar[str | None] = "the roles: `superAdmin` and `admin` have the role Admin, `operator` has ReadOnly"

    by_name: dict[str, LocalAccount] = msgspec.field(default_factory=dict)


class LocalAccountPolicy(Setting, frozen=True, kw_only=True, tag="local_account_policy"):
    """For how long passwords are good, in days, and what they must be like; as installed in vCenter 7.0 and 8.0."""

    about: ClassVar[str] = "password policy of local accounts"

    max_days: int | None = 90
    min_days: int | None = 0
    warn_days: int | None = 7
    prior_password_remember_count: int | None = None
    failed_attempt_count_before_account_lockout: int | None = None
    length_of_lockout_period_in_seconds: int | None = None
    fail_interval_between_attempts: int | None = None
    minimum_length: int | None = None
    minimum_uppercase_char_count: int | None = None
    minimum_lowercase_char_count: int | None = None
    minimum_numerics_char_count: int | None = None
    minimum_special_char_count: int | None = None
