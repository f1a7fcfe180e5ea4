// Getting a lease: rounds of waiting under one key, and no lease left behind when that is given up.
//
// Invariant 1: one key is one wish for the lock; it is repeated only for its own retries.
// Invariant 2: a lease that is returned has its deadline from a request that was answered at once.
// Invariant 3: a wish that is given up is settled: a grant that came all the same is released.

import { Attempts, call, sleep } from './calls.js';
import { bootClock } from './clock.js';
import { FencegateError, Refused } from './errors.js';
import { type Line, NotSent, Unanswered } from './http.js';
import { type Granted, Lease, control } from './lease.js';
import * as policy from './policy.js';
import { renewal } from './renewer.js';
import { type Json, type Reply, type Request, uuid7 } from './wire.js';

const WAITED_FOR = ['lock_held', 'run_not_due', 'queue_full', 'quota_exceeded'];
const TIMED_OUT = 408;
const ENDED_LEASE = 410;
const SETTLE = 10_000;

/** What is wanted: a path, and the members that go with it. `wait` in milliseconds, or Infinity. */
export interface Wish {
  readonly path: string;
  readonly body: Json;
  readonly wait: number;
  readonly signal: AbortSignal | undefined;
}

function asking(wish: Wish, key: string, wait: number): Request {
  const body = wait > 0 ? { ...wish.body, wait_ms: Math.ceil(wait) } : wish.body;
  return { method: 'POST', path: wish.path, body, headers: { 'Idempotency-Key': key } };
}

export class Acquire {
  readonly #line: Line;
  readonly #wish: Wish;
  readonly #release: (lease: Lease) => Promise<boolean>;
  readonly #waitsUntil: number;
  readonly #answerUntil: number;
  readonly #attempts: Attempts;
  #key = uuid7();
  #pauses = 0;
  #unsettled = false; // a request of this key left and was not answered

  constructor(
    line: Line,
    wish: Wish,
    budget: number,
    release: (lease: Lease) => Promise<boolean>,
  ) {
    this.#line = line;
    this.#wish = wish;
    this.#release = release;
    const now = bootClock();
    this.#waitsUntil = now + wish.wait;
    this.#answerUntil = Math.max(this.#waitsUntil, now + budget);
    this.#attempts = new Attempts(asking(wish, this.#key, 0));
  }

  /** Fails with: LockHeld, RunNotDue, Overloaded, other Refused, OutcomeUnknown, Unreachable; and with
   *  the signal's reason. */
  async run(): Promise<Lease> {
    try {
      for (;;) {
        this.#wish.signal?.throwIfAborted();
        const lease = await this.#round();
        if (lease === undefined) continue;
        if (!this.#wish.signal?.aborted) return lease;
        await this.#release(lease);
      }
    } catch (error) {
      if (this.#unsettled) void leaveNoLease(this.#line, this.#wish, this.#key);
      throw error;
    }
  }

  /** Undefined: ask again. */
  async #round(): Promise<Lease | undefined> {
    const sentAt = bootClock();
    const wait = Math.max(0, Math.min(policy.ROUND, this.#waitsUntil - sentAt));
    const before = this.#unsettled;
    this.#unsettled = true;
    let reply: Reply;
    try {
      const request = asking(this.#wish, this.#key, wait);
      reply = await this.#line.send(request, wait + policy.ATTEMPT, this.#wish.signal);
    } catch (error) {
      if (!(error instanceof NotSent) && !(error instanceof Unanswered)) throw error;
      this.#unsettled = before || error instanceof Unanswered;
      await this.#pause(this.#attempts.failed(error), undefined, this.#answerUntil);
      return undefined;
    }
    // An answer about the key settles all its attempts; one about the gateway only its own.
    const aboutTheKey = reply.status < 500 && reply.status !== TIMED_OUT;
    this.#unsettled = !aboutTheKey && (before || reply.outcomeUnknown);
    if (reply.ok) return this.#take(reply.json<Granted>(), sentAt);
    await this.#refused(reply, sentAt + wait);
    return undefined;
  }

  async #refused(reply: Reply, roundEnds: number): Promise<void> {
    const error = reply.error();
    if (reply.status === ENDED_LEASE) {
      this.#key = uuid7(); // granted, the reply was lost, and it ran out: a new wish
      await this.#pause(error, undefined, this.#answerUntil);
    } else if (WAITED_FOR.includes(error.code)) {
      const held = error.code === 'lock_held';
      const over = bootClock() + 20 >= roundEnds && roundEnds < this.#waitsUntil;
      if (held && over) return; // the round is over and the wait is not: take up the place at once
      await this.#pause(error, held ? undefined : error.retryAfter, this.#waitsUntil);
    } else if (error.retryable) {
      await this.#pause(this.#attempts.refused(reply), error.retryAfter, this.#answerUntil);
    } else {
      throw error;
    }
  }

  async #pause(
    failure: FencegateError,
    retryAfter: number | undefined,
    until: number,
  ): Promise<void> {
    this.#pauses += 1;
    const pause = policy.afterRefusal(this.#pauses, retryAfter);
    if (bootClock() + pause >= until) throw failure;
    await sleep(pause, this.#wish.signal);
  }

  /** A grant that was waited for tells no deadline, so it is renewed before it is handed over. */
  async #take(granted: Granted, sentAt: number): Promise<Lease | undefined> {
    const lease = new Lease(granted, sentAt, this.#release);
    if (control.deadline(lease) - bootClock() >= (2 / 3) * lease.ttl) return lease;
    this.#unsettled = true;
    for (;;) {
      const askedAt = bootClock();
      let answer: Reply;
      try {
        answer = await call(this.#line, renewal(lease), lease.ttl);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.#unsettled = false;
        if (error.status !== ENDED_LEASE) throw error;
        this.#key = uuid7();
        await this.#pause(error, undefined, this.#answerUntil);
        return undefined;
      }
      const fresh = new Lease({ ...granted, ...answer.json<Granted>() }, askedAt, this.#release);
      if (!fresh.isLive) continue;
      this.#unsettled = false;
      return fresh;
    }
  }
}

/** Asks once more without waiting, and releases what that finds granted. */
async function leaveNoLease(line: Line, wish: Wish, key: string): Promise<void> {
  try {
    const reply = await call(line, asking(wish, key, 0), SETTLE);
    const { lease_id } = reply.json<Granted>();
    await call(line, { method: 'DELETE', path: `/v1/leases/${lease_id}` }, SETTLE);
  } catch {
    // Nothing was granted, or it ends by its TTL.
  }
}
