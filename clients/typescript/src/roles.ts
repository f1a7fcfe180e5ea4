// Leading and running once: a lease with something to say.

import type { Core } from './core.js';
import { FencegateError } from './errors.js';
import { type Lease, control } from './lease.js';
import type { Body } from './scope.js';
import { type Json, given, lockName, milliseconds, segment, uuid7 } from './wire.js';

export interface RoleOptions {
  readonly ttl?: number;
  readonly wait?: number;
  readonly owner?: string;
  /** What only the leader, or this run, may write. */
  readonly locks?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface ElectOptions extends RoleOptions {
  /** What observers see. */
  readonly value?: Json;
}

export interface RunOptions extends RoleOptions {
  /** How long after its slot the run may begin for the first time. */
  readonly startWithin?: number;
}

interface Claim {
  readonly path: string;
  readonly members: Json;
}

export class Leader {
  readonly #core: Core;
  readonly #path: string;

  /** @internal */
  constructor(
    core: Core,
    readonly lease: Lease,
    election: string,
  ) {
    this.#core = core;
    this.#path = electionPath(election);
  }

  /** Fails with: FenceRefused once another leads. */
  async proclaim(value: Json): Promise<void> {
    const headers = { 'Idempotency-Key': uuid7() }; // for its own retries only
    const request = { method: 'PUT', path: this.#path, body: { value }, headers } as const;
    await this.#core.write(request, this.lease, false);
  }

  /** @internal */
  static campaign(election: string, options: ElectOptions): Claim {
    const locks = options.locks?.map(lockName);
    return { path: electionPath(election), members: { value: options.value, locks } };
  }
}

function electionPath(election: string): string {
  return `/v1/elections/${segment(election, 'an election')}`;
}

/** @internal */
export class Runs {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  static path(job: string, slot: string | Date): string {
    const instant = typeof slot === 'string' ? slot : slot.toISOString().replace('.000Z', 'Z');
    return `/v1/runs/${segment(job, 'a job')}/${segment(instant, 'a slot')}`;
  }

  static claim(job: string, slot: string | Date, options: RunOptions): Claim {
    const within = options.startWithin;
    const start_within_ms = within === undefined ? undefined : milliseconds(within, 'startWithin');
    const locks = options.locks?.map(lockName);
    return { path: Runs.path(job, slot), members: { start_within_ms, locks } };
  }

  /** The body, and behind it `done` or `failed`; nothing if the lease is lost. */
  told(path: string, body: Body<Lease, string | void>): Body<Lease, void> {
    return async (lease, signal) => {
      let result: string | void;
      try {
        result = await body(lease, signal);
      } catch (error) {
        if (!lease.signal.aborted) await this.#fail(path, lease, error);
        throw error;
      }
      if (!lease.signal.aborted) await this.#end(path, 'done', lease, result ?? undefined);
    };
  }

  async #fail(path: string, lease: Lease, error: unknown): Promise<void> {
    try {
      await this.#end(path, 'failed', lease, error instanceof Error ? error.name : typeof error);
    } catch (other) {
      if (!(other instanceof FencegateError)) throw other; // the body's own error is the one to see
    }
  }

  async #end(path: string, how: string, lease: Lease, result: string | undefined): Promise<void> {
    const kept = result === undefined ? undefined : cut(result, 1024);
    control.lastWrite(lease, true); // its success ends the lease
    const request = { method: 'POST', path: `${path}/${how}`, body: given({ result: kept }) } as const;
    await this.#core.write(request, lease, false);
    this.#core.ended(lease);
  }
}

/** At most so many bytes of UTF-8, and no half of a character. */
function cut(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return bytes.subarray(0, bytesMax).toString().replace(/\ufffd+$/, '');
}
