// Renews all leases of a client and notices those that are lost.
//
// Owns: when a lease is renewed, at most two connections for it, and the verdict "lost". It decides the
// latter by the boot clock alone, so a call that hangs cannot delay it; code that blocks the event loop
// can, and then only the fence is in time.

import { sleep } from './calls.js';
import { bootClock } from './clock.js';
import { type Refused, UntrustedGateway } from './errors.js';
import { type Endpoint, Line, NotSent, Unanswered } from './http.js';
import { type Granted, type Lease, control } from './lease.js';
import * as policy from './policy.js';
import type { Reply, Request } from './wire.js';

export const CONNECTIONS = 2;
const LOOK_FOR_SLEEP = 1_000;
const NAP = 50;
const FINAL = new Set([
  'fence_token_stale',
  'fence_not_holder',
  'lease_not_found',
  'unauthenticated',
  'forbidden',
  'max_hold_reached',
  'no_progress',
]);

/** Whether no later renewal can succeed. Everything else is tried again until the deadline. */
export function endsLease(error: Refused): boolean {
  return FINAL.has(error.code) || error.code.startsWith('lease_');
}

export function renewal(lease: Lease): Request {
  const progress = control.told(lease);
  const body = progress === undefined ? {} : { progress };
  return { method: 'POST', path: `/v1/leases/${lease.id}/renew`, body };
}

interface Kept {
  failures: number; // since the last renewal that was answered well
  lossTimer?: NodeJS.Timeout;
  renewTimer?: NodeJS.Timeout;
}

export class Renewer {
  readonly #line: Line;
  readonly #kept = new Map<Lease, Kept>();
  readonly #due: Lease[] = [];
  #working = 0;
  #ticking: NodeJS.Timeout | undefined;
  #slept = 0;

  constructor(endpoint: Endpoint) {
    this.#line = new Line(endpoint, CONNECTIONS);
  }

  /** Renews it until it is released or lost. */
  keep(lease: Lease): void {
    this.#kept.set(lease, { failures: 0 });
    this.#watch(lease);
    this.#renewIn(lease, policy.renewAfter(control.deadline(lease) - bootClock()));
    this.#slept = slept();
    this.#ticking ??= setInterval(() => this.#noticeSleep(), LOOK_FOR_SLEEP);
  }

  /** Of a lease that has ended, or is being released. */
  forget(lease: Lease): void {
    const kept = this.#kept.get(lease);
    clearTimeout(kept?.lossTimer);
    clearTimeout(kept?.renewTimer);
    this.#kept.delete(lease);
    if (this.#kept.size === 0) {
      clearInterval(this.#ticking);
      this.#ticking = undefined;
    }
  }

  close(): void {
    for (const lease of [...this.#kept.keys()]) this.forget(lease);
    this.#due.length = 0;
    this.#line.close();
  }

  /** A timer for the moment at which it is lost, set anew when it fires and was renewed. */
  #watch(lease: Lease): void {
    const kept = this.#kept.get(lease);
    if (kept === undefined) return;
    clearTimeout(kept.lossTimer);
    const left = control.lostAt(lease) - bootClock();
    if (control.state(lease) === 'live' && left > 0) {
      kept.lossTimer = setTimeout(() => this.#watch(lease), Math.ceil(left));
      return;
    }
    if (control.state(lease) === 'live') {
      control.lose(lease, 'deadline_passed', 'no renewal was answered in time');
    }
    this.forget(lease);
  }

  /** Timers stand still while the machine does; the deadlines have gone on. */
  #noticeSleep(): void {
    const now = slept();
    if (now - this.#slept > NAP) for (const lease of [...this.#kept.keys()]) this.#watch(lease);
    this.#slept = now;
  }

  #renewIn(lease: Lease, pause: number): void {
    const kept = this.#kept.get(lease);
    if (kept === undefined) return;
    clearTimeout(kept.renewTimer);
    kept.renewTimer = setTimeout(() => {
      this.#due.push(lease);
      if (this.#working < CONNECTIONS) void this.#work();
    }, Math.max(pause, 0));
  }

  async #work(): Promise<void> {
    this.#working += 1;
    try {
      for (let lease = this.#next(); lease !== undefined; lease = this.#next()) {
        if (!this.#kept.has(lease) || control.state(lease) !== 'live') continue;
        if (control.atItsLongest(lease)) continue;
        // The line is down for all; the next of a thousand would not fare better.
        if (!(await this.#renewOrAgain(lease))) await sleep(policy.backoff(1, lease.ttl / 10));
      }
    } finally {
      this.#working -= 1;
    }
  }

  /** Who has the least time left goes first. */
  #next(): Lease | undefined {
    let first = 0;
    for (let at = 1; at < this.#due.length; at += 1) {
      if (control.lostAt(this.#due[at]!) < control.lostAt(this.#due[first]!)) first = at;
    }
    const [found] = this.#due.splice(first, 1);
    return found;
  }

  /** A worker that ended by a bug would renew nobody. */
  async #renewOrAgain(lease: Lease): Promise<boolean> {
    try {
      return await this.#renew(lease);
    } catch {
      this.#again(lease, undefined);
      return false;
    }
  }

  /** False if there was no answer. */
  async #renew(lease: Lease): Promise<boolean> {
    const sentAt = bootClock();
    const reply = await this.#ask(lease, sentAt);
    const kept = this.#kept.get(lease);
    if (kept === undefined) return reply !== undefined;
    if (reply?.ok) {
      control.renewed(lease, sentAt, reply.json<Granted>());
      kept.failures = 0;
      const next = sentAt + policy.renewAfter(control.deadline(lease) - sentAt);
      this.#renewIn(lease, next - bootClock());
    } else if (reply !== undefined && endsLease(reply.error())) {
      const { code, members } = reply.error();
      control.lose(lease, code, members.detail);
      this.#watch(lease);
    } else {
      this.#again(lease, reply?.retryAfter);
    }
    return reply !== undefined;
  }

  #again(lease: Lease, retryAfter: number | undefined): void {
    const kept = this.#kept.get(lease);
    if (kept === undefined) return;
    const left = control.lostAt(lease) - bootClock();
    this.#renewIn(lease, policy.renewalPause(kept.failures, retryAfter, left));
    kept.failures += 1;
  }

  async #ask(lease: Lease, sentAt: number): Promise<Reply | undefined> {
    const left = Math.max(control.lostAt(lease) - sentAt, 20);
    try {
      return await this.#line.send(renewal(lease), Math.min(policy.renewalTimeout(lease.ttl), left));
    } catch (error) {
      const noAnswer = [NotSent, Unanswered, UntrustedGateway].some((kind) => error instanceof kind);
      if (!noAnswer) throw error;
      return undefined;
    }
  }
}

/** Grows by each suspension of the machine. */
function slept(): number {
  return bootClock() - performance.now();
}
