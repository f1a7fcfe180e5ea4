"""A lease without a gateway: what is never undone, and what time alone decides."""

import contextvars
import unittest
from typing import Optional

from fencegate import LeaseLost
from fencegate._clock import boottime
from fencegate._lease import LeaseCore, State, covering, enter, leave


def granted(remaining_ms: int = 30_000, **members: object) -> dict[str, object]:
    return {
        "lease_id": "01",
        "fencing_token": 2**53 - 1,
        "locks": ["a/b"],
        "ttl_ms": 30_000,
        "remaining_ms": remaining_ms,
        **members,
    }


class Lease(unittest.TestCase):
    def test_deadline_counts_from_before_the_request(self) -> None:
        lease = LeaseCore(granted(), sent_at=100.0)

        self.assertEqual(lease.deadline, 130.0)
        self.assertEqual(lease.lost_at, 127.0)

    def test_is_lost_by_the_clock_alone(self) -> None:
        lease = LeaseCore(granted(), sent_at=boottime() - 27.5)

        with self.assertRaises(LeaseLost) as caught:
            lease.check()

        self.assertEqual(caught.exception.reason, "deadline_passed")

    def test_a_late_answer_to_a_renewal_does_not_revive(self) -> None:
        lease = LeaseCore(granted(), sent_at=boottime())
        lease.lose("lease_expired")

        lease.renewed(boottime(), {"remaining_ms": 30_000})

        self.assertIs(lease.state, State.LOST)

    def test_nor_does_one_that_comes_after_the_release_began(self) -> None:
        lease = LeaseCore(granted(), sent_at=boottime())
        before = lease.deadline
        lease.begin_release()

        lease.renewed(boottime() + 100, {"remaining_ms": 30_000})

        self.assertEqual(lease.deadline, before)

    def test_listener_is_told_once_and_when_it_comes_late_at_once(self) -> None:
        lease = LeaseCore(granted(), sent_at=boottime())
        told: list[Optional[LeaseLost]] = []
        lease.on_end(told.append)

        lease.lose("lease_broken")
        lease.lose("lease_expired")
        lease.on_end(told.append)

        self.assertEqual([loss and loss.ended for loss in told], ["broken", "broken"])

    def test_the_end_that_our_last_write_made_is_no_loss(self) -> None:
        lease = LeaseCore(granted(), sent_at=boottime())
        lease.last_write_sent = True

        lease.lose("lease_released")

        self.assertIs(lease.state, State.RELEASED)

    def test_max_hold_ends_renewing(self) -> None:
        lease = LeaseCore(granted(), sent_at=boottime())

        lease.renewed(boottime(), {"remaining_ms": 9_000, "warning": "max_hold"})

        self.assertTrue(lease.at_its_longest)


class Scopes(unittest.TestCase):
    def test_a_write_finds_the_innermost_exclusive_lease_that_covers_its_lock(self) -> None:
        outer = LeaseCore(granted(), sent_at=boottime())
        inner = LeaseCore(granted(mode="shared"), sent_at=boottime())

        def run() -> None:
            enter(outer)
            enter(inner)
            self.assertIs(covering("a/b"), outer)
            self.assertIsNone(covering("a"))
            leave(outer)
            self.assertIsNone(covering("a/b"))

        contextvars.copy_context().run(run)
        self.assertIsNone(covering("a/b"))


if __name__ == "__main__":
    unittest.main()
