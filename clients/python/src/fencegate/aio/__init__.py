"""The client for asyncio.

    async with aio.Client.from_env() as fg:
        async with fg.lock("payments/pay_42", ttl=30, wait=10):
            await fg.payments.refund("pay_42", 2000, idempotency_key="refund-o-981")

When a lease is lost, the body of its `async with` is cancelled, and once that has ended LeaseLost is
raised. Renewals run on a thread of their own, so a busy loop does not lose its leases.
Thread rule: any loop; not across a fork.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, AsyncIterator, Coroutine, Optional, TypeVar, Union, cast

from .. import _requests
from .._acquire import Wish
from .._base import BaseClient
from .._watch import Event
from .._wire import Request
from ..documents import LockState, RunState, Verdict
from .locks import Leader, Leadership, Lease, Lock, Run, RunLease
from .payments import Payments

__all__ = ["Client", "Leader", "Leadership", "Lease", "Lock", "Payments", "Run", "RunLease"]
T = TypeVar("T")


class Client(BaseClient[Lock, Leadership, Run]):
    """As fencegate.Client, with `await` and `async with`."""

    payments: Payments

    def _ready(self) -> None:
        self.payments = Payments(self._core)

    def _lock(self, wish: Wish) -> Lock:
        return Lock(self._core, wish)

    def _leadership(self, wish: Wish, election: str) -> Leadership:
        return Leadership(self._core, wish, election)

    def _run(self, wish: Wish, path: str) -> Run:
        return Run(self._core, wish, path)

    async def watch(
        self,
        *,
        prefix: Optional[str] = None,
        lock: Optional[str] = None,
        last_event_id: Optional[str] = None,
    ) -> AsyncIterator[Event]:
        source = self._core.events(_requests.watch_path(prefix, lock), last_event_id)

        async def one() -> Event:
            return await source.__anext__()

        try:
            while True:
                yield await self._ask(one())
        finally:
            self._core.end_events(source)

    async def inspect(self, lock: str) -> LockState:
        return cast(LockState, await self._get(_requests.get_lock(lock)))

    async def verify(self, lock: str, token: int) -> Verdict:
        return cast(Verdict, await self._get(_requests.verify_token(lock, token)))

    async def run_state(self, job: str, slot: Union[str, datetime]) -> RunState:
        return cast(RunState, await self._get(Request("GET", _requests.run_path(job, slot))))

    async def close(self) -> None:
        await asyncio.wrap_future(self._core.close())

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self._core.submit(work))

    async def _get(self, request: Request) -> dict[str, Any]:
        return (await self._ask(self._core.call(request))).json()
