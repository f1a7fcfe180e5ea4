"""Locks, leadership and runs as `async with` blocks.

Owns: the cancellation of a body whose lease is lost, and the order at its end: the body has ended, then
the lease is released. The body's own error is never hidden.
Thread rule: a Lock object belongs to one task.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Mapping, Optional, cast

from .. import _lease, _requests
from .._acquire import Wish
from .._core import Core, Ticket
from ..errors import FencegateError, LeaseLost, LockHeld
from ..lease import HeldLease, core_of


class Lease(HeldLease):
    def __init__(self, core: Core, held: _lease.LeaseCore) -> None:
        super().__init__(held)
        self._client = core

    async def release(self) -> bool:
        """Never raises but for cancellation. False if no answer came: it ends by its TTL then."""
        asked = self._client.submit(self._client.release(self._core))
        return await asyncio.shield(asyncio.wrap_future(asked))

    async def lost(self) -> LeaseLost:
        """Returns when it is lost; never if it is released."""
        loop = asyncio.get_running_loop()
        told: asyncio.Future[LeaseLost] = loop.create_future()

        def tell(loss: LeaseLost) -> None:
            if not told.done():
                told.set_result(loss)

        def ended(loss: Optional[LeaseLost]) -> None:
            if loss is not None:
                _on(loop, tell, loss)

        self._core.on_end(ended)
        return await told


def _on(loop: asyncio.AbstractEventLoop, call: Any, *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(call, *args)
    except RuntimeError:
        pass  # that loop is closed: nobody is left to be told


class Lock:
    """`async with lock as lease:`, or acquire and release. Not reentrant."""

    def __init__(self, core: Core, wish: Wish) -> None:
        self._core = core
        self._wish = wish
        self._lease: Optional[Lease] = None
        self._body: Optional[asyncio.Task[Any]] = None
        self._cancelled: Optional[LeaseLost] = None

    async def acquire(self, blocking: bool = True, timeout: Optional[float] = None) -> bool:
        """False if it is held by another and the wait is over. Its loss cancels nothing."""
        wait = 0.0 if not blocking else self._wish.wait if timeout is None else timeout
        try:
            await self._take(replace(self._wish, wait=wait))
        except LockHeld:
            return False
        return True

    async def take(self) -> Lease:
        """As `acquire`, for whoever wants the lease, or LockHeld with what it tells."""
        return await self._take(self._wish)

    async def release(self) -> bool:
        """Fails with: RuntimeError if this object holds nothing."""
        return await self._forget().release()

    @property
    def lease(self) -> Optional[Lease]:
        return self._lease

    def owned(self) -> bool:
        return self._lease is not None and self._lease.is_live

    async def locked(self) -> bool:
        """By anybody, asked of the gateway. REQUIRES: a single lock."""
        name = self._wish.path.partition("/v1/locks/")[2]
        reply = await asyncio.wrap_future(self._core.submit(self._core.call(_requests.get_lock(name))))
        return bool(reply.json()["state"] == "held")

    def _make(self, held: _lease.LeaseCore) -> Lease:
        return Lease(self._core, held)

    async def _take(self, wish: Wish) -> Lease:
        if self._lease is not None:
            raise RuntimeError("this lock object holds its lock already")
        ticket = Ticket()
        asked = self._core.submit(self._core.acquire(wish, ticket))
        try:
            held = await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            self._core.give_up(ticket, asked)
            raise
        self._lease = self._make(held)
        _lease.enter(held)
        return self._lease

    def _forget(self) -> Lease:
        if self._lease is None:
            raise RuntimeError("this lock object holds nothing")
        lease, self._lease, self._body = self._lease, None, None
        _lease.leave(core_of(lease))
        return lease

    async def __aenter__(self) -> Lease:
        lease = await self._take(self._wish)
        self._cancelled = None
        self._body = asyncio.current_task()
        loop = asyncio.get_running_loop()

        def ended(loss: Optional[LeaseLost]) -> None:
            if loss is not None:
                _on(loop, self._cancel, lease, loss)

        core_of(lease).on_end(ended)
        return lease

    def _cancel(self, lease: Lease, loss: LeaseLost) -> None:
        """Of a body that has ended, or of a later one, there is nothing to cancel."""
        if self._body is not None and self._lease is lease:
            self._cancelled = loss
            self._body.cancel()

    async def __aexit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        if self._lease is None:
            return
        body = self._body
        lease = self._forget()
        loss = core_of(lease).loss
        cancelled_by_others = self._uncancel(body)
        await self._end(lease, error)
        if loss is None or cancelled_by_others:
            return
        if error is None or (self._cancelled and isinstance(error, asyncio.CancelledError)):
            raise loss

    async def _end(self, lease: Lease, error: Optional[BaseException]) -> None:
        await lease.release()

    def _uncancel(self, body: Optional[asyncio.Task[Any]]) -> bool:
        """Takes our cancellation back; true if somebody else has cancelled too (Python 3.11 on)."""
        uncancel = getattr(body, "uncancel", None)
        return self._cancelled is not None and uncancel is not None and uncancel() > 0


class Leader(Lease):
    def __init__(self, core: Core, held: _lease.LeaseCore, election: str) -> None:
        super().__init__(core, held)
        self._election = election

    async def proclaim(self, value: Mapping[str, Any]) -> None:
        """What observers see. Fails with: FenceRefused once another leads."""
        request = _requests.proclamation(self._election, value)
        await asyncio.wrap_future(
            self._client.submit(self._client.write(request, self._core, False))
        )


class Leadership(Lock):
    def __init__(self, core: Core, wish: Wish, election: str) -> None:
        super().__init__(core, wish)
        self._election = election

    def _make(self, held: _lease.LeaseCore) -> Lease:
        return Leader(self._core, held, self._election)

    async def __aenter__(self) -> Leader:
        return cast(Leader, await super().__aenter__())


class RunLease(Lease):
    """`result`: up to 1 KiB of text that is kept with the run."""

    result: Optional[str] = None


class Run(Lock):
    """Says `done` when the body ends well, `failed` when it raises, nothing when the lease is lost."""

    def __init__(self, core: Core, wish: Wish, path: str) -> None:
        super().__init__(core, wish)
        self._path = path

    def _make(self, held: _lease.LeaseCore) -> Lease:
        return RunLease(self._core, held)

    async def __aenter__(self) -> RunLease:
        return cast(RunLease, await super().__aenter__())

    async def _end(self, lease: Lease, error: Optional[BaseException]) -> None:
        held = core_of(lease)
        result = cast(RunLease, lease).result
        try:
            if held.loss is None:
                how = "done" if error is None else "failed"
                told = result if error is None else result or type(error).__name__
                request = _requests.run_end(self._path, how, told)
                held.last_write_sent = True  # its success ends the lease
                asked = self._core.submit(self._core.write(request, held, False))
                await asyncio.shield(asyncio.wrap_future(asked))
                held.released()
        except FencegateError:
            if error is None:
                raise
        finally:
            await lease.release()
