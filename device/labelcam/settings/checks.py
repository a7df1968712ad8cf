# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""What every section of the settings has to say about a value that makes no sense."""

from ..errors import SettingsError


def check(good: bool, name: str, value: object, allowed: str) -> None:
    """Refuse a value unless it is `good`. Raises SettingsError, which says what is `allowed`."""
    if not good:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wrong = "is out of range" if number else "cannot be used"
        raise SettingsError(f"{name} = {value!r} {wrong}; use a value {allowed}")


def check_span(section: object, names: str, low: float, high: float) -> None:
    """Refuse numbers of a section that are not from `low` to `high`; `names` has their names with spaces between."""
    for name in names.split():
        value = getattr(section, name)
        check(low <= value <= high, name, value, f"from {low:g} to {high:g}")


def check_tokens(section: object, names: str, forbidden: str, why: str) -> None:
    """Refuse texts of a section that hold a forbidden character."""
    for name in names.split():
        value = getattr(section, name)
        check(not set(value) & set(forbidden), name, value, why)
