"""Locks whose writes are fenced at the storage: the client of fencegate.

`Client` is for programs with threads, `fencegate.aio` has the same for asyncio. docs/clients.md of the
project is the guide.
"""

from ._watch import Event
from .client import Client
from .errors import (
    FencegateError,
    FenceRefused,
    Forbidden,
    IdempotencyMismatch,
    LeaseLost,
    LockHeld,
    NotFound,
    OutcomeUnknown,
    Overloaded,
    Refused,
    RunDone,
    RunMissed,
    RunNotDue,
    Unauthenticated,
    Unreachable,
    UntrustedGateway,
)
from .lock import Leader, Leadership, Lease, Lock, Run, RunLease
from .payments import Payments

__version__ = "0.1.0"
__all__ = [
    "Client",
    "Event",
    "FenceRefused",
    "FencegateError",
    "Forbidden",
    "IdempotencyMismatch",
    "Leader",
    "Leadership",
    "Lease",
    "LeaseLost",
    "Lock",
    "LockHeld",
    "NotFound",
    "OutcomeUnknown",
    "Overloaded",
    "Payments",
    "Refused",
    "Run",
    "RunDone",
    "RunLease",
    "RunMissed",
    "RunNotDue",
    "Unauthenticated",
    "Unreachable",
    "UntrustedGateway",
]
