"""The client for programs with threads.

    with Client.from_env() as fg:
        with fg.lock("payments/pay_42", ttl=30, wait=10):
            fg.payments.refund("pay_42", 2000, idempotency_key="refund-o-981")

Owns: names and arguments. The work is done by _core.py. Thread rule: any thread; not across a fork.
"""

from __future__ import annotations

import functools
import inspect
from datetime import datetime
from typing import Any, Callable, Iterator, Optional, TypeVar, Union, cast

from . import _requests
from ._acquire import Wish
from ._base import BaseClient
from ._watch import Event
from ._wire import Request
from .lock import Leadership, Lock, Run
from .payments import Payments
from .documents import LockState, RunState, Verdict

F = TypeVar("F", bound=Callable[..., Any])


class Client(BaseClient[Lock, Leadership, Run]):
    payments: Payments

    def _ready(self) -> None:
        self.payments = Payments(self._core)

    def _lock(self, wish: Wish) -> Lock:
        return Lock(self._core, wish)

    def _leadership(self, wish: Wish, election: str) -> Leadership:
        return Leadership(self._core, wish, election)

    def _run(self, wish: Wish, path: str) -> Run:
        return Run(self._core, wish, path)

    def locked(self, name: str, **options: Any) -> Callable[[F], F]:
        """A decorator; `{argument}` in the name is the call's argument of that name."""

        def decorate(function: F) -> F:
            signature = inspect.signature(function)

            @functools.wraps(function)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                with self.lock(name.format_map(bound.arguments), **options):
                    return function(*args, **kwargs)

            return cast(F, guarded)

        return decorate

    def watch(
        self,
        *,
        prefix: Optional[str] = None,
        lock: Optional[str] = None,
        last_event_id: Optional[str] = None,
    ) -> Iterator[Event]:
        """What happens to locks from now on, or behind that event. Comes back after outages; where
        events were missed there is one with `is_reset`."""
        source = self._core.events(_requests.watch_path(prefix, lock), last_event_id)

        async def one() -> Event:
            return await source.__anext__()

        try:
            while True:
                asked = self._core.submit(one())
                try:
                    yield asked.result()
                finally:
                    asked.cancel()
        finally:
            self._core.end_events(source)

    def inspect(self, lock: str) -> LockState:
        return cast(LockState, self._get(_requests.get_lock(lock)))

    def verify(self, lock: str, token: int) -> Verdict:
        """Before an effect that does not pass the gateway. True was true when it was said."""
        return cast(Verdict, self._get(_requests.verify_token(lock, token)))

    def run_state(self, job: str, slot: Union[str, datetime]) -> RunState:
        return cast(RunState, self._get(Request("GET", _requests.run_path(job, slot))))

    def close(self) -> None:
        """Leases that are still held are not renewed any more, and end by their TTL."""
        self._core.close().result()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get(self, request: Request) -> dict[str, Any]:
        return self._core.submit(self._core.call(request)).result().json()
