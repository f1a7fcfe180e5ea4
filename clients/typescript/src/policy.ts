// How early a lease counts as lost, when it is renewed, how long to wait before the next attempt.
// Milliseconds. The same rules are in every client; clients/conformance holds them to it.

export const ROUND = 20_000; // one wait on the server: load balancers cut what is idle for longer
export const ATTEMPT = 5_000; // one exchange that does not wait
export const ANSWER = 30_000; // all attempts of one call, unless the client says otherwise

/** A lease is given up so long before its end: what the holder needs to stop. */
export function margin(ttl: number): number {
  return Math.max(ttl / 10, Math.min(1_000, ttl / 4));
}

export function renewAfter(timeLeft: number): number {
  return timeLeft / 3;
}

/** One attempt; several fit between the first one and the loss. */
export function renewalTimeout(ttl: number): number {
  return Math.min(ATTEMPT, Math.max(ttl / 6, 100));
}

/** Doubles from 50 ms, half of it left to chance so that clients do not come back together. */
export function backoff(attempt: number, atMost = 2_000): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), atMost) * (0.5 + Math.random() / 2);
}

/** Not before `Retry-After` is over, and not all at once then. */
export function afterRefusal(attempt: number, retryAfter: number | undefined): number {
  if (retryAfter === undefined) return backoff(attempt);
  return retryAfter + Math.random() * Math.min(250, 100 + retryAfter / 10);
}

/** A renewal cannot wait for as long as it is told if the lease would be lost meanwhile. */
export function renewalPause(
  attempt: number,
  retryAfter: number | undefined,
  timeLeft: number,
): number {
  const pause =
    retryAfter === undefined ? backoff(attempt, 1_000) : afterRefusal(attempt, retryAfter);
  return Math.min(pause, Math.max(timeLeft / 4, 20));
}
