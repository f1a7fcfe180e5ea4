// The clock of deadlines: a suspended machine's sleep counts, a slewed wall clock does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bootClock, jumpClock } from '../src/clock.js';

test('sleep counts as time gone by', () => {
  let [monotonic, wall] = [1_000, 50_000];
  const clock = jumpClock(
    () => monotonic,
    () => wall,
  );

  [monotonic, wall] = [1_100, 50_100];
  assert.equal(clock(), 1_100);
  [monotonic, wall] = [1_200, 70_200];
  assert.equal(clock(), 21_200);
  [monotonic, wall] = [1_300, 70_300];
  assert.equal(clock(), 21_300);
});

test('a wall clock that is slewed, or set back, moves nothing', () => {
  let [monotonic, wall] = [0, 50_000];
  const clock = jumpClock(
    () => monotonic,
    () => wall,
  );

  [monotonic, wall] = [1_000, 51_020];
  assert.equal(clock(), 1_000);
  [monotonic, wall] = [2_000, 20_000];
  assert.equal(clock(), 2_000);
});

test('the clock of this machine rises', () => {
  const before = bootClock();
  while (bootClock() === before);
  assert.ok(bootClock() > before);
});
