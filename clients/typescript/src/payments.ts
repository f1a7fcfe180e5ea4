// Money. Every write takes its key as an argument: make it before the first attempt, from what is to
// happen, and keep it with that. A key by chance does not survive a crash, and whoever takes the job over
// would pay again.

import type { Core } from './core.js';
import type { Metadata, Payment, Refund } from './documents.js';
import { FenceRefused } from './errors.js';
import { type Lease, control } from './lease.js';
import { type Json, type Request, given, idempotencyKey, segment } from './wire.js';

export interface Keyed {
  /** Of what is to happen, not of the attempt. */
  readonly idempotencyKey: string;
}

export interface Fenced extends Keyed {
  /** One that covers `payments/ID`. */
  readonly lease: Lease;
  /** The last write: the lease ends with it, in its transaction. */
  readonly release?: boolean;
  readonly reason?: string;
  /** Only if the payment is at this version. */
  readonly ifVersion?: number;
}

export interface Move extends Fenced {
  /** Minor units; the rest if absent. */
  readonly amount?: number;
}

export interface Create extends Keyed {
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  readonly id?: string;
  readonly capture?: boolean;
  readonly reference?: string;
  readonly metadata?: Metadata;
  /** Not needed; if given it must be live. */
  readonly lease?: Lease;
  readonly release?: boolean;
}

/** Writes fail with: FenceRefused, IdempotencyMismatch, OutcomeUnknown, other Refused. */
export class Payments {
  readonly #core: Core;

  /** @internal */
  constructor(core: Core) {
    this.#core = core;
  }

  async create(wanted: Create): Promise<Payment> {
    const { lease, release = false, idempotencyKey: key, ...body } = wanted;
    if (body.id !== undefined) segment(body.id, 'a payment id');
    const request = moving('/v1/payments', given(body), key);
    return (await this.#core.write(request, lease, release)).json<Payment>();
  }

  async capture(payment: string, move: Move): Promise<Payment> {
    return (await this.#move(payment, 'captures', move)) as Payment;
  }

  async refund(payment: string, move: Move): Promise<Refund> {
    return (await this.#move(payment, 'refunds', move)) as Refund;
  }

  async cancel(payment: string, move: Fenced): Promise<Payment> {
    return (await this.#move(payment, 'cancel', move)) as Payment;
  }

  async get(payment: string): Promise<Payment> {
    return (await this.#core.call({ method: 'GET', path: `/v1/${lockOf(payment)}` })).json<Payment>();
  }

  async #move(payment: string, what: string, move: Move): Promise<Payment | Refund> {
    const lock = lockOf(payment);
    const body = given({ amount: move.amount, reason: move.reason });
    const request = moving(`/v1/${lock}/${what}`, body, move.idempotencyKey, move.ifVersion);
    requireLease(move.lease, lock);
    return (await this.#core.write(request, move.lease, move.release ?? false)).json();
  }
}

function lockOf(payment: string): string {
  return `payments/${segment(payment, 'a payment id')}`;
}

function moving(path: string, body: Json, key: string, ifVersion?: number): Request {
  const headers: Record<string, string> = { 'Idempotency-Key': idempotencyKey(key) };
  if (ifVersion !== undefined) headers['If-Match'] = `"${ifVersion}"`;
  return { method: 'POST', path, body, headers };
}

/** What types say, for callers without them. Fails with: FenceRefused, nothing being sent. */
function requireLease(lease: Lease | undefined, lock: string): void {
  if (lease === undefined) {
    const detail = `a lease on ${lock} is needed`;
    throw new FenceRefused(428, { code: 'fence_token_required', detail });
  }
  if (!control.covers(lease, lock)) {
    const detail = `the lease on ${lease.locks.join(', ')} does not guard ${lock}`;
    throw new FenceRefused(412, { code: 'fence_lock_mismatch', detail });
  }
}
