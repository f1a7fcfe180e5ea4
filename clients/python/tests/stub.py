"""A core whose gateway grants everything at once, and which tells what it was asked."""

from __future__ import annotations

import asyncio
import ssl

from fencegate._acquire import Wish
from fencegate._clock import boottime
from fencegate._connection import Endpoint
from fencegate._core import Core, Ticket
from fencegate._lease import LeaseCore


class StubCore(Core):
    def __init__(self) -> None:
        super().__init__(Endpoint("127.0.0.1", 1, ssl.create_default_context(), None))
        self.told: list[str] = []
        self.granted: list[LeaseCore] = []

    async def acquire(self, wish: Wish, ticket: Ticket) -> LeaseCore:
        told = {"lease_id": "01", "fencing_token": 7, "locks": ["a/b"]}
        lease = LeaseCore({**told, "ttl_ms": 30_000, "remaining_ms": 30_000}, boottime())
        self.granted.append(lease)
        if not ticket.hand_over(lease):
            raise asyncio.CancelledError
        return lease

    async def release(self, lease: LeaseCore) -> bool:
        lease.begin_release()
        self.told.append("released")
        lease.released()
        return True


WISH = Wish("/v1/locks/a/b", {}, 0.0)
