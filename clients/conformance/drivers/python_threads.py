"""Driver of fencegate.Client. A command has a thread of its own."""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fencegate import Client, Event, Lock

from told import seconds, tell, told_error, told_lease, told_state


class Commands:
    client: Client

    def __init__(self) -> None:
        self.locks: dict[str, Lock] = {}
        self.many_locks: list[Lock] = []
        self.events: dict[str, list[Event]] = {}
        self.changed = threading.Condition()

    def hello(self, asked: dict[str, Any]) -> Any:
        return {"client": "python threads", "can": []}

    def open(self, asked: dict[str, Any]) -> Any:
        timeout = seconds(asked, "timeout_ms")
        self.client = Client(asked["url"], key=asked["key"], ca=asked["ca"], timeout=timeout)

    def lock_of(self, asked: dict[str, Any]) -> Lock:
        ttl, wait = seconds(asked, "ttl_ms", 5000), seconds(asked, "wait_ms", 0)
        if "locks" in asked:
            return self.client.lock_all(asked["locks"], ttl=ttl, wait=wait)
        return self.client.lock(asked["lock"], ttl=ttl, wait=wait)

    def acquire(self, asked: dict[str, Any]) -> Any:
        lock = self.lock_of(asked)
        lease = lock.take()
        self.locks[asked["lease"]] = lock
        return told_lease(lease)

    def state(self, asked: dict[str, Any]) -> Any:
        return told_state(self.locks[asked["lease"]].lease)

    def await_lost(self, asked: dict[str, Any]) -> Any:
        lease = self.locks[asked["lease"]].lease
        assert lease is not None and lease.lost.wait(20)
        return told_state(lease)

    def release(self, asked: dict[str, Any]) -> Any:
        lease = self.locks[asked["lease"]].lease
        assert lease is not None
        return {"told": lease.release()}

    def scope(self, asked: dict[str, Any]) -> Any:
        """The body ends when the lease is lost and then_ms have gone by: `with` cannot cancel it."""
        with self.lock_of(asked) as lease:
            tell(event="entered")
            if "refund" in asked:
                self.client.payments.refund(**asked["refund"])
            if asked.get("until") == "lost":
                lease.lost.wait(20)
                tell(event="cancelled")
                threading.Event().wait(seconds(asked, "then_ms", 0))
            tell(event="body_ended")

    def create(self, asked: dict[str, Any]) -> Any:
        return self.client.payments.create(
            asked["amount"], asked["currency"], id=asked["payment"], idempotency_key=asked["key"]
        )

    def refund(self, asked: dict[str, Any]) -> Any:
        held = self.locks.get(asked.get("lease", ""))
        return self.client.payments.refund(
            asked["payment"],
            asked.get("amount"),
            idempotency_key=asked["key"],
            release=asked.get("release", False),
            lease=None if held is None else held.lease,
        )

    def run(self, asked: dict[str, Any]) -> Any:
        with self.client.run_once(asked["job"], asked["slot"], ttl=5) as run:
            run.result = asked.get("result")
            if asked.get("fails"):
                raise ArithmeticError("as the scenario wants it")

    def many(self, asked: dict[str, Any]) -> Any:
        names = [f"{asked['prefix']}{number}" for number in range(asked["count"])]
        ttl = seconds(asked, "ttl_ms")
        self.many_locks = [self.client.lock(name, ttl=ttl, wait=0) for name in names]
        with ThreadPoolExecutor(asked["at_once"]) as pool:
            return {"granted": sum(pool.map(Lock.acquire, self.many_locks))}

    def many_state(self, asked: dict[str, Any]) -> Any:
        return {"live": sum(lock.owned() for lock in self.many_locks)}

    def watch(self, asked: dict[str, Any]) -> Any:
        events = self.events[asked["watch"]] = []

        def read() -> None:
            for event in self.client.watch(prefix=asked["prefix"]):
                with self.changed:
                    events.append(event)
                    self.changed.notify_all()

        threading.Thread(target=read, daemon=True).start()

    def next(self, asked: dict[str, Any]) -> Any:
        events = self.events[asked["watch"]]
        with self.changed:
            assert self.changed.wait_for(lambda: events, 20)
            event = events.pop(0)
        return {"kind": event.kind, "data": event.data, "event_id": event.id}


def answer(commands: Commands, asked: dict[str, Any]) -> None:
    try:
        tell(id=asked["id"], ok=getattr(commands, asked["do"])(asked) or {})
    except Exception as error:
        tell(id=asked["id"], error=told_error(error))


def main() -> None:
    commands = Commands()
    for line in sys.stdin:
        arguments = (commands, json.loads(line))
        threading.Thread(target=answer, args=arguments, daemon=True).start()


if __name__ == "__main__":
    main()
