// A lease without a gateway: what is never undone, and the order at the end of a body.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bootClock } from '../src/clock.js';
import { LeaseLost } from '../src/errors.js';
import { Lease, control } from '../src/lease.js';
import { scope } from '../src/scope.js';
import { lose } from '../src/testing.js';

const granted = {
  lease_id: '01',
  fencing_token: 2 ** 53 - 1,
  locks: ['a/b'],
  ttl_ms: 30_000,
  remaining_ms: 30_000,
};

function leaseOf(sentAt = bootClock(), told: string[] = []): Lease {
  return new Lease(granted, sentAt, async () => {
    told.push('released');
    return true;
  });
}

test('the deadline counts from before the request', () => {
  const lease = leaseOf(100);

  assert.equal(control.deadline(lease), 30_100);
  assert.equal(control.lostAt(lease), 27_100);
});

test('a lease is lost by the clock alone', () => {
  const lease = leaseOf(bootClock() - 27_500);

  assert.throws(() => lease.throwIfLost(), { name: 'LeaseLost', reason: 'deadline_passed' });
  assert.equal(lease.timeLeft(), 0);
});

test('a late answer to a renewal does not revive', () => {
  const lease = leaseOf();
  lose(lease);

  control.renewed(lease, bootClock(), granted);

  assert.equal(lease.isLive, false);
});

test('nor does one that comes after the release began', () => {
  const lease = leaseOf();
  const before = control.deadline(lease);
  control.beginRelease(lease);

  control.renewed(lease, bootClock() + 100_000, granted);

  assert.equal(control.deadline(lease), before);
});

test('a listener is told once, and at once when it comes late', () => {
  const told: (string | undefined)[] = [];
  const lease = leaseOf().on('lost', (loss) => told.push(loss.ended));

  lose(lease, 'broken');
  lose(lease, 'expired');
  lease.on('lost', (loss) => told.push(loss.ended));

  assert.deepEqual(told, ['broken', 'broken']);
});

test('the end that our last write made is no loss', () => {
  const lease = leaseOf();
  control.lastWrite(lease, true);

  control.lose(lease, 'lease_released');

  assert.equal(control.state(lease), 'released');
});

test('a body that ends well under a lost lease fails with it, after the release', async () => {
  const told: string[] = [];
  const lease = leaseOf(bootClock(), told);

  const running = scope(lease, undefined, async (held) => {
    lose(held);
    await Promise.resolve();
    told.push('body ended');
  });

  await assert.rejects(running, LeaseLost);
  assert.deepEqual(told, ['body ended', 'released']);
});

test("a body's own error is not hidden by the loss", async () => {
  const running = scope(leaseOf(), undefined, async (held) => {
    lose(held);
    throw new RangeError('of the body');
  });

  await assert.rejects(running, RangeError);
});

test('an AbortError of a call that the loss stopped is told as the loss', async () => {
  const running = scope(leaseOf(), undefined, async (held, signal) => {
    lose(held);
    assert.ok(signal.aborted);
    throw Object.assign(new Error('aborted'), { name: 'AbortError' });
  });

  await assert.rejects(running, LeaseLost);
});

test('the outer signal stops the body and is no loss', async () => {
  const outer = new AbortController();
  const running = scope(leaseOf(), outer.signal, async (_, signal) => {
    outer.abort(new RangeError('enough'));
    signal.throwIfAborted();
  });

  await assert.rejects(running, RangeError);
});
