"""What a setting of the appliance is: a value with a default, of which one is kept.

A setting is declared once, as a class whose fields all have defaults: made without arguments it is what a fresh
appliance has. It joins :data:`~resphere.inventory.appliance.settings.AnySetting`, and is read and changed there.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Setting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A setting: ``class Fips(Setting, frozen=True, kw_only=True, tag="global_fips")``.

    ``about`` says what it is, for the documentation; ``acts`` what this server does by it, where it does anything: a
    setting without it is only kept and shown again. What it may be is checked by whoever changes it, by
    :mod:`resphere.rules.appliance_values`.
    """

    about: ClassVar[str]
    acts: ClassVar[str | None] = None
