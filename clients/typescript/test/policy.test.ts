// Numbers of the rules that every client keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as policy from '../src/policy.js';

test('the margin is a tenth, but a second where the lease is long enough', () => {
  const rows = [[100, 25], [2_000, 500], [4_000, 1_000], [10_000, 1_000], [30_000, 3_000]] as const;
  for (const [ttl, wanted] of rows) assert.equal(policy.margin(ttl), wanted, `TTL ${ttl}`);
});

test('Retry-After is not undercut', () => {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    assert.ok(policy.afterRefusal(attempt, 1_000) >= 1_000);
  }
});

test('a renewal does not wait its lease away', () => {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    assert.ok(policy.renewalPause(attempt, 5_000, 1_000) <= 250);
  }
});
