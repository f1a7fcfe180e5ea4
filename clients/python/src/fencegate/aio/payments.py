"""Money, for asyncio. Every write takes its key as an argument: make it before the first
attempt, from what is to happen, and keep it with that. A key by chance does not survive a crash, and
whoever takes the job over would pay again.

Thread rule: any loop. A call that is cancelled may have happened: repeat it under its key.
"""

from __future__ import annotations

import asyncio
from typing import Any, Coroutine, Optional, cast

from .. import _requests
from .._core import Core
from .._lease import covering
from .._wire import Reply, Request
from ..lease import HeldLease, core_of, lease_for
from ..documents import Metadata, Payment, Refund


class Payments:
    """Captures, refunds and cancels need a lease on `payments/ID`: that of the `with` around them, or
    the one passed. Fails with: FenceRefused, IdempotencyMismatch, OutcomeUnknown, other Refused."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def create(
        self,
        amount: int,
        currency: str,
        *,
        idempotency_key: str,
        id: Optional[str] = None,
        capture: bool = True,
        reference: Optional[str] = None,
        metadata: Optional[Metadata] = None,
        lease: Optional[HeldLease] = None,
        release: bool = False,
    ) -> Payment:
        """amount: minor units. A lease is not needed; one that covers the new payment is sent along."""
        request = _requests.create_payment(
            amount,
            currency,
            idempotency_key,
            id=id,
            capture=capture,
            reference=reference,
            metadata=metadata,
        )
        around = None if id is None else covering(_requests.payment_lock(id))
        holder = around if lease is None else core_of(lease)
        reply = await self._ask(self._core.write(request, holder, release))
        return cast(Payment, reply.json())

    async def capture(
        self,
        payment: str,
        amount: Optional[int] = None,
        *,
        idempotency_key: str,
        reason: Optional[str] = None,
        if_version: Optional[int] = None,
        lease: Optional[HeldLease] = None,
        release: bool = False,
    ) -> Payment:
        """amount: the rest if absent. release: this is the last write, the lease ends with it."""
        request = _requests.move_payment(
            payment, "captures", idempotency_key, amount=amount, reason=reason, if_version=if_version
        )
        return cast(Payment, (await self._move(payment, request, lease, release)).json())

    async def refund(
        self,
        payment: str,
        amount: Optional[int] = None,
        *,
        idempotency_key: str,
        reason: Optional[str] = None,
        if_version: Optional[int] = None,
        lease: Optional[HeldLease] = None,
        release: bool = False,
    ) -> Refund:
        """amount: the rest if absent. release: this is the last write, the lease ends with it."""
        request = _requests.move_payment(
            payment, "refunds", idempotency_key, amount=amount, reason=reason, if_version=if_version
        )
        return cast(Refund, (await self._move(payment, request, lease, release)).json())

    async def cancel(
        self,
        payment: str,
        *,
        idempotency_key: str,
        reason: Optional[str] = None,
        if_version: Optional[int] = None,
        lease: Optional[HeldLease] = None,
        release: bool = False,
    ) -> Payment:
        request = _requests.move_payment(
            payment, "cancel", idempotency_key, reason=reason, if_version=if_version
        )
        return cast(Payment, (await self._move(payment, request, lease, release)).json())

    async def get(self, payment: str) -> Payment:
        request = _requests.get_payment(payment)
        return cast(Payment, (await self._ask(self._core.call(request))).json())

    async def _ask(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        return await asyncio.wrap_future(self._core.submit(work))

    async def _move(
        self, payment: str, request: Request, lease: Optional[HeldLease], release: bool
    ) -> Reply:
        holder = lease_for(_requests.payment_lock(payment), lease)
        return await self._ask(self._core.write(request, holder, release))
