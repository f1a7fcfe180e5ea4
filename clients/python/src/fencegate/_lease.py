"""What a client knows of one lease: until when it may be believed, and whether it was lost.

Owns: the state of a lease and the one way out of it. Refuses to own: requests (_renewer.py).
Invariant 1: a lost or released lease never becomes live again, whatever answer comes late.
Invariant 2: `deadline` is not after the gateway's own: it counts from before the request was sent.
Thread rule: any thread; `_guard` guards the state, listeners are called outside of it.
"""

from __future__ import annotations

import contextvars
import enum
import threading
from typing import Any, Callable, Mapping, Optional

from . import _policy
from ._clock import boottime
from .errors import LeaseLost

Listener = Callable[[Optional[LeaseLost]], None]


class State(enum.Enum):
    LIVE = "live"
    RELEASING = "releasing"
    RELEASED = "released"
    LOST = "lost"


class LeaseCore:
    def __init__(self, granted: Mapping[str, Any], sent_at: float) -> None:
        self.id: str = granted["lease_id"]
        self.token: int = granted["fencing_token"]
        self.locks: tuple[str, ...] = tuple(granted["locks"])
        self.owner: Optional[str] = granted.get("owner")
        self.mode: str = granted.get("mode", "exclusive")
        self.ttl: float = granted["ttl_ms"] / 1000
        self.deadline: float = sent_at + min(self.ttl, granted["remaining_ms"] / 1000)
        self.state = State.LIVE
        self.loss: Optional[LeaseLost] = None
        self.progress: Optional[int] = None
        self.at_its_longest = False  # max_hold: no renewal would add anything
        self.last_write_sent = False  # with X-Fence-Release: its end may be our own doing
        self._guard = threading.Lock()
        self._listeners: list[Listener] = []

    @property
    def lost_at(self) -> float:
        return self.deadline - _policy.margin(self.ttl)

    def covers(self, lock: str) -> bool:
        return lock in self.locks and self.mode == "exclusive"

    def check(self) -> None:
        """Fails with: LeaseLost. Asks the clock, not the network."""
        if self.state is State.LIVE and boottime() >= self.lost_at:
            self.lose("deadline_passed", "no renewal was answered in time")
        if self.loss is not None:
            raise self.loss

    def renewed(self, sent_at: float, answer: Mapping[str, Any]) -> None:
        with self._guard:
            if self.state is State.LIVE and boottime() < self.lost_at:
                # Less than before is told when the request asked so, or max_hold cut it.
                self.deadline = sent_at + min(self.ttl, answer["remaining_ms"] / 1000)
                self.at_its_longest = answer.get("warning") == "max_hold"

    def lose(self, reason: str, detail: str = "") -> None:
        if self.last_write_sent and reason == "lease_released":
            self._end(State.RELEASED, None)
        else:
            self._end(State.LOST, LeaseLost(self.locks, self.token, reason, detail))

    def begin_release(self) -> bool:
        """From here on no answer to a renewal counts. False if there is nothing to release."""
        with self._guard:
            begins = self.state in (State.LIVE, State.LOST)
            if self.state is State.LIVE:
                self.state = State.RELEASING
            return begins

    def released(self) -> None:
        self._end(State.RELEASED, None)

    def on_end(self, listener: Listener) -> None:
        """Called once, with the loss or with None; at once if the lease has ended already."""
        with self._guard:
            if self.state in (State.LIVE, State.RELEASING):
                self._listeners.append(listener)
                return
        listener(self.loss)

    def _end(self, state: State, loss: Optional[LeaseLost]) -> None:
        with self._guard:
            if self.state in (State.RELEASED, State.LOST):
                return
            if self.state is State.RELEASING and state is State.LOST:
                state, loss = State.RELEASED, None  # it was given up before it was taken away
            self.state, self.loss = state, loss
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener(loss)


# The leases whose scopes surround the running code: a write finds the one that covers its lock.
_entered: contextvars.ContextVar[tuple[LeaseCore, ...]] = contextvars.ContextVar(
    "fencegate_leases", default=()
)


def enter(lease: LeaseCore) -> None:
    _entered.set((*_entered.get(), lease))


def leave(lease: LeaseCore) -> None:
    _entered.set(tuple(other for other in _entered.get() if other is not lease))


def covering(lock: str) -> Optional[LeaseCore]:
    """The innermost scope's lease that guards writes under this lock."""
    return next((lease for lease in reversed(_entered.get()) if lease.covers(lock)), None)
