// The client for Node. Times are milliseconds.
//
//   const fg = Client.fromEnv();
//   await fg.using('payments/pay_42', { ttl: 30_000, wait: 10_000 }, async (lease, signal) => {
//     await fg.payments.refund('pay_42', { amount: 2000, idempotencyKey: 'refund-o-981', lease });
//   });

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

import type { Wish } from './acquire.js';
import { Core } from './core.js';
import type { LockState, RunState, Verdict } from './documents.js';
import { LockHeld } from './errors.js';
import type { Lease } from './lease.js';
import { Payments } from './payments.js';
import * as policy from './policy.js';
import { type ElectOptions, Leader, type RunOptions, Runs } from './roles.js';
import { type Body, scope } from './scope.js';
import { type WatchEvent, watch } from './watch.js';
import { type Json, given, lockName, milliseconds, uuid7 } from './wire.js';

export interface ClientOptions {
  /** https://HOST[:PORT] */
  readonly url: string;
  readonly key?: string;
  /** PEM; without it the CAs of Node are trusted. */
  readonly ca?: string | Buffer;
  /** Who a holder is to people that look at a line. */
  readonly owner?: string;
  /** Of all attempts of one call, waits for a lock apart. */
  readonly timeout?: number;
}

export interface LockOptions {
  /** 30 s unless given. */
  readonly ttl?: number;
  /** For ever unless given; 0 to try once. */
  readonly wait?: number;
  readonly owner?: string;
  readonly shared?: boolean;
  readonly permits?: number;
  readonly metadata?: Json;
  /** Gives up the wait; within `using` it aborts the body's signal too. */
  readonly signal?: AbortSignal;
}

export interface WatchOptions {
  readonly prefix?: string;
  readonly lock?: string;
  readonly lastEventId?: string;
  readonly signal?: AbortSignal;
}

const TTL = 30_000;

export class Client {
  readonly payments: Payments;
  readonly owner: string;
  readonly #core: Core;
  readonly #runs: Runs;

  constructor(options: ClientOptions) {
    const url = new URL(options.url);
    if (url.protocol !== 'https:' || url.pathname !== '/') {
      throw new TypeError(`not the address of a gateway, https://HOST[:PORT]: ${options.url}`);
    }
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = url.port === '' ? (/:443\/?$/.test(options.url) ? 443 : 8443) : Number(url.port);
    const endpoint = { host, port, ca: options.ca, key: options.key };
    this.#core = new Core(endpoint, options.timeout ?? policy.ANSWER);
    this.#runs = new Runs(this.#core);
    this.owner = options.owner ?? defaultOwner();
    this.payments = new Payments(this.#core);
  }

  /** FENCEGATE_URL, FENCEGATE_CA, FENCEGATE_KEY_FILE: those of the fencegate program. */
  static fromEnv(options: Partial<ClientOptions> = {}, environment = process.env): Client {
    const { FENCEGATE_URL, FENCEGATE_CA, FENCEGATE_KEY_FILE } = environment;
    return new Client({
      url: FENCEGATE_URL ?? 'https://127.0.0.1:8443',
      ...(FENCEGATE_CA === undefined ? {} : { ca: readFileSync(FENCEGATE_CA) }),
      ...(FENCEGATE_KEY_FILE === undefined
        ? {}
        : { key: readFileSync(FENCEGATE_KEY_FILE, 'ascii').trim() }),
      ...options,
    });
  }

  /** Several names: all or none, one token. Renewed until it is released, lost, or the client closed. */
  acquire(locks: string | readonly string[], options: LockOptions = {}): Promise<Lease> {
    const mode = options.permits !== undefined ? 'semaphore' : options.shared ? 'shared' : undefined;
    const { permits, metadata } = options;
    const several = typeof locks === 'string' ? undefined : locks.map(lockName);
    const path = typeof locks === 'string' ? `/v1/locks/${lockName(locks)}` : '/v1/leases';
    return this.#core.acquire(this.#wish(path, options, { mode, permits, metadata, locks: several }));
  }

  /** Null if it is held by another. */
  async tryAcquire(
    locks: string | readonly string[],
    options: Omit<LockOptions, 'wait'> = {},
  ): Promise<Lease | null> {
    try {
      return await this.acquire(locks, { ...options, wait: 0 });
    } catch (error) {
      if (error instanceof LockHeld) return null;
      throw error;
    }
  }

  /**
   * Holds the locks while the body runs. The body's signal is aborted when the lease is lost, with
   * LeaseLost as its reason; the lease is released once the body has ended, never before. Fails with what
   * the body fails with, and with LeaseLost if the lease was lost under it.
   */
  async using<T>(
    locks: string | readonly string[],
    options: LockOptions,
    body: Body<Lease, T>,
  ): Promise<T> {
    return scope(await this.acquire(locks, options), options.signal, body);
  }

  /** Campaigns, and leads while the body runs. */
  async lead<T>(election: string, options: ElectOptions, body: Body<Leader, T>): Promise<T> {
    const { path, members } = Leader.campaign(election, options);
    const lease = await this.#core.acquire(this.#wish(path, options, members));
    const leader = new Leader(this.#core, lease, election);
    return scope(lease, options.signal, (_, signal) => body(leader, signal));
  }

  /**
   * Runs the body once for this slot, among all who ask. What it returns is kept with the run, up to 1 KiB.
   * Fails with: RunDone, RunMissed, RunNotDue, LockHeld; with what the body fails with, which is told too.
   */
  async runOnce(
    job: string,
    slot: string | Date,
    options: RunOptions,
    body: Body<Lease, string | void>,
  ): Promise<void> {
    const { path, members } = Runs.claim(job, slot, options);
    const claim = { ttl: 60_000, wait: 0, ...options };
    const lease = await this.#core.acquire(this.#wish(path, claim, members));
    await scope(lease, options.signal, this.#runs.told(path, body));
  }

  /** What happens to locks from now on, or behind that event. Comes back after outages; where events
   *  were missed there is one of the kind `reset`. */
  watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent, void, undefined> {
    return watch(this.#core.line, watchPath(options), options.lastEventId, options.signal);
  }

  async inspect(lock: string): Promise<LockState> {
    const path = `/v1/locks/${lockName(lock)}`;
    return (await this.#core.call({ method: 'GET', path })).json<LockState>();
  }

  /** Before an effect that does not pass the gateway. True was true when it was said. */
  async verify(lock: string, token: number): Promise<Verdict> {
    const path = `/v1/fence/verify?lock=${lockName(lock)}&token=${token}`;
    return (await this.#core.call({ method: 'GET', path })).json<Verdict>();
  }

  async runState(job: string, slot: string | Date): Promise<RunState> {
    const path = Runs.path(job, slot);
    return (await this.#core.call({ method: 'GET', path })).json<RunState>();
  }

  /** Leases that are still held are not renewed any more, and end by their TTL. */
  close(): void {
    this.#core.close();
  }

  #wish(path: string, options: LockOptions, members: Json): Wish {
    const ttl_ms = milliseconds(options.ttl ?? TTL, 'ttl');
    const body = given({ ttl_ms, owner: options.owner ?? this.owner, ...members });
    return { path, body, wait: options.wait ?? Infinity, signal: options.signal };
  }
}

function defaultOwner(): string {
  const host = hostname().replace(/[^\x20-\x7e]/g, '').slice(0, 80);
  return `${host}:${process.pid}:${uuid7().slice(-6)}`;
}

function watchPath({ prefix, lock }: WatchOptions): string {
  if (prefix !== undefined && lock !== undefined) throw new TypeError('watch one lock or a prefix');
  if (lock !== undefined) return `/v1/watch?lock=${lockName(lock)}`;
  if (prefix === undefined || prefix === '') return '/v1/watch';
  lockName(prefix.replace(/\/$/, ''));
  return `/v1/watch?prefix=${prefix}`;
}
