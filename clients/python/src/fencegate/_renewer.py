"""Renews all leases of a client and notices those that are lost.

Owns: when a lease is renewed, at most two connections for it, and the verdict "lost". It decides the
latter by the boot clock alone, so a call that hangs cannot delay it.
Refuses to own: releasing. Thread rule: the client's own loop only; `keep` from there too.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Optional

from . import _policy
from ._clock import boottime, slept
from ._connection import Endpoint, NotSent, Pool, Unanswered
from ._lease import LeaseCore, State
from ._wire import Reply, Request
from .errors import Refused, UntrustedGateway

CONNECTIONS = 2
_LOOK_FOR_SLEEP = 1.0
_NAP = 0.05  # clocks that differ by less were not suspended
_FINAL = {
    "fence_token_stale",
    "fence_not_holder",
    "lease_not_found",
    "unauthenticated",
    "forbidden",
    "max_hold_reached",
    "no_progress",
}


def ends_lease(error: Refused) -> bool:
    """Whether no later renewal can succeed. Everything else is tried again until the deadline."""
    return error.code in _FINAL or error.code.startswith("lease_")


class Renewer:
    def __init__(self, endpoint: Endpoint) -> None:
        self._line = Pool(endpoint, CONNECTIONS)
        self._loop = asyncio.get_running_loop()
        self._due: asyncio.PriorityQueue[tuple[float, int, LeaseCore]] = asyncio.PriorityQueue()
        self._order = itertools.count()
        self._failures: dict[LeaseCore, int] = {}  # since the last renewal that was answered well
        self._timers: dict[LeaseCore, asyncio.TimerHandle] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def keep(self, lease: LeaseCore) -> None:
        """Renews it until it is released or lost."""
        if not self._tasks:
            self._tasks = [self._loop.create_task(self._work()) for _ in range(CONNECTIONS)]
            self._tasks.append(self._loop.create_task(self._notice_sleep()))
        self._failures[lease] = 0
        self._watch(lease)
        self._renew_in(lease, _policy.renew_after(lease.deadline - boottime()))

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._line.close()

    def _watch(self, lease: LeaseCore) -> None:
        """A timer for the moment at which it is lost, set anew when it fires and was renewed."""
        timer = self._timers.pop(lease, None)
        if timer is not None:
            timer.cancel()
        if lease.state is not State.LIVE:
            self._failures.pop(lease, None)
            return
        left = lease.lost_at - boottime()
        if left > 0:
            self._timers[lease] = self._loop.call_later(left, self._watch, lease)
            return
        lease.lose("deadline_passed", "no renewal was answered in time")
        self._failures.pop(lease, None)

    async def _notice_sleep(self) -> None:
        """Timers stand still while the machine does; the deadlines have gone on."""
        before = slept()
        while True:
            await asyncio.sleep(_LOOK_FOR_SLEEP)
            now = slept()
            if now - before > _NAP:
                for lease in list(self._timers):
                    self._watch(lease)
            before = now

    def _renew_in(self, lease: LeaseCore, pause: float) -> None:
        self._loop.call_later(max(pause, 0.0), self._enqueue, lease)

    def _enqueue(self, lease: LeaseCore) -> None:
        """Who has the least time left goes first."""
        self._due.put_nowait((lease.lost_at, next(self._order), lease))

    async def _work(self) -> None:
        while True:
            lease = (await self._due.get())[2]
            if lease.state is not State.LIVE or lease.at_its_longest:
                continue
            try:
                answered = await self._renew(lease)
            except Exception:  # a bug, but a worker that ended would renew nobody
                answered = False
                self._again(lease, None)
            if not answered:
                # The line is down for all; the next of a thousand would not fare better.
                await asyncio.sleep(_policy.backoff(1, lease.ttl / 10))

    async def _renew(self, lease: LeaseCore) -> bool:
        """False if there was no answer."""
        sent_at = boottime()
        timeout = min(_policy.renewal_timeout(lease.ttl), max(lease.lost_at - sent_at, 0.02))
        try:
            reply: Optional[Reply] = await self._line.send(renewal(lease), timeout)
        except (NotSent, Unanswered, UntrustedGateway):
            reply = None
        if reply is not None and reply.ok:
            lease.renewed(sent_at, reply.json())
            self._failures[lease] = 0
            left = lease.deadline - sent_at
            self._renew_in(lease, sent_at + _policy.renew_after(left) - boottime())
        elif reply is not None and ends_lease(reply.error()):
            error = reply.error()
            lease.lose(error.code, error.detail)
            self._watch(lease)
        else:
            self._again(lease, None if reply is None else reply.retry_after)
        return reply is not None

    def _again(self, lease: LeaseCore, retry_after: Optional[float]) -> None:
        failures = self._failures.get(lease, 0)
        self._failures[lease] = failures + 1
        left = lease.lost_at - boottime()
        self._renew_in(lease, _policy.renewal_pause(failures, retry_after, left))


def renewal(lease: LeaseCore) -> Request:
    body = {} if lease.progress is None else {"progress": lease.progress}
    return Request("POST", f"/v1/leases/{lease.id}/renew", body)
