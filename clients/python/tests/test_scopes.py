"""What a block does at its end: with threads, and with asyncio where a loss cancels the body."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import unittest
from typing import Any

from fencegate import Client, LeaseLost, Lock, aio
from fencegate._core import Ticket
from fencegate._lease import LeaseCore
from fencegate.testing import lose

from stub import WISH, StubCore


class WithThreads(unittest.TestCase):
    def setUp(self) -> None:
        self.core = StubCore()
        self.addCleanup(lambda: self.core.close().result())

    def test_a_body_that_ends_well_under_a_lost_lease_fails_with_it(self) -> None:
        with self.assertRaises(LeaseLost):
            with Lock(self.core, WISH) as lease:
                lose(lease)
                self.core.told.append("body ended")

        self.assertEqual(self.core.told, ["body ended", "released"])

    def test_the_bodys_own_error_is_not_hidden(self) -> None:
        with self.assertRaises(ArithmeticError):
            with Lock(self.core, WISH) as lease:
                lose(lease)
                raise ArithmeticError

    def test_a_lock_that_is_held_is_not_waited_for_by_its_holder(self) -> None:
        lock = Lock(self.core, WISH)
        with lock, self.assertRaises(RuntimeError):
            lock.acquire()

    def test_ctrl_c_leaves_no_grant_behind(self) -> None:
        for granted_before in (False, True):
            with self.subTest(granted_before=granted_before):
                core = Interrupted(granted_before)

                with self.assertRaises(KeyboardInterrupt):
                    Lock(core, WISH).acquire()

                core.settled.result(5)
                self.assertEqual(core.told, ["released"] if granted_before else [])

    def test_a_client_from_before_a_fork_refuses(self) -> None:
        client = Client("https://127.0.0.1:1")
        child = os.fork()
        if child == 0:
            try:
                client.inspect("a")
            except RuntimeError:
                os._exit(0)
            os._exit(1)

        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


class Interrupted(StubCore):
    """Ctrl-C comes before the grant is handed over, or just after."""

    def __init__(self, granted_before: bool) -> None:
        super().__init__()
        self.settled: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._granted_before = granted_before

    def submit(self, work: Any) -> Any:
        asked = super().submit(work)
        if work.__name__ == "release":
            asked.add_done_callback(lambda _: self.settled.set_result(None))
            return asked
        if self._granted_before:
            asked.result(5)
        interrupted: concurrent.futures.Future[LeaseCore] = concurrent.futures.Future()
        interrupted.set_exception(KeyboardInterrupt())
        return interrupted

    def give_up(self, ticket: Ticket, asked: Any) -> None:
        super().give_up(ticket, asked)
        if not self._granted_before:
            self.settled.set_result(None)


class Tickets(unittest.TestCase):
    def test_the_first_word_counts(self) -> None:
        core = StubCore()
        lease = asyncio.run(core.acquire(WISH, Ticket()))
        handed, given = Ticket(), Ticket()

        self.assertTrue(handed.hand_over(lease))
        self.assertIs(handed.give_up(), lease)
        self.assertIsNone(given.give_up())
        self.assertFalse(given.hand_over(lease))


class WithAsyncio(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.core = StubCore()

    async def asyncTearDown(self) -> None:
        await asyncio.wrap_future(self.core.close())

    async def body(self, then: Any = None) -> None:
        async with aio.locks.Lock(self.core, WISH):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                self.core.told.append("body ended")
                if then is not None:
                    raise then
                raise

    async def lose_it(self) -> None:
        while not self.core.granted:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        self.core.granted[0].lose("lease_broken")

    async def test_a_loss_cancels_the_body_waits_and_releases(self) -> None:
        with self.assertRaises(LeaseLost):
            await asyncio.gather(self.body(), self.lose_it())

        self.assertEqual(self.core.told, ["body ended", "released"])

    async def test_the_bodys_own_error_is_not_hidden(self) -> None:
        with self.assertRaises(ArithmeticError):
            await asyncio.gather(self.body(ArithmeticError()), self.lose_it())

    async def test_the_task_goes_on_afterwards(self) -> None:
        async def work() -> str:
            try:
                await self.body()
            except LeaseLost:
                await asyncio.sleep(0)  # a cancellation that was left over would end it here
            return "went on"

        told = await asyncio.gather(work(), self.lose_it())

        self.assertEqual(told[0], "went on")

    async def test_a_cancellation_from_outside_stays_one(self) -> None:
        task = asyncio.create_task(self.body())
        while not self.core.granted:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)

        task.cancel()

        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(self.core.told, ["body ended", "released"])

    async def test_a_loss_after_the_body_cancels_nothing(self) -> None:
        async with aio.locks.Lock(self.core, WISH):
            pass

        self.core.granted[0].lose("lease_broken")
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
