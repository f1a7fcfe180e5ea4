// A lease: until when it may be believed, and whether it was lost.
//
// Owns: its state and the one way out of it. Refuses to own: requests (renewer.ts, client.ts).
// Invariant 1: a lost or released lease never becomes live again, whatever answer comes late.
// Invariant 2: its deadline is not after the gateway's: it counts from before the request was sent.

import { bootClock } from './clock.js';
import { LeaseLost } from './errors.js';
import * as policy from './policy.js';

/** A number that goes with every write; branded so that no other number does. */
export type FencingToken = number & { readonly __fencingToken: unique symbol };

/** What the gateway tells of a lease, as far as it is needed here. */
export interface Granted {
  readonly lease_id: string;
  readonly fencing_token: number;
  readonly locks: readonly string[];
  readonly owner?: string;
  readonly mode?: string;
  readonly ttl_ms: number;
  readonly remaining_ms: number;
  readonly warning?: string;
}

type State = 'live' | 'releasing' | 'released' | 'lost';

export class Lease implements AsyncDisposable {
  readonly id: string;
  readonly token: FencingToken;
  readonly locks: readonly string[];
  readonly owner: string | undefined;
  /** Milliseconds. */
  readonly ttl: number;

  readonly #exclusive: boolean;
  readonly #release: (lease: Lease) => Promise<boolean>;
  readonly #lost = new AbortController();
  #state: State = 'live';
  #deadline: number;
  #progress: number | undefined;
  #atItsLongest = false;
  #lastWriteSent = false;

  /** @internal */
  constructor(granted: Granted, sentAt: number, release: (lease: Lease) => Promise<boolean>) {
    this.id = granted.lease_id;
    this.token = granted.fencing_token as FencingToken;
    this.locks = granted.locks;
    this.owner = granted.owner;
    this.ttl = granted.ttl_ms;
    this.#exclusive = (granted.mode ?? 'exclusive') === 'exclusive';
    this.#release = release;
    this.#deadline = sentAt + Math.min(granted.ttl_ms, granted.remaining_ms);
  }

  /** Aborted when it is lost, with LeaseLost as the reason; never when it is released. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** As far as this machine knows; only the fence can say. */
  get isLive(): boolean {
    return this.#state === 'live' && bootClock() < control.lostAt(this);
  }

  /** Milliseconds until it counts as lost, unless a renewal comes through; never below 0. */
  timeLeft(): number {
    return this.isLive ? Math.max(0, control.lostAt(this) - bootClock()) : 0;
  }

  /** Between two steps of the work. Asks the clock, not the network. Fails with: LeaseLost. */
  throwIfLost(): void {
    if (this.#state === 'live' && !this.isLive) {
      control.lose(this, 'deadline_passed', 'no renewal was answered in time');
    }
    this.#lost.signal.throwIfAborted();
  }

  /** A number that rises while the work gets on; the next renewal tells it to the gateway. */
  progress(number: number): void {
    this.#progress = number;
  }

  /** For a service that checks tokens itself. Not for one that would merely log them. */
  headers(): Record<string, string> {
    return { 'X-Fence-Token': String(this.token) };
  }

  /** Called once; at once if it is lost already. */
  on(event: 'lost', listener: (loss: LeaseLost) => void): this {
    void event;
    const { signal } = this.#lost;
    if (signal.aborted) listener(signal.reason as LeaseLost);
    else signal.addEventListener('abort', () => listener(signal.reason as LeaseLost), { once: true });
    return this;
  }

  /** Never rejects. False if no answer came: then it ends by its TTL. */
  release(): Promise<boolean> {
    return this.#release(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release().then(() => undefined);
  }

  static #lostAt(lease: Lease): number {
    return lease.#deadline - policy.margin(lease.ttl);
  }

  static #end(lease: Lease, loss: LeaseLost | undefined): void {
    if (lease.#state === 'released' || lease.#state === 'lost') return;
    const givenUpBefore = lease.#state === 'releasing';
    lease.#state = loss === undefined || givenUpBefore ? 'released' : 'lost';
    if (lease.#state === 'lost') lease.#lost.abort(loss);
  }

  /** What the rest of the client does with a lease, and its users do not. @internal */
  static readonly control = {
    state: (lease: Lease): State => lease.#state,
    deadline: (lease: Lease): number => lease.#deadline,
    lostAt: (lease: Lease): number => Lease.#lostAt(lease),
    told: (lease: Lease): number | undefined => lease.#progress,
    /** max_hold: no renewal would add anything. */
    atItsLongest: (lease: Lease): boolean => lease.#atItsLongest,
    covers: (lease: Lease, lock: string): boolean =>
      lease.#exclusive && lease.locks.includes(lock),

    renewed(lease: Lease, sentAt: number, answer: Granted): void {
      if (lease.#state !== 'live' || bootClock() >= Lease.#lostAt(lease)) return;
      lease.#deadline = sentAt + Math.min(lease.ttl, answer.remaining_ms);
      lease.#atItsLongest = answer.warning === 'max_hold';
    },

    lose(lease: Lease, reason: string, detail = ''): void {
      const byOurLastWrite = lease.#lastWriteSent && reason === 'lease_released';
      const loss = new LeaseLost(lease.locks, lease.token, reason, detail);
      Lease.#end(lease, byOurLastWrite ? undefined : loss);
    },

    /** Sent with X-Fence-Release: its end may be our own doing. */
    lastWrite(lease: Lease, sent: boolean): void {
      lease.#lastWriteSent = sent;
    },

    /** From here on no answer to a renewal counts. False if there is nothing to release. */
    beginRelease(lease: Lease): boolean {
      const begins = lease.#state === 'live' || lease.#state === 'lost';
      if (lease.#state === 'live') lease.#state = 'releasing';
      return begins;
    },

    released: (lease: Lease): void => Lease.#end(lease, undefined),
  };
}

export const { control } = Lease;
