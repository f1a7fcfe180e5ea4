"""One call, however many attempts it takes: same key, `Retry-After`, chance, one budget.

Owns: which failures are tried again, and what is told when the budget is spent.
Invariant: once an attempt may have reached the gateway, only an answer that is final for the key ends
the call with a refusal; anything else is OutcomeUnknown.
Thread rule: the client's own loop only.
"""

from __future__ import annotations

import asyncio
from typing import Optional

from . import _policy
from ._clock import boottime
from ._connection import NotSent, Pool, Unanswered
from ._wire import Reply, Request
from .errors import FencegateError, OutcomeUnknown, Refused, Unreachable


class Attempts:
    """What the attempts of one call have in common."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.made = 0
        self.may_have_happened = False

    def failed(self, error: Exception) -> FencegateError:
        """Counts it; returns what to tell if there is no other attempt."""
        self.made += 1
        if isinstance(error, Unanswered) and not self._request.reads:
            self.may_have_happened = True
        return self._verdict(Unreachable(str(error)))

    def refused(self, reply: Reply) -> FencegateError:
        """The same for an answer that may be another one later."""
        self.made += 1
        if reply.outcome_unknown and not self._request.reads:
            self.may_have_happened = True
        return self._verdict(reply.error())

    def _verdict(self, error: FencegateError) -> FencegateError:
        if not self.may_have_happened:
            return error
        told = OutcomeUnknown(f"whether it happened is not known: {error}", self._request.key)
        told.__cause__ = error
        return told


async def call(pool: Pool, request: Request, budget: float) -> Reply:
    """Fails with: Refused, OutcomeUnknown, Unreachable, UntrustedGateway."""
    ends_at = boottime() + budget
    attempts = Attempts(request)
    while True:
        retry_after: Optional[float] = None
        left = ends_at - boottime()
        try:
            reply = await pool.send(request, max(min(_policy.ATTEMPT, left), 0.01))
        except (NotSent, Unanswered) as error:
            failure = attempts.failed(error)
        else:
            if reply.ok:
                return reply
            if not is_worth_repeating(reply.error()):
                raise reply.error()
            failure = attempts.refused(reply)
            retry_after = reply.retry_after
        pause = _policy.after_refusal(attempts.made, retry_after)
        if boottime() + pause >= ends_at:
            raise failure
        await asyncio.sleep(pause)


def is_worth_repeating(error: Refused) -> bool:
    """The gateway says so; whether a lock is free or a run due is for the caller to wait for."""
    return error.retryable and error.code not in ("lock_held", "run_not_due")
