"""Locks, leadership and runs as `with` blocks, for programs with threads.

Owns: the order at the end of a block: the body has ended, then the lease is released. The body's own
error is never hidden; a body that ended well under a lost lease fails with LeaseLost.
Thread rule: a Lock object belongs to one thread, its lease to any.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Mapping, Optional

from . import _lease, _requests
from ._acquire import Wish
from ._core import Core, Ticket
from .errors import FencegateError, LockHeld
from .lease import HeldLease, core_of


class Lease(HeldLease):
    """`lost` is set when it is lost; a thread cannot be cancelled, so look at it, or call check()."""

    def __init__(self, core: Core, held: _lease.LeaseCore) -> None:
        super().__init__(held)
        self._client = core
        self.lost = threading.Event()
        held.on_end(lambda loss: self.lost.set() if loss is not None else None)

    def release(self) -> bool:
        """Never raises. False if no answer came: then the lease ends by its TTL."""
        return self._client.submit(self._client.release(self._core)).result()


def _acquire(core: Core, wish: Wish) -> Lease:
    ticket = Ticket()
    asked = core.submit(core.acquire(wish, ticket))
    try:
        return Lease(core, asked.result())
    except (FencegateError, ValueError):
        raise
    except BaseException:  # KeyboardInterrupt: nobody will hold what is granted now
        core.give_up(ticket, asked)
        raise


class Lock:
    """`with lock as lease:`, or acquire and release as threading.Lock and redis-py have them. Not
    reentrant: who wants it twice waits for himself, so that is refused."""

    def __init__(self, core: Core, wish: Wish) -> None:
        self._core = core
        self._wish = wish
        self._lease: Optional[Lease] = None

    def acquire(self, blocking: bool = True, timeout: Optional[float] = None) -> bool:
        """False if it is held by another and the wait is over. timeout: seconds; None: as the lock
        was made. Fails with: Overloaded, Unreachable, other FencegateError."""
        wait = 0.0 if not blocking else self._wish.wait if timeout is None else timeout
        try:
            self._take(replace(self._wish, wait=wait))
        except LockHeld:
            return False
        return True

    def take(self) -> Lease:
        """As `acquire`, for whoever wants the lease, or LockHeld with what it tells."""
        return self._take(self._wish)

    def release(self) -> bool:
        """Fails with: RuntimeError if this object holds nothing."""
        lease = self._forget()
        return lease.release()

    @property
    def lease(self) -> Optional[Lease]:
        return self._lease

    def owned(self) -> bool:
        """By this object, as far as this machine knows."""
        return self._lease is not None and self._lease.is_live

    def locked(self) -> bool:
        """By anybody, asked of the gateway. REQUIRES: a single lock."""
        name = self._wish.path.partition("/v1/locks/")[2]
        request = _requests.get_lock(name)
        state = self._core.submit(self._core.call(request)).result().json()
        return bool(state["state"] == "held")

    def _take(self, wish: Wish) -> Lease:
        if self._lease is not None:
            raise RuntimeError("this lock object holds its lock already")
        self._lease = _acquire(self._core, wish)
        _lease.enter(core_of(self._lease))
        return self._lease

    def _forget(self) -> Lease:
        if self._lease is None:
            raise RuntimeError("this lock object holds nothing")
        lease, self._lease = self._lease, None
        _lease.leave(core_of(lease))
        return lease

    def __enter__(self) -> Lease:
        return self._take(self._wish)

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if self._lease is None:
            return  # released inside
        lease = self._forget()
        lost = core_of(lease).loss
        lease.release()
        if error is None and lost is not None:
            raise lost


class Leader(Lease):
    def __init__(self, core: Core, held: _lease.LeaseCore, election: str) -> None:
        super().__init__(core, held)
        self._election = election

    def proclaim(self, value: Mapping[str, Any]) -> None:
        """What observers see. Fails with: FenceRefused once another leads."""
        request = _requests.proclamation(self._election, value)
        self._client.submit(self._client.write(request, self._core, False)).result()


class Leadership(Lock):
    def __init__(self, core: Core, wish: Wish, election: str) -> None:
        super().__init__(core, wish)
        self._election = election

    def __enter__(self) -> Leader:
        lease = self._take(self._wish)
        return Leader(self._core, core_of(lease), self._election)


class RunLease(Lease):
    """`result`: up to 1 KiB of text that is kept with the run."""

    result: Optional[str] = None


class Run(Lock):
    """Says `done` when the body ends well, `failed` when it raises, nothing when the lease is lost."""

    def __init__(self, core: Core, wish: Wish, path: str) -> None:
        super().__init__(core, wish)
        self._path = path
        self._run: Optional[RunLease] = None

    def __enter__(self) -> RunLease:
        self._run = RunLease(self._core, core_of(self._take(self._wish)))
        return self._run

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        run, self._run = self._run, None
        if self._lease is None or run is None:
            return
        held = core_of(self._lease)
        try:
            if held.loss is None and error is None:
                self._end("done", run.result)
            elif held.loss is None:
                self._fail(run.result or type(error).__name__)
        finally:
            super().__exit__(kind, error, trace)

    def _fail(self, result: str) -> None:
        try:
            self._end("failed", result)
        except FencegateError:
            pass  # the body's own error is the one to see

    def _end(self, how: str, result: Optional[str]) -> None:
        assert self._lease is not None
        held = core_of(self._lease)
        request = _requests.run_end(self._path, how, result)
        held.last_write_sent = True  # its success ends the lease
        self._core.submit(self._core.write(request, held, False)).result()
        held.released()
