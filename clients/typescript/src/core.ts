// What all methods of a client share: a line for calls, the renewer, and how a lease begins and ends.

import { Acquire, type Wish } from './acquire.js';
import { call } from './calls.js';
import { bootClock } from './clock.js';
import { FenceRefused, FencegateError, Refused } from './errors.js';
import { type Endpoint, Line } from './http.js';
import { type Lease, control } from './lease.js';
import { Renewer } from './renewer.js';
import type { Reply, Request } from './wire.js';

const RELEASE_BUDGET = 5_000;
const DEAD_TOKEN = new Set([
  'fence_token_stale',
  'fence_token_unknown',
  'lease_expired',
  'lease_released',
  'lease_broken',
]);

export class Core {
  readonly line: Line;
  readonly #renewer: Renewer;
  readonly #timeout: number;
  #closed = false;

  constructor(endpoint: Endpoint, timeout: number) {
    this.line = new Line(endpoint);
    this.#renewer = new Renewer(endpoint);
    this.#timeout = timeout;
  }

  call(request: Request): Promise<Reply> {
    this.#requireOpen();
    return call(this.line, request, this.#timeout);
  }

  async acquire(wish: Wish): Promise<Lease> {
    this.#requireOpen();
    const release = (lease: Lease): Promise<boolean> => this.release(lease);
    const lease = await new Acquire(this.line, wish, this.#timeout, release).run();
    this.#renewer.keep(lease);
    return lease;
  }

  /** Under the lease's token. The fence decides, not our clock: a lost lease may send too. */
  async write(request: Request, lease: Lease | undefined, release: boolean): Promise<Reply> {
    const headers = { ...request.headers, ...lease?.headers() };
    if (release) headers['X-Fence-Release'] = '1';
    if (lease !== undefined && release) control.lastWrite(lease, true);
    try {
      const reply = await this.call({ ...request, headers });
      if (lease !== undefined && reply.headers['x-fence-status'] === 'released') this.ended(lease);
      return reply;
    } catch (error) {
      if (lease !== undefined && error instanceof Refused) {
        control.lastWrite(lease, false);
        if (error instanceof FenceRefused && DEAD_TOKEN.has(error.code)) {
          control.lose(lease, error.code, error.members.detail);
        }
      }
      throw error;
    }
  }

  /** A write has ended it. */
  ended(lease: Lease): void {
    control.released(lease);
    this.#renewer.forget(lease);
  }

  /** True if the gateway said that it is over; else it ends by its TTL. Never rejects. */
  async release(lease: Lease): Promise<boolean> {
    this.#renewer.forget(lease);
    if (!control.beginRelease(lease)) return true;
    const budget = Math.min(RELEASE_BUDGET, Math.max(1_000, control.deadline(lease) - bootClock()));
    try {
      await call(this.line, { method: 'DELETE', path: `/v1/leases/${lease.id}` }, budget);
      return true;
    } catch (error) {
      if (!(error instanceof FencegateError)) throw error;
      return error instanceof Refused && error.status === 410;
    } finally {
      control.released(lease);
    }
  }

  close(): void {
    this.#closed = true;
    this.#renewer.close();
    this.line.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error('this client is closed');
  }
}
