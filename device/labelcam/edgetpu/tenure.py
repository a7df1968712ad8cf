# SPDX-FileCopyrightText: 2026 The labelcam authors
# SPDX-License-Identifier: Apache-2.0
"""Whose the Edge TPU is within this process: the newest network's.

It can be opened once. While a model takes over from another both are loaded: the one before goes on with its CPU twin,
and gets the Edge TPU back if the new one is sent away.
"""

import threading
import weakref
from typing import Protocol


class Tenant(Protocol):
    """A network that may have the Edge TPU."""

    def give_way(self) -> bool:
        """Let go of it; whether that was done. Called by another thread than the network's own."""
        ...


_lock = threading.Lock()
_tenants: list["weakref.ref[Tenant]"] = []


def enter(tenant: Tenant) -> None:
    """A new network has been opened."""
    leave(tenant)
    with _lock:
        _tenants.append(weakref.ref(tenant))


def leave(tenant: Tenant) -> None:
    """A network has been closed; one that was only dropped leaves by itself."""
    with _lock:
        _tenants[:] = [one for one in _tenants if one() not in (None, tenant)]


def is_newest(tenant: Tenant) -> bool:
    """Whether there is none after it."""
    with _lock:
        alive = [found for one in _tenants if (found := one()) is not None]
    return bool(alive) and alive[-1] is tenant


def claim(tenant: Tenant) -> bool:
    """Have the others let go; whether they did."""
    with _lock:
        others = [found for one in _tenants if (found := one()) is not None and found is not tenant]
    return all(other.give_way() for other in others)
