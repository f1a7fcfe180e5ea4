"""The engine of a client: one thread with one loop, which both faces (threads and asyncio) ask.

Owns: the thread, the pool for calls, the renewer. So a holder whose own thread or loop is busy is
renewed all the same, and a thousand leases cost one thread.
Refuses to own: what a method is called (client.py, aio.py).
Thread rule: any thread but the core's own; a forked child is refused, because no thread survives a
fork and nobody would renew.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import ssl
import threading
from dataclasses import replace
from typing import Any, AsyncGenerator, Coroutine, Mapping, Optional, TypeVar, Union
from urllib.parse import urlsplit

from . import _policy
from ._acquire import Acquire, Wish
from ._calls import call
from ._clock import boottime
from ._connection import Endpoint, Pool
from ._lease import LeaseCore
from ._renewer import Renewer
from ._watch import Event, events
from ._wire import Reply, Request
from .errors import FencegateError, FenceRefused, Refused

T = TypeVar("T")
_RELEASE_BUDGET = 5.0
_DEAD_TOKEN = {
    "fence_token_stale",
    "fence_token_unknown",
    "lease_expired",
    "lease_released",
    "lease_broken",
}
StrPath = Union[str, "os.PathLike[str]"]


def endpoint(url: str, key: Optional[str], ca: Optional[StrPath]) -> Endpoint:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"not the address of a gateway, https://HOST[:PORT]: {url!r}")
    if key is not None and (not key.isascii() or not key.isprintable() or " " in key):
        raise ValueError("an API key is printable ASCII")
    tls = ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return Endpoint(parts.hostname, parts.port or 8443, tls, key)


def settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """FENCEGATE_URL, FENCEGATE_CA, FENCEGATE_KEY_FILE: those of the fencegate program."""
    key_file = environ.get("FENCEGATE_KEY_FILE")
    key: Optional[str] = None
    if key_file is not None:
        with open(key_file, encoding="ascii") as file:
            key = file.read().strip()
    url = environ.get("FENCEGATE_URL", "https://127.0.0.1:8443")
    return {"url": url, "ca": environ.get("FENCEGATE_CA"), "key": key}


class Ticket:
    """Who has a grant: the caller that waits for it, or nobody any more. The first word counts."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._given_up = False
        self._lease: Optional[LeaseCore] = None

    def hand_over(self, lease: LeaseCore) -> bool:
        with self._guard:
            if not self._given_up:
                self._lease = lease
            return not self._given_up

    def give_up(self) -> Optional[LeaseCore]:
        """The lease, if it was handed over already."""
        with self._guard:
            self._given_up = True
            return self._lease


class Core:
    def __init__(self, to: Endpoint, timeout: float = _policy.ANSWER) -> None:
        self.timeout = timeout
        self._endpoint = to
        self._pid = os.getpid()
        self._guard = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._closed = False
        self._pool = Pool(to)
        self._renewer: Optional[Renewer] = None

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        try:
            loop = self._running()
        except BaseException:
            work.close()
            raise
        return asyncio.run_coroutine_threadsafe(work, loop)

    async def call(self, request: Request) -> Reply:
        return await call(self._pool, request, self.timeout)

    async def acquire(self, wish: Wish, ticket: Ticket) -> LeaseCore:
        lease = await Acquire(self._pool, wish, self.timeout).run()
        if self._renewer is None:
            self._renewer = Renewer(self._endpoint)
        self._renewer.keep(lease)
        if not ticket.hand_over(lease):
            await self.release(lease)
            raise asyncio.CancelledError
        return lease

    async def write(self, request: Request, lease: Optional[LeaseCore], release: bool) -> Reply:
        """Under the lease's token. The fence decides, not our clock: a lost lease may send too."""
        headers = dict(request.headers)
        if lease is not None:
            headers["X-Fence-Token"] = str(lease.token)
        if release:
            headers["X-Fence-Release"] = "1"
        try:
            if lease is not None and release:
                lease.last_write_sent = True
            reply = await self.call(replace(request, headers=headers))
        except Refused as error:
            if lease is not None:
                lease.last_write_sent = False
                if isinstance(error, FenceRefused) and error.code in _DEAD_TOKEN:
                    lease.lose(error.code, error.detail)
            raise
        if lease is not None and reply.headers.get("x-fence-status") == "released":
            lease.released()
        return reply

    def give_up(self, ticket: Ticket, asked: concurrent.futures.Future[LeaseCore]) -> None:
        """For a caller that stops waiting: whatever was or will be granted is released."""
        lease = ticket.give_up()
        if lease is None:
            asked.cancel()
        else:
            self.submit(self.release(lease))

    async def release(self, lease: LeaseCore) -> bool:
        """True if the gateway said that it is over; else it ends by its TTL. Never raises."""
        if not lease.begin_release():
            return True
        budget = min(_RELEASE_BUDGET, max(1.0, lease.deadline - boottime()))
        try:
            await call(self._pool, Request("DELETE", f"/v1/leases/{lease.id}"), budget)
            return True
        except FencegateError as error:
            return getattr(error, "status", None) == 410
        finally:
            lease.released()

    def events(self, path: str, last_id: Optional[str]) -> AsyncGenerator[Event, None]:
        return events(self._endpoint, path, last_id)

    def end_events(self, source: AsyncGenerator[Event, None]) -> None:
        async def end() -> None:
            for _ in range(100):  # whoever waits for its next event was cancelled, and is on the way out
                try:
                    return await source.aclose()
                except RuntimeError:
                    await asyncio.sleep(0)

        try:
            self.submit(end())
        except RuntimeError:
            pass  # the client is closed, and with it all streams

    def close(self) -> concurrent.futures.Future[None]:
        """Stops renewing. Leases that are not released end by their TTL."""
        with self._guard:
            loop, self._loop, self._closed = self._loop, None, True
        if loop is None or os.getpid() != self._pid:
            nothing: concurrent.futures.Future[None] = concurrent.futures.Future()
            nothing.set_result(None)
            return nothing
        return asyncio.run_coroutine_threadsafe(self._stop(loop), loop)

    async def _stop(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._renewer is not None:
            await self._renewer.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._pool.close()
        loop.call_later(0, loop.stop)  # after whoever waits for this was told

    def _running(self) -> asyncio.AbstractEventLoop:
        if os.getpid() != self._pid:
            raise RuntimeError("this client was made before a fork: make one in each process")
        with self._guard:
            if self._closed:
                raise RuntimeError("this client is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._serve, args=(self._loop,), daemon=True).start()
            return self._loop

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        threading.current_thread().name = "fencegate"
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            loop.close()
