"""Driver of fencegate.aio.Client. A command has a task of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from fencegate import Event, aio

from told import seconds, tell, told_error, told_lease, told_state


class Commands:
    client: aio.Client

    def __init__(self) -> None:
        self.locks: dict[str, aio.Lock] = {}
        self.many_locks: list[aio.Lock] = []
        self.events: dict[str, asyncio.Queue[Event]] = {}
        self.pending: dict[str, asyncio.Task[Any]] = {}
        self.watching: list[asyncio.Task[None]] = []

    async def hello(self, asked: dict[str, Any]) -> Any:
        return {"client": "python asyncio", "can": ["cancel_wait", "cancel_body"]}

    async def open(self, asked: dict[str, Any]) -> Any:
        timeout = seconds(asked, "timeout_ms")
        self.client = aio.Client(asked["url"], key=asked["key"], ca=asked["ca"], timeout=timeout)

    def lock_of(self, asked: dict[str, Any]) -> aio.Lock:
        ttl, wait = seconds(asked, "ttl_ms", 5000), seconds(asked, "wait_ms", 0)
        if "locks" in asked:
            return self.client.lock_all(asked["locks"], ttl=ttl, wait=wait)
        return self.client.lock(asked["lock"], ttl=ttl, wait=wait)

    async def acquire(self, asked: dict[str, Any]) -> Any:
        lock = self.lock_of(asked)
        task = asyncio.create_task(lock.take())
        self.pending[asked["lease"]] = task
        lease = await task
        self.locks[asked["lease"]] = lock
        return told_lease(lease)

    async def cancel(self, asked: dict[str, Any]) -> Any:
        self.pending[asked["lease"]].cancel()

    async def state(self, asked: dict[str, Any]) -> Any:
        return told_state(self.locks[asked["lease"]].lease)

    async def await_lost(self, asked: dict[str, Any]) -> Any:
        lease = self.locks[asked["lease"]].lease
        assert lease is not None
        await asyncio.wait_for(lease.lost(), 20)
        return told_state(lease)

    async def release(self, asked: dict[str, Any]) -> Any:
        lease = self.locks[asked["lease"]].lease
        assert lease is not None
        return {"told": await lease.release()}

    async def scope(self, asked: dict[str, Any]) -> Any:
        async with self.lock_of(asked):
            tell(event="entered")
            try:
                if "refund" in asked:
                    await self.client.payments.refund(**asked["refund"])
                if asked.get("until") == "lost":
                    await asyncio.sleep(20)
            except asyncio.CancelledError:
                tell(event="cancelled")
                await asyncio.sleep(seconds(asked, "then_ms", 0))
                raise
            finally:
                tell(event="body_ended")

    async def create(self, asked: dict[str, Any]) -> Any:
        return await self.client.payments.create(
            asked["amount"], asked["currency"], id=asked["payment"], idempotency_key=asked["key"]
        )

    async def refund(self, asked: dict[str, Any]) -> Any:
        held = self.locks.get(asked.get("lease", ""))
        return await self.client.payments.refund(
            asked["payment"],
            asked.get("amount"),
            idempotency_key=asked["key"],
            release=asked.get("release", False),
            lease=None if held is None else held.lease,
        )

    async def run(self, asked: dict[str, Any]) -> Any:
        async with self.client.run_once(asked["job"], asked["slot"], ttl=5) as run:
            run.result = asked.get("result")
            if asked.get("fails"):
                raise ArithmeticError("as the scenario wants it")

    async def many(self, asked: dict[str, Any]) -> Any:
        names = [f"{asked['prefix']}{number}" for number in range(asked["count"])]
        ttl = seconds(asked, "ttl_ms")
        self.many_locks = [self.client.lock(name, ttl=ttl, wait=0) for name in names]
        at_once = asyncio.Semaphore(asked["at_once"])

        async def one(lock: aio.Lock) -> bool:
            async with at_once:
                return await lock.acquire()

        return {"granted": sum(await asyncio.gather(*(one(lock) for lock in self.many_locks)))}

    async def many_state(self, asked: dict[str, Any]) -> Any:
        return {"live": sum(lock.owned() for lock in self.many_locks)}

    async def watch(self, asked: dict[str, Any]) -> Any:
        events = self.events[asked["watch"]] = asyncio.Queue()

        async def read() -> None:
            async for event in self.client.watch(prefix=asked["prefix"]):
                events.put_nowait(event)

        self.watching.append(asyncio.create_task(read()))

    async def next(self, asked: dict[str, Any]) -> Any:
        event = await asyncio.wait_for(self.events[asked["watch"]].get(), 20)
        return {"kind": event.kind, "data": event.data, "event_id": event.id}


async def answer(commands: Commands, asked: dict[str, Any]) -> None:
    try:
        tell(id=asked["id"], ok=await getattr(commands, asked["do"])(asked) or {})
    except asyncio.CancelledError:
        tell(id=asked["id"], error={"type": "Cancelled"})
    except Exception as error:
        tell(id=asked["id"], error=told_error(error))


async def main() -> None:
    commands = Commands()
    loop = asyncio.get_running_loop()
    tasks = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.create_task(answer(commands, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main())
