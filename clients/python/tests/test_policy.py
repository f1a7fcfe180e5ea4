"""Numbers of the rules that every client keeps."""

import unittest

from fencegate import _policy


class Policy(unittest.TestCase):
    def test_margin_is_a_tenth_but_a_second_where_the_lease_is_long_enough(self) -> None:
        for ttl, wanted in ((0.1, 0.025), (2, 0.5), (4, 1.0), (10, 1.0), (30, 3.0), (3600, 360.0)):
            with self.subTest(ttl=ttl):
                self.assertAlmostEqual(_policy.margin(ttl), wanted)

    def test_retry_after_is_not_undercut(self) -> None:
        for attempt in range(20):
            self.assertGreaterEqual(_policy.after_refusal(attempt, 1.0), 1.0)

    def test_a_renewal_does_not_wait_its_lease_away(self) -> None:
        for attempt in range(20):
            self.assertLessEqual(_policy.renewal_pause(attempt, 5.0, 1.0), 0.25)


if __name__ == "__main__":
    unittest.main()
