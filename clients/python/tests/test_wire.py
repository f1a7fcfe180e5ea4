"""What is sent and read, without a socket."""

import unittest

from fencegate import _requests
from fencegate._watch import Lines
from fencegate._wire import Reply, Request, idempotency_key, lock_name, spell, uuid7
from fencegate.errors import FenceRefused, Overloaded, Refused


class Names(unittest.TestCase):
    def test_what_would_be_another_path_is_refused_before_it_is_sent(self) -> None:
        for text in ("", "a//b", "../x", "a/..", "a/./b", "a b", "a?b", "a#b", "a%2fb", "ä", "a\r\nb", "a/"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                lock_name(text)

    def test_what_the_gateway_takes_is_taken(self) -> None:
        for text in ("a", "payments/pay_42", "a.b/..c/~:-", "x" * 64):
            with self.subTest(text=text):
                self.assertEqual(lock_name(text), text)

    def test_a_payment_is_one_segment(self) -> None:
        with self.assertRaises(ValueError):
            _requests.move_payment("a/b", "refunds", "k")

    def test_a_key_cannot_smuggle_a_header(self) -> None:
        for key in ("", "k\r\nX-Fence-Token: 9", "x" * 256, " k"):
            with self.subTest(key=key), self.assertRaises(ValueError):
                idempotency_key(key)


class Heads(unittest.TestCase):
    def test_a_post_without_a_body_has_a_length(self) -> None:
        raw = spell(Request("DELETE", "/v1/leases/1"), "h:1", "k")

        self.assertIn(b"\r\nContent-Length: 0\r\n", raw)

    def test_keys_of_acquires_are_version_7_and_differ(self) -> None:
        first, second = uuid7(), uuid7()

        self.assertRegex(first, r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertNotEqual(first, second)


class Problems(unittest.TestCase):
    def test_type_goes_by_code(self) -> None:
        stale = Reply(412, {}, b'{"code":"fence_token_stale","ended":"superseded","current_token":2}')
        full = Reply(429, {"retry-after": "3"}, b'{"code":"queue_full","retryable":true}')

        self.assertIsInstance(stale.error(), FenceRefused)
        self.assertIsInstance(full.error(), Overloaded)
        self.assertEqual(full.error().retry_after, 3.0)

    def test_a_proxys_answer_tells_nothing_of_a_write(self) -> None:
        reply = Reply(502, {}, b"<html>Bad Gateway</html>")

        self.assertTrue(reply.outcome_unknown)
        self.assertIs(type(reply.error()), Refused)
        self.assertTrue(reply.error().retryable)


class Stream(unittest.TestCase):
    def test_an_event_that_was_cut_off_does_not_count(self) -> None:
        lines = Lines(None)
        lines.feed(b": connected\nretry: 1000\nid: run-4\n\nevent: granted\nid: run-5\nda")

        lines.restart()

        self.assertEqual(lines.last_id, "run-4")
        [event] = lines.feed(b'event: granted\nid: run-5\ndata: {"lock":"a"}\n\n')
        self.assertEqual((event.kind, event.id, event.data), ("granted", "run-5", {"lock": "a"}))

    def test_parts_may_end_anywhere(self) -> None:
        raw = b'event: released\r\nid: r-1\r\ndata: {"lock":"\xc3\xa4"}\r\n\r\n'
        for at in range(len(raw)):
            lines = Lines(None)
            found = lines.feed(raw[:at]) + lines.feed(raw[at:])
            self.assertEqual([event.data for event in found], [{"lock": "ä"}])


if __name__ == "__main__":
    unittest.main()
