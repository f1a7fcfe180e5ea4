"""How early a lease counts as lost, when it is renewed, how long to wait before the next attempt.

Owns: these numbers, and nothing that runs. All durations are seconds. Thread rule: pure functions.
The same rules are in every client; clients/conformance holds them to it.
"""

from __future__ import annotations

import random

ROUND = 20.0  # one wait on the server: load balancers cut what is idle for longer
ATTEMPT = 5.0  # one exchange that does not wait
ANSWER = 30.0  # all attempts of one call, unless the client says otherwise


def margin(ttl: float) -> float:
    """A lease is given up so long before its end: what the holder needs to stop."""
    return max(ttl / 10, min(1.0, ttl / 4))


def renew_after(time_left: float) -> float:
    return time_left / 3


def renewal_timeout(ttl: float) -> float:
    """One attempt; several fit between the first one and the loss."""
    return min(ATTEMPT, max(ttl / 6, 0.1))


def backoff(attempt: int, at_most: float = 2.0) -> float:
    """Doubles from 50 ms, half of it left to chance so that clients do not come back together."""
    pause = min(0.05 * (1 << min(attempt, 10)), at_most)
    return pause * random.uniform(0.5, 1.0)


def after_refusal(attempt: int, retry_after: float | None) -> float:
    """Not before `Retry-After` is over, and not all at once then."""
    if retry_after is None:
        return backoff(attempt)
    return retry_after + random.uniform(0.0, min(0.25, 0.1 + retry_after / 10))


def renewal_pause(attempt: int, retry_after: float | None, time_left: float) -> float:
    """A renewal cannot wait for as long as it is told if the lease would be lost meanwhile."""
    pause = backoff(attempt, 1.0) if retry_after is None else after_refusal(attempt, retry_after)
    return min(pause, max(time_left / 4, 0.02))
