"""The clock of deadlines: seconds since the machine's start, its sleep included.

Owns: which clock that is. `time.monotonic` stands still while a machine is suspended; the gateway's
CLOCK_BOOTTIME does not, so a deadline on the former would be late by the whole nap.
Thread rule: pure functions.
"""

from __future__ import annotations

import time


def _clock_id() -> int | None:
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC"):  # macOS: CLOCK_MONOTONIC counts sleep
        found = getattr(time, name, None)
        if isinstance(found, int):
            return found
    return None


_ID = _clock_id()


def boottime() -> float:
    return time.monotonic() if _ID is None else time.clock_gettime(_ID)


def slept() -> float:
    """How far the boot clock is ahead of the clock that timers run on; it grows by each suspension."""
    return boottime() - time.monotonic()
