"""Getting a lease: rounds of waiting under one key, and no lease left behind when that is given up.

Owns: the key of an acquire, the rounds, what each answer means for the wait.
Invariant 1: one key is one wish for the lock; it is repeated only for its own retries.
Invariant 2: a lease that is returned has its deadline from a request that was answered at once.
Invariant 3: a wish that is given up is settled: a grant that came all the same is released.
Thread rule: the client's own loop only.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from . import _policy
from ._calls import Attempts, call
from ._clock import boottime
from ._connection import NotSent, Pool, Unanswered
from ._lease import LeaseCore
from ._renewer import renewal
from ._wire import Reply, Request, uuid7
from .errors import FencegateError, Refused

_WAITED_FOR = ("lock_held", "run_not_due", "queue_full", "quota_exceeded")
_TIMED_OUT = 408
_ENDED_LEASE = 410
_SETTLE = 10.0


@dataclass(frozen=True)
class Wish:
    """What is wanted: a path, and the members that go with it. wait: seconds, None for ever."""

    path: str
    body: Mapping[str, Any] = field(default_factory=dict)
    wait: Optional[float] = 0.0

    def request(self, key: str, wait: float) -> Request:
        body = dict(self.body)
        if wait > 0:
            body["wait_ms"] = math.ceil(wait * 1000)
        return Request("POST", self.path, body, {"Idempotency-Key": key})


class Acquire:
    def __init__(self, pool: Pool, wish: Wish, budget: float) -> None:
        self._pool = pool
        self._wish = wish
        now = boottime()
        self._waits_until = math.inf if wish.wait is None else now + wish.wait
        self._answer_until = max(self._waits_until, now + budget)
        self._key = uuid7()
        self._attempts = Attempts(wish.request(self._key, 0))
        self._pauses = 0
        self._unsettled = False  # a request of this key left and was not answered

    async def run(self) -> LeaseCore:
        """Fails with: LockHeld, RunNotDue, Overloaded, other Refused, OutcomeUnknown, Unreachable."""
        try:
            while True:
                lease = await self._round()
                if lease is not None:
                    return lease
        except BaseException:
            if self._unsettled:
                leave_no_lease(self._pool, self._wish, self._key)
            raise

    async def _round(self) -> Optional[LeaseCore]:
        """None: ask again."""
        sent_at = boottime()
        wait = max(0.0, min(_policy.ROUND, self._waits_until - sent_at))
        before, self._unsettled = self._unsettled, True
        try:
            request = self._wish.request(self._key, wait)
            reply = await self._pool.send(request, wait + _policy.ATTEMPT)
        except (NotSent, Unanswered) as error:
            self._unsettled = before or isinstance(error, Unanswered)
            await self._pause(self._attempts.failed(error), None, self._answer_until)
            return None
        # An answer about the key settles all its attempts; one about the gateway only its own.
        about_the_key = reply.status < 500 and reply.status != _TIMED_OUT
        self._unsettled = not about_the_key and (before or reply.outcome_unknown)
        if reply.ok:
            return await self._take(reply, sent_at)
        await self._refused(reply, sent_at + wait)
        return None

    async def _refused(self, reply: Reply, round_ends: float) -> None:
        error = reply.error()
        if reply.status == _ENDED_LEASE:
            self._key = uuid7()  # granted, the reply was lost, and it ran out: a new wish
            await self._pause(error, None, self._answer_until)
        elif error.code in _WAITED_FOR:
            retry_after = error.retry_after if error.code != "lock_held" else None
            if error.code == "lock_held" and boottime() + 0.01 >= round_ends < self._waits_until:
                return  # the round is over and the wait is not: take up the place at once
            await self._pause(error, retry_after, self._waits_until)
        elif error.retryable:
            await self._pause(self._attempts.refused(reply), error.retry_after, self._answer_until)
        else:
            raise error

    async def _pause(
        self, failure: FencegateError, retry_after: Optional[float], until: float
    ) -> None:
        self._pauses += 1
        pause = _policy.after_refusal(self._pauses, retry_after)
        if boottime() + pause >= until:
            raise failure
        await asyncio.sleep(pause)

    async def _take(self, reply: Reply, sent_at: float) -> Optional[LeaseCore]:
        """A grant that was waited for tells no deadline, so it is renewed before it is handed over."""
        granted = reply.json()
        lease = LeaseCore(granted, sent_at)
        if lease.deadline - boottime() >= 2 / 3 * lease.ttl:
            return lease
        self._unsettled = True
        while True:
            sent_at = boottime()
            try:
                answer = await call(self._pool, renewal(lease), lease.ttl)
            except Refused as error:
                self._unsettled = False
                if error.status != _ENDED_LEASE:
                    raise
                self._key = uuid7()
                await self._pause(error, None, self._answer_until)
                return None
            fresh = LeaseCore({**granted, **answer.json()}, sent_at)
            if boottime() < fresh.lost_at:
                self._unsettled = False
                return fresh


def leave_no_lease(pool: Pool, wish: Wish, key: str) -> None:
    """In the background: asks once more without waiting, and releases what that finds granted."""
    task = asyncio.get_running_loop().create_task(_settle(pool, wish, key))
    _settling.add(task)
    task.add_done_callback(_settling.discard)


_settling: set[asyncio.Task[None]] = set()  # the loop alone would let go of them


async def _settle(pool: Pool, wish: Wish, key: str) -> None:
    try:
        reply = await call(pool, wish.request(key, 0), _SETTLE)
        lease_id = reply.json()["lease_id"]
        await call(pool, Request("DELETE", f"/v1/leases/{lease_id}"), _SETTLE)
    except (FencegateError, ValueError, KeyError):
        pass  # nothing was granted, or it ends by its TTL
