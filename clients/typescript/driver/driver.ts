// Driver of the TypeScript client for clients/conformance, whose README.md has the commands.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers/promises';

import * as fencegate from 'fencegate';
import type { Client, Lease, LockOptions, WatchEvent } from 'fencegate';

// Lines of JSON that a scenario wrote: their members are whatever it says.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Asked = Record<string, any>;

let client: Client;
const leases = new Map<string, Lease>();
const pending = new Map<string, AbortController>();
const watches = new Map<string, AsyncGenerator<WatchEvent, void, undefined>>();
let many: Lease[] = [];

function tell(told: object): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

function toldError(error: unknown): object {
  if (error instanceof TypeError) return { type: 'InvalidArgument' };
  if (!(error instanceof fencegate.FencegateError)) return { type: (error as Error).name };
  const told = { type: error.name, detail: error.message };
  if (error instanceof fencegate.LeaseLost) {
    return { ...told, reason: error.reason, ended: error.ended };
  }
  if (!(error instanceof fencegate.Refused)) return told;
  const { ended, original_resource } = error.members;
  return { ...told, code: error.code, ended, original_resource };
}

function optionsOf(asked: Asked): LockOptions {
  const wait = asked['wait_ms'] === null ? Infinity : (asked['wait_ms'] ?? 0);
  return { ttl: asked['ttl_ms'] ?? 5_000, wait };
}

function held(asked: Asked): Lease {
  return leases.get(asked['lease'])!;
}

function stateOf(lease: Lease): object {
  try {
    lease.throwIfLost();
    return { live: lease.isLive, left_ms: Math.round(lease.timeLeft()) };
  } catch (error) {
    const { reason, ended } = error as fencegate.LeaseLost;
    return { live: lease.isLive, left_ms: Math.round(lease.timeLeft()), reason, ended };
  }
}

async function body(asked: Asked, lease: Lease, signal: AbortSignal): Promise<void> {
  tell({ event: 'entered' });
  try {
    if (asked['refund'] !== undefined) {
      const { payment, amount, idempotency_key: idempotencyKey, release } = asked['refund'];
      await client.payments.refund(payment, { amount, idempotencyKey, lease, release });
    }
    if (asked['until'] === 'lost') await after(20_000, undefined, { signal });
  } catch (error) {
    if (signal.aborted) {
      tell({ event: 'cancelled' });
      await after(asked['then_ms'] ?? 0);
    }
    throw error;
  } finally {
    tell({ event: 'body_ended' });
  }
}

const commands: Record<string, (asked: Asked) => Promise<object | void>> = {
  async hello() {
    return { client: 'typescript', can: ['cancel_wait', 'cancel_body'] };
  },
  async open(asked) {
    const { url, key, ca, timeout_ms: timeout } = asked;
    client = new fencegate.Client({ url, key, ca: readFileSync(ca), timeout });
  },
  async acquire(asked) {
    const stop = new AbortController();
    pending.set(asked['lease'], stop);
    const options = { ...optionsOf(asked), signal: stop.signal };
    const lease = await client.acquire(asked['locks'] ?? asked['lock'], options);
    leases.set(asked['lease'], lease);
    return { token: lease.token, lease_id: lease.id, locks: lease.locks };
  },
  async cancel(asked) {
    const reason = Object.assign(new Error('given up'), { name: 'Cancelled' });
    pending.get(asked['lease'])!.abort(reason);
  },
  async state(asked) {
    return stateOf(held(asked));
  },
  async await_lost(asked) {
    const lease = held(asked);
    const lost = new Promise((resolve) => lease.on('lost', resolve));
    const inTime = await Promise.race([lost, after(20_000, null, { ref: false })]);
    if (inTime === null) throw new Error('not lost in time');
    return stateOf(lease);
  },
  async release(asked) {
    return { told: await held(asked).release() };
  },
  async scope(asked) {
    const locks = asked['locks'] ?? asked['lock'];
    await client.using(locks, optionsOf(asked), (lease, signal) => body(asked, lease, signal));
  },
  async create(asked) {
    const { payment: id, amount, currency, key: idempotencyKey } = asked;
    return client.payments.create({ id, amount, currency, idempotencyKey });
  },
  async refund(asked) {
    const { payment, amount, key: idempotencyKey, release } = asked;
    const move = { amount, idempotencyKey, release, lease: held(asked) };
    return client.payments.refund(payment, move);
  },
  async run(asked) {
    await client.runOnce(asked['job'], asked['slot'], { ttl: 5_000 }, async () => {
      if (asked['fails']) throw new RangeError('as the scenario wants it');
      return asked['result'];
    });
  },
  async many(asked) {
    let next = 0;
    const some = async (): Promise<void> => {
      while (next < asked['count']) {
        const name = `${asked['prefix']}${next++}`;
        many.push(await client.acquire(name, optionsOf(asked)));
      }
    };
    await Promise.all(Array.from({ length: asked['at_once'] }, some));
    return { granted: many.length };
  },
  async many_state() {
    return { live: many.filter((lease) => lease.isLive).length };
  },
  async watch(asked) {
    const events = client.watch({ prefix: asked['prefix'] });
    watches.set(asked['watch'], events);
    upcoming.set(asked['watch'], events.next()); // a generator does nothing before it is asked
  },
  async next(asked) {
    const { value } = await upcoming.get(asked['watch'])!;
    upcoming.set(asked['watch'], watches.get(asked['watch'])!.next());
    const { kind, data, id } = value as WatchEvent;
    return { kind, data, event_id: id };
  },
};
const upcoming = new Map<string, Promise<IteratorResult<WatchEvent, void>>>();

async function answer({ id, ...asked }: Asked): Promise<void> {
  try {
    tell({ id, ok: (await commands[asked['do']]!(asked)) ?? {} });
  } catch (error) {
    tell({ id, error: toldError(error) });
  }
}

createInterface({ input: process.stdin }).on('line', (line) => void answer(JSON.parse(line)));
