"""A lease in the hands of a program: what both faces, threads and asyncio, have in common.

Owns: names. What a lease knows is in _lease.py. Thread rule: any thread.
"""

from __future__ import annotations

import threading
from typing import Callable, Mapping, Optional

from . import _lease
from ._clock import boottime
from .errors import FenceRefused, LeaseLost


class HeldLease:
    """Live until it is released or lost. All times are seconds."""

    def __init__(self, core: _lease.LeaseCore) -> None:
        self._core = core

    @property
    def id(self) -> str:
        return self._core.id

    @property
    def token(self) -> int:
        """Goes with every write. It only means something to what checks it."""
        return self._core.token

    @property
    def locks(self) -> tuple[str, ...]:
        return self._core.locks

    @property
    def owner(self) -> Optional[str]:
        return self._core.owner

    @property
    def ttl(self) -> float:
        return self._core.ttl

    @property
    def is_live(self) -> bool:
        """As far as this machine knows; only the fence can say."""
        return self._core.state is _lease.State.LIVE and boottime() < self._core.lost_at

    def seconds_left(self) -> float:
        """Until it counts as lost, unless a renewal comes through; never below 0."""
        return max(0.0, self._core.lost_at - boottime()) if self.is_live else 0.0

    def check(self) -> None:
        """Between two steps of the work. Fails with: LeaseLost."""
        self._core.check()

    def progress(self, number: int) -> None:
        """A number that rises while the work gets on; the next renewal tells it to the gateway."""
        self._core.progress = number

    def headers(self) -> Mapping[str, str]:
        """For a service that checks tokens itself. Not for one that would merely log them."""
        return {"X-Fence-Token": str(self.token)}

    def on_lost(self, call: Callable[[LeaseLost], None]) -> None:
        """Called once, on a thread of its own, when the lease is lost; not when it is released."""

        def ended(loss: Optional[LeaseLost]) -> None:
            if loss is not None:
                threading.Thread(target=call, args=(loss,), daemon=True).start()

        self._core.on_end(ended)

    def __repr__(self) -> str:
        return f"<lease on {', '.join(self.locks)}, token {self.token}, {self._core.state.value}>"


def core_of(lease: HeldLease) -> _lease.LeaseCore:
    return lease._core


def lease_for(lock: str, given: Optional[HeldLease]) -> _lease.LeaseCore:
    """The lease that guards a write under this lock. Fails with: FenceRefused, nothing being sent."""
    found = _lease.covering(lock) if given is None else given._core
    if found is None:
        detail = f"no lease on {lock} is held here: take it, or pass lease="
        raise FenceRefused(428, {"code": "fence_token_required", "detail": detail})
    return found
